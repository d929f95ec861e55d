"""Proofs: bytes go in, the verified thing or a TrustError comes out; no I/O, no clock."""
