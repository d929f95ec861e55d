"""GetBootstrapDataResponse in each dialect: read by the router."""

from bootz.wire.answers import decode_answer
from bootz.wire.dialects import DIALECTS


def enter(data: bytes) -> None:
    dialect = DIALECTS[data[0] % len(DIALECTS)] if data else DIALECTS[-1]
    sealed = decode_answer(data[1:], dialect)
    assert sealed.payload
    assert sealed.payload in data
