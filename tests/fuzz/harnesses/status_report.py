"""ReportStatusRequest in each dialect."""

from fuzz.laws import stable

from bootz.wire.dialects import DIALECTS
from bootz.wire.reports import decode_report, encode_report


def enter(data: bytes) -> None:
    dialect = DIALECTS[data[0] % len(DIALECTS)] if data else DIALECTS[-1]
    stable(
        decode_report(data[1:], dialect),
        lambda each: encode_report(each, dialect),
        lambda written: decode_report(written, dialect),
    )
