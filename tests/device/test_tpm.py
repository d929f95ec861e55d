"""TPMs of routers: twins in software and real ones answer the same challenges."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from bootz.device.tpm.soft import SoftTpm12, SoftTpm20
from bootz.device.tpm.swtpm import running
from bootz.device.tpm.swtpm12 import SwtpmTpm12
from bootz.device.tpm.swtpm20 import SwtpmTpm20
from bootz.errors import BootzError, Unavailable
from bootz.model.identity import TpmKeyType
from bootz.trust.tpm import tpm12, tpm20
from bootz.trust.tpm.structures import Curve, TpmError
from bootz.trust.tpm.tpm20 import HmacKey, WrappedKey

REAL = pytest.mark.swtpm
EK, PPK = TpmKeyType.EK, TpmKeyType.PPK


def soft20(_folder: Path) -> Any:
    return SoftTpm20({kind: rsa.generate_private_key(65537, 2048) for kind in (EK, PPK)})


def soft12(_folder: Path) -> Any:
    return SoftTpm12(rsa.generate_private_key(65537, 2048))


TPM20 = pytest.mark.parametrize(
    "make", [soft20, pytest.param(SwtpmTpm20.manufacture, marks=REAL)], ids=["soft", "swtpm"]
)
TPM12 = pytest.mark.parametrize(
    "make", [soft12, pytest.param(SwtpmTpm12.manufacture, marks=REAL)], ids=["soft", "swtpm"]
)


def key() -> HmacKey:
    return HmacKey(os.urandom(32), os.urandom(32))


@TPM20
def test_tpm20_proves_itself_and_opens_nothing_else(
    tmp_path: Path, make: Callable[[Path], Any]
) -> None:
    tpm = make(tmp_path)
    bound = tpm20.qualifying_data(b"transport key")
    for kind, other in ((EK, PPK), (PPK, EK)):
        secret = key()
        wrapped = tpm20.wrap_key(secret, tpm.public_key(kind), seed=os.urandom(32))
        answer = replace(tpm.certify(kind, wrapped, bound), transport_key=b"transport key")
        tpm20.verify_hmac_answer(secret, answer, bound=True)
        plain = tpm.certify(kind, wrapped, b"")
        tpm20.verify_hmac_answer(secret, plain, bound=False)
        with pytest.raises(TpmError) as caught:
            tpm20.verify_hmac_answer(secret, replace(plain, transport_key=b"t"), bound=True)
        assert caught.value.reason == "tpm-transport-key-unbound"
        flipped = bytearray(wrapped.duplicate)
        flipped[60] ^= 1
        for parent, refused in (
            (other, wrapped),
            (kind, WrappedKey(wrapped.public, bytes(flipped), wrapped.seed)),
        ):
            with pytest.raises(BootzError) as refusal:
                tpm.certify(parent, refused, bound)
            assert refusal.value.reason == "tpm-import-refused"
        # The TPM goes on working.
        tpm20.verify_hmac_answer(secret, tpm.certify(kind, wrapped, b""), bound=False)
    with pytest.raises(BootzError):
        tpm.public_key(TpmKeyType.UNSPECIFIED)


@TPM12
def test_tpm12_proves_itself_and_opens_nothing_else(
    tmp_path: Path, make: Callable[[Path], Any]
) -> None:
    tpm = make(tmp_path)
    ek = tpm.public_key()
    aik, digest = tpm.make_identity()
    secret = os.urandom(32)
    blob = tpm12.encrypt_contents(tpm12.build_contents(secret, digest), ek)
    assert tpm12.read_session_key(tpm.activate(aik, blob)) == secret
    other = rsa.generate_private_key(65537, 2048).public_key()
    for wrong in (
        tpm12.encrypt_contents(tpm12.build_contents(secret, bytes(20)), ek),
        tpm12.encrypt_contents(tpm12.build_contents(secret, digest), other),
    ):
        with pytest.raises(BootzError) as caught:
            tpm.activate(aik, wrong)
        assert caught.value.reason == "tpm-import-refused"


@REAL
@pytest.mark.parametrize("curve", [None, Curve.P256, Curve.P384])
def test_an_idevid_key_in_a_tpm_signs_with_any_hash_and_survives_power_loss(
    tmp_path: Path, curve: Curve | None
) -> None:
    made = SwtpmTpm20.manufacture(tmp_path).make_idevid(curve)
    for algorithm in (hashes.SHA256(), hashes.SHA384()):
        signature = SwtpmTpm20(tmp_path).sign(b"data", algorithm)
        if isinstance(made, rsa.RSAPublicKey):
            made.verify(signature, b"data", padding.PKCS1v15(), algorithm)
        else:
            made.verify(signature, b"data", ec.ECDSA(algorithm))
    # However often power is lost, the TPM does not take it for an attack.
    for _ in range(40):
        SwtpmTpm20(tmp_path).sign(b"data", hashes.SHA256())
    assert not any(b"PRIVATE" in file.read_bytes() for file in tmp_path.iterdir())


@REAL
def test_a_tpm_serves_several_threads(tmp_path: Path) -> None:
    tpm = SwtpmTpm20.manufacture(tmp_path)
    seen: list[int] = []
    threads = [
        threading.Thread(target=lambda: seen.append(tpm.public_key(EK).key_size)) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [2048] * 4


@REAL
def test_a_tpm_whose_state_is_damaged(tmp_path: Path) -> None:
    SwtpmTpm20.manufacture(tmp_path)
    (tmp_path / "tpm2-00.permall").write_bytes(b"damaged")
    with pytest.raises(Unavailable) as caught:
        SwtpmTpm20(tmp_path).public_key(EK)
    assert caught.value.reason in {"tpm-unavailable", "tpm-command-failed"}


def test_without_swtpm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable) as caught, running(tmp_path, tpm2=True):
        pass
    assert caught.value.reason == "tpm-unavailable"
    assert "swtpm" in caught.value.remedy
