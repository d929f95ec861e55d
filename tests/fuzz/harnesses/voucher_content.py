"""What a voucher says: RFC 8366 in JSON or XML."""

from fuzz.laws import stable

from bootz.trust.voucher_content import read_content, write_content


def enter(data: bytes) -> None:
    content = read_content(data).content
    if content.created_on is None:
        # It is read, with a warning; it is never written.
        return
    stable(content, write_content, lambda written: read_content(written).content)
