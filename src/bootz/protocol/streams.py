"""The order of a stream, the owner's side: which message is legal when, and what it leads to.

The states and messages are one table for all flows. Source:
docs/streams.md#order-of-messages; docs/protocol/tpm.md#order.
"""

from enum import Enum
from types import MappingProxyType
from typing import Final

from bootz.errors import OrderError
from bootz.wire.streams import MessageKind


class StreamState(Enum):
    """How far a stream has come."""

    INITIAL = "initial"
    CHALLENGED = "challenged"
    REPORT_CHALLENGED = "challenged for a report"
    ATTESTED = "attested"
    ENDED = "ended"


class StreamStep(Enum):
    """What a legal message leads to."""

    CHALLENGE_REQUEST = "challenge who asks"
    CHALLENGE_REPORT = "challenge who reports"
    JUDGE_REQUEST = "judge the answer, then send data"
    JUDGE_REPORT = "judge the answer, then take the report"
    TAKE_REPORT = "take another report"


TABLE: Final = MappingProxyType(
    {
        (StreamState.INITIAL, MessageKind.REQUEST): (
            StreamStep.CHALLENGE_REQUEST,
            StreamState.CHALLENGED,
        ),
        (StreamState.INITIAL, MessageKind.REPORT): (
            StreamStep.CHALLENGE_REPORT,
            StreamState.REPORT_CHALLENGED,
        ),
        (StreamState.CHALLENGED, MessageKind.ANSWER): (
            StreamStep.JUDGE_REQUEST,
            StreamState.ATTESTED,
        ),
        (StreamState.REPORT_CHALLENGED, MessageKind.ANSWER): (
            StreamStep.JUDGE_REPORT,
            StreamState.ATTESTED,
        ),
        (StreamState.ATTESTED, MessageKind.REPORT): (
            StreamStep.TAKE_REPORT,
            StreamState.ATTESTED,
        ),
    }
)
"""Every legal message; all others end the stream."""


class StreamOrder:
    """Where one stream is. A stream that was refused once is at its end."""

    def __init__(self) -> None:
        self._state = StreamState.INITIAL

    @property
    def state(self) -> StreamState:
        """How far it has come."""
        return self._state

    def take(self, kind: MessageKind) -> StreamStep:
        """Return what a message leads to.

        Raises:
            OrderError: it is not legal now.
        """
        row = TABLE.get((self._state, kind))
        if row is None:
            legal = [each.value for state, each in TABLE if state is self._state]
            before, self._state = self._state, StreamState.ENDED
            raise OrderError(
                "stream-out-of-order",
                f"{kind.value} while the stream is {before.value}",
                where="stream",
                expected=", ".join(legal) or "nothing",
                seen=kind.value,
            )
        step, self._state = row
        return step

    def end(self) -> None:
        """Nothing is legal any more."""
        self._state = StreamState.ENDED
