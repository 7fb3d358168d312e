"""Deliver serials to a reseller's own shop and debit its prepaid balance, once (spec shoppex_reseller 7.4, 7.5)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from psycopg.types.json import Jsonb

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Conflict, NotFound, Refused
from crossdock.kit.crypto import SecretBox
from crossdock.kit.ids import Ids
from crossdock.shop.customers import Address
from crossdock.shop.orders import OrderDraft, refusing_draft
from crossdock.shop.partners import Partner
from crossdock.shop.resellers.buying import (
    Buying,
    LimitUnit,
    Product,
    Variant,
    require_mode,
    require_product,
    require_quantity,
    require_serials,
    serials_line,
    unnamed_variant,
)
from crossdock.shop.resellers.crediting import prepaid_owner
from crossdock.shop.resellers.model import Quantity
from crossdock.shop.stock import read_bought_serials


class FulfilmentRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a reseller's shop asks for. With a `key` that key is its identity, else what it is for."""

    external_order_id: str
    customer_email: str
    product_id: int
    variant_id: int | None = None
    quantity: Quantity = 1
    key: str | None = None
    is_test: bool = False


class Fulfilment(msgspec.Struct, frozen=True, kw_only=True):
    """Delivered goods with their serials. `variant_id` is None where the product alone was asked for.

    `balance_after_minor` is what the balance was after the debit. Its repr hides the serials.
    """

    id: int
    reseller_id: int
    order_id: int
    key: str | None
    external_order_id: str
    product_id: int
    product_name: str
    variant_id: int | None
    variant_name: str
    quantity: int
    customer_email: str
    unit_minor: int
    total_minor: int
    currency: str
    balance_after_minor: int
    created_at: datetime
    serials: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Fulfilment(id={self.id})"


class Fulfilled(msgspec.Struct, frozen=True, kw_only=True):
    """A fulfilment, and whether an earlier request made it."""

    fulfilment: Fulfilment
    is_replayed: bool


async def fulfil(
    tx: Transaction,
    *,
    partner: Partner,
    request: FulfilmentRequest,
    ids: Ids,
    box: SecretBox,
    now: datetime,
    limits: LimitUnit = "units",
) -> Fulfilled:
    """Deliver for the partner's relationship: debit, order, serials and event in this transaction, or none.

    The same request again, by its key, or without one by order, product and variant, is answered with the first
    fulfilment; another e-mail address alone makes no other request. Raises, in this order, with nothing written:

    | code | when |
    |---|---|
    | Refused credential_unknown | the relationship is not active |
    | Conflict idempotency_key_used | its key or number was used for something else |
    | Refused program_disabled, reseller_mode | the programme is off, or the mode buys no stock |
    | NotFound variant_not_found | the shop has no such product |
    | Invalid invalid_input | a variant is not the product's, or none is named where there are several |
    | Refused product_not_allowed, product_not_fulfillable | not agreed for this; or not sold as serials |
    | Refused quantity_out_of_range, purchase_limit_exceeded | by the terms of product and relationship |
    | Refused balance_insufficient | the balance does not cover the total |
    | Refused stock_limit_exceeded | there are fewer serials |
    """
    found = await tx.value(
        "select prepare_fulfilment(%s, %s, %s, %s, %s, %s, %s, %s)",
        (
            *(partner.shop_id, partner.id, request.key, request.external_order_id),
            *(request.product_id, request.variant_id, request.quantity, now),
        ),
    )
    facts = msgspec.convert(found, _Facts) if found else None
    if facts is None or facts.status != "active":
        raise Refused("credential_unknown")
    if facts.existing_id is not None:
        if not facts.is_same:
            raise Conflict("idempotency_key_used")
        fulfilment_id = facts.existing_id
    else:
        product, variant = _require(facts, request, limits=limits)
        fulfilment_id = await _deliver(
            tx,
            facts=facts,
            product=product,
            variant=variant,
            partner=partner,
            request=request,
            ids=ids,
            now=now,
        )
    fulfilment = await read_fulfilment(
        tx, shop_id=partner.shop_id, partner_id=partner.id, fulfilment_id=fulfilment_id, box=box
    )
    return Fulfilled(fulfilment=fulfilment, is_replayed=facts.existing_id is not None)


async def read_fulfilment(
    tx: Transaction, *, shop_id: int, partner_id: int, fulfilment_id: int, box: SecretBox
) -> Fulfilment:
    """A fulfilment of the partner's relationship with its serials, even revoked ones, unless others replaced them.

    Raises NotFound `not_found`.
    """
    row = await tx.one(_READ, (shop_id, fulfilment_id, partner_id))
    if row is None:
        raise NotFound("not_found", "There is no such fulfilment.")
    fulfilment = Fulfilment(**dict(zip(Fulfilment.__struct_fields__[:-1], row, strict=True)))
    bought = await read_bought_serials(tx, shop_id=shop_id, order_id=fulfilment.order_id, box=box)
    serials = tuple(
        each.serial for line in bought.values() for each in line if not each.is_replaced
    )
    return msgspec.structs.replace(fulfilment, serials=serials)


async def find_fulfilments(
    tx: Transaction, *, shop_id: int, order_ids: Sequence[int]
) -> dict[int, int]:
    """The fulfilments of these orders by their orders; other orders are left out."""
    if not order_ids:
        return {}
    rows = await tx.all(
        "select order_id, id from reseller_fulfilments where shop_id = %s and order_id = any(%s)",
        (shop_id, list(order_ids)),
    )
    return {row[0]: row[1] for row in rows}


class _Facts(Buying, frozen=True, kw_only=True):
    """What `prepare_fulfilment` reads; of a repetition only the relationship and the first two of these."""

    existing_id: int | None = None
    is_same: bool = False
    balance_minor: int = 0


_READ = """
    select f.id, f.reseller_id, f.order_id, f.key, f.external_order_id, f.product_id, f.product_name,
           f.asked_variant_id, f.variant_name, f.quantity, f.customer_email, f.unit_minor, f.total_minor, f.currency,
           f.balance_after_minor, f.created_at
    from reseller_fulfilments f join resellers r on r.shop_id = f.shop_id and r.id = f.reseller_id
    where f.shop_id = %s and f.id = %s and r.partner_id = %s
"""


def _require(
    facts: _Facts, request: FulfilmentRequest, *, limits: LimitUnit
) -> tuple[Product, Variant]:
    """The product and variant, if every rule allows the request; see `fulfil`."""
    if not facts.program_enabled:
        raise Refused("program_disabled")
    require_mode(facts)
    product = require_product(facts)
    variant = product.variant
    if variant is None or (product.has_variants and request.variant_id is None):
        raise unnamed_variant()
    if not product.is_allowed or not product.auto_fulfilled:
        raise Refused("product_not_allowed")
    total_minor = require_serials(variant) * request.quantity
    require_quantity(
        facts, product, quantity=request.quantity, total_minor=total_minor, limits=limits
    )
    if facts.balance_minor < total_minor:
        raise Refused("balance_insufficient")
    return product, variant


async def _deliver(
    tx: Transaction,
    *,
    facts: _Facts,
    product: Product,
    variant: Variant,
    partner: Partner,
    request: FulfilmentRequest,
    ids: Ids,
    now: datetime,
) -> int:
    """Place the order, which takes the serials and debits the balance, and record it; the fulfilment's id."""
    assert variant.unit_minor is not None  # required
    buyer = Address(email=request.customer_email)
    line = serials_line(variant, product_id=request.product_id, quantity=request.quantity)
    draft = OrderDraft(
        shop_id=partner.shop_id,
        channel=partner.channel,
        order_key=ids.order_key(),
        identity=None,  # the fulfilment's own row is what makes it unique
        partner_id=partner.id,
        partner_order_id=request.external_order_id,
        currency=facts.currency,
        billing=buyer,
        shipping=buyer,
        lines=(line,),
        source="reseller",
        state="completed",
        payment_state="paid",
        prepaid_owner=prepaid_owner(facts.reseller_id),
        is_test=request.is_test,
    )
    kept: dict[str, Any] = {
        "reseller_id": facts.reseller_id,
        "email": facts.email,
        "key": request.key,
        "external_order_id": request.external_order_id,
        "product_id": request.product_id,
        "variant_id": variant.id,
        "asked_variant_id": request.variant_id,
        "quantity": request.quantity,
        "customer_email": request.customer_email,
        "product_name": product.name,
        "variant_name": variant.name,
        "unit_minor": variant.unit_minor,
        "currency": facts.currency,
    }
    values = (partner.shop_id, draft.encode(), Jsonb(kept), now)
    with refusing_draft():
        return int(await tx.value("select deliver_fulfilment(%s, %s::jsonb, %s, %s)", values))
