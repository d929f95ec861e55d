"""The webhooks of a source, with a signature that holds and one that does not."""

import hmac

from fuzz.laws import text_of

from bootz.server.sources.ringing import HookBell


def enter(data: bytes) -> None:
    bell = HookBell(b"secret", {"echo"}, "bootz")
    signature = hmac.new(b"secret", data, "sha512").hexdigest()
    assert bell.rings(data, signature) is not None
    assert bell.rings(data, data[:200].decode("latin-1")) is None
    assert bell.rings(b"", text_of(data[:0])) is None
