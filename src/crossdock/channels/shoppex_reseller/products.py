"""Products: lists, search, one of them, their stock and its movements, their variants (spec 10, 13)."""

from collections.abc import Callable, Hashable, Mapping
from typing import Any, Final

import msgspec

from crossdock.channels.shoppex_reseller.calls import Call
from crossdock.channels.shoppex_reseller.ids import Kind
from crossdock.channels.shoppex_reseller.openapi import TEXT
from crossdock.channels.shoppex_reseller.paging import cursor_list
from crossdock.channels.shoppex_reseller.product_fields import (
    SENT,
    ProductStock,
    ShownProduct,
    ShownVariant,
    read_changes,
    read_draft,
    shown_product,
    shown_stock,
    shown_variants,
)
from crossdock.channels.shoppex_reseller.routes import DEV, Route
from crossdock.channels.shoppex_reseller.wire import NO_CONTENT, Reply, iso, one
from crossdock.db.unit_of_work import Transaction
from crossdock.errors import NotFound
from crossdock.kit.crypto import SecretBox
from crossdock.kit.paging import Place
from crossdock.shop.catalogue import (
    OwnedCounts,
    OwnedProduct,
    OwnedStatistics,
    add_product,
    change_product,
    list_owned,
    offer_key,
    read_owned,
    remove_product,
    serial_pool,
)
from crossdock.shop.resellers import find_fulfilments
from crossdock.shop.shops import read_shop_by_id
from crossdock.shop.stock import Movement, add_serials, list_movements, replace_serials

PATH: Final = f"{DEV}/products"
ONE: Final = f"{PATH}/{{id}}"
READ, WRITE = "products.read", "products.write"
_KINDS: Final = {"transfer": "reseller_transfer"}


class ShownMovement(msgspec.Struct, frozen=True, kw_only=True):
    """A change of what can be sold; `reference_id` names the order, fulfillment or transfer that caused it."""

    id: str
    type: str
    quantity: int
    variant_id: str | None
    reference_id: str | None
    reference_type: str | None
    occurred_at: str | None
    details: dict[str, str]


class Products:
    """The calls of products."""

    def __init__(self, box: Callable[[], SecretBox]) -> None:
        self._box = box
        self._counts = OwnedCounts()

    def routes(self) -> tuple[Route, ...]:
        """The routes of this file."""
        product: dict[str, Any] = {"answer": ShownProduct}
        told: dict[str, Any] = {**product, "kept_by": _terms, "shows_on_hand": True}
        return (
            Route(method="GET", covers="merchants",
                  path=PATH, name="listProducts", summary="List products", scope=READ,
                  reads=self._list, listed="cursor", stats=OwnedStatistics, **told),
            Route(method="POST", covers="merchants",
                  path=PATH, name="createProduct", summary="Add a product",
                  scope=WRITE, writes=self._create, status=201, body=SENT,
                  required=("title", "price", "type"), **product),
            Route(method="GET", covers="merchants",
                  path=f"{PATH}/search", name="searchProducts",
                  summary="Find products by name, slug or SKU", scope=READ, reads=_search,
                  listed="cursor", query={"q": TEXT, "include_variants": {"type": "boolean"}}, **told),
            Route(method="GET", covers="merchants",
                  path=ONE, name="getProduct", summary="Read a product", scope=READ,
                  reads=_read, **told),
            Route(method="PATCH", covers="merchants",
                  path=ONE, name="updateProduct", summary="Change a product",
                  scope=WRITE, writes=self._update, body=SENT, **product),
            Route(method="DELETE", covers="merchants",
                  path=ONE, name="deleteProduct", summary="Take a product away",
                  scope=WRITE, writes=_delete, status=204),
            Route(method="GET", covers="merchants",
                  path=f"{ONE}/stock", name="getProductStock",
                  summary="Read a product's stock", scope=READ, reads=_stock, answer=ProductStock,
                  kept_by=_terms, shows_on_hand=True),
            Route(method="GET", covers="merchants",
                  path=f"{ONE}/stock-movements", name="listStockMovements",
                  summary="List what changed a product's stock", scope=READ, reads=_movements,
                  answer=ShownMovement, listed="cursor", query={"variant_id": TEXT}),
            Route(method="GET", covers="merchants",
                  path=f"{ONE}/variants", name="listVariants",
                  summary="List a product's variants", scope=READ, reads=_variants,
                  answer=ShownVariant, listed="cursor", kept_by=_terms, shows_on_hand=True),
        )  # fmt: skip

    async def _list(self, call: Call, tx: Transaction) -> Reply:
        page = call.place_page(Kind.PRODUCT)
        merchants = call.partner.merchant_ids
        found = await list_owned(tx, shop_id=call.shop_id, merchant_ids=merchants, page=page)
        stats = await self._counts.count(tx, shop_id=call.shop_id, merchant_ids=merchants)
        return cursor_list(
            found,
            page=page,
            kind=Kind.PRODUCT,
            ids=call.ids,
            place=_place,
            show=lambda product: shown_product(call, product),
            stats=stats,
        )

    async def _create(self, call: Call, tx: Transaction) -> Reply:
        draft, serials = read_draft(call)
        shop = await read_shop_by_id(tx, shop_id=call.shop_id)
        added = await add_product(
            tx, shop=shop, merchant_ids=call.partner.merchant_ids, draft=draft, now=call.now
        )
        if serials:
            await add_serials(
                tx, shop_id=call.shop_id, variant_id=added.variants[0].id, serials=serials,
                box=self._box(), now=call.now,
            )  # fmt: skip
        return one(shown_product(call, await read_product(call, tx, added.id)), status=201)

    async def _update(self, call: Call, tx: Transaction) -> Reply:
        known = await read_product(call, tx)
        changes, serials = read_changes(call, known)
        if serials is not None:
            pool = serial_pool(known, variant_id=None)
            await replace_serials(
                tx, shop_id=call.shop_id, variant_id=pool.id, serials=serials,
                box=self._box(), now=call.now,
            )  # fmt: skip
        changed = await change_product(
            tx,
            shop_id=call.shop_id,
            merchant_ids=call.partner.merchant_ids,
            product_id=known.id,
            changes=changes,
            now=call.now,
        )
        return one(shown_product(call, changed))


async def read_product(call: Call, tx: Transaction, product_id: int | None = None) -> OwnedProduct:
    """The product of the path, or one with this number. Raises NotFound."""
    return await read_owned(
        tx,
        shop_id=call.shop_id,
        merchant_ids=call.partner.merchant_ids,
        product_id=call.number(Kind.PRODUCT) if product_id is None else product_id,
    )


def _terms(call: Call) -> Hashable:
    """What of the caller decides which products it is told of, and in which currency."""
    return offer_key(call.partner)


def _place(product: OwnedProduct) -> Place:
    return product.created_at, product.id


async def _search(call: Call, tx: Transaction) -> Reply:
    page = call.place_page(Kind.PRODUCT)
    filters = call.filters()
    text = filters.text("q", longest=200) or ""
    with_variants = filters.flag("include_variants") is not False
    filters.check()
    found = await list_owned(
        tx, shop_id=call.shop_id, merchant_ids=call.partner.merchant_ids, page=page, search=text
    )
    return cursor_list(
        found,
        page=page,
        kind=Kind.PRODUCT,
        ids=call.ids,
        place=_place,
        show=lambda product: shown_product(call, product, with_variants=with_variants),
    )


async def _read(call: Call, tx: Transaction) -> Reply:
    return one(shown_product(call, await read_product(call, tx)))


async def _delete(call: Call, tx: Transaction) -> Reply:
    await remove_product(
        tx,
        shop_id=call.shop_id,
        merchant_ids=call.partner.merchant_ids,
        product_id=call.number(Kind.PRODUCT),
        now=call.now,
    )
    return NO_CONTENT


async def _stock(call: Call, tx: Transaction) -> Reply:
    return one(shown_stock(call, await read_product(call, tx)))


async def _movements(call: Call, tx: Transaction) -> Reply:
    page = call.place_page(Kind.MOVEMENT)
    product = await read_product(call, tx)
    variant_ids = [variant.id for variant in product.variants]
    if text := call.query.get("variant_id"):
        wanted = call.ids.read(Kind.VARIANT, text)
        if wanted not in variant_ids:
            raise NotFound("not_found")
        variant_ids = [wanted]
    found = await list_movements(tx, shop_id=call.shop_id, variant_ids=variant_ids, page=page)
    orders = [movement.order_id for movement in found if movement.order_id is not None]
    fulfilled = await find_fulfilments(tx, shop_id=call.shop_id, order_ids=orders)
    return cursor_list(
        found,
        page=page,
        kind=Kind.MOVEMENT,
        ids=call.ids,
        place=lambda movement: (movement.created_at, movement.id),
        show=lambda movement: _movement(call, product, movement, fulfilled=fulfilled),
    )


def _movement(
    call: Call, product: OwnedProduct, movement: Movement, *, fulfilled: Mapping[int, int]
) -> ShownMovement:
    reference_type, reference_id = _reference(call, movement, fulfilled=fulfilled)
    return ShownMovement(
        id=call.ids.write(Kind.MOVEMENT, movement.id),
        type=_KINDS.get(movement.kind, movement.kind),
        quantity=movement.quantity,
        variant_id=call.ids.write(Kind.VARIANT, movement.variant_id)
        if product.has_variants
        else None,
        reference_id=reference_id,
        reference_type=reference_type,
        occurred_at=iso(movement.created_at),
        details={"reason": movement.reason, "pool": movement.pool},
    )


def _reference(
    call: Call, movement: Movement, *, fulfilled: Mapping[int, int]
) -> tuple[str | None, str | None]:
    """What caused a movement: its type and id; `fulfilled` has the fulfilments of orders."""
    if movement.transfer_id is not None:
        return "reseller_stock_transfer", call.ids.write(Kind.TRANSFER, movement.transfer_id)
    order_id = movement.order_id
    if order_id is None:
        return None, None
    if order_id in fulfilled:
        return "reseller_fulfillment", call.ids.write(Kind.FULFILLMENT, fulfilled[order_id])
    return "order", call.ids.write(Kind.ORDER, order_id)


async def _variants(call: Call, tx: Transaction) -> Reply:
    """All of them at once, as many as a product has; a page has the size that was asked for."""
    page = call.place_page(Kind.VARIANT)
    product = await read_product(call, tx)
    shown = shown_variants(call, product)
    rows = list(zip(product.variants, shown, strict=False))
    start = next(
        (n + 1 for n, (v, _) in enumerate(rows) if page.after and v.id == page.after[1]), 0
    )
    return cursor_list(
        rows[start : start + page.size + 1],
        page=page,
        kind=Kind.VARIANT,
        ids=call.ids,
        place=lambda row: (row[0].created_at, row[0].id),
        show=lambda row: row[1],
    )
