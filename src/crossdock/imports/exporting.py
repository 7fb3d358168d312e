"""A shop's catalogue out into a file: streamed from one snapshot, in constant memory."""

from collections.abc import AsyncIterator, Callable

import msgspec

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.imports.items import Unreadable
from crossdock.imports.writing_google import GoogleWriter
from crossdock.imports.writing_shopify import ShopifyWriter
from crossdock.imports.writing_tables import ATTRIBUTES_MAX, Writer
from crossdock.imports.writing_woocommerce import WooCommerceWriter
from crossdock.shop.catalogue import (
    read_attribute_names,
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

_encode = msgspec.json.encode


async def export_catalogue(
    database: Database, *, shop: Shop, format_name: str
) -> AsyncIterator[bytes]:
    """The file in pieces. Raises Unreadable for an unknown format."""
    if format_name not in EXPORT_FORMATS:
        raise Unreadable(
            f"There is no format {format_name!r}; there are {', '.join(EXPORT_FORMATS)}"
        )
    async with database.begin() as tx:
        await use_snapshot(tx)
        pieces = (
            _json_lines(tx, shop) if format_name == "jsonl" else _written(tx, shop, format_name)
        )
        async for piece in pieces:
            yield piece


async def _json_lines(tx: Transaction, shop: Shop) -> AsyncIterator[bytes]:
    async for merchants in stream_merchants(tx, shop_id=shop.id):
        yield b"".join(_line("merchant", record) for record in merchants)
    async for categories in stream_categories(tx, shop_id=shop.id):
        yield b"".join(_line("category", record) for record in categories)
    async for products in stream_products(tx, shop_id=shop.id):
        yield b"".join(_line("product", record) for record in products)
    async for posts in stream_blog_posts(tx, shop_id=shop.id):
        yield b"".join(_line("blog_post", record) for record in posts)


def _line(kind: str, record: msgspec.Struct) -> bytes:
    return b'{"type":"%b",%b\n' % (kind.encode(), _encode(record)[1:])


async def _written(tx: Transaction, shop: Shop, format_name: str) -> AsyncIterator[bytes]:
    names = await read_attribute_names(tx, shop_id=shop.id, limit=ATTRIBUTES_MAX)
    writer = WRITERS[format_name](shop=shop, attribute_names=names)
    yield writer.start().encode()
    async for products in stream_products(tx, shop_id=shop.id):
        yield "".join(writer.product(product) for product in products).encode()
    yield writer.end().encode()
