"""Changed samples out of a seed, where no coverage guides: what `make check` feeds each harness."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

_INTERESTING = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)
_TOKENS = (b"\0", b'"', b"{", b"[", b"}", b"\n", b",", b"0", b"-", b"1e999", b"\xed\xa0\x80", b"%")
_LONGEST = 1 << 16


def mutations(samples: Sequence[bytes], count: int, seed: int) -> Iterator[bytes]:
    """Return changed samples, the same ones for the same seed."""
    chance = Random(seed)
    for _ in range(count):
        data = bytearray(chance.choice(samples))
        for _ in range(1 << chance.randrange(4)):
            _change(data, samples, chance)
        yield bytes(data[:_LONGEST])


def _change(data: bytearray, samples: Sequence[bytes], chance: Random) -> None:
    at = chance.randrange(len(data) + 1)
    span = min(1 << chance.randrange(7), len(data) - at)
    match chance.randrange(8):
        case 0 if at < len(data):
            data[at] ^= 1 << chance.randrange(8)
        case 1 if at < len(data):
            data[at] = chance.randrange(256)
        case 2:
            del data[at : at + span]
        case 3:
            data[at:at] = data[at : at + span] * chance.randrange(1, 4)
        case 4:
            data[at:at] = chance.choice(_TOKENS) * (1 << chance.randrange(8))
        case 5:
            value = chance.choice(_INTERESTING)
            width = max(1, (value.bit_length() + 7) // 8)
            data[at : at + width] = value.to_bytes(width, "big")
        case 6:
            other = chance.choice(samples)
            begin = chance.randrange(len(other) + 1)
            data[at : at + span] = other[begin : begin + (1 << chance.randrange(9))]
        case _:
            del data[at:]
