"""GetBootstrapDataRequest in each dialect."""

from fuzz.laws import stable

from bootz.wire.dialects import DIALECTS
from bootz.wire.requests import decode_bootstrap_request, encode_bootstrap_request


def enter(data: bytes) -> None:
    dialect = DIALECTS[data[0] % len(DIALECTS)] if data else DIALECTS[-1]
    request = decode_bootstrap_request(data[1:], dialect)
    stable(
        request,
        lambda each: encode_bootstrap_request(each, dialect),
        lambda written: decode_bootstrap_request(written, dialect),
    )
