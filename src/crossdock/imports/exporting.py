"""Exports a shop's catalogue: streamed from one snapshot, in constant memory."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence

import msgspec

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.imports.items import Unreadable
from crossdock.imports.reading_again import left_out
from crossdock.imports.tables import COLUMNS_MAX
from crossdock.imports.writing_google import GoogleWriter
from crossdock.imports.writing_shopify import ShopifyWriter
from crossdock.imports.writing_tables import Writer
from crossdock.imports.writing_woocommerce import ATTRIBUTES_MAX, WooCommerceWriter
from crossdock.shop.catalogue import (
    AttributeUse,
    CategoryRecord,
    MerchantRecord,
    ProductRecord,
    VariantRecord,
    read_attribute_use,
    stream_blog_posts,
    stream_categories,
    stream_merchants,
    stream_products,
    use_snapshot,
)
from crossdock.shop.shops import Shop

WRITERS: dict[str, Callable[..., Writer]] = {
    "shopify-csv": ShopifyWriter,
    "google-merchant": GoogleWriter,
    "woocommerce-csv": WooCommerceWriter,
}
EXPORT_FORMATS = (*WRITERS, "jsonl")
_NAMED_MAX = 1_000

_encode = msgspec.json.encode

Shows = Callable[[ProductRecord], ProductRecord | None]


def shows_of(format_name: str, shop: Shop) -> Shows | None:
    """How the format would show a stored product of the shop now; None for JSON Lines."""
    if format_name not in WRITERS:
        return None
    writer = WRITERS[format_name](shop=shop, attributes=AttributeUse([], 0, ATTRIBUTES_MAX))
    return writer.again


class ExportSummary(msgspec.Struct, kw_only=True):
    """What an export wrote, and what it left out because the format cannot express it.

    `left_out` counts the products or variants that have something of the kind, in the words of
    JSON Lines. `attributes_left_out` names attributes without a column, at most a thousand.
    `receiver_lacks` counts items without something that the receiver of a feed requires.
    """

    file: str = ""
    format: str = ""
    shop: str = ""
    bytes: int = 0
    products: int = 0
    variants: int = 0
    attributes_left_out: Sequence[str] = ()
    attributes_left_out_count: int = 0
    left_out: dict[str, int] = {}
    receiver_lacks: dict[str, int] = {}

    def leave_out(self, names: Iterable[str]) -> None:
        """Add one to the count of each name."""
        for name in names:
            self.left_out[name] = self.left_out.get(name, 0) + 1


async def export_catalogue(
    database: Database, *, shop: Shop, format_name: str, summary: ExportSummary | None = None
) -> AsyncIterator[bytes]:
    """Yield the file in chunks; fills `summary` meanwhile. Raises Unreadable for an unknown format."""
    _require_format(format_name)
    summary = summary or ExportSummary()
    async with database.begin() as tx:
        await use_snapshot(tx)
        pieces = (
            _json_lines(tx, shop, summary)
            if format_name == "jsonl"
            else _written(tx, shop, format_name, summary)
        )
        async for piece in pieces:
            yield piece


def write_products(
    products: Sequence[ProductRecord], *, shop: Shop, format_name: str
) -> Iterator[bytes]:
    """A file of these products, as an export of the shop would have them. Raises Unreadable for an unknown format."""
    _require_format(format_name)
    if format_name == "jsonl":
        yield from (_line("product", product) for product in products)
        return
    names = Counter(name for product in products for name in product.attributes)
    use = AttributeUse([name for name, _ in names.most_common()], len(names), ATTRIBUTES_MAX)
    writer = WRITERS[format_name](shop=shop, attributes=use)
    yield writer.start().encode()
    for product in products:
        if writer.held(product):
            yield writer.product(product).encode()
    yield writer.end().encode()


def _require_format(format_name: str) -> None:
    if format_name not in EXPORT_FORMATS:
        raise Unreadable(
            f"There is no format {format_name!r}; there are {', '.join(EXPORT_FORMATS)}"
        )


async def _json_lines(tx: Transaction, shop: Shop, summary: ExportSummary) -> AsyncIterator[bytes]:
    async for merchants in stream_merchants(tx, shop_id=shop.id):
        yield b"".join(_line("merchant", record) for record in merchants)
    async for categories in stream_categories(tx, shop_id=shop.id):
        yield b"".join(_line("category", record) for record in categories)
    async for products in stream_products(tx, shop_id=shop.id):
        kept = [product for product in products if _counted(product, product.variants, summary)]
        yield b"".join(_line("product", record) for record in kept)
    async for posts in stream_blog_posts(tx, shop_id=shop.id):
        yield b"".join(_line("blog_post", record) for record in posts)


def _line(kind: str, record: msgspec.Struct) -> bytes:
    return b'{"type":"%b",%b\n' % (kind.encode(), _encode(record)[1:])


async def _written(
    tx: Transaction, shop: Shop, format_name: str, summary: ExportSummary
) -> AsyncIterator[bytes]:
    use = await read_attribute_use(tx, shop_id=shop.id, limit=COLUMNS_MAX + _NAMED_MAX)
    writer = WRITERS[format_name](shop=shop, attributes=use)
    summary.attributes_left_out = writer.attributes_left_out[:_NAMED_MAX]
    if writer.attributes_left_out:
        summary.attributes_left_out_count = (
            use.count - len(use.names) + len(writer.attributes_left_out)
        )
    yield writer.start().encode()
    told: set[object] = set()
    async for products in stream_products(tx, shop_id=shop.id):
        yield "".join(_product(writer, product, summary, told) for product in products).encode()
    yield writer.end().encode()
    await _count_others(tx, shop, summary, told)


async def _count_others(
    tx: Transaction, shop: Shop, summary: ExportSummary, told: set[object]
) -> None:
    """Count what is no product: a table of products has merchants and categories as names alone."""
    async for merchants in stream_merchants(tx, shop_id=shop.id):
        summary.leave_out(
            "merchants"
            for record in merchants
            if record.name not in told or record != MerchantRecord(name=record.name)
        )
    async for categories in stream_categories(tx, shop_id=shop.id):
        summary.leave_out(
            "categories without a product or with more than names"
            for record in categories
            if record.path not in told or record != CategoryRecord(path=record.path)
        )
    async for posts in stream_blog_posts(tx, shop_id=shop.id):
        summary.leave_out("blog_posts" for _ in posts)


def _product(
    writer: Writer, product: ProductRecord, summary: ExportSummary, told: set[object]
) -> str:
    held = writer.held(product)
    if not _counted(product, held, summary):
        return ""
    again = writer.again(product)
    summary.leave_out(left_out(product, held, again))
    if again is not None:
        told.add(product.merchant)
        told.update(path[:n] for path in again.categories for n in range(1, len(path) + 1))
    for name in writer.missing(product):
        summary.receiver_lacks[name] = summary.receiver_lacks.get(name, 0) + 1
    return writer.product(product)


def _counted(product: ProductRecord, held: Sequence[VariantRecord], summary: ExportSummary) -> bool:
    """Count the product; false if it has no variant to write, since no import would accept it."""
    if not held:
        summary.leave_out(
            ["products that are disabled" if product.variants else "products without variants"]
        )
        return False
    summary.products += 1
    summary.variants += len(held)
    if disabled := len(product.variants) - len(held):
        name = "variants that are disabled"
        summary.left_out[name] = summary.left_out.get(name, 0) + disabled
    return True
