"""What a voucher says: RFC 8366 in JSON or XML."""

from fuzz.laws import stable

from bootz.trust.voucher_content import read_content, write_content


def enter(data: bytes) -> None:
    content = read_content(data).content
    stable(content, write_content, lambda written: read_content(written).content)
