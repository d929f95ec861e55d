"""The four dialects as data: one row per release line of the interface.

Which fields exist under which number never changed between releases; a row says which of them
that release reads. Source: docs/dialects.md#what-differs.
"""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from bootz.errors import ConfigError
from bootz.model.kinds import Release
from bootz.wire.names import DialectName

GET_BOOTSTRAP_DATA: Final = "GetBootstrapData"
REPORT_STATUS: Final = "ReportStatus"
BOOTSTRAP_STREAM: Final = "BootstrapStream"
BOOTSTRAP_STREAM_V1: Final = "BootstrapStreamV1"

_UNARY: Final = (GET_BOOTSTRAP_DATA, REPORT_STATUS)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one release line spells things.

    Args:
        name: stable; stands in journals and on the command line.
        path: prefix of the gRPC paths, without the slash before the method.
        methods: the RPCs of the service under that path.
        serialized_data: the signed bytes stand in field 104; else they are field 1 itself.
        report_states: a report lists the cards it is about.
        identity: requests and reports have ``identity`` and ``aik_pub_digest``.
        slot_number: ``ControlCard.slot`` (3, a number) is in use.
        slot_id: ``ControlCard.slot_id`` (4, text) is in use.
        hash_algorithm: the name an image's SHA-256 goes by.
        dynamic_config: ``BootConfig`` has the dynamic parts (5, 6); else they are merged.
        certificates: ``BootstrapDataResponse.certificates`` (9, one profile) is filled.
        certz_profiles: ``BootstrapDataResponse.certz_profiles`` (10) is filled.
        plain_certificates: certz ``certificate`` and ``private_key`` (3, 4) are filled.
        raw_certificates: certz ``raw_*`` and ``*_source`` (5 to 8) are filled.
    """

    name: str
    path: str
    methods: tuple[str, ...]
    serialized_data: bool
    report_states: bool
    identity: bool
    slot_number: bool
    slot_id: bool
    hash_algorithm: str
    dynamic_config: bool
    certificates: bool
    certz_profiles: bool
    plain_certificates: bool
    raw_certificates: bool

    @property
    def service(self) -> str:
        """The full name of the gRPC service."""
        return self.path.removeprefix("/")

    @property
    def report_names_cards(self) -> bool:
        """Whether a report says which cards it is about; else it is about the proven card."""
        return self.report_states


V0_1_0: Final = Dialect(
    name=DialectName.V0_1_0.value,
    path="/Bootstrap",
    methods=_UNARY,
    serialized_data=False,
    report_states=False,
    identity=False,
    slot_number=True,
    slot_id=False,
    hash_algorithm="SHA256",
    dynamic_config=False,
    certificates=True,
    certz_profiles=False,
    plain_certificates=True,
    raw_certificates=False,
)

NOVEMBER_2023: Final = Dialect(
    name=DialectName.NOVEMBER_2023.value,
    path="/bootz.proto.Bootstrap",
    methods=_UNARY,
    serialized_data=True,
    report_states=True,
    identity=False,
    slot_number=True,
    slot_id=False,
    hash_algorithm="SHA256",
    dynamic_config=False,
    certificates=True,
    certz_profiles=False,
    plain_certificates=True,
    raw_certificates=False,
)

V0_3: Final = Dialect(
    name=DialectName.V0_3.value,
    path="/bootz.Bootstrap",
    methods=_UNARY,
    serialized_data=True,
    report_states=True,
    identity=False,
    slot_number=True,
    slot_id=True,
    # The name that the reference client of that release compares with.
    hash_algorithm="SHA256",
    dynamic_config=False,
    # v0.2 reads only 9, later ones 10 as well.
    certificates=True,
    certz_profiles=True,
    plain_certificates=True,
    raw_certificates=True,
)

CURRENT: Final = Dialect(
    name=DialectName.CURRENT.value,
    path="/bootz.Bootstrap",
    methods=(*_UNARY, BOOTSTRAP_STREAM, BOOTSTRAP_STREAM_V1),
    serialized_data=True,
    report_states=True,
    identity=True,
    slot_number=False,
    slot_id=True,
    hash_algorithm="ietf-sztp-conveyed-info:sha-256",
    dynamic_config=True,
    certificates=False,
    certz_profiles=True,
    plain_certificates=False,
    raw_certificates=True,
)

DIALECTS: Final = (V0_1_0, NOVEMBER_2023, V0_3, CURRENT)
"""Oldest first. Of rows that share a path, the last one reads what arrives there."""

_BY_NAME: Final = MappingProxyType({dialect.name: dialect for dialect in DIALECTS})


def dialect_by_name(name: str) -> Dialect:
    """Return the row of that name.

    Raises:
        ConfigError: there is none.
    """
    try:
        return _BY_NAME[name]
    except KeyError:
        raise ConfigError(
            "dialect-unknown",
            f"no dialect is called {name!r}",
            expected=", ".join(_BY_NAME),
            seen=name,
        ) from None


def written_dialect(path_dialect: Dialect, release: Release) -> Dialect:
    """Return the row to write with: the path's, except that v0.3 and current share theirs.

    Between those two the chassis on record decides, because a unary call tells nothing.
    """
    if path_dialect.path != CURRENT.path:
        return path_dialect
    # A chassis whose software is newer than the record says gets what both dialects read.
    return CURRENT if release is Release.CURRENT else V0_3
