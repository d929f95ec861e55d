"""The streaming calls as data: one row each. What differs in spelling is in ``wire.streams``.

Source: docs/protocol/tpm.md#identities; docs/protocol/wire.md#calls.
"""

from dataclasses import dataclass
from typing import Final

from bootz.model.identity import IdentityKind
from bootz.wire.dialects import BOOTSTRAP_STREAM, BOOTSTRAP_STREAM_V1
from bootz.wire.names import FlowName


@dataclass(frozen=True, slots=True)
class StreamFlow:
    """One of the streaming calls.

    Args:
        name: stable; stands on the command line.
        method: the name of the call.
        identities: the kinds that the call knows.
        bound: an answer is bound to a transport key, and the data are encrypted for it (V1);
            else the nonce's text itself is signed, and the data travel in the clear (v0.6).
    """

    name: str
    method: str
    identities: frozenset[IdentityKind]
    bound: bool


STREAM: Final = StreamFlow(
    FlowName.STREAM.value,
    BOOTSTRAP_STREAM,
    frozenset({IdentityKind.IDEVID, IdentityKind.EK_OR_PPK}),
    bound=False,
)

STREAM_V1: Final = StreamFlow(
    FlowName.STREAM_V1.value,
    BOOTSTRAP_STREAM_V1,
    frozenset(
        {
            IdentityKind.IDEVID,
            IdentityKind.TPM20_EK,
            IdentityKind.TPM20_PPK,
            IdentityKind.TPM12_EK,
        }
    ),
    bound=True,
)

STREAM_FLOWS: Final = (STREAM, STREAM_V1)
