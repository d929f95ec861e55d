"""The plain SQL of lists, on both engines."""

from __future__ import annotations

from store.world import maker

from bootz.model.chassis import BootMode, CardKind, Release
from bootz.server.operations.chassis import (
    CardRecord,
    ChassisRecord,
    add_all_chassis,
    chosen_chassis,
)
from bootz.server.operations.profile_document import ProfileDocument
from bootz.server.operations.profiles import ProfileRecord, add_profile
from bootz.server.operations.vendors import add_vendor
from bootz.server.store.database import Database
from bootz.server.store.listing import ListedChassis


def test_chassis_are_listed_in_the_order_of_addition(database: Database) -> None:
    cards = (CardRecord("RP0", slot="0"), CardRecord("LC1", kind=CardKind.LINE))
    with database.write() as connection:
        for name in ("Other", "Acme"):
            add_vendor(connection, maker(name).vendor)
        add_profile(connection, ProfileRecord("edge", ProfileDocument()))
        add_all_chassis(
            connection,
            [
                ChassisRecord("Other", "Z9", hostname="r1", profile="edge", release=Release.V0_3),
                ChassisRecord("Acme", "", modular=True, cards=cards, boot_mode=BootMode.INSECURE),
            ],
        )
    first = ListedChassis("Other", "Z9", "", "r1", 1, BootMode.SECURE, Release.V0_3, "edge")
    second = ListedChassis("Acme", "", "", "", 2, BootMode.INSECURE, None, None)
    with database.read() as connection:
        assert chosen_chassis(connection) == [first, second]
        assert chosen_chassis(connection, "acme") == [second]
        assert chosen_chassis(connection, profile="Edge") == [first]
        assert chosen_chassis(connection, "Acme", "edge") == []
