"""The PROXY protocol's header."""

from bootz.transport.proxy_header import HEAD_BYTES, parse_header, rest_length


def enter(data: bytes) -> None:
    rest_length(data[:HEAD_BYTES])
    parse_header(data)
