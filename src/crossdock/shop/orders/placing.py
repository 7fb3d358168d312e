"""Place an order: read, decide, write. The same for every channel."""

from datetime import datetime
from typing import Any

import msgspec

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import Refused
from crossdock.kit.clock import Clock
from crossdock.kit.ids import Ids
from crossdock.shop.customers import Assigning, Assignment, assign_sales_rep
from crossdock.shop.orders.checking import check_order, order_exists, quantities
from crossdock.shop.orders.model import (
    OrderContext,
    OrderCustomer,
    OrderRequest,
    PlacedOrder,
)
from crossdock.shop.orders.notes import item_note
from crossdock.shop.partners import Partner
from crossdock.shop.stock import refusing_shortage, taking

_ATTEMPTS = 3
_ID_MAX = 2**63 - 1


class Placing(msgspec.Struct, frozen=True, kw_only=True):
    """What placing needs besides the order: set once, where the program is put together.

    `assigning` may call out, so it runs between the reading and the writing transaction;
    `note_template` makes what the outside system gets with each line.
    """

    db: Database
    clock: Clock
    ids: Ids
    assigning: Assigning
    note_template: str
    own_requires_stock: bool = False


async def place_order(service: Placing, *, partner: Partner, request: OrderRequest) -> PlacedOrder:
    """The committed order (core.md, 'One write, one transaction').

    Raises Conflict partner_order_exists (with the existing order), NotFound customer_not_found or
    variant_not_found, Refused customer_not_configured, customer_inactive, billing_incomplete,
    shipping_incomplete, backorder_not_allowed, stock_limit_exceeded, order_amount_not_allowed.
    Stock that another order takes between the reading and the writing makes it start over, so
    that the refusal is the one the rules give for what is left.
    """
    shortage = Refused("stock_limit_exceeded")
    for _ in range(_ATTEMPTS):
        now = service.clock.now()
        async with service.db.statement() as tx:
            context = await read_context(tx, partner=partner, request=request, now=now)
        customer, subtotal = check_order(
            context, partner=partner, request=request, own_requires_stock=service.own_requires_stock
        )
        assignment = await assign_sales_rep(
            service.assigning,
            shop_id=partner.shop_id,
            customer_id=customer.id,
            email=customer.email,
            sales_rep_id=customer.sales_rep_id,
        )
        document = _document(
            context,
            partner=partner,
            request=request,
            customer=customer,
            subtotal=subtotal,
            assignment=assignment,
            note=item_note(request.partner_order_id, request.comments, service.note_template),
            order_key=service.ids.order_key(),
        )
        try:
            with refusing_shortage():
                async with service.db.statement() as tx:
                    return await _write(
                        tx, document=document, request=request, subtotal=subtotal, now=now
                    )
        except Refused as refused:
            shortage = refused
    raise shortage


async def read_context(
    tx: Transaction, *, partner: Partner, request: OrderRequest, now: datetime
) -> OrderContext:
    """Everything the checks look at, in one query: a hidden variant is as absent as an unknown one."""
    merchants = partner.visible_merchants
    text = await tx.value(
        "select order_context(%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            partner.shop_id,
            partner.id,
            request.partner_order_id,
            partner.customer_id,
            sorted({i.variant_id for i in request.items if i.variant_id <= _ID_MAX}),
            None if merchants is None else list(merchants),
            partner.price_list_id,
            partner.currency,
            now,
        ),
    )
    return msgspec.json.decode(text, type=OrderContext)


async def _write(
    tx: Transaction,
    *,
    document: dict[str, Any],
    request: OrderRequest,
    subtotal: int,
    now: datetime,
) -> PlacedOrder:
    row = await tx.one(
        "select order_id, order_key, created from place_order(%s::jsonb, %s)",
        (msgspec.json.encode(document).decode(), now),
    )
    assert row is not None
    if not row[2]:
        raise order_exists(row[0], row[1])
    return PlacedOrder(
        id=row[0],
        order_key=row[1],
        partner_order_id=request.partner_order_id,
        total_minor=subtotal,
    )


def _document(
    context: OrderContext,
    *,
    partner: Partner,
    request: OrderRequest,
    customer: OrderCustomer,
    subtotal: int,
    assignment: Assignment,
    note: str,
    order_key: str,
) -> dict[str, Any]:
    """What the SQL function place_order reads; see placing.sql."""
    return {
        "shop_id": partner.shop_id,
        "order_key": order_key,
        "partner_id": partner.id,
        "channel": partner.channel,
        "partner_order_id": request.partner_order_id,
        "customer_id": customer.id,
        "state": "processing",
        "currency": partner.currency,
        "subtotal_minor": subtotal,
        "tax_minor": 0,
        "shipping_minor": 0,
        "discount_minor": 0,
        "total_minor": subtotal,
        "billing": customer.billing,
        "shipping": customer.shipping,
        "comments": request.comments,
        "tax_id": request.tax_id,
        "resale_tax": request.resale_tax,
        "sales_rep_id": assignment.sales_rep_id,
        "sales_rep_source": assignment.source,
        "source": request.source,
        "is_test": request.is_test,
        "connector": context.connector,
        "lines": _lines(context, request=request, note=note),
        "takes": _takes(context, request=request, backorder=partner.backorder),
    }


def _lines(context: OrderContext, *, request: OrderRequest, note: str) -> list[dict[str, Any]]:
    variants = {variant.id: variant for variant in context.variants}
    return [
        {
            "line_no": number,
            "variant_id": item.variant_id,
            "product_id": (variant := variants[item.variant_id]).product_id,
            "merchant_id": variant.merchant_id,
            "name": variant.name,
            "sku": variant.sku,
            "upc": variant.upc,
            "origin": variant.origin,
            "image": variant.image,
            "quantity": item.quantity,
            "unit_price_minor": variant.price_minor,
            "vat_bp": variant.vat_bp,
            "note": note,
        }
        for number, item in enumerate(request.items, start=1)
    ]


def _takes(
    context: OrderContext, *, request: OrderRequest, backorder: bool
) -> list[dict[str, Any]]:
    variants = {variant.id: variant for variant in context.variants}
    takes = []
    for variant_id, quantity in sorted(quantities(request.items).items()):
        mode = taking(variants[variant_id].availability(), backorder=backorder)
        if mode == "none":
            continue
        if mode == "own" and not backorder:
            mode = "own_capped"
        takes.append({"variant_id": variant_id, "quantity": quantity, "mode": mode})
    return takes
