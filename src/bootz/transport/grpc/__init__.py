"""gRPC of the serving side, above any HTTP/2 engine: calls, messages, deadlines, statuses.

Source: gRPC over HTTP/2.
"""
