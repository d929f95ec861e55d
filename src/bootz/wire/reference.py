"""The Go reference server's configuration: protobuf text format of ``config.Config``.

The text is read by protobuf's own parser against our schema. Its errors quote the text, which
holds private keys; ours name the line, and a field only where its name is one of the schema's
kind. Source: docs/protocol/reference-config.md.
"""

import base64
import binascii
import re
import warnings
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Final

from google.protobuf import text_format

from bootz.errors import WireError
from bootz.model.bootstrap import BootstrapData
from bootz.model.chassis import BootMode
from bootz.model.identity import TpmKeyType
from bootz.wire.answers import read_card_data
from bootz.wire.dialects import CURRENT
from bootz.wire.generated import bootz_pb2 as pb
from bootz.wire.generated import reference_config_pb2 as ref

MAX_CONFIG_BYTES: Final = 16 << 20
_MAX_DEPTH: Final = 64
_BOOT_MODES: Final[dict[int, BootMode]] = {
    pb.BOOT_MODE_UNSPECIFIED: BootMode.SECURE,
    pb.BOOT_MODE_SECURE: BootMode.SECURE,
    pb.BOOT_MODE_INSECURE: BootMode.INSECURE,
}
_KEY_TYPES: Final = frozenset(each.value for each in TpmKeyType)
_NO_FIELD: Final = re.compile(r'has no field named "([a-z_0-9]{1,40})"')
_DOUBLED: Final = re.compile(r'should not have multiple "([a-z_0-9]{1,40})" fields')


@dataclass(frozen=True, slots=True)
class ReferencePair:
    """A certificate (DER) and its key (DER, PKCS #8), empty where the file has none."""

    certificate: bytes = field(repr=False)
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ReferenceCard:
    """A control card. The voucher is CMS, the key SubjectPublicKeyInfo, the IDevID X.509; DER."""

    serial_number: str
    ownership_voucher: bytes = field(repr=False)
    public_key: bytes = field(repr=False)
    public_key_type: TpmKeyType
    idevid: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ReferenceChassis:
    """A chassis: ``data`` is what its cards get, as far as the file says."""

    manufacturer: str
    cards: tuple[ReferenceCard, ...]
    hostname: str
    boot_mode: BootMode
    streaming: bool
    skip_idevid_serial_check: bool
    data: BootstrapData = field(repr=False)


@dataclass(frozen=True, slots=True)
class ReferenceConfig:
    """A whole configuration. ``vendor_cas`` are DER."""

    server_address: str
    server_port: str
    trust_anchor: ReferencePair | None
    owner_certificate: ReferencePair | None
    vendor_cas: tuple[bytes, ...] = field(repr=False)
    chassis: tuple[ReferenceChassis, ...]


def parse_reference_config(text: str) -> ReferenceConfig:
    """Read a configuration.

    Raises:
        WireError: ``reference-config-invalid``: not of that form, or a value that cannot be
            read; ``where`` is the line or the path of the field, and nothing is quoted.
    """
    if len(text) > MAX_CONFIG_BYTES:
        raise _invalid(f"is longer than {MAX_CONFIG_BYTES} characters", "")
    _check_depth(text)
    message = ref.Config()
    try:
        # Half of a surrogate pair is an error inside of the library.
        text.encode()
        with warnings.catch_warnings():
            # A wrong escape (\\.) is only warned of, and read as something else.
            warnings.simplefilter("error")
            text_format.Parse(text, message)
    except text_format.ParseError as error:
        raise _told(error) from None
    except (ValueError, RecursionError, OverflowError, Warning):
        raise _invalid("is not protobuf text format", "") from None
    return ReferenceConfig(
        server_address=message.server_address,
        server_port=message.server_port,
        trust_anchor=_pair(message, "trust_anchor"),
        owner_certificate=_pair(message, "owner_certificate"),
        vendor_cas=tuple(
            _decoded(text, f"vendor_ca_certs[{number}]")
            for number, text in enumerate(message.vendor_ca_certs)
        ),
        chassis=tuple(
            _chassis(chassis, f"chassis[{number}]")
            for number, chassis in enumerate(message.chassis)
        ),
    )


def _check_depth(text: str) -> None:
    """Bound the nesting before the parser recurses; brackets in texts count too, harmlessly."""
    depth = deepest = 0
    for character in re.findall(r"[{}<>\[\]]", re.sub(r'"(?:[^"\\\n]|\\.)*"', "", text)):
        depth += 1 if character in "{<[" else -1
        deepest = max(deepest, depth)
    if deepest > _MAX_DEPTH:
        raise _invalid("is nested too deeply", "")


def _told(error: text_format.ParseError) -> WireError:
    where = f"line {error.GetLine()}" if error.GetLine() else ""
    if found := _NO_FIELD.search(str(error)):
        return _invalid(f"there is no field {found[1]} at this place", where)
    if found := _DOUBLED.search(str(error)):
        return _invalid(f"{found[1]} appears twice", where)
    return _invalid("is not protobuf text format of config.Config", where)


def _chassis(message: ref.Chassis, where: str) -> ReferenceChassis:
    data = pb.BootstrapDataResponse(boot_password_hash=message.boot_password_hash)
    for name in _carried(message):
        getattr(data, name).CopyFrom(getattr(message, name))
    try:
        read = read_card_data(data, CURRENT, where)
    except WireError as error:
        raise _invalid(error.detail, error.where) from error
    return ReferenceChassis(
        manufacturer=message.manufacturer,
        cards=tuple(
            _card(card, f"{where}.control_cards[{number}]")
            for number, card in enumerate(message.control_cards)
        ),
        hostname=message.hostname,
        boot_mode=_BOOT_MODES[_known(message.boot_mode, _BOOT_MODES, f"{where}.boot_mode")],
        streaming=message.streaming_supported,
        skip_idevid_serial_check=message.skip_idevid_serial_validation,
        data=read,
    )


def _carried(message: ref.Chassis) -> Iterator[str]:
    """Return the fields that are there and travel as they stand."""
    for name in (
        "intended_image",
        "boot_config",
        "credentials",
        "pathz",
        "authz",
        "certz_profiles",
    ):
        if message.HasField(name):
            yield name


def _card(message: ref.ControlCard, where: str) -> ReferenceCard:
    return ReferenceCard(
        serial_number=message.serial_number,
        ownership_voucher=_decoded(message.ownership_voucher, f"{where}.ownership_voucher"),
        public_key=_decoded(message.public_key, f"{where}.public_key"),
        public_key_type=TpmKeyType(
            _known(message.public_key_type, _KEY_TYPES, f"{where}.public_key_type")
        ),
        idevid=_decoded(message.idevid.cert, f"{where}.idevid.cert"),
    )


def _known(number: int, known: Collection[int], where: str) -> int:
    if number not in known:
        raise _invalid("has an unknown enum number", where)
    return number


def _pair(message: ref.Config, name: str) -> ReferencePair | None:
    if not message.HasField(name):
        return None
    pair: ref.CertKeyPair = getattr(message, name)
    return ReferencePair(_decoded(pair.cert, f"{name}.cert"), _decoded(pair.key, f"{name}.key"))


def _decoded(text: str, where: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise _invalid("is not base64", where) from None


def _invalid(detail: str, where: str) -> WireError:
    return WireError("reference-config-invalid", detail, where=where)
