"""TPM2B_PUBLIC and TPM2B_ATTEST: what a TPM 2.0 says of a key."""

from bootz.errors import BootzError
from bootz.trust.tpm.structures import parse_certified, parse_public, unwrap
from bootz.trust.tpm.tpm20 import object_name


def enter(data: bytes) -> None:
    inner = unwrap(data, "file")
    try:
        parse_certified(inner, "iak_certify_info")
    except BootzError:
        pass
    public = parse_public(inner, "iak_pub")
    assert public.raw == inner
    object_name(inner)
