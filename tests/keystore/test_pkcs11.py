"""``Pkcs11Signer`` on a real SoftHSM."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pkcs11
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from keystore.softhsm import LIBRARY, PIN, SoftToken

from bootz.errors import BootzError, ConfigError, Unavailable
from bootz.keystore.pkcs11 import Pkcs11Signer
from bootz.trust.signature import SignatureScheme, verify_raw

pytestmark = pytest.mark.softhsm


def library() -> Any:
    return pkcs11.lib(str(LIBRARY))


def make_keys(token: SoftToken) -> None:
    for curve in ("secp256r1", "secp384r1"):
        token.make_ec(curve, curve)
    library().reinitialize()
    with library().get_token(token_label=token.label).open(rw=True, user_pin=PIN) as session:
        keep = {"store": True}
        session.generate_keypair(pkcs11.KeyType.RSA, 2048, label="rsa", id=b"\x01", **keep)
        session.generate_keypair(pkcs11.KeyType.RSA, 1024, label="weak", **keep)
        for _ in range(2):
            session.generate_keypair(pkcs11.KeyType.RSA, 2048, label="twin", **keep)
        public, _ = session.generate_keypair(pkcs11.KeyType.RSA, 2048, label="half", **keep)
        public.destroy()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> SoftToken:
    token = SoftToken(tmp_path_factory.mktemp("hsm"))
    make_keys(token)
    return token


@pytest.fixture
def token(made: SoftToken, monkeypatch: pytest.MonkeyPatch) -> Iterator[SoftToken]:
    monkeypatch.setenv("SOFTHSM2_CONF", str(made.folder / "softhsm2.conf"))
    yield made
    made.write_pin(PIN)
    # The next test begins without a login.
    library().reinitialize()


def test_an_rsa_signature_is_what_a_key_in_memory_makes(token: SoftToken) -> None:
    signer = Pkcs11Signer.from_uri(token.uri("rsa"))
    assert signer.scheme is SignatureScheme.RSA_PKCS1_SHA256
    assert isinstance(signer.public_key, rsa.RSAPublicKey)
    signature = signer.sign_blocking(b"bootstrapping data")
    signer.public_key.verify(signature, b"bootstrapping data", padding.PKCS1v15(), hashes.SHA256())


@pytest.mark.parametrize(
    ("curve", "algorithm"), [("secp256r1", hashes.SHA256()), ("secp384r1", hashes.SHA384())]
)
def test_an_ecdsa_signature_is_der_over_the_curves_hash(
    token: SoftToken, curve: str, algorithm: hashes.HashAlgorithm
) -> None:
    signer = Pkcs11Signer.from_uri(token.uri(curve))
    assert isinstance(signer.public_key, ec.EllipticCurvePublicKey)
    signer.public_key.verify(signer.sign_blocking(b"data"), b"data", ec.ECDSA(algorithm))


def test_many_calls_at_once_all_sign(token: SoftToken) -> None:
    signers = [Pkcs11Signer.from_uri(token.uri(key)) for key in ("rsa", "secp256r1")]

    async def sign_all() -> None:
        texts = [f"data {number}".encode() for number in range(40)]
        pairs = [(signer, text) for text in texts for signer in signers]
        signatures = await asyncio.gather(*(signer.sign(text) for signer, text in pairs))
        for (signer, text), signature in zip(pairs, signatures, strict=True):
            verify_raw(signer.public_key, signature, text)

    asyncio.run(sign_all())


def test_a_key_is_found_by_its_id(token: SoftToken) -> None:
    signer = Pkcs11Signer(
        library=LIBRARY,
        token_label=token.label,
        key_label=None,
        key_id=b"\x01",
        pin_file=token.pin_file,
    )
    verify_raw(signer.public_key, signer.sign_blocking(b"x"), b"x")


def test_a_lost_session_is_opened_anew(token: SoftToken) -> None:
    signer = Pkcs11Signer.from_uri(token.uri("rsa"))
    library().finalize()
    verify_raw(signer.public_key, signer.sign_blocking(b"x"), b"x")


def test_a_token_that_is_gone_is_unavailable_until_it_is_back(token: SoftToken) -> None:
    signer = Pkcs11Signer.from_uri(token.uri("rsa"))
    away = token.store.with_name("away")
    token.store.rename(away)
    token.store.mkdir()
    library().finalize()
    with pytest.raises(Unavailable) as caught:
        asyncio.run(signer.sign(b"x"))
    assert caught.value.reason == "pkcs11-token-unavailable"
    shutil.rmtree(token.store)
    away.rename(token.store)
    verify_raw(signer.public_key, signer.sign_blocking(b"x"), b"x")


def test_a_wrong_pin_is_tried_once(token: SoftToken, monkeypatch: pytest.MonkeyPatch) -> None:
    signer = Pkcs11Signer.from_uri(token.uri("rsa"))
    token.write_pin("1234-wrong")
    library().finalize()
    with pytest.raises(Unavailable) as first:
        signer.sign_blocking(b"x")
    assert first.value.reason == "pkcs11-token-unavailable"
    # Were it tried again, the right PIN would now be taken.
    token.write_pin(PIN)
    with pytest.raises(Unavailable) as second:
        signer.sign_blocking(b"x")
    assert "PIN" in str(second.value)
    assert "1234" not in f"{first.value!r} {second.value!r}"
    # A reload makes a new signer.
    assert Pkcs11Signer.from_uri(token.uri("rsa")).sign_blocking(b"x")


def refusal(uri: str) -> BootzError:
    with pytest.raises((ConfigError, Unavailable)) as caught:
        Pkcs11Signer.from_uri(uri)
    return caught.value


def test_a_wrong_pin_is_refused_at_start(token: SoftToken) -> None:
    token.write_pin("9999-wrong")
    error = refusal(token.uri("rsa"))
    assert error.reason == "pkcs11-token-refused"
    assert "9999" not in str(error)


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("missing", "pkcs11-token-refused"),
        ("twin", "pkcs11-token-refused"),
        ("half", "pkcs11-token-refused"),
        ("weak", "key-kind"),
    ],
)
def test_a_key_that_does_not_do_is_refused(token: SoftToken, key: str, reason: str) -> None:
    assert refusal(token.uri(key)).reason == reason


def test_a_token_of_another_name_is_unavailable(token: SoftToken) -> None:
    uri = token.uri("rsa").replace("token=owner", "token=other")
    assert refusal(uri).reason == "pkcs11-token-unavailable"


def test_a_pin_file_that_others_can_read_is_refused(token: SoftToken) -> None:
    token.pin_file.chmod(0o644)
    assert refusal(token.uri("rsa")).reason == "key-permissions"


@pytest.mark.parametrize("content", [None, b"no shared object"])
def test_a_library_that_cannot_be_loaded_is_named(
    token: SoftToken, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "module.so"
    if content is not None:
        path.write_bytes(content)
    error = refusal(token.uri("rsa").replace(str(LIBRARY), str(path)))
    assert error.reason == "pkcs11-library-missing"
    assert error.where == str(path)


def test_the_key_never_leaves_the_token(token: SoftToken) -> None:
    with library().get_token(token_label=token.label).open(user_pin=PIN) as session:
        key = session.get_key(label="rsa", object_class=pkcs11.ObjectClass.PRIVATE_KEY)
        assert key[pkcs11.Attribute.EXTRACTABLE] is False


def test_openssl_verifies_it(token: SoftToken, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    signer = Pkcs11Signer.from_uri(token.uri("secp256r1"))
    public = signer.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "key.pem").write_bytes(public)
    (tmp_path / "data").write_bytes(b"data")
    (tmp_path / "signature").write_bytes(signer.sign_blocking(b"data"))
    told = subprocess.run(
        ["openssl", "dgst", "-sha256", "-verify", "key.pem", "-signature", "signature", "data"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    assert b"Verified OK" in told.stdout
