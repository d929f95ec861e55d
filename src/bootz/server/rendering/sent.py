"""What a chassis was last sent, beside what it would get now under the same terms.

Source: docs/operator.md#what-was-last-sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pydantic import JsonValue
from sqlalchemy import Connection

from bootz.errors import BootzError
from bootz.model.chassis import fold_serial
from bootz.server.operations.chassis import chassis_by_key
from bootz.server.operations.chassis_record import ChassisRecord
from bootz.server.operations.secrets import Fingerprint, masked_object
from bootz.server.rendering.differences import DifferenceLine, as_text, difference
from bootz.server.rendering.preview import PreviewTerms, preview_chassis
from bootz.server.store.sent_data import SentData, last_sent
from bootz.wire.answers import decode_bootstrap_data
from bootz.wire.dialects import dialect_by_name
from bootz.wire.preview import preview_payload

Payload = Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class SentBeside:
    """What was sent, and what would be sent now: to the same cards, dialect and address.

    ``before`` is None where the data were too large to be kept, ``now`` where they cannot be
    rendered, for which ``flaw`` is the reason. Both may hold secrets.
    """

    sent: SentData
    before: Payload | None = field(repr=False)
    now: Payload | None = field(repr=False)
    flaw: BootzError | None = None

    @property
    def same(self) -> bool | None:
        """Whether the same would be sent now; None where that cannot be told."""
        if self.before is None or self.now is None:
            return None
        return self.before == self.now

    def masked(self, hide: Fingerprint | None) -> "SentBeside":
        """Return both with their secrets as fingerprints; None shows them as they are."""
        if hide is None:
            return self
        before = None if self.before is None else masked_object(self.before, hide)
        now = None if self.now is None else masked_object(self.now, hide)
        return replace(self, before=before, now=now)

    def difference(self) -> list[DifferenceLine]:
        """Return the lines of both; none where one of them is not there."""
        if self.before is None or self.now is None:
            return []
        return difference(as_text(self.before), as_text(self.now))


def sent_beside(connection: Connection, key: int, terms: PreviewTerms) -> SentBeside | None:
    """Return what a chassis was last sent and would get now; None if nothing was ever sent.

    Raises:
        UnknownChassis: the chassis is not on record.
    """
    record = chassis_by_key(connection, key)
    sent = last_sent(connection, key)
    if sent is None:
        return None
    before: Payload | None = None
    serials: list[str] = []
    if sent.content is not None:
        before = dict(preview_payload(sent.content))  # type: ignore[arg-type]
        told = decode_bootstrap_data(sent.content, dialect_by_name(sent.dialect))
        serials = _still_there(record, [each.serial_number for each in told.responses])
    try:
        preview = preview_chassis(
            connection,
            key,
            replace(terms, reached_at=sent.reached_at),
            dialect=sent.dialect,
            cards=serials,
        )
        now: Payload = dict(preview_payload(preview.body))  # type: ignore[arg-type]
    except BootzError as error:
        return SentBeside(sent, before, None, error)
    return SentBeside(sent, before, now)


def _still_there(record: ChassisRecord, serials: list[str]) -> list[str]:
    """Return those of the cards that were sent something and are still of the chassis."""
    own = {fold_serial(card.serial_number) for card in record.cards}
    return [serial for serial in serials if fold_serial(serial) in own]
