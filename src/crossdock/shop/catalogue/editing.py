"""Products that a shop's back office adds, changes and takes away one at a time."""

from datetime import datetime
from typing import Any

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid
from crossdock.kit.texts import visible
from crossdock.shop.catalogue.bulk import lock_catalogue, upsert_products
from crossdock.shop.catalogue.changes import tell_changed
from crossdock.shop.catalogue.order_terms import OrderTerms, OrderTermsChanges, set_order_terms
from crossdock.shop.catalogue.owned import OwnedProduct, read_owned
from crossdock.shop.catalogue.records import ProductRecord, VariantRecord
from crossdock.shop.catalogue.texts import clean_html, slug_of
from crossdock.shop.shops import Shop
from crossdock.shop.stock import StockRecord, set_stock

UNLIMITED = -1


class ProductDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A product without options. Amounts are minor units of the shop's currency.

    `stock` is the quantity on hand, UNLIMITED, or None for one that is `sold_by_serials`.
    """

    name: str
    price_minor: int
    description: str = ""
    cost_minor: int | None = None
    sold_by_serials: bool = False
    stock: int | None = None
    is_enabled: bool = True
    order_terms: OrderTermsChanges = OrderTermsChanges()


class ProductChanges(msgspec.Struct, frozen=True, kw_only=True):
    """New values; None leaves a field as it is. `clears_cost` removes the cost."""

    name: str | None = None
    price_minor: int | None = None
    description: str | None = None
    cost_minor: int | None = None
    clears_cost: bool = False
    stock: int | None = None
    is_enabled: bool | None = None
    order_terms: OrderTermsChanges = OrderTermsChanges()


async def add_product(
    tx: Transaction,
    *,
    shop: Shop,
    merchant_ids: list[int] | None,
    draft: ProductDraft,
    now: datetime,
) -> OwnedProduct:
    """Add a product to the first merchant that the caller sees, or to one with the shop's name.

    Its handle and SKU are made of its name. Raises Invalid `invalid_input` for a name nobody can see, and as
    `set_order_terms` does.
    """
    _require_name(draft.name)
    await lock_catalogue(tx, shop_id=shop.id)
    merchant = await tx.value(
        "select slug from merchants where shop_id = %s and sees_merchant(%s::bigint[], id)"
        " order by not enabled, id limit 1",
        (shop.id, merchant_ids),
    )
    key = await _free_key(tx, shop_id=shop.id, name=draft.name)
    is_unlimited = draft.stock == UNLIMITED
    on_hand = 0 if draft.stock is None or is_unlimited else draft.stock
    variant = VariantRecord(
        sku=key,
        retail_minor=draft.price_minor,
        cost_minor=draft.cost_minor,
        stock_managed=not is_unlimited,
        stock=() if draft.sold_by_serials else (StockRecord(pool="own", on_hand=on_hand),),
    )
    record = ProductRecord(
        handle=key,
        name=draft.name,
        merchant=merchant or shop.name,
        currency=shop.currency,
        description=draft.description,
        virtual=draft.sold_by_serials or is_unlimited,
        enabled=draft.is_enabled,
        variants=(variant,),
    )
    await upsert_products(tx, shop=shop, records=[record], now=now, reason="added")
    product_id = await tx.value(
        "select p.id from products p join merchants m on m.shop_id = p.shop_id and m.id = p.merchant_id"
        " where p.shop_id = %s and p.handle = %s and m.slug = %s",
        (shop.id, key, merchant or slug_of(shop.name)),
    )
    await set_order_terms(
        tx,
        shop_id=shop.id,
        product_id=product_id,
        known=OrderTerms(),
        changes=draft.order_terms,
        now=now,
    )
    return await read_owned(tx, shop_id=shop.id, merchant_ids=None, product_id=product_id)


async def change_product(
    tx: Transaction,
    *,
    shop_id: int,
    merchant_ids: list[int] | None,
    product_id: int,
    changes: ProductChanges,
    now: datetime,
) -> OwnedProduct:
    """Change a product; a later import of it writes it whole again.

    Raises NotFound `not_found`, and Invalid `invalid_input` with the `field`: for a price or stock of a
    product with variants, for the stock of one that is counted by its serials, and as `set_order_terms` does.
    """
    await lock_catalogue(tx, shop_id=shop_id)
    known = await read_owned(tx, shop_id=shop_id, merchant_ids=merchant_ids, product_id=product_id)
    _check(known, changes)
    values: dict[str, Any] = {
        "shop": shop_id,
        "product": product_id,
        "now": now,
        **msgspec.structs.asdict(changes) | {"order_terms": None},
        "unlimited": None if changes.stock is None else changes.stock == UNLIMITED,
        "name_before": known.name,
    }
    if changes.description is not None:
        values["description"] = clean_html(changes.description)
    await tx.run(_CHANGE_PRODUCT, values)
    await tx.run(_CHANGE_VARIANTS, values)
    await set_order_terms(
        tx,
        shop_id=shop_id,
        product_id=product_id,
        known=known.order_terms,
        changes=changes.order_terms,
        now=now,
    )
    if changes.stock is not None and changes.stock != UNLIMITED:
        target = (known.variants[0].id, StockRecord(pool="own", on_hand=changes.stock))
        await set_stock(
            tx, shop_id=shop_id, new=[], existing=[target], reason="set", now=now, counts_only=True
        )
    await tell_changed(tx, shop_id=shop_id, product_ids=[product_id], now=now)
    return await read_owned(tx, shop_id=shop_id, merchant_ids=None, product_id=product_id)


async def remove_product(
    tx: Transaction,
    *,
    shop_id: int,
    merchant_ids: list[int] | None,
    product_id: int,
    now: datetime,
) -> None:
    """Take a product off every list; its rows stay, because orders and entries refer to them.

    Raises NotFound `not_found`.
    """
    await lock_catalogue(tx, shop_id=shop_id)
    await read_owned(tx, shop_id=shop_id, merchant_ids=merchant_ids, product_id=product_id)
    values = {"shop": shop_id, "product": product_id, "now": now}
    await tx.run(_REMOVE_PRODUCT, values)
    await tx.run(_REMOVE_VARIANTS, values)
    await tell_changed(tx, shop_id=shop_id, product_ids=[product_id], now=now)


async def _free_key(tx: Transaction, *, shop_id: int, name: str) -> str:
    """A handle and SKU of the shop that nobody has: of the name, with a number where it is taken."""
    stem = slug_of(name)[:200].strip("-") or "product"
    rows = await tx.all(
        "select handle from products where shop_id = %(shop)s and (handle = %(stem)s or handle like %(like)s)"
        " union all select sku from variants where shop_id = %(shop)s and (sku = %(stem)s or sku like %(like)s)",
        {"shop": shop_id, "stem": stem, "like": stem.replace("_", "\\_") + "-%"},
    )
    taken = {row[0] for row in rows}
    if stem not in taken:
        return stem
    return next(key for n in range(2, len(taken) + 3) if (key := f"{stem}-{n}") not in taken)


def _check(known: OwnedProduct, changes: ProductChanges) -> None:
    if changes.name is not None:
        _require_name(changes.name)
    if known.has_variants:
        for field in ("price_minor", "cost_minor", "stock"):
            if getattr(changes, field) is not None:
                message = "is each variant's own for a product with variants"
                raise Invalid("invalid_input", message, {"field": field})
    if changes.stock is not None and known.is_serial:
        message = "is the number of the product's serials"
        raise Invalid("invalid_input", message, {"field": "stock"})


def _require_name(name: str) -> None:
    if not visible(name):
        raise Invalid("invalid_input", "must be visible", {"field": "name"})


_CHANGE_PRODUCT = """
update products set name = coalesce(%(name)s, name), description = coalesce(%(description)s, description),
       enabled = coalesce(%(is_enabled)s, enabled), virtual = coalesce(%(unlimited)s, virtual),
       source_hash = null, updated_at = %(now)s
where shop_id = %(shop)s and id = %(product)s
"""
# A variant's name begins with its product's.
_CHANGE_VARIANTS = """
update variants v set retail_minor = coalesce(%(price_minor)s, v.retail_minor),
       cost_minor = case when not %(clears_cost)s then coalesce(%(cost_minor)s, v.cost_minor) end,
       stock_managed = coalesce(not %(unlimited)s, v.stock_managed),
       listed = p.enabled and m.enabled and coalesce(%(price_minor)s, v.retail_minor) is not null,
       name = case when %(name)s::text is not null and starts_with(v.name, %(name_before)s)
                   then %(name)s || substr(v.name, length(%(name_before)s) + 1) else v.name end,
       updated_at = %(now)s
from products p join merchants m on m.shop_id = p.shop_id and m.id = p.merchant_id
where v.shop_id = %(shop)s and v.product_id = %(product)s and v.enabled
  and p.shop_id = v.shop_id and p.id = v.product_id
"""
_REMOVE_PRODUCT = """
update products set enabled = false, source_hash = null, updated_at = %(now)s
where shop_id = %(shop)s and id = %(product)s
"""
_REMOVE_VARIANTS = """
update variants set enabled = false, listed = false, updated_at = %(now)s
where shop_id = %(shop)s and product_id = %(product)s
"""
