"""Ethernet frames with DHCP in them."""

from bootz.wire.frames import decode_frame, encode_frame


def enter(data: bytes) -> None:
    frame = decode_frame(data)
    if frame is not None:
        assert decode_frame(encode_frame(frame)) == frame
