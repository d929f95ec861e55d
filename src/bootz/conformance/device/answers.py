"""Makes what a case gives: bootstrapping data with its fault, sealed with its fault."""

import base64
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from bootz.conformance.device.cases import Given
from bootz.conformance.device.images import SuiteImageServer
from bootz.conformance.device.material import (
    Owner,
    Vouchers,
    make_authority,
    make_voucher,
    sign_answer,
)
from bootz.errors import ConfigError
from bootz.model.artifacts import SealedData
from bootz.model.bootstrap import BootConfig, BootstrapData, CertzProfile, SoftwareImage
from bootz.trust.certificates import pem_from_der
from bootz.trust.hpke import seal
from bootz.trust.issuing import CertificateProfile
from bootz.wire.answers import encode_bootstrap_data, with_nonce
from bootz.wire.dialects import Dialect

PROFILE: Final = "conformance"
"""The certz profile of the case that has one."""

_NO_IMAGE: Final = b"<!DOCTYPE html><html><body>This is no software image.</body></html>\n"


@dataclass(frozen=True, slots=True)
class DeviceContent:
    """What the operator may replace, because only its device knows what it takes.

    Args:
        vendor_config: a valid configuration; ``marker`` is a text that the running configuration
            shows when it is applied.
        bad_vendor_config: one that the device must refuse.
        image: bytes of an image that the device does not run; None makes one for each case.
    """

    vendor_config: bytes = field(repr=False)
    marker: str
    bad_vendor_config: bytes = field(repr=False)
    image: bytes | None = field(default=None, repr=False)
    image_name: str = "conformance"
    image_version: str = ""

    @classmethod
    def make(cls) -> "DeviceContent":
        """Return a content for the emulated router, fresh so that nothing old passes for it."""
        marker = f"conformance-{secrets.token_hex(6)}"
        return cls(
            vendor_config=f"hostname {marker}\n".encode(),
            marker=marker,
            bad_vendor_config=b"hostname \x00\xff\n",
        )

    def with_image(self, image: bytes, name: str, version: str) -> "DeviceContent":
        """Return the same with an image of the operator's."""
        return replace(self, image=image, image_name=name, image_version=version)


@dataclass(frozen=True, slots=True)
class Planned:
    """An answer's data before they are sealed; ``image`` is what the device must run after it."""

    given: Given
    config: BootConfig | None
    image: SoftwareImage | None = None
    authz: dict[str, object] | None = None
    certz: tuple[CertzProfile, ...] | None = None


class AnswerMaker:
    """Makes the answers of one case.

    Args:
        owner: who signs.
        vouchers: where the vouchers come from.
        images: where the images are offered.
        content: what the device is configured with.
    """

    def __init__(
        self, owner: Owner, vouchers: Vouchers, images: SuiteImageServer, content: DeviceContent
    ) -> None:
        self._owner = owner
        self._vouchers = vouchers
        self._images = images
        self._content = content

    def plan(self, given: Given) -> Planned:
        """Return the data of an answer."""
        content = self._content
        good = Planned(given, BootConfig(vendor_config=content.vendor_config))
        match given:
            case Given.NO_CONFIGURATION:
                return replace(good, config=None)
            case Given.BAD_OPENCONFIG:
                return replace(good, config=BootConfig(oc_config=b'{"interfaces": '))
            case Given.BAD_VENDOR_CONFIG:
                return replace(good, config=BootConfig(vendor_config=content.bad_vendor_config))
            case Given.AUTHZ_POLICY:
                policy = {"version": "1", "created_on": "1", "policy": '{"name": "broken", '}
                return replace(good, authz=dict(policy))
            case Given.CERTZ_BUNDLE:
                return replace(good, certz=(CertzProfile(PROFILE, _bundle(), primary=True),))
            case Given.CERTZ_POLICY:
                entity = {
                    "version": "1",
                    "created_on": "1",
                    "authentication_policy": {"serialized": {}},
                }
                broken = CertzProfile(PROFILE, {"entities": [entity]}, primary=True)
                return replace(good, certz=(broken,))
            case Given.IMAGE:
                return replace(good, image=self._image(self._offer(self._good_image())))
            case Given.NOT_AN_IMAGE:
                return replace(good, image=self._image(self._offer(_NO_IMAGE)))
            case Given.IMAGE_UNREACHABLE:
                offered = self._offer(self._good_image())
                return replace(good, image=self._image((self._images.dead_url, offered[1])))
            case Given.IMAGE_NOT_FOUND:
                offered = self._offer(self._good_image())
                return replace(good, image=self._image((f"{offered[0]}.gone", offered[1])))
            case Given.IMAGE_CHECKSUM:
                url, digest = self._offer(self._good_image())
                return replace(good, image=self._image((url, digest[::-1])))
            case _:
                return good

    def encode(self, planned: Planned, serials: Sequence[str], dialect: Dialect) -> bytes:
        """Return the body of the signed data, for these cards."""
        return encode_bootstrap_data(
            [
                BootstrapData(
                    serial,
                    self._owner.anchor,
                    image=planned.image,
                    boot_config=planned.config,
                    authz=planned.authz,
                    certz_profiles=planned.certz,
                )
                for serial in serials
            ],
            dialect,
        )

    def seal(
        self,
        given: Given,
        body: bytes,
        *,
        nonce: str | None,
        serial_number: str,
        recipient: bytes | None = None,
    ) -> SealedData:
        """Return the sealed answer; ``recipient`` is the key to encrypt for."""
        sent = secrets.token_urlsafe(24) if nonce and given is Given.NONCE else nonce
        payload = with_nonce(body, sent)
        sealed = SealedData(payload)
        if recipient is not None:
            encrypted = seal(payload, recipient)
            sealed = SealedData(
                encrypted.ciphertext,
                encapsulated_key=encrypted.encapsulated_key,
                plaintext=payload,
            )
        if nonce is None:
            return sealed
        owner = self._owner
        signer = owner.stranger if given is Given.SIGNATURE else owner.identity
        return replace(
            sealed,
            signature=sign_answer(signer, sealed.payload),
            ownership_voucher=self._voucher(given, serial_number),
            owner_certificate=owner.certificate_cms(owner.identity),
        )

    def _voucher(self, given: Given, serial_number: str) -> bytes:
        match given:
            case Given.VOUCHER_MALFORMED:
                whole = self._vouchers.voucher(serial_number)
                return whole[: len(whole) // 2]
            case Given.VOUCHER_MISSING:
                return b""
            case Given.VOUCHER_SIGNER:
                foreign = make_authority("conformance foreign manufacturer")
                signer = foreign.issue("foreign signer", CertificateProfile.VOUCHER_SIGNER)
                return make_voucher(signer, serial_number, self._owner.pinned)
            case Given.VOUCHER_SERIAL:
                return self._vouchers.foreign(serial_number)
            case _:
                return self._vouchers.voucher(serial_number)

    def _good_image(self) -> bytes:
        given = self._content.image
        # Other bytes for each case: a device that has run one case runs another image in the next.
        return given or b"BOOTZ-IMAGE conformance " + secrets.token_bytes(4096)

    def _offer(self, image: bytes) -> tuple[str, str]:
        digest = hashlib.sha256(image).hexdigest()
        return self._images.offer(f"{digest[:16]}.bin", image), digest

    def _image(self, offered: tuple[str, str]) -> SoftwareImage:
        url, digest = offered
        version = self._content.image_version or f"conformance-{digest[:12]}"
        return SoftwareImage(self._content.image_name, version, url, digest)


def _bundle() -> dict[str, object]:
    pem = pem_from_der([make_authority("conformance trust bundle").certificate])
    certificate = {
        "type": "CERTIFICATE_TYPE_X509",
        "encoding": "CERTIFICATE_ENCODING_PEM",
        "raw_certificate": base64.b64encode(pem).decode("ascii"),
    }
    entity = {"version": "1", "created_on": "1", "trust_bundle": {"certificate": certificate}}
    return {"entities": [entity]}


def read_content(
    vendor_config: bytes, marker: str, bad_vendor_config: bytes | None
) -> DeviceContent:
    """Return a content with a configuration of the operator's.

    Raises:
        ConfigError: nothing would show that it is applied.
    """
    if not marker or marker.encode() not in vendor_config:
        raise ConfigError(
            "conformance-material",
            "the marker must be a text in the vendor configuration",
            where="--config-marker",
        )
    made = DeviceContent.make()
    return replace(
        made,
        vendor_config=vendor_config,
        marker=marker,
        bad_vendor_config=made.bad_vendor_config
        if bad_vendor_config is None
        else bad_vendor_config,
    )
