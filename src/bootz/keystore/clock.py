"""A clock that was never set: it shows a time before the keys were made."""

from datetime import datetime

from cryptography import x509

from bootz.errors import ConfigError


def check_clock(certificate: x509.Certificate, now: datetime, *, where: str) -> None:
    """Check that the clock does not show a time before a certificate of one's own begins.

    Nothing else is checked. Without it, whatever is issued at such a time would end before it
    begins, and the error would speak of that.

    Args:
        certificate: of a key that is used here.
        now: aware UTC.
        where: names the certificate in the error.

    Raises:
        ConfigError: ``clock-behind``.
    """
    begins = certificate.not_valid_before_utc
    if now < begins:
        raise ConfigError(
            "clock-behind",
            f"the clock shows {now.isoformat(timespec='seconds')}, and the certificate begins at "
            f"{begins.isoformat()}",
            where=where,
            expected=f"a clock at {begins.isoformat()} or later",
            seen=now.isoformat(timespec="seconds"),
        )
