"""Proofs by a TPM, byte by byte: what a server asks, what a TPM says, and whether that holds."""
