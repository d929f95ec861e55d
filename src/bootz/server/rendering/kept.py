"""Things that are dear to make, kept while there is room; the least recently used go first."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class WeighedCache(Generic[K, V]):
    """Keeps values up to a weight in all. Belongs to one thread.

    Args:
        most: the weight of all values together, in whatever unit ``put`` is told.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._weight = 0
        self._kept: OrderedDict[K, tuple[V, int]] = OrderedDict()

    def get(self, key: K) -> V | None:
        """Return what is kept, None if nothing is."""
        found = self._kept.get(key)
        if found is None:
            return None
        self._kept.move_to_end(key)
        return found[0]

    def put(self, key: K, value: V, weight: int) -> None:
        """Keep a value; one that alone is over the bound is not kept."""
        before = self._kept.pop(key, None)
        if before is not None:
            self._weight -= before[1]
        if weight > self._most:
            return
        self._kept[key] = (value, weight)
        self._weight += weight
        while self._weight > self._most:
            _, (_, gone) = self._kept.popitem(last=False)
            self._weight -= gone

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
        self._weight = 0
