"""Requests to the MASA: each message of ovgs.v1, with its moment in time."""

from google.protobuf.message import Message

from bootz.masa.rpc import UNARY
from bootz.wire.ovgs import parse, read_instant, write_instant


def enter(data: bytes) -> None:
    kinds = sorted(UNARY)
    row = UNARY[kinds[(data[0] if data else 0) % len(kinds)]]
    message: Message = parse(row.request, data[1:])
    for field, value in message.ListFields():
        if field.name in {"lifetime", "expiry_time"}:
            moment = read_instant(field.name, value)
            assert read_instant(field.name, write_instant(moment)) == moment
