"""A TPM 2.0's answer to the HMAC challenge: quotes and MACs of any form."""

from vectors import tpm as vector

from bootz.model.challenge import HmacAnswer
from bootz.trust.tpm.tpm20 import HmacKey, verify_hmac_answer

_KEY = HmacKey(vector.OBFUSCATION, vector.KEY)


def enter(data: bytes) -> None:
    parts: list[bytes] = []
    at = 0
    for _ in range(3):
        size = int.from_bytes(data[at : at + 2], "big")
        parts.append(data[at + 2 : at + 2 + size])
        at += 2 + size
    answer = HmacAnswer(*parts, transport_key=data[at:])
    verify_hmac_answer(_KEY, answer, bound=True)
