"""The configuration of the Go reference, in protobuf's text format."""

from fuzz.laws import text_of

from bootz.wire.reference import parse_reference_config


def enter(data: bytes) -> None:
    parse_reference_config(text_of(data))
