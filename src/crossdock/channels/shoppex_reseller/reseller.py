"""`/reseller/v1/me`, `balance` and `products` (spec sections 7.3, 7.7)."""

from collections.abc import Hashable
from decimal import Decimal
from typing import Final

import msgspec

from crossdock.channels.shoppex_reseller.calls import Call
from crossdock.channels.shoppex_reseller.ids import Kind
from crossdock.channels.shoppex_reseller.order_terms import ShownCustomField, shown_custom_fields
from crossdock.channels.shoppex_reseller.paging import page_list
from crossdock.channels.shoppex_reseller.programs import show_mode
from crossdock.channels.shoppex_reseller.routes import RESELLER, Route
from crossdock.channels.shoppex_reseller.wire import Reply, iso, one, percent, text
from crossdock.db.unit_of_work import Transaction
from crossdock.kit.money import divide_half_up
from crossdock.shop.partners import list_partners
from crossdock.shop.resellers import (
    Reseller,
    ResellerProduct,
    ResellerVariant,
    list_products,
    read_balance,
    read_reseller_of,
)
from crossdock.shop.shops import read_shop_by_id


class ShownRelationship(msgspec.Struct, kw_only=True):
    """The caller's relationship."""

    id: str
    status: str
    mode: str
    email: str


class ShownShop(msgspec.Struct, kw_only=True):
    """The shop that the caller sells for."""

    id: str
    name: str
    currency: str


class ShownKey(msgspec.Struct, kw_only=True):
    """The key of this call; `prefix` is its beginning."""

    id: str
    prefix: str
    created_at: str | None
    last_used_at: str | None


class ShownMe(msgspec.Struct, kw_only=True):
    """Who calls."""

    relationship: ShownRelationship
    shop: ShownShop
    tier: str | None
    api_key: ShownKey


class ShownBalance(msgspec.Struct, kw_only=True):
    """The prepaid balance; all of it is available."""

    balance: str | None
    available: str | None
    currency: str
    updated_at: str | None


class ShownVariant(msgspec.Struct, kw_only=True):
    """A variant of a product; a fulfillment names it."""

    variant_id: str
    title: str
    orderable: bool
    base_price: str | None
    wholesale_price: str | None
    stock: int


class ShownProduct(msgspec.Struct, kw_only=True):
    """A product that can be fulfilled. Prices are those of its cheapest variant; stock is that of all."""

    product_id: str
    uniqid: str
    title: str
    type: str
    orderable: bool
    stock: int
    currency: str
    base_price: str | None
    wholesale_price: str | None
    discount_percent: Decimal | None
    custom_fields: list[ShownCustomField]
    variants: list[ShownVariant]


async def get_me(call: Call, tx: Transaction) -> Reply:
    """The caller's relationship, shop and key."""
    reseller = await read_reseller_of(tx, shop_id=call.shop_id, partner_id=call.partner.id)
    shop = await read_shop_by_id(tx, shop_id=call.shop_id)
    me = ShownMe(
        relationship=ShownRelationship(
            id=call.ids.write(Kind.RELATIONSHIP, reseller.id),
            status=reseller.status.upper(),
            mode=show_mode(reseller.mode),
            email=reseller.email,
        ),
        shop=ShownShop(
            id=call.ids.write(Kind.SHOP, call.shop_id), name=shop.name, currency=call.currency
        ),
        tier=None,
        api_key=await _key(call, tx),
    )
    return one(me)


async def get_balance(call: Call, tx: Transaction) -> Reply:
    """What is left of the prepaid balance."""
    reseller = await read_reseller_of(tx, shop_id=call.shop_id, partner_id=call.partner.id)
    return one(await _balance(tx, reseller))


async def get_products(call: Call, tx: Transaction) -> Reply:
    """The products that can be fulfilled, with the caller's prices."""
    asked = call.numbered()
    found = await list_products(
        tx,
        shop_id=call.shop_id,
        partner_id=call.partner.id,
        now=call.now,
        limit=asked.limit,
        offset=asked.offset,
    )
    reply = page_list(
        [_show_product(call, each) for each in found.products], asked=asked, total=found.total
    )
    assert reply.body is not None  # a list has a body
    pagination = {**reply.body["pagination"], "per_page": asked.limit}
    return Reply(body={**reply.body, "pagination": pagination})


def _terms(call: Call) -> Hashable:
    """The relationship, and a number that changes with its terms and those of the programme."""
    return call.partner.id, call.partner.revision


async def _balance(tx: Transaction, reseller: Reseller) -> ShownBalance:
    found = await read_balance(tx, shop_id=reseller.shop_id, reseller_id=reseller.id)
    amount = text(found.balance_minor, found.currency)
    return ShownBalance(
        balance=amount,
        available=amount,
        currency=found.currency,
        updated_at=iso(found.updated_at or reseller.created_at),
    )


async def _key(call: Call, tx: Transaction) -> ShownKey:
    """The newest secret of the key; a rotated one is good for a while beside it."""
    [partner] = await list_partners(tx, partner_id=call.partner.id)
    [key] = [each for each in partner.credentials if each.key == call.credential.public_key]
    newest = max(key.secrets, key=lambda each: each.id)
    return ShownKey(
        id=call.ids.write(Kind.API_KEY, call.credential.id),
        prefix=f"{newest.hint}…",
        created_at=iso(newest.created_at),
        last_used_at=iso(key.last_used_at),
    )


def _show_product(call: Call, product: ResellerProduct) -> ShownProduct:
    cheapest = min(product.variants, key=lambda each: (each.unit_minor, each.id))
    stock = sum(each.stock for each in product.variants)
    product_id = call.ids.write(Kind.PRODUCT, product.id)
    variants = product.variants if product.has_variants else ()
    return ShownProduct(
        product_id=product_id,
        uniqid=product_id,
        title=product.name,
        type="SERIALS",
        orderable=stock > 0,
        stock=stock,
        currency=call.currency,
        base_price=text(cheapest.base_minor, call.currency),
        wholesale_price=text(cheapest.unit_minor, call.currency),
        discount_percent=percent(_discount_bp(product, cheapest)),
        custom_fields=shown_custom_fields(product.custom_fields),
        variants=[_show_variant(call, each) for each in variants],
    )


def _show_variant(call: Call, variant: ResellerVariant) -> ShownVariant:
    return ShownVariant(
        variant_id=call.ids.write(Kind.VARIANT, variant.id),
        title=variant.name,
        orderable=variant.stock > 0,
        base_price=text(variant.base_minor, call.currency),
        wholesale_price=text(variant.unit_minor, call.currency),
        stock=variant.stock,
    )


def _discount_bp(product: ResellerProduct, variant: ResellerVariant) -> int:
    """The discount that was agreed; where a price was, what it is less than the base, but not below 0."""
    if product.discount_bp is not None:
        return product.discount_bp
    if not variant.base_minor:
        return 0
    less = variant.base_minor - variant.unit_minor
    return max(0, divide_half_up(less * 10_000, variant.base_minor))


ROUTES: Final = (
    Route(
        method="GET",
        path=f"{RESELLER}/me",
        name="getMyRelationship",
        summary="The caller's relationship, shop and key.",
        reads=get_me,
        answer=ShownMe,
    ),
    Route(
        method="GET",
        path=f"{RESELLER}/balance",
        name="getBalance",
        summary="The caller's prepaid balance.",
        reads=get_balance,
        answer=ShownBalance,
    ),
    Route(
        method="GET",
        path=f"{RESELLER}/products",
        name="listResellerProducts",
        summary="The products that can be fulfilled, with the caller's prices.",
        reads=get_products,
        answer=ShownProduct,
        listed="page",
        kept_by=_terms,
    ),
)
