"""Made goods in a shop of the database, and the documents by which they have to be found."""

import random
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.kit.clock import Clock
from crossdock.kit.ids import RandomIds
from crossdock.shop.catalogue import (
    ProductRecord,
    VariantRecord,
    normalise_gtin,
    upsert_products,
)
from crossdock.shop.events import number_events
from crossdock.shop.search import Building, Category, Document, Follower, LocalEngine, option_names
from crossdock.shop.shops import Shop, read_shop
from tests.support.factories import make_shop
from tests.support.search_engines import ranking
from tests.support.search_made import made_documents

Goods = list[list[Document]]
BATCH = 2_000


def made_goods(count: int, *, rng: random.Random, first_product: int = 1) -> Goods:
    """Products such as a catalogue can hold: one currency, one colour, nothing of other parts."""
    return [
        [_plain(sku, skus[0], first_product) for sku in skus]
        for skus in made_documents(count, rng=rng)
    ]


def _plain(sku: Document, first: Document, first_product: int) -> Document:
    number = sku.product_id + first_product - 1
    return msgspec.structs.replace(
        sku,
        product_id=number,
        merchant_item_id=f"item-{number}",
        sku=f"SKU-{number}-{sku.variant_id}",
        currency=first.currency,
        colors=sku.colors[:1],
        coupons=(),
        shipping_charge_minor=0,
        ship_flat_minor=0,
    )


def record_of(skus: Sequence[Document], *, enabled: bool = True) -> ProductRecord:
    """The product as an importer would hand it over."""
    first = skus[0]
    leaf = max((each.path for each in first.categories), key=len, default=())
    return ProductRecord(
        handle=first.merchant_item_id,
        name=first.name,
        merchant=first.merchant,
        currency=first.currency,
        description=first.description,
        brand=first.brand,
        attributes={f"a{place}": text for place, text in enumerate(first.attributes)},
        categories=(leaf,) if leaf else (),
        option_names=("Colour", "Size"),
        enabled=enabled,
        variants=tuple(map(_variant_of, skus)),
    )


def _variant_of(sku: Document) -> VariantRecord:
    options = {
        name: values[0] for name, values in (("Colour", sku.colors), ("Size", sku.sizes)) if values
    }
    return VariantRecord(
        sku=sku.sku,
        merchant_sku=sku.merchant_sku,
        part_number=sku.part_number,
        upc=sku.upcs[0],
        options=options,
        attributes={"Material": sku.material} if sku.material else {},
        retail_minor=sku.retail_minor,
        sale_minor=sku.price_minor if sku.price_minor < sku.retail_minor else None,
    )


def sold_by(skus: Sequence[Document], owner: Sequence[Document]) -> list[Document]:
    """The goods as another product's merchant sells them under that product's key."""
    first = owner[0]
    return [
        msgspec.structs.replace(
            sku,
            product_id=first.product_id,
            merchant_id=first.merchant_id,
            merchant=first.merchant,
            merchant_item_id=first.merchant_item_id,
        )
        for sku in skus
    ]


async def open_shop(db: Database) -> Shop:
    """A fresh shop."""
    async with db.begin() as tx:
        made = await make_shop(tx)
        return await read_shop(tx, slug=made.slug)


async def write(
    db: Database, *, shop: Shop, records: Sequence[ProductRecord], now: datetime
) -> None:
    """Write products as an import does, and number the events."""
    for start in range(0, len(records), BATCH):
        async with db.begin() as tx:
            await upsert_products(tx, shop=shop, records=records[start : start + BATCH], now=now)
        async with db.begin() as tx:
            await number_events(tx, shop_id=shop.id)


async def expected(tx: Transaction, *, shop: Shop, goods: Goods) -> list[Document]:
    """The goods as they have to be found: with the numbers that the database gave them."""
    variants = {
        sku: (product_id, variant_id, int(at.timestamp()))
        for sku, product_id, variant_id, at in await tx.all(
            "select v.sku, v.product_id, v.id, greatest(p.updated_at, max(v.updated_at)"
            " over (partition by v.product_id)) from variants v"
            " join products p on p.shop_id = v.shop_id and p.id = v.product_id where v.shop_id = %s",
            (shop.id,),
        )
    }
    merchants = dict(await tx.all("select name, id from merchants where shop_id = %s", (shop.id,)))
    categories = await category_ids(tx, shop=shop)
    return [
        _found_by(sku, *variants[sku.sku], merchants[sku.merchant], categories)
        for skus in goods
        for sku in skus
    ]


async def category_ids(tx: Transaction, *, shop: Shop) -> dict[tuple[str, ...], int]:
    """The ids of the categories by their names from the root."""
    rows = await tx.all("select id, parent_id, name from categories where shop_id = %s", (shop.id,))
    by_id = {number: (parent, name) for number, parent, name in rows}

    def path(number: int) -> tuple[str, ...]:
        parent, name = by_id[number]
        return (*path(parent), name) if parent else (name,)

    return {path(number): number for number in by_id}


def _found_by(
    sku: Document,
    product_id: int,
    variant_id: int,
    modified_s: int,
    merchant_id: int,
    categories: dict[tuple[str, ...], int],
) -> Document:
    gtin14 = normalise_gtin(sku.upcs[0])
    numbers = (sku.upcs[0], gtin14, gtin14 and gtin14.lstrip("0"))
    return msgspec.structs.replace(
        sku,
        product_id=product_id,
        variant_id=variant_id,
        modified_s=modified_s,
        merchant_id=merchant_id,
        upcs=tuple(dict.fromkeys(each for each in numbers if each)),
        categories=tuple(
            Category(
                id=categories[each.path],
                parent_id=categories.get(each.path[:-1]),
                path=each.path,
            )
            for each in sku.categories
        ),
    )


def building(db: Database, *, root: Path, clock: Clock) -> Building:
    """What keeps the indexes below a folder, as one node would."""
    return Building(
        db=db,
        clock=clock,
        ids=RandomIds(),
        root=root,
        options=option_names(color=["Colour"], size=["Size"], material=["Material"]),
        writer_mb=20,
    )


def engine(built: Building, shop: Shop) -> LocalEngine:
    """What searches the shop's index."""
    return LocalEngine(built.folder(shop.id), ranking=ranking())


async def catch_up(follower: Follower) -> int:
    """Let the indexes take in all there is; returns how many products were written."""
    written = 0
    while count := await follower.step():
        written += count
    return written
