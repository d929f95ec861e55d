"""Files with a voucher: DER, PEM, base64."""

from bootz.server.operations.vouchers.files import read_voucher_text


def enter(data: bytes) -> None:
    assert read_voucher_text(data, "file")
