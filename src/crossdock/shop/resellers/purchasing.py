"""Resellers buy stock: they ask for it, and it is theirs once it is paid (spec shoppex_reseller 6.9, 8.4).

| from | what happens | to |
|---|---|---|
| | a relationship asks for units of a product | requested |

transferring.py has what happens to it then.

Nothing is reserved by a request. Its price is kept: what changes later does not move it.
"""

from datetime import datetime
from typing import Any, Literal

import msgspec
from psycopg.types.json import Jsonb

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Conflict, NotFound, Refused
from crossdock.kit.paging import PlacePage
from crossdock.shop.ledger import Account
from crossdock.shop.resellers.buying import (
    Buying,
    LimitUnit,
    Product,
    Variant,
    require_mode,
    require_product,
    require_quantity,
    require_serials,
    unnamed_variant,
)
from crossdock.shop.resellers.model import Quantity

TransferState = Literal["requested", "invoiced", "paid", "allocated", "revoked"]
"""How far a purchase of stock is; `revoked` is final."""

PaymentSource = Literal["manual", "invoice"]


class StockRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a relationship wants in its stock; a variant is named where the product has several."""

    product_id: int
    variant_id: int | None = None
    quantity: Quantity


class StockTransfer(msgspec.Struct, frozen=True, kw_only=True):
    """A purchase of stock at the price of its request.

    `variant_id` is None where the product alone was asked for. `unit_minor` was agreed, or is `base_minor`
    less `discount_bp`; what does not apply is None.
    """

    id: int
    shop_id: int
    reseller_id: int
    state: TransferState
    product_id: int
    product_name: str
    variant_id: int | None
    variant_name: str
    quantity: int
    base_minor: int | None
    discount_bp: int | None
    unit_minor: int
    total_minor: int
    currency: str
    allocated_count: int
    delivered_count: int
    invoice_id: int | None
    payment_source: PaymentSource | None
    requested_at: datetime
    invoiced_at: datetime | None
    paid_at: datetime | None
    allocated_at: datetime | None
    revoked_at: datetime | None
    updated_at: datetime


async def request_stock(
    tx: Transaction,
    *,
    shop_id: int,
    reseller_id: int,
    request: StockRequest,
    now: datetime,
    limits: LimitUnit = "units",
) -> StockTransfer:
    """Ask for stock. Raises, in this order, with nothing written:

    | code | when |
    |---|---|
    | NotFound not_found | the shop has no such relationship |
    | Refused program_disabled | the programme is off |
    | Conflict reseller_state | the relationship is not active |
    | Refused reseller_mode | its mode buys no stock |
    | NotFound variant_not_found | the shop has no such product |
    | Refused product_not_allowed | the product was not agreed |
    | Refused product_not_fulfillable | it is not sold as serials |
    | Invalid invalid_input | a variant is not the product's, or is not named exactly where there are several |
    | Refused quantity_out_of_range, purchase_limit_exceeded | by the terms of product and relationship |
    | Refused stock_limit_exceeded | fewer can be sold now, or have a serial |
    """
    found = await tx.value(
        "select prepare_stock_purchase(%s, %s, %s, %s, %s)",
        (shop_id, reseller_id, request.product_id, request.variant_id, now),
    )
    if found is None:
        raise NotFound("not_found", "There is no such reseller.")
    facts = msgspec.convert(found, Buying)
    product, variant = _require(facts, request, limits=limits)
    await _require_serials_for(tx, shop_id=shop_id, variant=variant, quantity=request.quantity)
    kept: dict[str, Any] = {
        "reseller_id": reseller_id,
        "product_id": request.product_id,
        "variant_id": variant.id,
        "merchant_id": variant.merchant_id,
        "asked_variant_id": request.variant_id,
        "product_name": product.name,
        "variant_name": variant.name,
        "quantity": request.quantity,
        "base_minor": variant.base_minor,
        "discount_bp": product.discount_bp,
        "unit_minor": variant.unit_minor,
        "currency": facts.currency,
    }
    made = await tx.value("select record_stock_purchase(%s, %s, %s)", (shop_id, Jsonb(kept), now))
    return await read_transfer(tx, shop_id=shop_id, reseller_id=reseller_id, transfer_id=int(made))


async def read_transfer(
    tx: Transaction, *, shop_id: int, reseller_id: int, transfer_id: int
) -> StockTransfer:
    """The relationship's transfer. Raises NotFound `not_found`."""
    row = await tx.one(
        f"{_SELECT} where t.shop_id = %s and t.reseller_id = %s and t.id = %s",
        (shop_id, reseller_id, transfer_id),
    )
    if row is None:
        raise NotFound("not_found", "There is no such stock transfer.")
    return _transfer(row)


async def list_transfers(
    tx: Transaction,
    *,
    shop_id: int,
    reseller_id: int,
    page: PlacePage,
    state: TransferState | None = None,
    product_id: int | None = None,
) -> list[StockTransfer]:
    """A page of the relationship's transfers, the newest first; one more if there are more."""
    chosen = {"shop": shop_id, "reseller": reseller_id, "state": state, "product": product_id}
    rows = await tx.all(_PAGE, page.bounds() | chosen)
    return [_transfer(row) for row in rows]


_SELECT = """
    select t.id, t.shop_id, t.reseller_id, t.state, t.product_id, t.product_name, t.asked_variant_id, t.variant_name,
           t.quantity, t.base_minor, t.discount_bp, t.unit_minor, t.total_minor, t.currency, t.allocated_count,
           t.delivered_count, t.invoice_id, t.payment_source, t.requested_at, t.invoiced_at, t.paid_at, t.allocated_at,
           t.revoked_at, t.updated_at
    from reseller_transfers t
"""
_PAGE = f"""
    {_SELECT}
    where t.shop_id = %(shop)s and t.reseller_id = %(reseller)s
      and (%(state)s::text is null or t.state = %(state)s)
      and (%(product)s::bigint is null or t.product_id = %(product)s)
      and (t.requested_at, t.id) < (%(after_time)s::timestamptz, %(after_id)s)
    order by t.requested_at desc, t.id desc limit %(size)s
"""


def _transfer(row: tuple[Any, ...]) -> StockTransfer:
    return StockTransfer(**dict(zip(StockTransfer.__struct_fields__, row, strict=True)))


def _require(facts: Buying, request: StockRequest, *, limits: LimitUnit) -> tuple[Product, Variant]:
    """The product and variant, if every rule allows the request; see `request_stock`."""
    if not facts.program_enabled:
        raise Refused("program_disabled")
    require_active(facts.status)
    require_mode(facts)
    product = require_product(facts)
    if not product.is_allowed:
        raise Refused("product_not_allowed")
    variant = product.variant
    unit_minor = 0 if variant is None else require_serials(variant)
    if variant is None or product.has_variants != (request.variant_id is not None):
        raise unnamed_variant()
    require_quantity(
        facts,
        product,
        quantity=request.quantity,
        total_minor=unit_minor * request.quantity,
        limits=limits,
    )
    return product, variant


async def _require_serials_for(
    tx: Transaction, *, shop_id: int, variant: Variant, quantity: int
) -> None:
    """Raise Refused `stock_limit_exceeded` unless so many may be sold and have a serial: it is paid before it is
    allocated, and a level also counts units that came without one."""
    serials = await tx.value(
        "select count_unsold_serials(%s, %s, %s)", (shop_id, variant.id, quantity)
    )
    if min(variant.available, serials) < quantity:
        raise Refused("stock_limit_exceeded", data={"variant_ids": [variant.id]})


def require_active(status: str) -> None:
    """Raise Conflict `reseller_state` for a relationship that is not active."""
    if status != "active":
        raise Conflict("reseller_state", f"The reseller is {status}.", {"status": status})


def credit_of(reseller_id: int) -> Account:
    """The account of what a reseller paid for stock that it has not got."""
    return Account("receivable", f"reseller:{reseller_id}")


async def lock(
    tx: Transaction, *, shop_id: int, reseller_id: int, transfer_id: int
) -> StockTransfer:
    """The relationship's transfer, locked. Raises NotFound `not_found`."""
    state = await tx.value("select lock_transfer(%s, %s, %s)", (shop_id, reseller_id, transfer_id))
    if state is None:
        raise NotFound("not_found", "There is no such stock transfer.")
    return await read_transfer(
        tx, shop_id=shop_id, reseller_id=reseller_id, transfer_id=transfer_id
    )


def not_now(transfer: StockTransfer) -> Conflict:
    """The error of an action that the transfer's state does not allow."""
    message = f"The stock transfer is {transfer.state}."
    return Conflict("reseller_state", message, {"status": transfer.state})
