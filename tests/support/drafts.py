"""Drafts of orders, made straight, as a channel makes them."""

import uuid
from typing import Any

from crossdock.kit.ids import RandomIds
from crossdock.shop.catalogue import VariantName
from crossdock.shop.customers import Address
from crossdock.shop.orders import (
    DraftLine,
    Identity,
    OrderDraft,
    Snapshot,
    number_namespace,
)
from tests.support.factories import ShopFixture

BUYER = Address(
    first_name="Ada",
    last_name="Lovelace",
    email="ada@buyer.example",
    phone="+1 512 555 0100",
    address_1="1 Analytical Way",
    city="Austin",
    state="TX",
    postcode="78701",
    country="US",
)


def line_of(
    variant_id: int, *, shop: ShopFixture, quantity: int = 1, price_minor: int = 1000, **more: Any
) -> DraftLine:
    """So many of a variant of the shop's merchant, taken from own stock unless told otherwise."""
    values: dict[str, Any] = {"take": "own_capped", "name": f"Variant {variant_id}"} | more
    merchant_id = values.pop("merchant_id", shop.merchant_id)
    return DraftLine(
        variant=Snapshot(
            variant_id=variant_id,
            product_id=variant_id,
            merchant_id=merchant_id,
            sku=f"SKU-{variant_id}",
            upc="",
            origin="SC",
            image=None,
            vat_bp=0,
        ),
        quantity=quantity,
        unit_price_minor=price_minor,
        **values,
    )


def named(variant_id: int, *, quantity: int = 1, **more: Any) -> DraftLine:
    """So many of a variant by its id, as a caller names it; what is counted is taken from own stock."""
    values: dict[str, Any] = {"take": "own_capped", "name": "", "unit_price_minor": 0} | more
    return DraftLine(variant=VariantName("id", str(variant_id)), quantity=quantity, **values)


def draft_of(
    *lines: DraftLine,
    shop: ShopFixture,
    partner_id: int | None = None,
    number: str | None = None,
    request_hash: bytes | None = None,
    **more: Any,
) -> OrderDraft:
    """An order of these lines; with a `number`, which is a fresh one unless given, of the partner's."""
    number = number or uuid.uuid4().hex
    identity = Identity(
        namespace=number_namespace(partner_id or 0), key=number, request_hash=request_hash
    )
    values: dict[str, Any] = {
        "shop_id": shop.id,
        "channel": "test",
        "order_key": RandomIds().order_key(),
        "identity": identity,
        "partner_id": partner_id,
        "partner_order_id": number,
        "currency": "USD",
        "billing": BUYER,
        "shipping": BUYER,
        "lines": lines,
        "source": "test",
    }
    return OrderDraft(**(values | more))
