"""EK certificates as an NV index has them, and the keys of a TPM's record."""

from bootz.errors import BootzError
from bootz.server.operations.tpm_record import read_ek_certificate, read_tpm_key
from bootz.trust.tpm.ek_certificate import read_ek_certificates
from bootz.trust.tpm.tpm12 import endorsement_key
from bootz.trust.tpm.tpm20 import parent_key


def enter(data: bytes) -> None:
    for read in (
        lambda: read_tpm_key(data, "file"),
        lambda: parent_key(data),
        lambda: endorsement_key(data),
        lambda: read_ek_certificate(data, "file"),
    ):
        try:
            read()
        except BootzError:
            continue
    found = read_ek_certificates(data)
    assert found
    assert all(each in data for each in found)
