"""The inventory as the service sees it, which tells the keeper of routers that wait."""

from collections.abc import Callable, Sequence
from datetime import datetime

from bootz.model.artifacts import StoredVouchers
from bootz.model.chassis import Chassis, ControlCard, fold_serial
from bootz.server.ports import Inventory


class WaitingInventory:
    """Fills the port ``Inventory``; ``lacking`` hears of cards whose vouchers are not there.

    Nothing waits here: a router that gets no answer tries again by itself.
    """

    def __init__(self, inventory: Inventory, lacking: Callable[[Sequence[str]], None]) -> None:
        self._inventory = inventory
        self._lacking = lacking
        # Asked for on every call, and answered as they are.
        self.vendors = inventory.vendors
        self.chassis_of_serial = inventory.chassis_of_serial

    async def vouchers(
        self, chassis: Chassis, cards: Sequence[ControlCard], pinned: bytes, now: datetime
    ) -> StoredVouchers:
        """Return the stored vouchers, and tell which are not."""
        found = await self._inventory.vouchers(chassis, cards, pinned, now)
        lacking = [
            card.serial_number
            for card in cards
            if fold_serial(card.serial_number) not in found.valid
        ]
        if lacking:
            self._lacking(lacking)
        return found
