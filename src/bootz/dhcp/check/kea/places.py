"""What every place of a Kea configuration may have: options, boot file, guards, keywords."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bootz.dhcp.check.answers import CheckNote
from bootz.dhcp.check.kea.config import KeaConfig
from bootz.dhcp.check.kea.document import place_of
from bootz.dhcp.check.kea.keywords import KEYWORDS, TYPES
from bootz.dhcp.check.kea.nouns import (
    Boot,
    Modes,
    Place,
)
from bootz.dhcp.check.kea.options import read_options
from bootz.dhcp.sync import rows_of


@dataclass(frozen=True, slots=True)
class PlaceReader:
    """Reads what a place of any kind has, and notes what Kea refuses there."""

    config: KeaConfig

    def refuse(self, where: str, words: str) -> None:
        """Note why Kea does not start; without a place, of the whole."""
        self.config.refused.append(CheckNote("refused", where or self.config.where, words))

    def keywords(self, row: Mapping[str, Any], scope: str, where: str) -> None:
        """Refuse values of a wrong type; what is not a keyword here may be one of a later Kea."""
        known = KEYWORDS[self.config.family][scope]
        for key, value in row.items():
            kind = known.get(key)
            if kind is None:
                words = (
                    f"{key!r} is not a keyword of Kea's at this place ({place_of(row) or where})"
                )
                self.config.doubts.append(CheckNote("not-evaluated", where, words))
                continue
            right = isinstance(value, TYPES[kind])
            if isinstance(value, bool) and kind != "b":
                right = False
            if not right and not (value is None and kind == "s"):
                self.refuse(where, f"{key} has a value of a wrong type ({place_of(row)})")

    def fill(self, place: Any, row: Mapping[str, Any]) -> Any:
        """Give a place its options, boot file and guards."""
        for option in rows_of(row, "option-data"):
            self.keywords(option, "option-data", f"{place.where} option-data")
        place.options = list(
            read_options(
                rows_of(row, "option-data"),
                self.config.definitions,
                outermost=place is self.config.top,
            )
        )
        next_server = str(row.get("next-server", ""))
        place.boot = Boot(
            str(row.get("boot-file-name") or ""),
            "" if next_server in {"", "0.0.0.0"} else next_server,  # noqa: S104 -- none is bound
        )
        return place

    def guard(self, place: Place, row: Mapping[str, Any]) -> None:
        """Give a network, a subnet or a pool the classes that it is for, and those it asks for."""
        one, several = row.get("client-class"), row.get("client-classes")
        if isinstance(one, str) and one:
            place.guards = (one,)
        elif isinstance(several, list):
            place.guards = tuple(map(str, several))
        for key in ("require-client-classes", "evaluate-additional-classes"):
            listed = row.get(key)
            if isinstance(listed, list):
                place.additional = tuple(map(str, listed))

    def modes(self, row: Mapping[str, Any], around: Modes) -> Modes:
        """Return where reservations are looked for, of this place or those around it."""
        made = Modes(around.in_subnet, around.everywhere, around.out_of_pool)
        old = row.get("reservation-mode")
        if old is not None:
            table = {
                "disabled": Modes(in_subnet=False),
                "off": Modes(in_subnet=False),
                "out-of-pool": Modes(out_of_pool=True),
                "global": Modes(in_subnet=False, everywhere=True),
                "all": Modes(),
            }
            if old not in table:
                self.refuse(place_of(row), f"there is no reservation-mode {old!r}")
            made = table.get(str(old), made)
        for key, name in (
            ("reservations-in-subnet", "in_subnet"),
            ("reservations-global", "everywhere"),
            ("reservations-out-of-pool", "out_of_pool"),
        ):
            if isinstance(row.get(key), bool):
                setattr(made, name, row[key])
        return made
