"""A cache bounded by the bytes of what it holds; what was used longest ago goes first."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Final, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

ENTRY_BYTES: Final = 600
"""What an entry takes besides its content: the key, the object, its place in the table."""


class Kept(Generic[Key, Value]):
    """Values by key; a bound of 0 keeps nothing."""

    def __init__(self, *, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._values: OrderedDict[Key, tuple[Value, int]] = OrderedDict()
        self._bytes = 0

    def get(self, key: Key) -> Value | None:
        """The value, which is then the one used last."""
        entry = self._values.get(key)
        if entry is None:
            return None
        self._values.move_to_end(key)
        return entry[0]

    def put(self, key: Key, value: Value, *, content_bytes: int) -> None:
        """Keep a value in place of the one before; one larger than the bound is not kept."""
        if entry := self._values.pop(key, None):
            self._bytes -= entry[1]
        size = content_bytes + ENTRY_BYTES
        if size > self._bytes_max:
            return
        self._values[key] = value, size
        self._bytes += size
        while self._bytes > self._bytes_max:
            _, (_, size) = self._values.popitem(last=False)
            self._bytes -= size

    @property
    def bytes(self) -> int:
        """What it takes now."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._values)
