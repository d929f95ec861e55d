"""Components: found, and moved between groups.

Source: docs/protocol/ovgs.md#errors; docs/protocol/ovgs.md#components-and-certificates.
"""

from collections.abc import Sequence

from bootz.masa.ledger import arguments
from bootz.masa.ledger.access import Access
from bootz.masa.ledger.errors import LedgerError, unknown_component
from bootz.masa.ledger.nouns import Component, ComponentName, Group, Role


def add_serial(access: Access, name: ComponentName | None, group_id: str) -> None:
    """Move a component into a child group, out of the one it is in.

    Raises:
        LedgerError: as the table row of AddSerial says.
    """
    component, group = _find(access, name, group_id)
    access.require(group_id, Role.ASSIGNER)
    access.require(component.home, Role.ASSIGNER)
    if group.org_id != component.org_id:
        raise LedgerError(
            "ovgs-other-org", "component and group are of different orgs", where=group_id
        )
    if group_id in component.group_ids:
        raise LedgerError("ovgs-component-in-group", "it is in the group already", where=group_id)
    access.book.move_component(component.name, group_id)


def remove_serial(access: Access, name: ComponentName | None, group_id: str) -> None:
    """Take a component out of its child group; it stays in the root group.

    Raises:
        LedgerError: as the table row of RemoveSerial says.
    """
    component, group = _find(access, name, group_id)
    access.require(group_id, Role.ASSIGNER)
    if group.is_root:
        raise LedgerError(
            "ovgs-root-group", "a component cannot leave the root group", where=group_id
        )
    if component.child_group_id != group_id:
        raise LedgerError(
            "ovgs-component-not-in-group", "it is not in the group", where=str(component.name)
        )
    access.book.move_component(component.name, None)


def show_serial(access: Access, name: ComponentName | None) -> Component:
    """Return a component that the caller can reach.

    Raises:
        LedgerError: as the table row of GetSerial says.
    """
    wanted = arguments.component_name(name, access.rules)
    component = access.book.component(wanted)
    if component is None:
        raise unknown_component(wanted)
    access.require_component(component, Role.REQUESTOR)
    return component


def show_serials(access: Access, names: Sequence[ComponentName | None]) -> tuple[Component, ...]:
    """Return components in the order of the request; the first bad entry's error fails all.

    Raises:
        LedgerError: the list is empty, or as for ``show_serial``.
    """
    arguments.batch("components", names)
    return tuple(show_serial(access, name) for name in names)


def components_page(
    access: Access, group_id: str, *, after: ComponentName | None, limit: int
) -> tuple[Component, ...]:
    """Return the next components directly in a group, by (ien, serial number).

    Raises:
        LedgerError: no such group, or no role there.
    """
    group = access.path(group_id)[-1]
    access.require(group_id, Role.REQUESTOR)
    return access.book.components_in(group, after=after, limit=limit)


def _find(access: Access, name: ComponentName | None, group_id: str) -> tuple[Component, Group]:
    wanted = arguments.component_name(name, access.rules)
    arguments.text("group_id", group_id)
    component = access.book.component(wanted)
    if component is None:
        raise unknown_component(wanted)
    return component, access.path(group_id)[-1]
