"""gRPC and TLS as the serving parties use them: bounded, reloadable, certificates as DER.

Knows nothing of Bootz or OVGS messages: bytes go in and out.
"""
