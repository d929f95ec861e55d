"""Challenges and answers byte by byte, worked out by hand from the TCG's specifications.

The HMAC key and its wrap, a V1 answer of an emulated TPM 2.0 to it, a TPM 1.2 blob with its
answer, and what an IDevID signs. ``seq(a, n)``: n consecutive byte values from a on.
"""

from __future__ import annotations

from bootz.model.challenge import HmacAnswer


def seq(first: int, count: int) -> bytes:
    return bytes(range(first, first + count))


def hexed(text: str) -> bytes:
    return bytes.fromhex("".join(text.split()))


OBFUSCATION, KEY, SEED = seq(0, 32), seq(0x20, 32), seq(0x40, 32)

UNIQUE = hexed("fdeab9acf3710362bd2658cdc9a29e8f9c757fcf9811603a8c447cd1d9151108")
PUBLIC = hexed("00300008000b0005044000000005000b0020") + UNIQUE
NAME = hexed("000b66367c0625a1dacb8631071eb15a2c74610743f7cf1d0d6fbfa15e60225973a6")
AES_KEY = hexed("a5d13b5cac525e99f38537eabd4b52a5")
MAC_KEY = hexed("01927eb72a10a617a5f9166fc789e6a5acbac94d27180042441cada7147483e2")
TWO_BLOCKS = hexed(
    "030fb7d7369fdd8a3dd8d5ff9785730bf75a60b6d822fe051449334e3768e10b"
    "5ebb73b836c08810478c5d96e48ea69f071a465871cf006b6b2c5e93dc7694c3"
)
DUPLICATE = hexed(
    "006c 0020"
    "3626eaba983bbe296701e7d5602f311480bac48908a28e55a7c4fdce38c8d14c"
    "cfd2f46e140a751e1f869b2f517e3c63b9c663c5b1965d48e00b533686d9b69fe6f5cdc3658ddd24f7b25dac"
    "e8f796ceba6433f419274e334612cebf32d66e72bbf7fc4b845e9aa83208"
)

TRANSPORT_KEY = hexed("08021220") + seq(0x80, 32)
IAK_PUBLIC = hexed(
    "00780023000b000500f20020048e9a3ace08583f79f344ff785bbea9f07ac7fa3325b3d49a21dd5194c65850"
    "00100018000b000300100020cb4e444681dffb41ba16bf56b3efc37588bf415118e131dc984dbaf0cdf3f560"
    "002086615c02f8b5720450d90d0bfbb8440f47c9466442b5f45061e17f80f30c1511"
)
CERTIFY_INFO = hexed(
    "00afff54434780170022000bd5497011d93c38d6f0f9b0ca13e92a4714d01c49510b781809108d0d796fabce"
    "0022000bbf60462d304b6b20724a858567dd941a9d1d3e11b7936911d868a069709f66a6"
    "00000000000000550000000100000000012019102300163636"
    "0022000b1ed3080c9420f75e66967b8f3716c4e992e687ddfc788454a31144e4b609a00b"
    "0022000b850102c7ff57dc4ede89fa81b1bb455477f88685e82cefd94348e5c0d026d126"
)
SIGNATURE = hexed("0005000b4404390dfa2a8a7f8d23dfe6265609379eed10526c0703b26f1982c511566837")
HMAC_ANSWER = HmacAnswer(IAK_PUBLIC, CERTIFY_INFO, SIGNATURE, TRANSPORT_KEY)

AIK_DIGEST = seq(0xA0, 20)
TPM12_CONTENTS = hexed("0000000500010020") + KEY + AIK_DIGEST
TPM12_HASH = hexed("77b6f3b2deec6007a9618290d3730b50b0964cc01e18551a35d234a2ce993571")

NONCE = seq(0xC0, 32)
NONCE_TEXT = b"wMHCw8TFxsfIycrLzM3Oz9DR0tPU1dbX2Nna29zd3t8="
NONCE_TRANSPORT_KEY = TRANSPORT_KEY + hexed("1a20") + NONCE
NONCE_TRANSPORT_KEY_SHA256 = hexed(
    "6443f7eb1bcee9ec592c50aa4c6f38ea88f34fd9a45bd01268f2b01d3eaf32cf"
)
