"""The formats by name."""

from collections.abc import Callable, Iterator

from crossdock.imports.items import Item, Unreadable
from crossdock.imports.jsonl import read_jsonl
from crossdock.imports.opening import Source
from crossdock.imports.reading import Reading

Reader = Callable[[Source, Reading], Iterator[Item]]

READERS: dict[str, Reader] = {
    "jsonl": read_jsonl,
}


def reader_of(name: str) -> Reader:
    """The reader of that format. Raises Unreadable for an unknown name."""
    if name not in READERS:
        raise Unreadable(f"There is no format {name!r}; there are {', '.join(READERS)}")
    return READERS[name]
