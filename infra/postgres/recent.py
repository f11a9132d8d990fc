"""A small memory: so many entries, for so long, the least used forgotten first."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Recent(Generic[K, V]):
    """Entries not older than ``seconds``, at most ``capacity`` of them."""

    def __init__(
        self, capacity: int, seconds: float, clock: Callable[[], float]
    ) -> None:
        self._capacity = capacity
        self._seconds = seconds
        self._clock = clock
        self._entries: OrderedDict[K, tuple[float, V]] = OrderedDict()

    def get(self, key: K, default: Any = None) -> Any:
        """Return what was put under the key, if it is still remembered."""
        entry = self._entries.get(key)
        if entry is None:
            return default
        until, value = entry
        if until < self._clock():
            del self._entries[key]
            return default
        self._entries.move_to_end(key)
        return value

    def put(self, key: K, value: V) -> None:
        self._entries[key] = (self._clock() + self._seconds, value)
        self._entries.move_to_end(key)
        if len(self._entries) > self._capacity:
            self._entries.popitem(last=False)

    def all(self) -> list[tuple[K, V]]:
        """Return everything, also what is too old."""
        return [(key, value) for key, (_, value) in self._entries.items()]

    def forget(self, key: K) -> None:
        self._entries.pop(key, None)
