"""Answers of a time server."""

from bootz.transport.sntp import read_offset


def enter(data: bytes) -> None:
    offset = read_offset(data, data[24:32], 1.8e9, 1.8e9)
    assert abs(offset) < 1 << 33
