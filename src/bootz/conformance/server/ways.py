"""The ways to speak to a server: a dialect's unary calls, or a stream; and who can go each."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from bootz.conformance.server.material import KEY_KINDS
from bootz.wire.dialects import CURRENT, DIALECTS, Dialect
from bootz.wire.flows import STREAM, STREAM_FLOWS, STREAM_V1, StreamFlow
from bootz.wire.names import FlowName


@dataclass(frozen=True, slots=True)
class Way:
    """A dialect and a flow; ``stream`` None means the unary calls."""

    dialect: Dialect
    stream: StreamFlow | None = None

    @property
    def flow(self) -> str:
        """The name of the flow, as it stands on the command line."""
        return FlowName.UNARY.value if self.stream is None else self.stream.name

    @property
    def name(self) -> str:
        """How cases name it: ``v0.1.0/unary``, ``stream-v1``."""
        return f"{self.dialect.name}/{self.flow}" if self.stream is None else self.flow


IDEVIDS: Final = tuple(KEY_KINDS)
UNARY_WAYS: Final = tuple(Way(dialect) for dialect in DIALECTS)
STREAM_WAYS: Final = tuple(Way(CURRENT, flow) for flow in STREAM_FLOWS)
WAYS: Final = (*UNARY_WAYS, *STREAM_WAYS)

_STREAM_PROVERS: Final[Mapping[StreamFlow, tuple[str, ...]]] = MappingProxyType(
    {STREAM: (*IDEVIDS, "ek", "ppk"), STREAM_V1: (*IDEVIDS, "ek", "ppk", "tpm12")}
)


def provers(way: Way) -> tuple[str, ...]:
    """Return the identities that can prove themselves in a way."""
    return IDEVIDS if way.stream is None else _STREAM_PROVERS[way.stream]
