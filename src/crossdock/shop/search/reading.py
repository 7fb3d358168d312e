"""What of the catalogue is searched, read from the database."""

import html
import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.catalogue import PUBLIC_LOWEST
from crossdock.shop.search.documents import Category, Document
from crossdock.shop.search.words import keyword

BATCH: Final = 1_000
_TAG = re.compile(r"<[^>]*>")


class OptionNames(msgspec.Struct, frozen=True, kw_only=True):
    """The names of options and attributes that hold colours, sizes and materials, folded."""

    color: frozenset[str]
    size: frozenset[str]
    material: frozenset[str]


def option_names(
    *, color: Iterable[str], size: Iterable[str], material: Iterable[str]
) -> OptionNames:
    """The names as they are compared."""
    return OptionNames(
        color=frozenset(map(keyword, color)),
        size=frozenset(map(keyword, size)),
        material=frozenset(map(keyword, material)),
    )


class Traits(msgspec.Struct, frozen=True, kw_only=True):
    """What of a variant a shopper chooses by; '' for what it has not."""

    color: str = ""
    size: str = ""
    material: str = ""


def traits_of(names: OptionNames, *labels: Mapping[str, Any]) -> Traits:
    """The traits among a variant's labels: its product's attributes, its own, its options; the last counts."""
    named = [_named(each) for each in reversed(labels)]
    return Traits(
        color=_value(named, names.color),
        size=_value(named, names.size),
        material=_value(named, names.material),
    )


class ReadProduct(msgspec.Struct, frozen=True):
    """A product and the documents of its listed variants; none if it may not be found."""

    id: int
    documents: list[Document]


async def read_categories(tx: Transaction, *, shop_id: int) -> dict[int, tuple[Category, ...]]:
    """By id, each category with its ancestors from the root down to it."""
    rows = await tx.all(
        "select id, parent_id, name, id_path from categories where shop_id = %s order by depth",
        (shop_id,),
    )
    names = {category_id: name for category_id, _, name, _ in rows}
    parents = {category_id: parent_id for category_id, parent_id, _, _ in rows}

    def category(path: Sequence[int]) -> Category:
        return Category(
            id=path[-1], parent_id=parents[path[-1]], path=tuple(names[each] for each in path)
        )

    return {
        category_id: tuple(category(path[: depth + 1]) for depth in range(len(path)))
        for category_id, _, _, path in rows
    }


async def read_products(
    tx: Transaction,
    *,
    shop_id: int,
    product_ids: Sequence[int],
    categories: Mapping[int, tuple[Category, ...]],
    options: OptionNames,
    now: datetime,
) -> list[ReadProduct]:
    """The documents of these products; one that is gone or not listed has none."""
    rows = await tx.all(_PRODUCTS, {"shop": shop_id, "products": list(product_ids), "now": now})
    found: dict[int, list[Document]] = {product_id: [] for product_id in product_ids}
    for row in rows:
        line = _Line(*row)
        found[line.product_id].append(_document(line, categories, options))
    return [ReadProduct(product_id, documents) for product_id, documents in found.items()]


async def stream_product_ids(tx: Transaction, *, shop_id: int) -> AsyncIterator[list[int]]:
    """The ids of all products, a batch at a time."""
    last = 0
    while True:
        rows = await tx.all(
            "select id from products where shop_id = %s and id > %s order by id limit %s",
            (shop_id, last, BATCH),
        )
        if not rows:
            return
        yield [row[0] for row in rows]
        last = rows[-1][0]


class _Line(msgspec.Struct, frozen=True):
    """A row of _PRODUCTS."""

    product_id: int
    name: str
    brand: str
    description: str
    attributes: dict[str, Any]
    handle: str
    merchant_id: int
    merchant: str
    ship_flat_minor: int
    ship_free_minor: int | None
    category_ids: list[int] | None
    variant_id: int
    sku: str
    merchant_sku: str
    part_number: str
    upc: str
    gtin14: str | None
    options: dict[str, Any]
    variant_attributes: dict[str, Any]
    currency: str
    retail_minor: int
    sale_minor: int | None
    price_minor: int
    coupons: list[dict[str, Any]]
    shipping_minor: int
    modified_at: datetime


_PRODUCTS = f"""
    select p.id, p.name, p.brand, p.description, p.attributes, p.handle, m.id, m.name, m.shipping_flat_minor,
           m.free_shipping_from_minor,
           (select array_agg(c.category_id order by c.category_id) from product_categories c
            where c.shop_id = p.shop_id and c.product_id = p.id),
           v.id, v.sku, v.merchant_sku, v.part_number, v.upc, v.gtin14, v.options, v.attributes, v.currency,
           v.retail_minor, lowest.sale_minor, lowest.price_minor, lowest.coupons,
           case when is_shipped_free(p) then 0 else p.shipping_minor end,
           greatest(p.updated_at, max(v.updated_at) over (partition by v.product_id))
    from products p
    join merchants m on m.shop_id = p.shop_id and m.id = p.merchant_id
    join variants v on v.shop_id = p.shop_id and v.product_id = p.id
    cross join lateral {PUBLIC_LOWEST} lowest
    where p.shop_id = %(shop)s and p.id = any(%(products)s::bigint[]) and v.listed
    order by p.id, v.position, v.id
"""


def _document(
    line: _Line, categories: Mapping[int, tuple[Category, ...]], options: OptionNames
) -> Document:
    traits = traits_of(options, line.attributes, line.variant_attributes, line.options)
    facets = options.color | options.size | options.material
    whole = {
        each.id: each for known in line.category_ids or () for each in categories.get(known, ())
    }
    return Document(
        product_id=line.product_id,
        variant_id=line.variant_id,
        currency=line.currency,
        name=line.name,
        retail_minor=line.retail_minor,
        price_minor=line.price_minor,
        sale_minor=line.sale_minor,
        coupons=tuple(each["code"] for each in line.coupons),
        coupon_kinds=tuple(sorted({each["kind"] for each in line.coupons})),
        modified_s=int(line.modified_at.timestamp()),
        brand=line.brand,
        merchant_id=line.merchant_id,
        merchant=line.merchant,
        categories=tuple(whole.values()),
        colors=(traits.color,) if traits.color else (),
        sizes=(traits.size,) if traits.size else (),
        material=traits.material,
        description=html.unescape(_TAG.sub(" ", line.description)),
        attributes=tuple(
            text for name, text in _named(line.attributes).items() if text and name not in facets
        ),
        sku=line.sku,
        upcs=_trade_numbers(line.upc, line.gtin14),
        part_number=line.part_number,
        merchant_sku=line.merchant_sku,
        merchant_item_id=line.handle,
        shipping_charge_minor=line.shipping_minor,
        ship_free_minor=line.ship_free_minor,
        ship_flat_minor=line.ship_flat_minor,
    )


def _named(values: Mapping[str, Any]) -> dict[str, str]:
    return {keyword(name): _text(value) for name, value in values.items()}


def _value(named: Iterable[Mapping[str, str]], names: frozenset[str]) -> str:
    found = (text for each in named for name, text in each.items() if name in names and text)
    return next(found, "")


def _text(value: Any) -> str:
    """A value of an attribute as words; a structure has none."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return " ".join(each for each in value if isinstance(each, str))
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def _trade_numbers(upc: str, gtin14: str | None) -> tuple[str, ...]:
    """UPC, EAN and GTIN of one item are the same number with zeros in front (spec shoppable 5)."""
    return tuple(
        dict.fromkeys(each for each in (upc, gtin14, gtin14 and gtin14.lstrip("0")) if each)
    )


async def read_names(
    tx: Transaction, *, shop_id: int, product_ids: Sequence[int]
) -> dict[int, str]:
    """The names of products, by id."""
    rows = await tx.all(
        "select id, name from products where shop_id = %s and id = any(%s)",
        (shop_id, list(product_ids)),
    )
    return dict(rows)
