"""The samples that each harness begins with: small, valid, and made by this project alone."""

from __future__ import annotations

from fuzz.harness import HERE

MATERIAL = HERE / "material"
CORPUS = HERE / "corpus"


def material(name: str) -> bytes:
    """Return a key or certificate that samples were made with."""
    return (MATERIAL / name).read_bytes()


def samples(harness: str) -> list[bytes]:
    """Return the samples of a harness, always in the same order."""
    return [path.read_bytes() for path in sorted((CORPUS / harness).iterdir())]
