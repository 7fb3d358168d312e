"""The fields of orders, as they are told and as they are sent (spec section 13)."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec

from crossdock.channels.shoppex_reseller import NAME
from crossdock.channels.shoppex_reseller.calls import Call
from crossdock.channels.shoppex_reseller.custom_fields import read_custom_fields
from crossdock.channels.shoppex_reseller.fields import Fields
from crossdock.channels.shoppex_reseller.happenings import order_status, status_of, variant_of
from crossdock.channels.shoppex_reseller.ids import Kind
from crossdock.channels.shoppex_reseller.invoice_fields import order_gateway, order_page
from crossdock.channels.shoppex_reseller.openapi import TEXT, WHOLE
from crossdock.channels.shoppex_reseller.wire import number, seconds
from crossdock.shop.orders import (
    PAYMENT_STATES,
    STATES,
    BoughtItem,
    LineView,
    OrderView,
    Purchase,
    States,
)
from crossdock.shop.pricing import CODE_LENGTH_MAX

SOURCE: Final = "developer_api"
ITEMS_MAX: Final = 100
QUANTITY_MAX: Final = 10_000
TITLE_MAX: Final = 128
NAME_MAX: Final = 64
NOTE_MAX: Final = 2_000
_KEPT: Final = (*("title", "affiliate_code", "coupon_code", "custom_fields", "refund_reason"),)
_NOTHING: Final = -1  # no thing has this number


class ShownItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item of an order; `serials` are told of one order alone, once they are delivered."""

    product_id: str
    variant_id: str | None
    title: str
    quantity: int
    unit_price: Decimal | None
    discount: Decimal | None
    total: Decimal | None
    delivery_instructions: str | None
    delivered_quantity: int
    refunded: Decimal | None
    serials: list[str] | None


class ShownOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order. `status` says what became of its payment, `fulfillment_status` of its goods.

    `checkout_url` is where it can be paid by card, null once it cannot.
    """

    id: str
    uniqid: str
    shop_id: str
    title: str
    status: str
    payment_status: str
    fulfillment_status: str
    gateway: str | None
    total: Decimal | None
    subtotal: Decimal | None
    discount: Decimal | None
    currency: str
    customer_id: str | None
    customer_email: str
    affiliate_code: str | None
    refund_reason: str | None
    coupon_code: str | None
    custom_fields: dict[str, Any]
    items: list[ShownItem]
    checkout_url: str | None
    expires_at: int | None
    paid_at: int | None
    created_at: int | None
    updated_at: int | None


class ShownRefund(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a refund."""

    message: str


_ITEM: Final = {
    "type": "object",
    "required": ["product_id", "quantity"],
    "properties": {
        "product_id": TEXT,
        "variant_id": {"type": ["string", "null"]},
        "quantity": {"type": "integer", "minimum": 1, "maximum": QUANTITY_MAX},
        "delivery_instructions": {"type": ["string", "null"], "maxLength": NOTE_MAX},
    },
}
_CUSTOM: Final = {
    "type": "object",
    "additionalProperties": {"type": ["string", "number", "boolean"]},
}
CHANGED: Final[dict[str, dict[str, Any]]] = {
    "title": TEXT,
    "email": {"type": "string", "format": "email"},
    "custom_fields": _CUSTOM,
    "status": {"type": "string", "enum": ["VOIDED"]},
}
SENT: Final[dict[str, dict[str, Any]]] = {
    "email": CHANGED["email"],
    "items": {"type": "array", "items": _ITEM, "minItems": 1, "maxItems": ITEMS_MAX},
    "gateway": TEXT,
    "title": TEXT,
    "custom_fields": _CUSTOM,
    "affiliate_code": TEXT,
    "coupon_code": TEXT,
}
ACTED: Final[dict[str, dict[str, Any]]] = {
    "note": TEXT,
    "suppress_emails": {"type": "boolean"},
    "notify_customer": {"type": "boolean"},
}
REFUNDED: Final[dict[str, dict[str, Any]]] = {
    "amount": {"type": ["string", "number", "null"]},
    "reason": {"type": ["string", "null"], "maxLength": NOTE_MAX},
}
PAGE_FIELDS: Final = {"status": {"type": "string"}, "limit": WHOLE}


def read_purchase(call: Call, *, pay_within_s: int) -> Purchase:
    """The order that is sent. Raises WireError VALIDATION_ERROR."""
    fields = call.fields()
    email = fields.email("email", required=True)
    items = _items(call, fields)
    coupon_code = fields.text("coupon_code", nullable=True, longest=CODE_LENGTH_MAX)
    custom_fields = read_custom_fields(fields, "custom_fields")
    kept = {
        "title": fields.text("title", nullable=True, longest=TITLE_MAX),
        "gateway": fields.text("gateway", nullable=True, longest=NAME_MAX),
        "affiliate_code": fields.text("affiliate_code", nullable=True, longest=TITLE_MAX),
        "coupon_code": coupon_code,
        "custom_fields": custom_fields,
    }
    fields.check()
    return Purchase(
        email=email or "",
        items=items,
        source=SOURCE,
        pay_within_s=pay_within_s,
        coupon_code=coupon_code or "",
        is_test=call.credential.is_test,
        custom_fields=custom_fields,
        channel_data={name: value for name, value in kept.items() if value},
    )


def read_changes(call: Call) -> tuple[dict[str, Any], str, bool]:
    """What is to be changed: the channel's own fields, the e-mail address, whether to cancel."""
    fields = call.fields()
    changes: dict[str, Any] = {}
    if fields.given("title"):
        changes["title"] = fields.text("title", nullable=True, longest=TITLE_MAX) or ""
    if fields.given("custom_fields"):
        changes["custom_fields"] = read_custom_fields(fields, "custom_fields")
    email = fields.email("email")
    cancels = fields.choice("status", {"VOIDED": True}) is True
    fields.check()
    return changes, email or "", cancels


def read_action(call: Call) -> tuple[str, bool]:
    """The note, and whether the buyer is mailed."""
    fields = call.fields()
    note = fields.text("note", nullable=True, longest=NOTE_MAX)
    suppresses = fields.flag("suppress_emails", nullable=True)
    notifies = fields.flag("notify_customer", nullable=True)
    fields.check()
    return note or "", not suppresses and notifies is not False


def read_refund(call: Call) -> tuple[int | None, str]:
    """The amount to be refunded, None for all that is left, and the reason."""
    fields = call.fields()
    amount_minor = fields.amount("amount", currency=call.currency, nullable=True)
    reason = fields.text("reason", nullable=True, longest=NOTE_MAX)
    fields.check()
    return amount_minor, reason or ""


def states_by_word() -> dict[str, list[States]]:
    """The states that each word stands for."""
    by_word: dict[str, list[States]] = {}
    for payment in PAYMENT_STATES:
        for fulfilment in STATES:
            by_word.setdefault(status_of(payment, fulfilment), []).append((payment, fulfilment))
    return by_word


def read_states(call: Call) -> tuple[States, ...] | None:
    """The states that the word asked for stands for; None for all."""
    fields = call.filters()
    found = fields.choice("status", states_by_word())
    fields.check()
    return None if found is None else tuple(found)


def shown_order(
    call: Call, order: OrderView, *, serials: Mapping[int, Sequence[str]] | None = None
) -> ShownOrder:
    """An order as it is told; with `serials` by line number, where it is told alone."""
    shown, currency = call.ids.write(Kind.ORDER, order.id), order.currency
    own = order.channel_data if order.channel == NAME else {}
    kept = {name: own.get(name) for name in _KEPT}
    return ShownOrder(
        id=shown,
        uniqid=shown,
        shop_id=call.ids.write(Kind.SHOP, order.shop_id),
        title=kept["title"] or order.lines[0].name,
        status=order_status(order),
        payment_status=order.payment_state.upper(),
        fulfillment_status=order.fulfilment_state.upper(),
        gateway=order_gateway(order),
        total=number(order.total_minor, currency),
        subtotal=number(order.subtotal_minor, currency),
        discount=number(order.discount_minor, currency),
        currency=currency,
        customer_id=None
        if order.customer_id is None
        else call.ids.write(Kind.CUSTOMER, order.customer_id),
        customer_email=order.email,
        affiliate_code=kept["affiliate_code"],
        refund_reason=kept["refund_reason"],
        coupon_code=kept["coupon_code"],
        custom_fields=kept["custom_fields"] or {},
        items=[_item(call, line, currency=currency, serials=serials) for line in order.lines],
        checkout_url=order_page(call, order),
        expires_at=seconds(order.expires_at),
        paid_at=seconds(order.paid_at),
        created_at=seconds(order.placed_at),
        updated_at=seconds(order.updated_at),
    )


def _item(
    call: Call, line: LineView, *, currency: str, serials: Mapping[int, Sequence[str]] | None
) -> ShownItem:
    return ShownItem(
        product_id=call.ids.write(Kind.PRODUCT, line.product_id),
        variant_id=variant_of(line, call.ids),
        title=line.name,
        quantity=line.quantity,
        unit_price=number(line.unit_price_minor, currency),
        discount=number(line.discount_minor, currency),
        total=number(line.total_minor, currency),
        delivery_instructions=line.note or None,
        delivered_quantity=line.shipped,
        refunded=number(line.refunded_minor, currency),
        serials=None if serials is None else list(serials.get(line.line_no, ())),
    )


def _items(call: Call, fields: Fields) -> tuple[BoughtItem, ...]:
    given = fields.objects("items", most=ITEMS_MAX)
    if given == []:
        fields.refuse("items", "must not be empty")
    elif not fields.given("items"):
        fields.refuse("items", "is required")
    return tuple(_bought(call, each) for each in given or ())


def _bought(call: Call, item: Fields) -> BoughtItem:
    product = item.text("product_id", required=True)
    variant = item.text("variant_id", nullable=True)
    quantity = item.whole("quantity", least=1, most=QUANTITY_MAX, required=True)
    note = item.text("delivery_instructions", nullable=True, longest=NOTE_MAX)
    return BoughtItem(
        product_id=_number(call, Kind.PRODUCT, product or ""),
        variant_id=_number(call, Kind.VARIANT, variant) if variant else None,
        quantity=quantity or 1,
        note=note or "",
    )


def _number(call: Call, kind: Kind, shown: str) -> int:
    found = call.ids.find(kind, shown)
    return _NOTHING if found is None else found
