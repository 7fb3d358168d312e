"""Place an order: read, decide, write. The same for every channel."""

from datetime import datetime
from typing import Any

import msgspec

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import Refused
from crossdock.kit.clock import Clock
from crossdock.kit.ids import Ids
from crossdock.shop.customers import Assigning, Vendor, resolve_vendor
from crossdock.shop.fulfilment import item_note
from crossdock.shop.orders.checking import check_order, order_exists, quantities
from crossdock.shop.orders.model import (
    OrderContext,
    OrderCustomer,
    OrderRequest,
    PlacedOrder,
)
from crossdock.shop.partners import Partner
from crossdock.shop.stock import refusing_shortage, taking

_ATTEMPTS = 3
_ID_MAX = 2**63 - 1


class Placing(msgspec.Struct, frozen=True, kw_only=True):
    """What placing needs besides the order: set once, where the program is put together.

    `assigning` may call out, so it runs between the reading and the writing transaction;
    `note_template` makes what the fulfilment system gets with each line.
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
        vendor = await resolve_vendor(
            service.assigning,
            shop_id=partner.shop_id,
            customer_id=customer.id,
            email=customer.email,
            seller_id=customer.seller_id,
        )
        document = _document(
            context,
            partner=partner,
            request=request,
            customer=customer,
            subtotal=subtotal,
            vendor=vendor,
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
    text = await tx.value(
        _CONTEXT,
        {
            "shop": partner.shop_id,
            "partner": partner.id,
            "number": request.partner_order_id,
            "customer": partner.customer_id,
            "variants": sorted({i.variant_id for i in request.items if i.variant_id <= _ID_MAX}),
            "merchants": None
            if partner.visible_merchants is None
            else list(partner.visible_merchants),
            "price_list": partner.price_list_id,
            "currency": partner.currency,
            "now": now,
        },
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
    vendor: Vendor,
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
        "seller_id": vendor.seller_id,
        "vendor_source": vendor.source,
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


_CONTEXT = """
    select jsonb_build_object(
        'existing', (
            select jsonb_build_object('id', o.id, 'order_key', o.order_key) from orders o
            where o.partner_id = %(partner)s and o.partner_order_id = %(number)s),
        'customer', (
            select jsonb_build_object('id', c.id, 'email', c.email, 'active', c.active,
                                      'billing', jsonb_strip_nulls(c.billing),
                                      'shipping', jsonb_strip_nulls(c.shipping), 'seller_id', c.seller_id)
            from customers c
            where c.shop_id = %(shop)s and c.id = %(customer)s and c.deleted_at is null),
        'connector', (
            select jsonb_build_object('name', f.name, 'kind', f.kind) from fulfilment_connectors f
            where f.shop_id = %(shop)s and f.is_default and f.enabled),
        'variants', coalesce((select jsonb_agg(to_jsonb(seen)) from (
            select v.id, v.product_id, v.merchant_id, v.name, v.sku, v.upc, v.origin, v.vat_bp,
                   v.stock_managed as managed, v.stock_status as status,
                   coalesce(v.image, p.images -> 0 ->> 'url') as image,
                   coalesce(own.available, 0) as own, coalesce(supplier.available, 0) as supplier,
                   active_price(
                       (select i.price_minor from price_list_items i
                        where i.shop_id = v.shop_id and i.price_list_id = %(price_list)s and i.variant_id = v.id),
                       (select min(q.price_minor) from promotions q
                        where q.shop_id = v.shop_id and q.variant_id = v.id
                          and q.starts_at <= %(now)s and %(now)s < q.ends_at),
                       v.sale_minor, v.sale_starts_at, v.sale_ends_at, v.retail_minor, %(now)s) as price_minor
            from variants v
            join products p on p.shop_id = v.shop_id and p.id = v.product_id
            left join stock_levels own
              on own.shop_id = v.shop_id and own.variant_id = v.id and own.pool = 'own'
            left join stock_levels supplier
              on supplier.shop_id = v.shop_id and supplier.variant_id = v.id and supplier.pool = 'supplier'
            where v.shop_id = %(shop)s and v.id = any(%(variants)s) and v.listed and v.currency = %(currency)s
              and (%(merchants)s::bigint[] is null or v.merchant_id = any(%(merchants)s))
        ) seen where seen.price_minor is not null), '[]'::jsonb)
    )::text
"""
