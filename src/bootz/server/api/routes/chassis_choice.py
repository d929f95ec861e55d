"""Which chassis are meant: by filters of a list, or by id; never more than the caller may see."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from fastapi import Depends, Query
from sqlalchemy import BindParameter, ColumnElement, Connection, bindparam, func, select

from bootz.errors import UnknownChassis
from bootz.server.api.context import Door, Principal
from bootz.server.api.paging import Paging, Search, holding, order_by
from bootz.server.api.problems import ErrorItem, ManyErrors
from bootz.server.operations.chassis_state import ChassisState
from bootz.server.operations.labels import fold_key
from bootz.server.store.schema import CHASSIS, CHASSIS_LABEL, PROFILE, VENDOR
from bootz.sql.batches import batches

COLUMNS: Final[Mapping[str, ColumnElement[Any]]] = {
    "id": CHASSIS.c.id,
    "serial_number": CHASSIS.c.serial,
    "hostname": CHASSIS.c.hostname,
    "vendor": VENDOR.c.name,
    "profile": PROFILE.c.name,
    "updated_at": CHASSIS.c.revision,
}
"""What a list can be sorted by."""

_JOINED: Final = CHASSIS.join(VENDOR).outerjoin(PROFILE, PROFILE.c.id == CHASSIS.c.profile_id)
_SEARCHED: Final = (CHASSIS.c.serial, CHASSIS.c.hostname, CHASSIS.c.part_number)


class ChassisChoice:
    """What a caller asked of chassis; fills from the query."""

    def __init__(
        self,
        q: Search = None,
        vendor: Annotated[str | None, Query(max_length=128)] = None,
        profile: Annotated[str | None, Query(max_length=128)] = None,
        label: Annotated[
            list[str] | None, Query(description="KEY=VALUE, or KEY: of any value. Repeatable.")
        ] = None,
        state: Annotated[list[ChassisState] | None, Query(description="Repeatable.")] = None,
    ) -> None:
        self._conditions = [_labelled(*_pair(text)) for text in label or ()]
        if vendor is not None:
            self._conditions.append(VENDOR.c.name_folded == vendor.strip().casefold())
        if profile is not None:
            self._conditions.append(PROFILE.c.name_folded == profile.strip().casefold())
        self._states = frozenset(state or ())
        self._text = q
        self._joins = vendor is not None or profile is not None

    def page(
        self,
        connection: Connection,
        door: Door,
        principal: Principal,
        paging: Paging,
        ordering: str | None = None,
    ) -> tuple[int, Sequence[int]]:
        """Return how many there are, and the keys of those on the page.

        Raises:
            ManyErrors: ``request-invalid``: it cannot be sorted so.
        """
        sorting = order_by(ordering, COLUMNS, [CHASSIS.c.id])
        conditions = [
            *holding(connection, self._text, *_SEARCHED),
            *self._conditions,
            *scoped(principal),
        ]
        if self._states:
            conditions += _in_states(connection, door, self._states)
        joins = self._joins or _named(ordering) & {"vendor", "profile"}
        tables = _JOINED if joins else CHASSIS
        chosen = select(CHASSIS.c.id).select_from(tables).where(*conditions).order_by(*sorting)
        if self._text:
            # No index helps: one pass over all rows in place of two.
            found = connection.scalars(chosen).all()
            return len(found), found[paging.offset : paging.offset + paging.limit]
        counted = select(func.count()).select_from(tables).where(*conditions)
        page = connection.scalars(chosen.limit(paging.limit).offset(paging.offset)).all()
        return connection.scalar(counted) or 0, page


ChassisChoiceDep = Annotated[ChassisChoice, Depends(ChassisChoice)]


def scoped(principal: Principal) -> list[ColumnElement[bool]]:
    """Return the conditions of a token that may see only some chassis."""
    return [_labelled(key, value) for key, value in principal.scope.items()]


def find_visible(connection: Connection, principal: Principal, keys: Sequence[int]) -> None:
    """Check that chassis are on record, and that the caller may see them.

    Raises:
        UnknownChassis: one was asked for and is not there; a token cannot tell why.
        ManyErrors: several are not there.
    """
    found: set[int] = set()
    wanted = sorted(set(keys))
    for batch in batches(wanted):
        chunk = CHASSIS.c.id.in_(batch)
        found.update(connection.scalars(select(CHASSIS.c.id).where(chunk, *scoped(principal))))
    missing = [key for key in wanted if key not in found]
    if len(missing) == 1 and len(wanted) == 1:
        raise UnknownChassis("object-not-found", f"there is no chassis {missing[0]}", where="id")
    raise_all(
        [
            ErrorItem(where=f"ids.{key}", reason="object-not-found", detail="no such chassis")
            for key in missing
        ]
    )


def raise_all(errors: Sequence[ErrorItem]) -> None:
    """Raise several errors as one, if there are any."""
    if errors:
        first = errors[0]
        raise ManyErrors(first.reason, f"{len(errors)} of the chassis: {first.detail}", errors)


def _named(ordering: str | None) -> set[str]:
    """Return the fields that a list is sorted by."""
    return {name.strip().removeprefix("-") for name in (ordering or "").split(",")}


def _labelled(key: str, value: str | None) -> ColumnElement[bool]:
    """Return the condition that a chassis has a label, of any value for None."""
    label = CHASSIS_LABEL.alias()
    found = select(label.c.chassis_id).where(label.c.key == key)
    if value is not None:
        found = found.where(label.c.value == value)
    return CHASSIS.c.id.in_(found)


def _pair(text: str) -> tuple[str, str | None]:
    key, named, value = text.partition("=")
    return fold_key(key), value if named else None


def _in_states(
    connection: Connection, door: Door, states: frozenset[ChassisState]
) -> list[ColumnElement[bool]]:
    """Return the conditions that a chassis is in one of the states."""
    progress = door.config.progress
    all_but, found = door.memory.tally.in_states(connection, progress, door.clock(), states)
    if all_but and not found:
        return []
    # As literals: no engine takes so many parameters.
    keys: BindParameter[int] = bindparam("keys", found, expanding=True, literal_execute=True)
    return [CHASSIS.c.id.not_in(keys) if all_but else CHASSIS.c.id.in_(keys)]
