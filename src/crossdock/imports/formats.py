"""The import formats by name."""

from collections.abc import Callable, Iterator
from functools import partial

from crossdock.imports.google_merchant import read_google_merchant
from crossdock.imports.items import Item, Unreadable
from crossdock.imports.jsonl import read_jsonl
from crossdock.imports.opening import Source
from crossdock.imports.reading import Reading
from crossdock.imports.recognising import SAMPLE_BYTES, refuse_other_kinds
from crossdock.imports.shopify_csv import read_shopify_csv
from crossdock.imports.woocommerce_csv import read_woocommerce_csv

Reader = Callable[[Source, Reading], Iterator[Item]]

READERS: dict[str, Reader] = {
    "shopify-csv": read_shopify_csv,
    "google-merchant": read_google_merchant,
    "woocommerce-csv": read_woocommerce_csv,
    "jsonl": read_jsonl,
}


def reader_of(name: str) -> Reader:
    """The reader of a format. Raises Unreadable for an unknown name.

    The reader raises Unreadable at once if the content is a document, an image or an archive.
    """
    if name not in READERS:
        raise Unreadable(f"There is no format {name!r}; there are {', '.join(READERS)}")
    return partial(_read, name)


def _read(name: str, source: Source, reading: Reading) -> Iterator[Item]:
    refuse_other_kinds(source.stream.peek(SAMPLE_BYTES), format_name=name)
    yield from READERS[name](source, reading)
