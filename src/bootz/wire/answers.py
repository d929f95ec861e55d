"""Answers: bootstrapping data, and the message that carries them sealed.

What is signed is made once as bytes and passes through from then on; no step parses it and
writes it again. Bootz messages ``BootstrapDataSigned`` and ``GetBootstrapDataResponse``.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, field

from bootz.errors import WireError
from bootz.model.artifacts import SealedData
from bootz.model.bootstrap import BootstrapData, CertzProfile, SoftwareImage
from bootz.wire import bounds
from bootz.wire.boot_config import read_boot_config, write_boot_config
from bootz.wire.certz import UNNAMED_PROFILE, read_certz, sole_profile, write_certz
from bootz.wire.dialects import Dialect
from bootz.wire.generated import bootz_pb2 as pb
from bootz.wire.image_hash import HashFormat, read_hash, write_hash
from bootz.wire.json_form import read_json, utf8_text, write_json

_NONCE_TAG = b"\x12"
"""Field 2, length-delimited."""


@dataclass(frozen=True, slots=True)
class DecodedBootstrapData:
    """What a payload says: data per card, and the nonce of the request it answers."""

    responses: tuple[BootstrapData, ...]
    nonce: str | None = field(default=None, repr=False)


def encode_bootstrap_data(
    responses: Sequence[BootstrapData],
    dialect: Dialect,
    *,
    hash_format: HashFormat = HashFormat.HEX,
) -> bytes:
    """Write the body of the signed data: all but the nonce, so that it can be kept.

    Raises:
        ConfigError: something does not fit its message; names the key.
    """
    signed = pb.BootstrapDataSigned()
    for data in responses:
        _write_data(data, signed.responses.add(), dialect, hash_format)
    return signed.SerializeToString(deterministic=True)


def with_nonce(body: bytes, nonce: str | None) -> bytes:
    """Return the payload to sign: the body, then the nonce, as one serialisation would give it."""
    if not nonce:
        return body
    text = nonce.encode()
    return b"".join((body, _NONCE_TAG, _varint(len(text)), text))


def encode_answer(sealed: SealedData, dialect: Dialect, *, streamed: bool = False) -> bytes:
    """Write the answer; the payload is in it byte for byte, in field 1, 104 or both.

    On a stream field 1 is left out (docs/protocol/wire.md#what-is-signed).
    """
    return write_answer(sealed, dialect, streamed=streamed).SerializeToString(deterministic=True)


def write_answer(
    sealed: SealedData, dialect: Dialect, *, streamed: bool = False
) -> pb.GetBootstrapDataResponse:
    """Return the message of an answer, as ``encode_answer`` writes it."""
    return pb.GetBootstrapDataResponse(
        signed_response=b"" if streamed else sealed.payload,
        ownership_voucher=sealed.ownership_voucher,
        ownership_certificate=sealed.owner_certificate,
        response_signature=sealed.signature,
        serialized_bootstrap_data=sealed.payload if dialect.serialized_data else b"",
    )


def encode_empty() -> bytes:
    """Write an EmptyResponse."""
    return b""


def decode_answer(data: bytes, dialect: Dialect) -> SealedData:
    """Read an answer; ``payload`` is exactly what was signed, as it was received.

    Raises:
        WireError: too large, malformed, or without data.
    """
    return read_answer(
        bounds.parse(pb.GetBootstrapDataResponse, data, limit=bounds.MAX_ANSWER_BYTES), dialect
    )


def read_answer(message: pb.GetBootstrapDataResponse, dialect: Dialect) -> SealedData:
    """Return the sealed data of an answer.

    Raises:
        WireError: the field that the dialect reads is absent.
    """
    where = "serialized_bootstrap_data" if dialect.serialized_data else "signed_response"
    payload = (
        message.serialized_bootstrap_data if dialect.serialized_data else message.signed_response
    )
    if not payload:
        raise WireError("field-malformed", "the answer contains no data", where=where)
    return SealedData(
        payload,
        message.response_signature,
        message.ownership_voucher,
        message.ownership_certificate,
    )


def decode_bootstrap_data(payload: bytes, dialect: Dialect) -> DecodedBootstrapData:
    """Read a payload, after its signature was verified.

    Raises:
        WireError: malformed or over a bound.
    """
    signed = bounds.parse(pb.BootstrapDataSigned, payload, limit=bounds.MAX_ANSWER_BYTES)
    bounds.check_count(len(signed.responses), "responses")
    bounds.check_length(len(signed.nonce), "nonce", bounds.MAX_NONCE, "characters")
    return DecodedBootstrapData(
        tuple(
            read_card_data(message, dialect, f"responses[{number}]")
            for number, message in enumerate(signed.responses)
        ),
        signed.nonce or None,
    )


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def _write_data(
    data: BootstrapData,
    message: pb.BootstrapDataResponse,
    dialect: Dialect,
    hash_format: HashFormat,
) -> None:
    message.serial_num = data.serial_number
    message.server_trust_cert = base64.b64encode(data.server_trust_cert).decode()
    message.boot_password_hash = utf8_text(data.boot_password_hash, "boot_password_hash")
    if data.image is not None:
        _write_image(data.image, message.intended_image, dialect, hash_format)
    if data.boot_config is not None:
        write_boot_config(data.boot_config, message.boot_config, dialect)
    if data.credentials is not None:
        write_json(data.credentials, message.credentials, "credentials")
    if data.pathz is not None:
        write_json(data.pathz, message.pathz, "pathz")
    if data.authz is not None:
        write_json(data.authz, message.authz, "authz")
    if data.certz_profiles is not None:
        _write_profiles(data.certz_profiles, message, dialect)


def _write_image(
    image: SoftwareImage, message: pb.SoftwareImage, dialect: Dialect, hash_format: HashFormat
) -> None:
    message.name = utf8_text(image.name, "image.name")
    message.version = utf8_text(image.version, "image.version")
    message.url = utf8_text(image.url, "image.url")
    message.os_image_hash = image.hash_text or write_hash(image.sha256, hash_format)
    if message.os_image_hash:
        # A name that is given is the operator's choice for this platform.
        message.hash_algorithm = image.algorithm or dialect.hash_algorithm


def _write_profiles(
    profiles: tuple[CertzProfile, ...], message: pb.BootstrapDataResponse, dialect: Dialect
) -> None:
    if dialect.certificates and (sole := sole_profile(profiles)) is not None:
        write_certz(sole.certz, message.certificates, dialect)
    if dialect.certz_profiles:
        message.certz_profiles.SetInParent()
        for profile in profiles:
            written = message.certz_profiles.profiles.add()
            written.ssl_profile_id = utf8_text(profile.ssl_profile_id, "ssl_profile_id")
            write_certz(profile.certz, written.certz, dialect)


def read_card_data(
    message: pb.BootstrapDataResponse, dialect: Dialect, where: str
) -> BootstrapData:
    """Return what one card gets.

    Raises:
        WireError: something is over a bound, or is malformed.
    """
    return BootstrapData(
        bounds.checked_text(message.serial_num, f"{where}.serial_num"),
        _read_anchor(message.server_trust_cert, f"{where}.server_trust_cert"),
        _read_image(message.intended_image) if message.HasField("intended_image") else None,
        message.boot_password_hash,
        read_boot_config(message.boot_config, dialect) if message.HasField("boot_config") else None,
        read_json(message.credentials) if message.HasField("credentials") else None,
        read_json(message.pathz) if message.HasField("pathz") else None,
        read_json(message.authz) if message.HasField("authz") else None,
        _read_profiles(message, dialect, where),
    )


def _read_anchor(text: str, where: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise WireError("field-malformed", "is not base64", where=where) from error


def _read_image(message: pb.SoftwareImage) -> SoftwareImage:
    return SoftwareImage(
        message.name,
        message.version,
        message.url,
        read_hash(message.os_image_hash),
        message.hash_algorithm,
        message.os_image_hash,
    )


def _read_profiles(
    message: pb.BootstrapDataResponse, dialect: Dialect, where: str
) -> tuple[CertzProfile, ...] | None:
    if dialect.certz_profiles and message.HasField("certz_profiles"):
        profiles = message.certz_profiles.profiles
        bounds.check_count(len(profiles), f"{where}.certz_profiles")
        return tuple(CertzProfile(each.ssl_profile_id, read_certz(each.certz)) for each in profiles)
    if dialect.certificates and message.HasField("certificates"):
        return (CertzProfile(UNNAMED_PROFILE, read_certz(message.certificates), primary=True),)
    return None
