"""Writing many products at once: the same few statements for one record or two thousand.

Catalogue writing of a shop is serialised by one advisory lock per transaction, so that ids,
merchants and categories can be looked up first and new rows be copied straight into their tables.

| the record's | where the row is there | where it is not |
|---|---|---|
| product, same hash as before | skipped, stock apart | - |
| product | updated where a column differs | copied in |
| variant | updated where a column differs, moved to this product if it was another's | copied in |
| variant that the record left out | disabled, never deleted: orders and entries refer to it | - |
| categories, promotions | replaced | written |
| stock | set by 'adjust' entries of the difference | level and entry copied in |

Of a product with `parts`, all other fields are kept; of its stock, only the quantity on hand is set.
"""

from collections.abc import Sequence
from datetime import datetime

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid
from crossdock.shop.catalogue.changes import tell_changed
from crossdock.shop.catalogue.copying import PreparedProduct, prepare
from crossdock.shop.catalogue.keeping import keep_other_parts
from crossdock.shop.catalogue.order_terms import wrong_patterns
from crossdock.shop.catalogue.planning import Moves, Plan, make_plan
from crossdock.shop.catalogue.records import ProductRecord, UpsertCounts
from crossdock.shop.catalogue.writing import (
    copy_new_rows,
    disable_variants,
    replace_categories,
    replace_promotions,
    touch_products,
    update_products,
    update_variants,
)
from crossdock.shop.shops import Shop
from crossdock.shop.stock import set_stock

_CATALOGUE_LOCK = 0x0CA7A106  # the first key of the advisory locks that serialise catalogue writing


async def upsert_products(
    tx: Transaction,
    *,
    shop: Shop,
    records: Sequence[ProductRecord],
    now: datetime,
    reason: str = "import",
) -> UpsertCounts:
    """Write the records to the catalogue as the module's table says; up to two thousand per call.

    Writes one `catalogue.changed` event with the ids of the changed products and one
    `stock.changed` event, each only if something changed. Raises Invalid (invalid_input) when a
    handle or a sku of one merchant occurs twice.
    """
    return await upsert_prepared(tx, shop=shop, products=prepare(records), now=now, reason=reason)


async def upsert_prepared(
    tx: Transaction,
    *,
    shop: Shop,
    products: Sequence[PreparedProduct],
    now: datetime,
    reason: str = "import",
    moves: Moves | None = None,
) -> UpsertCounts:
    """`upsert_products` for records that were prepared before, perhaps in a thread.

    `moves` are kept by a dry run, whose earlier batches left nothing else. Raises Invalid (invalid_input) for
    a custom field whose pattern the database cannot match: who reads files asks `wrong_patterns` before.
    """
    if not products:
        return UpsertCounts()
    patterns = {pattern for product in products for pattern in product.patterns}
    if patterns and (wrong := await wrong_patterns(tx, patterns=sorted(patterns))):
        raise Invalid("invalid_input", f"{min(wrong)!r} is not a regular expression.")
    await lock_catalogue(tx, shop_id=shop.id)
    is_partial = any(product.parts for product in products)
    products = await keep_other_parts(tx, shop_id=shop.id, products=products)
    plan = await make_plan(tx, shop_id=shop.id, products=products, moves=moves)
    await copy_new_rows(tx, shop_id=shop.id, plan=plan, now=now)
    changed = await _change_rows(tx, shop_id=shop.id, plan=plan, now=now)
    stock_changed = await _set_stock(
        tx, shop_id=shop.id, plan=plan, now=now, reason=reason, counts_only=is_partial
    )
    added = [product_id for product_id, _, _ in plan.new_products]
    await tell_changed(
        tx, shop_id=shop.id, product_ids=[*added, *sorted(changed.products)], now=now
    )
    changed_here = changed.products - plan.robbed_product_ids | (
        changed.products & {product_id for product_id, _, _ in plan.changed_products}
    )
    return UpsertCounts(
        products_added=len(added),
        products_changed=len(changed_here),
        products_unchanged=len(products) - len(added) - len(changed_here),
        variants_added=sum(variant.is_new for variant in plan.variants),
        variants_changed=changed.variants,
        variants_disabled=len(plan.vanished_variant_ids),
        stock_changed=stock_changed,
    )


async def lock_catalogue(tx: Transaction, *, shop_id: int) -> None:
    """Lock the writing of this shop's catalogue until the end of the transaction."""
    await tx.all("select pg_advisory_xact_lock(%s, %s)", (_CATALOGUE_LOCK, shop_id % 2**31))


class _Changes:
    """Which existing products changed, and how many of their variants."""

    def __init__(self) -> None:
        self.products: set[int] = set()
        self.variants = 0


async def _change_rows(tx: Transaction, *, shop_id: int, plan: Plan, now: datetime) -> _Changes:
    changes = _Changes()
    new_ids = {product_id for product_id, _, _ in plan.new_products}
    changes.products |= await update_products(tx, shop_id=shop_id, plan=plan, now=now)
    owners = await update_variants(tx, shop_id=shop_id, plan=plan, now=now)
    changes.variants = len(owners)
    changes.products |= set(owners) | plan.robbed_product_ids
    changes.products |= {v.product_id for v in plan.variants if v.is_new}
    changes.products |= await disable_variants(tx, shop_id=shop_id, plan=plan, now=now)
    changes.products |= await replace_categories(tx, shop_id=shop_id, plan=plan)
    changes.products |= await replace_promotions(tx, shop_id=shop_id, plan=plan)
    changes.products -= new_ids
    await touch_products(tx, shop_id=shop_id, product_ids=changes.products, now=now)
    return changes


async def _set_stock(
    tx: Transaction, *, shop_id: int, plan: Plan, now: datetime, reason: str, counts_only: bool
) -> int:
    new = [(v.id, r) for v in plan.variants if v.is_new for r in v.prepared.stock]
    existing = [
        (v.id, r)
        for variants in (plan.variants, plan.same_variants)
        for v in variants
        if not v.is_new
        for r in v.prepared.stock
    ]
    return await set_stock(
        tx,
        shop_id=shop_id,
        new=new,
        existing=existing,
        reason=reason,
        now=now,
        counts_only=counts_only,
    )
