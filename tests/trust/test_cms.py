"""SignedData: what is written, what is accepted, what is refused, and by whose measure."""

from __future__ import annotations

import functools
import random
from pathlib import Path

import pytest
from asn1crypto import cms as oracle
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding
from hypothesis import given, settings
from hypothesis import strategies as st
from trust.cms_forge import (
    ANIMA,
    ID_DATA,
    SHA256,
    SIGNING_TIME,
    Signer,
    attribute,
    build,
    content_type,
    indefinite,
    message_digest,
    named,
)
from trust.world import (
    NOW,
    NULL,
    SHA1_RSA,
    SHA384_RSA,
    Made,
    authority,
    constraints,
    curve_key,
    extension,
    forge,
    openssl,
    p384,
    p521,
    rsa_key,
    usage,
)

from bootz.trust.asn1 import encode, encode_integer, encode_oid, encode_sequence
from bootz.trust.certificates import pem_from_der
from bootz.trust.cms import (
    CmsError,
    build_signed_data,
    parse_signed_data,
    verify_signers,
)
from bootz.trust.signature import scheme_for, sign_with

ROOT = authority("root", rsa_key(1))
RSA = authority("signer", rsa_key(2))
OTHER = forge("other", rsa_key(3), extensions=(constraints(),))
RSA_ENCRYPTION = encode_sequence(encode_oid("1.2.840.113549.1.1.1"), NULL)
SHA1 = encode_sequence(encode_oid("1.3.14.3.2.26"))


def accept(data: bytes) -> None:
    signed = parse_signed_data(data)
    (signer,) = verify_signers(signed)
    assert signed.content == b"content"
    assert signer.certificate == RSA.der


def one(*certificates: bytes, **how: object) -> bytes:
    signer = Signer(RSA, **how)  # type: ignore[arg-type]
    return build([signer.build()], list(certificates) or [RSA.der])


def pss(salt: int | None = 32, mask: bytes = SHA256, hashed: bytes = SHA256) -> bytes:
    generation = encode_sequence(encode_oid("1.2.840.113549.1.1.8"), mask)
    return encode_sequence(
        encode_oid("1.2.840.113549.1.1.10"),
        encode_sequence(
            encode(0xA0, hashed),
            encode(0xA1, generation),
            b"" if salt is None else encode(0xA2, encode_integer(salt)),
        ),
    )


def sign_pss(data: bytes, salt: int = 32) -> bytes:
    return rsa_key(2).sign(data, padding.PSS(padding.MGF1(hashes.SHA256()), salt), hashes.SHA256())


def by_key_identifier() -> bytes:
    identifier = x509.SubjectKeyIdentifier(b"0123456789")
    made = forge("signer", rsa_key(2), extensions=(extension(identifier),))
    signer = Signer(made, version=3, name=encode(0x80, b"0123456789"))
    return build([signer.build()], [OTHER.der, made.der], version=3)


PLAIN = one()
CHUNKS = encode(0xA0, b"\x24\x80" + encode(4, b"con") + encode(4, b"tent") + b"\0\0")
EXTRA = attribute("1.2.3.4", NULL)
ATTRIBUTES = [content_type(), SIGNING_TIME, message_digest(b"content")]

ACCEPTED = {
    "plain": PLAIN,
    "no signing time": one(attributes=[content_type(), message_digest(b"content")]),
    "unknown signed attribute": one(attributes=[*ATTRIBUTES, EXTRA]),
    "unsigned attributes": one(behind=encode(0xA1, EXTRA)),
    "no signed attributes, plain data": one(no_attributes=True),
    "signer last in the bag, twice": one(OTHER.der, RSA.der, RSA.der),
    "rsaEncryption": one(algorithm=RSA_ENCRYPTION),
    "RSA without NULL": one(algorithm=encode_sequence(encode_oid("1.2.840.113549.1.1.11"))),
    "digest with NULL": one(digest=encode_sequence(encode_oid("2.16.840.1.101.3.4.2.1"), NULL)),
    "PSS": one(algorithm=pss(), sign=sign_pss),
    "PSS without salt": one(algorithm=pss(0), sign=lambda data: sign_pss(data, 0)),
    "PSS with the longest salt": one(algorithm=pss(222), sign=lambda data: sign_pss(data, 222)),
    "PSS with the salt that is not said": one(
        algorithm=pss(None), sign=lambda data: sign_pss(data, 20)
    ),
    "version 5": build([Signer(RSA).build()], [RSA.der], version=5),
    "CRLs": build([Signer(RSA).build()], [RSA.der], crls=encode(0xA1, b"\x30\0")),
    "junk in the bag": one(
        b"\x30\0", b"\x30\2\x30\0", RSA.der, encode(0xA1, b"attribute certificate")
    ),
    "octet string in chunks": build([Signer(RSA).build()], [RSA.der], raw_content=CHUNKS),
    "indefinite lengths": indefinite(PLAIN),
}


@pytest.mark.parametrize("data", ACCEPTED.values(), ids=ACCEPTED)
def test_what_is_accepted(data: bytes) -> None:
    accept(data)


def test_a_signer_by_key_identifier() -> None:
    (signer,) = verify_signers(parse_signed_data(by_key_identifier()))
    assert signer.signing_time == NOW


def test_a_signer_whose_certificate_is_of_version_1() -> None:
    made = forge("old", rsa_key(2), version=1)
    data = build([Signer(made).build()], [made.der])
    (signer,) = verify_signers(parse_signed_data(data))
    assert signer.certificate == made.der


def other_type(oid: str, **how: object) -> bytes:
    return build([Signer(RSA, **how).build()], [RSA.der], econtent_type=oid, version=3)  # type: ignore[arg-type]


TWICE = [content_type(), content_type(), message_digest(b"content")]
MALFORMED = {
    "nothing": b"",
    "a byte behind it": PLAIN + b"\0",
    "a byte inside, behind the signers": build(
        [Signer(RSA).build()], [RSA.der], behind=b"\x05\x00"
    ),
    "cut": PLAIN[:-1],
    "not signed-data": build([Signer(RSA).build()], [RSA.der], outer=ID_DATA),
    "unknown version": build([Signer(RSA).build()], [RSA.der], version=9),
    "no signer": build([], [RSA.der]),
    "nine signers": build([Signer(RSA).build()] * 9, [RSA.der]),
    "65 certificates": one(*[RSA.der] * 65),
    "the signer's certificate is not included": one(OTHER.der),
    "another serial number": one(name=named(RSA, 4712)),
    "another issuer": one(name=named(RSA, issuer=OTHER.subject)),
    "content type missing": one(attributes=[message_digest(b"content")]),
    "content type of another": one(attributes=[content_type(ANIMA), message_digest(b"content")]),
    "digest missing": one(attributes=[content_type(), SIGNING_TIME]),
    "attribute twice": one(attributes=TWICE),
    "two values": one(
        attributes=[
            attribute("1.2.840.113549.1.9.3", encode_oid(ID_DATA), encode_oid(ID_DATA)),
            message_digest(b"content"),
        ]
    ),
    "no attributes, other content": other_type(ANIMA, no_attributes=True),
    "signing time that is none": one(
        attributes=[*ATTRIBUTES[::2], attribute("1.2.840.113549.1.9.5", encode(0x17, b"990231"))]
    ),
    "unknown signer version": one(version=2),
    "algorithm with two parameters": one(
        algorithm=encode_sequence(encode_oid("1.2.840.113549.1.1.11"), NULL, NULL)
    ),
    "a length longer than it must be": b"\x30\x84\0"
    + len(PLAIN[4:]).to_bytes(3, "big")
    + PLAIN[4:],
    "nested without end": b"\x30\x80" * 3000,
    "nested 25 deep": functools.reduce(
        lambda data, _: b"\x30\x80" + data + b"\0\0", range(25), b""
    ),
    "chunks that are none": build(
        [Signer(RSA).build()], [RSA.der], raw_content=encode(0xA0, b"\x24\x80\x02\x01\x01\0\0")
    ),
    "tag above 30": b"\x1f\x1f\x01\x00",
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED)
def test_what_is_malformed(data: bytes) -> None:
    with pytest.raises(CmsError) as caught:
        verify_signers(parse_signed_data(data))
    assert caught.value.reason == "cms-malformed"


def weak() -> bytes:
    made = forge("weak", rsa_key(0, 1024))
    return build([Signer(made).build()], [made.der])


def edwards() -> bytes:
    key = ed25519.Ed25519PrivateKey.generate()
    made = forge("edwards", key)
    algorithm = encode_sequence(encode_oid("1.3.101.112"))
    return build([Signer(made, algorithm=algorithm, sign=key.sign).build()], [made.der])


def sign_384(data: bytes) -> bytes:
    return rsa_key(2).sign(data, padding.PKCS1v15(), hashes.SHA384())


def sign_sha1(data: bytes) -> bytes:
    return rsa_key(2).sign(data, padding.PKCS1v15(), hashes.SHA1())


UNSUPPORTED = {
    "digest SHA-1": one(digest=SHA1),
    "signature with SHA-1": one(algorithm=SHA1_RSA, sign=sign_sha1),
    "another SHA than the digest's": one(algorithm=SHA384_RSA, sign=sign_384),
    "RSA-1024": weak(),
    "Ed25519": edwards(),
    "ECDSA by an RSA key": one(algorithm=encode_sequence(encode_oid("1.2.840.10045.4.3.2"))),
    "PSS with too long a salt": one(algorithm=pss(223), sign=sign_pss),
    "PSS with a negative salt": one(algorithm=pss(-1), sign=sign_pss),
    "PSS of SHA-1": one(algorithm=pss(hashed=SHA1), sign=sign_pss),
    "PSS with another mask": one(algorithm=pss(mask=SHA1), sign=sign_pss),
    "PSS without parameters": one(
        algorithm=encode_sequence(encode_oid("1.2.840.113549.1.1.10")), sign=sign_pss
    ),
    "digest with parameters": one(
        digest=encode_sequence(encode_oid("2.16.840.1.101.3.4.2.1"), b"\x02\x01\x01")
    ),
}


@pytest.mark.parametrize("data", UNSUPPORTED.values(), ids=UNSUPPORTED)
def test_what_is_refused_whatever_it_says(data: bytes) -> None:
    with pytest.raises(CmsError) as caught:
        verify_signers(parse_signed_data(data))
    assert caught.value.reason == "cms-unsupported"


BAD = {
    "another content": build([Signer(RSA).build()], [RSA.der], content=b"Content"),
    "content gone": build([Signer(RSA).build()], [RSA.der], content=None),
    "digest of another": one(attributes=[content_type(), message_digest(b"x")]),
    "signed by another key": one(sign=sign_with(rsa_key(3))),
    "attributes changed": PLAIN.replace(SIGNING_TIME, SIGNING_TIME.replace(b"2605", b"2606")),
    "no signed attributes, another content": build(
        [Signer(RSA, no_attributes=True).build()], [RSA.der], content=b"x"
    ),
    "no signature": one(sign=lambda data: b""),
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
def test_what_does_not_hold(data: bytes) -> None:
    with pytest.raises(CmsError) as caught:
        verify_signers(parse_signed_data(data))
    assert caught.value.reason == "cms-bad-signature"


def test_the_size_is_looked_at_first() -> None:
    parse_signed_data(PLAIN, max_size=len(PLAIN))
    for data, bound in ((PLAIN, len(PLAIN) - 1), (bytes((1 << 20) + 1), 1 << 30)):
        with pytest.raises(CmsError) as caught:
            parse_signed_data(data, max_size=bound)
        assert caught.value.reason == "cms-too-large"


def test_of_several_signers_those_that_hold_are_told() -> None:
    good, bad = Signer(RSA), Signer(OTHER, sign=sign_with(rsa_key(4)))
    data = build([bad.build(), good.build()], [OTHER.der, RSA.der])
    (signer,) = verify_signers(parse_signed_data(data))
    assert (signer.certificate, signer.others) == (RSA.der, (OTHER.der,))
    with pytest.raises(CmsError):
        parse_signed_data(build([good.build(), b"\x30\0"], [RSA.der]))


def end_entity(key: object) -> Made:
    return forge("end", key, ROOT, extensions=(usage(sign=True),))  # type: ignore[arg-type]


WRITERS = {
    "RSA-2048": end_entity(rsa_key(5)),
    "P-256": end_entity(curve_key(1)),
    "P-384": end_entity(p384(1)),
    "P-521": end_entity(p521(1)),
}


def write(made: Made, content: bytes | None, oid: str) -> bytes:
    return build_signed_data(
        content=content,
        content_type=oid,
        signer_certificate=made.der,
        intermediates=[ROOT.der],
        scheme=scheme_for(made.key.public_key()),
        sign=sign_with(made.signer),
        signing_time=NOW,
    )


@pytest.mark.parametrize("made", WRITERS.values(), ids=WRITERS)
@pytest.mark.parametrize("oid", [ID_DATA, ANIMA])
@pytest.mark.parametrize("content", [b"", b"some content", None])
def test_what_we_write_others_verify(
    made: Made, oid: str, content: bytes | None, tmp_path: Path
) -> None:
    data = write(made, content, oid)
    signed = parse_signed_data(data)
    assert (signed.content_type, signed.content) == (oid, content)
    assert signed.certificates == (made.der, ROOT.der)
    (signer,) = verify_signers(signed)
    assert signer.signing_time == NOW
    assert oracle_verdict(data)
    info = oracle.ContentInfo.load(data, strict=True)["content"]
    assert info["version"].native == ("v1" if oid == ID_DATA else "v3")
    (tmp_path / "cms").write_bytes(data)
    (tmp_path / "root.pem").write_bytes(pem_from_der([ROOT.der]))
    detached = ["-content", "/dev/null"] if content is None else []
    told = openssl(
        *("cms", "-verify", "-binary", "-inform", "DER", "-in", "cms", "-purpose", "any"),
        *("-attime", str(int(NOW.timestamp())), "-CAfile", "root.pem", *detached),
        folder=tmp_path,
    )
    assert (told.returncode, told.stdout) == (0, content or b""), told.stderr


def test_a_signing_time_after_2049_is_read_back() -> None:
    data = build_signed_data(
        content=b"x",
        content_type=ID_DATA,
        signer_certificate=RSA.der,
        intermediates=[],
        scheme=scheme_for(rsa_key(2).public_key()),
        sign=sign_with(rsa_key(2)),
        signing_time=NOW.replace(year=2052, month=2, day=29),
    )
    (signer,) = verify_signers(parse_signed_data(data))
    assert signer.signing_time == NOW.replace(year=2052, month=2, day=29)


def test_a_signer_that_fails_is_heard_and_one_without_certificate_refused() -> None:
    def broken(data: bytes) -> bytes:
        raise OSError("token")

    how = {"content": b"", "content_type": ID_DATA, "intermediates": [], "signing_time": NOW}
    scheme = scheme_for(rsa_key(2).public_key())
    with pytest.raises(OSError, match="token"):
        build_signed_data(signer_certificate=RSA.der, scheme=scheme, sign=broken, **how)  # type: ignore[arg-type]
    with pytest.raises(CmsError):
        build_signed_data(signer_certificate=b"\x30\0", scheme=scheme, sign=broken, **how)  # type: ignore[arg-type]


def oracle_verdict(data: bytes) -> bool:
    """Whether another implementation finds one signature that holds."""
    try:
        info = oracle.ContentInfo.load(data, strict=True)
        signed = info["content"]
        content = signed["encap_content_info"]["content"]
        octets = b"" if content.native is None else bytes(content)
        for signer in signed["signer_infos"]:
            if _oracle_signer(signed, signer, octets):
                return True
    except (ValueError, TypeError, KeyError, InvalidSignature, AttributeError, IndexError):
        return False
    return False


def _oracle_signer(signed: object, signer: object, content: bytes) -> bool:
    digest = signer["digest_algorithm"]["algorithm"].native  # type: ignore[index]
    attributes = {each["type"].native: each["values"] for each in signer["signed_attrs"]}  # type: ignore[index]
    hasher = hashes.Hash(getattr(hashes, digest.upper())())
    hasher.update(content)
    if attributes["message_digest"][0].native != hasher.finalize():
        return False
    if attributes["content_type"][0] != signed["encap_content_info"]["content_type"]:  # type: ignore[index]
        return False
    serial = signer["sid"].chosen["serial_number"].native  # type: ignore[index]
    for each in signed["certificates"]:  # type: ignore[index]
        if each.chosen.serial_number != serial:
            continue
        key = x509.load_der_x509_certificate(each.dump()).public_key()
        tbs = signer["signed_attrs"].untag().dump()  # type: ignore[index]
        signature = signer["signature"].native  # type: ignore[index]
        algorithm = getattr(hashes, signer["signature_algorithm"].hash_algo.upper())()  # type: ignore[index]
        try:
            if isinstance(key, ec.EllipticCurvePublicKey):
                key.verify(signature, tbs, ec.ECDSA(algorithm))
            else:
                key.verify(signature, tbs, padding.PKCS1v15(), algorithm)  # type: ignore[union-attr,call-arg,arg-type]
        except InvalidSignature:
            continue
        return True
    return False


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
def test_mutants_are_never_accepted_where_another_implementation_refuses() -> None:
    dice = random.Random(8366)
    originals = [write(WRITERS["P-256"], b"content", ID_DATA), write(RSA, b"content", ANIMA)]
    accepted = 0
    for number in range(1500):
        data = bytearray(originals[number % 2])
        for _ in range(dice.randint(1, 2)):
            place = dice.randrange(len(data))
            match dice.randrange(3):
                case 0:
                    data[place] ^= 1 << dice.randrange(8)
                case 1:
                    data[place] = dice.choice((0, 1, 0x24, 0x30, 0x31, 0x7F, 0x80, 0xA0, 0xFF))
                case _:
                    del data[place : place + dice.randint(1, 4)]
        mutant = bytes(data)
        try:
            verify_signers(parse_signed_data(mutant))
        except CmsError:
            continue
        accepted += 1
        assert oracle_verdict(mutant)
    assert accepted < 1500 // 2


@given(st.binary(max_size=200) | st.binary(max_size=60).map(lambda tail: PLAIN[:60] + tail))
def test_any_bytes_are_signed_data_or_refused(data: bytes) -> None:
    with pytest.raises(CmsError):
        verify_signers(parse_signed_data(data))


@settings(max_examples=200)
@given(st.recursive(st.binary(max_size=8), lambda inner: st.lists(inner, max_size=4)))
def test_nested_ber_is_signed_data_or_refused(tree: object) -> None:
    def ber(node: object) -> bytes:
        if isinstance(node, list):
            return b"\x30\x80" + b"".join(ber(each) for each in node) + b"\0\0"
        assert isinstance(node, bytes)
        return encode(4, node)

    with pytest.raises(CmsError):
        parse_signed_data(ber(tree))
