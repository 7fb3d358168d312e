"""Compare a batch of products with the stored rows: new, changed, unchanged, gone."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid
from crossdock.shop.catalogue.copying import PreparedProduct, PreparedVariant
from crossdock.shop.catalogue.merchants import Merchant, ensure_merchants

Sku = tuple[int, str]
"""A variant's key inside a shop: its merchant's id and its sku."""


class PlacedVariant(msgspec.Struct, frozen=True, gc=False):
    """A prepared variant with its ids; `is_new` if it has no row yet."""

    id: int
    product_id: int
    merchant_id: int
    is_listed: bool
    is_new: bool
    prepared: PreparedVariant


@dataclass(slots=True)
class Moves:
    """Variants that went to another product, and the products that they left."""

    variant_ids: set[int] = field(default_factory=set)
    robbed_product_ids: set[int] = field(default_factory=set)

    def add(self, plan: "Plan") -> None:
        """Take in the moves of a plan."""
        self.variant_ids |= plan.moved_variant_ids
        self.robbed_product_ids |= plan.robbed_product_ids


@dataclass(slots=True)
class Plan:
    """The batch sorted by what is to be done; products have their ids."""

    new_products: list[tuple[int, int, PreparedProduct]] = field(default_factory=list)
    changed_products: list[tuple[int, int, PreparedProduct]] = field(default_factory=list)
    variants: list[PlacedVariant] = field(default_factory=list)
    same_variants: list[PlacedVariant] = field(default_factory=list)
    products_unchanged: int = 0
    vanished_variant_ids: list[int] = field(default_factory=list)
    robbed_product_ids: set[int] = field(default_factory=set)
    moved_variant_ids: set[int] = field(default_factory=set)

    @property
    def touched_products(self) -> Iterator[tuple[int, int, PreparedProduct]]:
        """New and changed ones: (id, merchant id, product)."""
        yield from self.new_products
        yield from self.changed_products


async def make_plan(
    tx: Transaction,
    *,
    shop_id: int,
    products: Sequence[PreparedProduct],
    moves: Moves | None = None,
) -> Plan:
    """Look up existing rows and assign ids to new ones.

    `moves` are those of earlier batches whose rows are not there: they are heeded, and this batch's added.
    Raises Invalid (invalid_input) if a handle or a sku of one merchant occurs twice.
    """
    names = dict.fromkeys(product.merchant for product in products)
    merchants = await ensure_merchants(tx, shop_id=shop_id, names=names)
    stored = await _stored_products(tx, shop_id=shop_id, products=products, merchants=merchants)
    skus = await _stored_skus(tx, shop_id=shop_id, products=products, merchants=merchants)
    _refuse_repeats(products, merchants)
    wanted = sum(
        ((merchants[p.merchant].id, p.handle) not in stored) + len(p.variants) for p in products
    )
    ids = iter(await _new_ids(tx, count=wanted - len(skus)) if wanted > len(skus) else ())
    plan = Plan()
    moves = moves or Moves()
    for key, (product_id, _) in stored.items():
        if product_id in moves.robbed_product_ids:
            stored[key] = (product_id, None)
    for product in products:
        _place(plan, product, merchants[product.merchant], stored=stored, skus=skus, ids=ids)
    await _find_vanished(tx, shop_id=shop_id, plan=plan, moved=moves.variant_ids)
    moves.add(plan)
    return plan


def _place(
    plan: Plan,
    product: PreparedProduct,
    merchant: Merchant,
    *,
    stored: Mapping[Sku, tuple[int, bytes | None]],
    skus: Mapping[Sku, tuple[int, int]],
    ids: Iterator[int],
) -> None:
    product_id, hash_before = stored.get((merchant.id, product.handle), (0, None))
    is_same = hash_before == product.hash
    if is_same:
        plan.products_unchanged += 1
    elif product_id:
        plan.changed_products.append((product_id, merchant.id, product))
    else:
        product_id = next(ids)
        plan.new_products.append((product_id, merchant.id, product))
    for variant in product.variants:
        variant_id, owner_id = skus.get((merchant.id, variant.sku), (0, product_id))
        if owner_id != product_id:
            plan.robbed_product_ids.add(owner_id)
            plan.moved_variant_ids.add(variant_id)
        placed = PlacedVariant(
            variant_id or next(ids),
            product_id,
            merchant.id,
            variant.sellable and merchant.enabled,
            not variant_id,
            variant,
        )
        (plan.same_variants if is_same and variant_id else plan.variants).append(placed)


def _refuse_repeats(products: Sequence[PreparedProduct], merchants: Mapping[str, Merchant]) -> None:
    handles = {(merchants[p.merchant].id, p.handle) for p in products}
    skus = {(merchants[p.merchant].id, v.sku) for p in products for v in p.variants}
    if len(handles) < len(products) or len(skus) < sum(len(p.variants) for p in products):
        raise Invalid(
            "invalid_input", "A handle or a sku of one merchant comes twice in the batch."
        )


async def _stored_products(
    tx: Transaction,
    *,
    shop_id: int,
    products: Sequence[PreparedProduct],
    merchants: Mapping[str, Merchant],
) -> dict[Sku, tuple[int, bytes | None]]:
    rows = await tx.all(
        """select p.merchant_id, p.handle, p.id, p.source_hash
           from unnest(string_to_array(%s, e'\\x1f')::bigint[], string_to_array(%s, e'\\x1f'))
               as x (merchant_id, handle)
           join products p on p.shop_id = %s and p.merchant_id = x.merchant_id and p.handle = x.handle""",
        (
            _joined(str(merchants[p.merchant].id) for p in products),
            _joined(p.handle for p in products),
            shop_id,
        ),
    )
    return {(merchant_id, handle): (key, digest) for merchant_id, handle, key, digest in rows}


async def _stored_skus(
    tx: Transaction,
    *,
    shop_id: int,
    products: Sequence[PreparedProduct],
    merchants: Mapping[str, Merchant],
) -> dict[Sku, tuple[int, int]]:
    owners = [str(merchants[p.merchant].id) for p in products for _ in p.variants]
    rows = await tx.all(
        """select v.merchant_id, v.sku, v.id, v.product_id
           from unnest(string_to_array(%s, e'\\x1f')::bigint[], string_to_array(%s, e'\\x1f'))
               as x (merchant_id, sku)
           join variants v on v.shop_id = %s and v.merchant_id = x.merchant_id and v.sku = x.sku""",
        (_joined(owners), _joined(v.sku for p in products for v in p.variants), shop_id),
    )
    return {(merchant_id, sku): (key, product_id) for merchant_id, sku, key, product_id in rows}


async def _new_ids(tx: Transaction, *, count: int) -> list[int]:
    text = await tx.value(
        """select string_agg(id::text, ' ')
           from (select nextval('catalogue_ids') as id from generate_series(1, %s)) new""",
        (count,),
    )
    return [int(word) for word in text.split()]


def _joined(texts: Iterable[str]) -> str:
    """Many texts as one parameter, several times faster than an array.

    The separator is a control character, which no text of the catalogue has.
    """
    return "\x1f".join(texts)


async def _find_vanished(tx: Transaction, *, shop_id: int, plan: Plan, moved: set[int]) -> None:
    """Variants of changed products that no record of the batch mentions."""
    complete = [key for key, _, product in plan.changed_products if product.is_complete]
    if not complete:
        return
    rows = await tx.all(
        """select id from variants
           where shop_id = %s and product_id = any(%s) and (enabled or listed)""",
        (shop_id, complete),
    )
    kept = {variant.id for variant in plan.variants}
    plan.vanished_variant_ids = sorted({row[0] for row in rows} - kept - moved)
