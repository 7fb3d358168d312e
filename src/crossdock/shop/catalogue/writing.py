"""The statements of a batch: COPY new rows, stage existing ones and update those that differ."""

from collections.abc import Iterable
from datetime import datetime

from crossdock.db.copying import copy_lines
from crossdock.db.unit_of_work import Transaction
from crossdock.shop.catalogue.categories import ensure_categories
from crossdock.shop.catalogue.copying import (
    PRODUCT_COLUMNS,
    VARIANT_COLUMNS,
    PreparedProduct,
)
from crossdock.shop.catalogue.planning import PlacedVariant, Plan

_CATEGORY_COLUMNS = "shop_id, product_id, category_id"
# What the shop knows of a product's pictures, and what staff added, is in no source.
_KEEPING = {
    "images": "case when t.images @? '$[*] ? (exists(@.media) || exists(@.added))'"
    " then kept_pictures(s.images, t.images) else s.images end",
    "video": "case when t.video ? 'added' or t.video ->> 'url' = s.video ->> 'url' then t.video"
    " else s.video end",
}
_PRODUCT_CONTENT = PRODUCT_COLUMNS.split(", ")[6:]
_VARIANT_CONTENT = ["product_id", "listed", *VARIANT_COLUMNS.split(", ")[7:]]


async def copy_new_rows(tx: Transaction, *, shop_id: int, plan: Plan, now: datetime) -> None:
    """Copy new products and variants straight into their tables."""
    moment = now.isoformat()
    products = (_product_line(shop_id, *row, moment) for row in plan.new_products)
    variants = (_variant_line(shop_id, v, moment) for v in plan.variants if v.is_new)
    await _copy(tx, table="products", columns=PRODUCT_COLUMNS, lines=products)
    await _copy(tx, table="variants", columns=VARIANT_COLUMNS, lines=variants)


async def update_products(tx: Transaction, *, shop_id: int, plan: Plan, now: datetime) -> set[int]:
    """Update the products whose columns differ, and hashes; returns the ids of the former."""
    if not plan.changed_products:
        return set()
    lines = [_product_line(shop_id, *row, now.isoformat()) for row in plan.changed_products]
    await _stage(tx, table="products", columns=PRODUCT_COLUMNS, lines=lines)
    rows = await tx.all(_update(table="products", content=_PRODUCT_CONTENT))
    await tx.run(
        """update products t set source_hash = s.source_hash from stage_products s
           where t.shop_id = s.shop_id and t.id = s.id
             and t.source_hash is distinct from s.source_hash"""
    )
    return {row[0] for row in rows}


async def update_variants(tx: Transaction, *, shop_id: int, plan: Plan, now: datetime) -> list[int]:
    """Update the variants whose columns differ; returns the product id of each.

    A product that loses a variant to another one forgets its hash, so that it is written again.
    """
    existing = [v for v in plan.variants if not v.is_new]
    if not existing:
        return []
    lines = [_variant_line(shop_id, v, now.isoformat()) for v in existing]
    await _stage(tx, table="variants", columns=VARIANT_COLUMNS, lines=lines)
    if plan.robbed_product_ids:
        await tx.run(
            "update products set source_hash = null where shop_id = %s and id = any(%s)",
            (shop_id, list(plan.robbed_product_ids)),
        )
    rows = await tx.all(_update(table="variants", content=_VARIANT_CONTENT, answer="t.product_id"))
    return [row[0] for row in rows]


async def disable_variants(tx: Transaction, *, shop_id: int, plan: Plan, now: datetime) -> set[int]:
    """Disable variants that the records left out; returns the ids of their products."""
    if not plan.vanished_variant_ids:
        return set()
    rows = await tx.all(
        """update variants set enabled = false, listed = false, updated_at = %s
           where shop_id = %s and id = any(%s) returning product_id""",
        (now, shop_id, plan.vanished_variant_ids),
    )
    return {row[0] for row in rows}


async def touch_products(
    tx: Transaction, *, shop_id: int, product_ids: set[int], now: datetime
) -> None:
    """A change of a variant, a category or a promotion is one of its product."""
    if product_ids:
        await tx.run(
            "update products set updated_at = %s where shop_id = %s and id = any(%s) and updated_at < %s",
            (now, shop_id, list(product_ids), now),
        )


async def replace_categories(tx: Transaction, *, shop_id: int, plan: Plan) -> set[int]:
    """Set the categories of new and changed products; returns the ids of those that differ now."""
    paths = {path for _, _, p in plan.touched_products for path in p.categories}
    ids = await ensure_categories(tx, shop_id=shop_id, paths=paths) if paths else {}
    lines = (
        f"{shop_id}\t{product_id}\t{category_id}\n"
        for product_id, _, product in plan.new_products
        for category_id in {ids[path] for path in product.categories}
    )
    await _copy(tx, table="product_categories", columns=_CATEGORY_COLUMNS, lines=lines)
    if not plan.changed_products:
        return set()
    pairs = [
        (product_id, ids[path])
        for product_id, _, product in plan.changed_products
        for path in product.categories
    ]
    parameters = {
        "shop": shop_id,
        "changed": [product_id for product_id, _, _ in plan.changed_products],
        "products": [product_id for product_id, _ in pairs],
        "categories": [category_id for _, category_id in pairs],
    }
    touched = {row[0] for row in await tx.all(_TAKE_CATEGORIES, parameters)}
    if pairs:
        touched |= {row[0] for row in await tx.all(_GIVE_CATEGORIES, parameters)}
    return touched


_TAKE_CATEGORIES = """
delete from product_categories c
where c.shop_id = %(shop)s and c.product_id = any(%(changed)s)
  and (c.product_id, c.category_id) not in (
      select x.* from unnest(%(products)s::bigint[], %(categories)s::bigint[]) as x)
returning c.product_id
"""
_GIVE_CATEGORIES = """
insert into product_categories (shop_id, product_id, category_id)
select %(shop)s, x.* from unnest(%(products)s::bigint[], %(categories)s::bigint[]) as x
on conflict do nothing returning product_id
"""


async def replace_promotions(tx: Transaction, *, shop_id: int, plan: Plan) -> set[int]:
    """Set the promotions of the variants of new and changed products."""
    existing = [v for v in plan.variants if not v.is_new]
    rows = [(v, promotion) for v in plan.variants for promotion in v.prepared.promotions]
    parameters = {
        "shop": shop_id,
        "changed": [v.id for v in existing],
        "variants": [v.id for v, _ in rows],
        "prices": [promotion.price_minor for _, promotion in rows],
        "starts": [promotion.starts_at for _, promotion in rows],
        "ends": [promotion.ends_at for _, promotion in rows],
    }
    touched: set[int] = set()
    if existing:
        touched |= {row[0] for row in await tx.all(_TAKE_PROMOTIONS, parameters)}
    if rows:
        touched |= {row[0] for row in await tx.all(_GIVE_PROMOTIONS, parameters)}
    owners = {v.id: v.product_id for v in plan.variants}
    return {owners[variant_id] for variant_id in touched}


_TAKE_PROMOTIONS = """
delete from promotions p
where p.shop_id = %(shop)s and p.variant_id = any(%(changed)s)
  and (p.variant_id, p.starts_at) not in (
      select x.* from unnest(%(variants)s::bigint[], %(starts)s::timestamptz[]) as x)
returning p.variant_id
"""
_GIVE_PROMOTIONS = """
insert into promotions as p (shop_id, variant_id, price_minor, starts_at, ends_at)
select %(shop)s, x.* from unnest(%(variants)s::bigint[], %(prices)s::bigint[], %(starts)s::timestamptz[],
                                 %(ends)s::timestamptz[]) as x
on conflict (shop_id, variant_id, starts_at) do update
set price_minor = excluded.price_minor, ends_at = excluded.ends_at
where (p.price_minor, p.ends_at) is distinct from (excluded.price_minor, excluded.ends_at)
returning p.variant_id
"""


def _product_line(
    shop_id: int, product_id: int, merchant_id: int, product: PreparedProduct, moment: str
) -> str:
    return (
        f"{shop_id}\t{product_id}\t{merchant_id}\t\\\\x{product.hash.hex()}\t{moment}\t{moment}"
        f"\t{product.tail}\n"
    )


def _variant_line(shop_id: int, variant: PlacedVariant, moment: str) -> str:
    return (
        f"{shop_id}\t{variant.id}\t{variant.product_id}\t{variant.merchant_id}"
        f"\t{'t' if variant.is_listed else 'f'}\t{moment}\t{moment}\t{variant.prepared.tail}\n"
    )


async def _stage(tx: Transaction, *, table: str, columns: str, lines: Iterable[str]) -> None:
    """Copy lines into a temporary copy of the table, which is empty at the start of a transaction."""
    await tx.run(
        f"create temporary table if not exists stage_{table} (like {table} including defaults)"
        " on commit delete rows"
    )
    await tx.run(f"truncate stage_{table}")
    await _copy(tx, table=f"stage_{table}", columns=columns, lines=lines)


def _update(*, table: str, content: list[str], answer: str = "t.id") -> str:
    staged = ", ".join(_KEEPING.get(column, f"s.{column}") for column in content)
    # tidy: allow sql_is_made_of_constants because tables and columns are literals of this module
    return f"""update {table} t set ({", ".join(content)}, updated_at) = ({staged}, s.updated_at)
               from stage_{table} s
               where t.shop_id = s.shop_id and t.id = s.id
                 and ({", ".join(f"t.{column}" for column in content)}) is distinct from ({staged})
               returning {answer}"""


async def _copy(tx: Transaction, *, table: str, columns: str, lines: Iterable[str]) -> None:
    await copy_lines(tx, target=f"{table} ({columns})", lines=lines)
