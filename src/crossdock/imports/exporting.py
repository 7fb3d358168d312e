"""Exports a shop's catalogue: streamed from one snapshot, in constant memory."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence

import msgspec

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.imports.items import Unreadable
from crossdock.imports.tables import COLUMNS_MAX
from crossdock.imports.writing_google import GoogleWriter
from crossdock.imports.writing_shopify import ShopifyWriter
from crossdock.imports.writing_tables import Writer
from crossdock.imports.writing_woocommerce import WooCommerceWriter
from crossdock.shop.catalogue import (
    ProductRecord,
    VariantRecord,
    left_out_of_product,
    left_out_of_variant,
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


class ExportSummary(msgspec.Struct, kw_only=True):
    """What an export wrote, and what it left out because the format cannot express it.

    `left_out` maps a field's name in the JSON Lines format to the number of products or variants that
    have it. `attributes_left_out` lists attributes without a column, at most a thousand.
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

    def leave_out(self, names: Iterable[str]) -> None:
        """Add one to the count of each name."""
        for name in names:
            self.left_out[name] = self.left_out.get(name, 0) + 1


async def export_catalogue(
    database: Database, *, shop: Shop, format_name: str, summary: ExportSummary | None = None
) -> AsyncIterator[bytes]:
    """Yield the file in chunks; fills `summary` meanwhile. Raises Unreadable for an unknown format."""
    if format_name not in EXPORT_FORMATS:
        raise Unreadable(
            f"There is no format {format_name!r}; there are {', '.join(EXPORT_FORMATS)}"
        )
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
    async for products in stream_products(tx, shop_id=shop.id):
        yield "".join(_product(writer, product, summary) for product in products).encode()
    yield writer.end().encode()


def _product(writer: Writer, product: ProductRecord, summary: ExportSummary) -> str:
    held = writer.held(product)
    if not _counted(product, held, summary):
        return ""
    summary.leave_out(left_out_of_product(product, writer.parts))
    for variant in held:
        summary.leave_out(left_out_of_variant(variant, writer.parts))
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
