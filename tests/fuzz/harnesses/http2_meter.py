"""The meter of HTTP/2 frames: it admits octets up to a border, whatever they are."""

from bootz.transport.http2.meter import LONGEST_WAIT, Bucket, FrameMeter


def enter(data: bytes) -> None:
    meter = FrameMeter(Bucket(128.0))
    step = 1 + (data[0] if data else 0)
    now, at = 0.0, 1
    while at < len(data):
        part = data[at : at + step]
        admitted = meter.admit(part, now)
        assert 0 <= admitted <= len(part)
        if admitted < len(part):
            wait = meter.wait()
            assert wait >= 0
            now += max(wait, 0.001)
            assert wait <= LONGEST_WAIT or admitted == 0
        at += admitted
