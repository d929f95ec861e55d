"""What is known of each source here, without asking it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from pydantic import JsonValue

from bootz.config.sources import SourceSettings
from bootz.errors import BootzError
from bootz.reasons import reason_row
from bootz.server.sources.markers import Marker, SourceState, read_markers, read_state
from bootz.server.sources.pulled import copy_path, read_copy
from bootz.server.sources.syncing import SourceRoom

TOO_OLD: Final = timedelta(hours=24)
"""The age of a copy after which a person is warned."""


@dataclass(frozen=True, slots=True)
class ShownSource:
    """A source: its settings, its last good copy, its last failure, its faults."""

    settings: SourceSettings
    state: SourceState
    copy_at: datetime | None
    copy_version: str
    copy_devices: int
    chassis: int
    held: int
    push_faults: tuple[Mapping[str, JsonValue], ...]
    now: datetime

    @property
    def warnings(self) -> list[str]:
        """What a person must be told."""
        name = self.settings.name
        if self.copy_at is None:
            return [f"source {name} has never been read; run `bootz source sync {name}`"]
        age = self.now - self.copy_at
        if age <= TOO_OLD:
            return []
        hours = int(age.total_seconds() // 3600)
        return [f"source {name} was read {hours} hours ago for the last time: {self.state.detail}"]

    @property
    def next(self) -> str:
        """What a person does about the last failure; empty where there is none."""
        return reason_row(self.state.reason).action if self.state.reason else ""

    def to_record(self, *, whole: bool = False) -> dict[str, JsonValue]:
        """Return it as machines read it; ``whole`` with every fault."""
        state = self.state
        record: dict[str, JsonValue] = {
            "name": self.settings.name,
            "kind": self.settings.kind,
            "url": self.settings.url,
            "copy_at": None if self.copy_at is None else self.copy_at.isoformat(),
            "copy_age_seconds": None
            if self.copy_at is None
            else int((self.now - self.copy_at).total_seconds()),
            "product_version": self.copy_version,
            "devices": self.copy_devices,
            "chassis": self.chassis,
            "held": self.held,
            "failed_at": None if state.failed_at is None else state.failed_at.isoformat(),
            "reason": state.reason,
            "detail": state.detail,
            "next": self.next,
            "failures": state.failures,
            "push_faults": [dict(fault) for fault in self.push_faults],
        }
        if whole:
            return record | {"faults": [dict(fault) for fault in state.faults]}
        return record | {"faults": len(state.faults)}


def show_sources(room: SourceRoom, names: Sequence[str]) -> list[ShownSource]:
    """Return what is known of sources.

    Raises:
        UnknownChassis: there is no such source.
        Unavailable: the database does not answer.
    """
    shown: list[ShownSource] = []
    for name in names:
        settings = room.settings(name)
        with room.database.read() as connection:
            state, markers = read_state(connection, name), read_markers(connection, name)
        try:
            copy = read_copy(copy_path(room.root, name))
        except BootzError:
            copy = None
        shown.append(
            ShownSource(
                settings,
                state,
                None if copy is None else copy.at,
                "" if copy is None else f"{copy.product} {copy.version}",
                0 if copy is None else len(copy.devices),
                len(markers),
                sum(marker.held for marker in markers),
                tuple(_push_fault(each) for each in markers if each.push_reason),
                room.clock(),
            )
        )
    return shown


def _push_fault(marker: Marker) -> dict[str, JsonValue]:
    """Return why the state of a chassis was not written back, and what a person does next."""
    said = marker.said
    return {
        "device": marker.device,
        "name": said.get("hostname") or said.get("serial_number") or marker.device,
        "url": marker.url,
        "reason": marker.push_reason,
        "next": reason_row(marker.push_reason).action,
    }
