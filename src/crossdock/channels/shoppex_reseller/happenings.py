"""What happened, in this protocol's words: which events have which name, and what is told (spec 11.1 to 11.3).

Data are told as they are when the event is read, a moment after it; repeats of a call have the same. They
hold no serials, tokens or keys.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from crossdock.channels.shoppex_reseller.ids import Kind, WireIds
from crossdock.channels.shoppex_reseller.invoice_happenings import INVOICE_NAMES, invoice_data
from crossdock.channels.shoppex_reseller.reseller_happenings import RESELLER_NAMES, reseller_data
from crossdock.channels.shoppex_reseller.wire import encoded, number, seconds
from crossdock.db.unit_of_work import Transaction
from crossdock.shop.catalogue import ProductSummary, read_summaries
from crossdock.shop.events import Batch, CatalogueChanged, Event, PriceChanged, StockChanged
from crossdock.shop.invoices import Invoice, read_invoices
from crossdock.shop.orders import LineView, OrderView, read_orders
from crossdock.shop.shops import read_id_key
from crossdock.shop.webhooks import Message

CREATED, UPDATED, PARTIAL, PAID, CANCELLED = (
    "order:created",
    "order:updated",
    "order:partial",
    "order:paid",
    "order:cancelled",
)
OF_PRODUCT = ":product"
"""What a name ends in that tells of the order once for each item, with that item alone."""
PRODUCT_CREATED, PRODUCT_EDITED, PRODUCT_STOCK = (
    "product:created",
    "product:edited",
    "product:stock",
)

ORDER_NAMES: Final = {
    "order.placed": CREATED,
    "order.cancelled": CANCELLED,
    "order.partially_shipped": PARTIAL,
    "payment.paid": PAID,
    **dict.fromkeys(
        (
            *("order.reserved", "order.released", "order.recalled", "order.in_fulfilment"),
            *("order.shipped", "order.completed", "order.closed"),
            *(
                "order.lines_refunded",
                "order.address_changed",
                "order.annotated",
                "order.serials_replaced",
                "package.shipped",
            ),
            *("package.delivered", "return.received", "payment.authorised", "payment.voided"),
            *("payment.partially_refunded", "payment.refunded", "payment.expired"),
        ),
        UPDATED,
    ),
}
"""The name of each kind of event about an order; other kinds are not told."""

_OF_ORDERS: Final = (CREATED, UPDATED, PARTIAL, PAID, CANCELLED)
_OF_SUBSCRIPTIONS: Final = (
    *("subscription:created", "subscription:updated", "subscription:renewed"),
    *("subscription:cancelled", "subscription:upcoming"),
    *("subscription:trial:started", "subscription:trial:ended"),
)
TOLD: Final = (
    *_OF_ORDERS,
    *(f"{name}{OF_PRODUCT}" for name in _OF_ORDERS),
    *(PRODUCT_CREATED, PRODUCT_EDITED, PRODUCT_STOCK),
    *dict.fromkeys(RESELLER_NAMES.values()),
)
"""What happens here."""
UNTOLD: Final = (
    *("order:disputed", f"order:disputed{OF_PRODUCT}", "order:manual_payment_pending"),
    *_OF_SUBSCRIPTIONS,
    *(f"{name}{OF_PRODUCT}" for name in _OF_SUBSCRIPTIONS),
    *("product:dynamic", "query:created", "query:replied", "feedback:received"),
)
"""What the protocol has names for and never happens here: it may be subscribed to, and tested."""
NAMES: Final = (*TOLD, *UNTOLD)
PRODUCTS_AT_ONCE: Final = 500
"""How many products one transaction tells of at most, and those of one event more."""


async def read_messages(tx: Transaction, *, batch: Batch) -> tuple[list[Message], int]:
    """What is told of the first events of a batch, and the number of the last of these."""
    named = _bounded(batch.events)
    events = [each.event for each in named]
    ids = WireIds(bytes(await read_id_key(tx, shop_id=batch.shop_id)))
    orders = await _orders(tx, shop_id=batch.shop_id, events=events)
    products = await _products(tx, shop_id=batch.shop_id, named=named)
    invoices = await _invoices(tx, shop_id=batch.shop_id, events=events)
    messages: list[Message] = []
    for each in named:
        event = each.event
        if event.kind in ORDER_NAMES:
            messages += _of_order(event, orders.get(event.subject_id or 0), ids)
        elif event.kind in INVOICE_NAMES:
            messages += _of_invoice(event, invoices.get(event.subject_id or 0), ids)
        elif event.kind in RESELLER_NAMES:
            messages += _of_resellers(event, ids, shop_id=batch.shop_id)
        else:
            messages += _of_products(each, products, ids)
    return messages, events[-1].sequence


class _Named(NamedTuple):
    """An event with the products and the variants that it is about."""

    event: Event
    products: Sequence[int] = ()
    variants: Sequence[int] = ()


def _bounded(events: Sequence[Event]) -> list[_Named]:
    """The first events, up to the one with which they name PRODUCTS_AT_ONCE products."""
    taken: list[_Named] = []
    count = 0
    for event in events:
        named = _named(event)
        taken.append(named)
        count += len(named.products) + len(named.variants)
        if count >= PRODUCTS_AT_ONCE:
            break
    return taken


def _named(event: Event) -> _Named:
    if event.kind not in _OF_PRODUCTS:
        return _Named(event)
    match event.decode():
        case CatalogueChanged(product_ids=ids):
            return _Named(event, products=ids)
        case PriceChanged(variant_ids=ids):
            return _Named(event, variants=ids)
        case StockChanged(levels=levels):
            return _Named(event, variants=[variant_id for variant_id, _, _ in levels])
    return _Named(event)


_OF_PRODUCTS: Final = {CatalogueChanged.kind, PriceChanged.kind, StockChanged.kind}


async def _orders(
    tx: Transaction, *, shop_id: int, events: Iterable[Event]
) -> dict[int, OrderView]:
    wanted = sorted(
        {each.subject_id for each in events if each.kind in ORDER_NAMES and each.subject_id}
    )
    if not wanted:
        return {}
    found = await read_orders(
        tx, shop_id=shop_id, order_ids=wanted, sections=("lines", "has_variants")
    )
    return {order.id: order for order in found}


async def _invoices(
    tx: Transaction, *, shop_id: int, events: Iterable[Event]
) -> dict[int, Invoice]:
    wanted = {each.subject_id for each in events if each.kind in INVOICE_NAMES and each.subject_id}
    if not wanted:
        return {}
    return await read_invoices(tx, shop_id=shop_id, invoice_ids=sorted(wanted))


async def _products(
    tx: Transaction, *, shop_id: int, named: Iterable[_Named]
) -> list[ProductSummary]:
    product_ids: set[int] = set()
    variant_ids: set[int] = set()
    for each in named:
        product_ids.update(each.products)
        variant_ids.update(each.variants)
    if not product_ids and not variant_ids:
        return []
    return await read_summaries(
        tx, shop_id=shop_id, product_ids=sorted(product_ids), variant_ids=sorted(variant_ids)
    )


def _of_resellers(event: Event, ids: WireIds, *, shop_id: int) -> list[Message]:
    name = RESELLER_NAMES[event.kind]
    return [
        Message(name=name, data=plain(data), happened_at=event.created_at)
        for data in reseller_data(event, ids, shop_id=shop_id)
    ]


def _of_order(event: Event, order: OrderView | None, ids: WireIds) -> list[Message]:
    if order is None:
        return []
    names = [ORDER_NAMES[event.kind]]
    if event.kind == "order.placed" and event.payload.get("payment_state") == "paid":
        names.append(PAID)
    data = order_data(order, ids)
    told = [(name, data) for name in names]
    told += [
        (f"{name}{OF_PRODUCT}", {**data, "items": [item]})
        for name in names
        for item in data["items"]
    ]
    return [Message(name=name, data=each, happened_at=event.created_at) for name, each in told]


def _of_invoice(event: Event, invoice: Invoice | None, ids: WireIds) -> list[Message]:
    if invoice is None:
        return []
    data = plain(invoice_data(invoice, ids))
    name = INVOICE_NAMES[event.kind]
    return [Message(name=name, data=data, happened_at=event.created_at, invoice_id=invoice.id)]


def order_data(order: OrderView, ids: WireIds) -> dict[str, Any]:
    """An order as webhooks tell it."""
    shown, currency = ids.write(Kind.ORDER, order.id), order.currency
    facts = {
        "id": shown,
        "uniqid": shown,
        "shop_id": ids.write(Kind.SHOP, order.shop_id),
        "status": order_status(order),
        "payment_status": order.payment_state.upper(),
        "fulfillment_status": order.fulfilment_state.upper(),
        "total": number(order.total_minor, currency),
        "subtotal": number(order.subtotal_minor, currency),
        "discount": number(order.discount_minor, currency),
        "currency": currency,
        "customer_email": order.email,
        "items": [_item(line, ids, currency=currency) for line in order.lines],
        "created_at": seconds(order.placed_at),
        "updated_at": seconds(order.updated_at),
    }
    return plain(facts)


def order_status(order: OrderView) -> str:
    """The order's state in one word (spec section 13)."""
    return status_of(order.payment_state, order.fulfilment_state)


def status_of(payment: str, fulfilment: str) -> str:
    """The word for these states of an order."""
    if payment == "refunded":
        return "REFUNDED"
    if fulfilment == "cancelled" or payment in {"voided", "expired"}:
        return "VOIDED"
    if payment in {"paid", "partially_refunded"}:
        return "COMPLETED"
    is_done = payment == "none" and fulfilment == "completed"
    return "COMPLETED" if is_done else "PENDING"


def variant_of(line: LineView, ids: WireIds) -> str | None:
    """The id of a line's variant; None where its product has none, as everywhere in this API."""
    return ids.write(Kind.VARIANT, line.variant_id) if line.has_variants else None


def _item(line: LineView, ids: WireIds, *, currency: str) -> dict[str, Any]:
    return {
        "product_id": ids.write(Kind.PRODUCT, line.product_id),
        "variant_id": variant_of(line, ids),
        "title": line.name,
        "quantity": line.quantity,
        "unit_price": number(line.unit_price_minor, currency),
        "total": number(line.total_minor, currency),
    }


def _of_products(named: _Named, products: Iterable[ProductSummary], ids: WireIds) -> list[Message]:
    event, of_products, of_variants = named.event, set(named.products), set(named.variants)
    messages = []
    for product in products:
        variants = of_variants.intersection(each.id for each in product.variants)
        if product.id in of_products or variants:
            name = _product_name(event, product)
            data = product_data(product, ids)
            messages.append(Message(name=name, data=data, happened_at=event.created_at))
    return messages


def _product_name(event: Event, product: ProductSummary) -> str:
    """A product is new in the event that its own transaction wrote, which has its time."""
    if event.kind == StockChanged.kind:
        return PRODUCT_STOCK
    is_new = event.kind == CatalogueChanged.kind and product.created_at == event.created_at
    return PRODUCT_CREATED if is_new else PRODUCT_EDITED


def product_data(product: ProductSummary, ids: WireIds) -> dict[str, Any]:
    """A product as webhooks tell it; `available_stock` is null where stock is not counted."""
    shown = ids.write(Kind.PRODUCT, product.id)
    return {
        "id": shown,
        "uniqid": shown,
        "slug": product.handle,
        "title": product.name,
        "unlisted": not product.enabled,
        "variants": [
            {
                "id": ids.write(Kind.VARIANT, variant.id),
                "title": variant.name,
                "available_stock": variant.available,
            }
            for variant in product.variants
        ],
        "created_at": seconds(product.created_at),
        "updated_at": seconds(product.updated_at),
    }


def plain(data: Mapping[str, Any]) -> dict[str, Any]:
    """The data as JSON says them, which is how they are kept; amounts are numbers."""
    plain: dict[str, Any] = msgspec.json.decode(encoded(data))
    return plain
