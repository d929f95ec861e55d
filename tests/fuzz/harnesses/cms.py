"""CMS SignedData in DER and BER, and the owner certificate as one."""

from bootz.trust.cms import parse_signed_data, verify_signers


def enter(data: bytes) -> None:
    verify_signers(parse_signed_data(data))
