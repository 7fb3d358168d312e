"""What test deliveries hold: made-up facts, in the words and the form of what really happens (spec section 11.2).

The builders of real messages make them, so that a test has every field that a receiver will get. `test` is beside
them. The ids are of nothing.
"""

from datetime import datetime
from typing import Any, Final

from crossdock.channels.shoppex_reseller.happenings import (
    OF_PRODUCT,
    order_data,
    plain,
    product_data,
)
from crossdock.channels.shoppex_reseller.ids import WireIds
from crossdock.channels.shoppex_reseller.reseller_happenings import RESELLER_NAMES, reseller_data
from crossdock.channels.shoppex_reseller.wire import iso
from crossdock.shop.catalogue import ProductSummary, VariantSummary
from crossdock.shop.customers import Address
from crossdock.shop.events import Event
from crossdock.shop.orders import LineView, OrderView

_IDS: Final = WireIds(bytes(32))
_ONE: Final = 1
_EMAIL: Final = "buyer@example.com"
_STATES: Final = {
    "order:paid": ("paid", "waiting_for_release"),
    "order:partial": ("paid", "partially_shipped"),
    "order:cancelled": ("voided", "cancelled"),
}
_FACTS: Final[dict[str, Any]] = {
    "reseller_id": _ONE, "email": "reseller@example.com", "mode": "both", "status": "active",
    "invitation_id": _ONE, "external_order_id": "order-1001", "product_id": _ONE, "variant_id": None,
    "quantity": 1, "customer_email": _EMAIL, "total_minor": 650, "currency": "USD",
    "state": "requested", "invoice_id": None, "allocated_count": 0, "transfer_id": _ONE,
    "name": "Example", "product_ids": [_ONE], "variant_ids": [], "order_id": _ONE, "gross_minor": 1000,
    "commission_bp": 3000, "commission_minor": 300, "campaign_id": None, "amount_minor": 2000,
    "asset": "USDT", "network": "TRON",
}  # fmt: skip
_KINDS: Final = {name: kind for kind, name in reversed(RESELLER_NAMES.items())}


def sample_data(name: str, *, now: datetime) -> dict[str, Any]:
    """Made-up data of a message of this name."""
    if name in _KINDS:
        event = Event(
            sequence=1, kind=_KINDS[name], topic="resellers", subject_id=_ONE,
            payload={**_FACTS, "expires_at": iso(now)}, created_at=now,
        )  # fmt: skip
        return {**plain(reseller_data(event, _IDS, shop_id=_ONE)[0]), "test": True}
    if name.startswith("order:"):
        states = _STATES.get(name.removesuffix(OF_PRODUCT), ("awaiting", "waiting_for_release"))
        return {**order_data(_order(*states, now=now), _IDS), "test": True}
    if name.startswith("product:"):
        return {**plain(product_data(_product(now), _IDS)), "test": True}
    shown = order_data(_order("awaiting", "waiting_for_release", now=now), _IDS)
    kept = ("id", "uniqid", "shop_id", "created_at")
    return {**{field: shown[field] for field in kept}, "test": True}


def _product(now: datetime) -> ProductSummary:
    variant = VariantSummary(id=_ONE, name="Example", available=10)
    return ProductSummary(
        id=_ONE, handle="example", name="Example", enabled=True, created_at=now, updated_at=now,
        variants=(variant,),
    )  # fmt: skip


def _order(payment: str, fulfilment: str, *, now: datetime) -> OrderView:
    nobody = Address()
    line = LineView(
        id=_ONE, line_no=1, variant_id=_ONE, product_id=_ONE, merchant_id=_ONE, state="open",
        name="Example", sku="EXAMPLE", upc="", image=None, virtual=True, quantity=1, unit_price_minor=1000,
        discount_minor=0, tax_minor=0, shipping_minor=0, total_minor=1000, vat_bp=0, note="",
        picked=0, shipped=0, returned=0, cancelled=0, refunded_minor=0, shipping_refunded=False,
        refunded_at=None, refund_reason="", channel_data={},
    )  # fmt: skip
    return OrderView(
        shop_id=_ONE, shop_name="Example", id=_ONE, order_key="", channel="", partner_id=None,
        partner_order_id="", customer_id=None, parent_id=None, fulfilment_state=fulfilment,
        payment_state=payment, currency="USD", subtotal_minor=1000, discount_minor=0, tax_minor=0,
        shipping_minor=0, total_minor=1000, billing=nobody, shipping=nobody, email=_EMAIL,
        language="", comments="", tax_id="", resale_tax="", sales_rep_id=None, source="",
        release_policy="delivered", is_test=True, channel_data={}, placed_at=now, updated_at=now,
        expires_at=None, paid_at=None, release_at=None, provider=None, shipped_at=None,
        lines=(line,), parts=(), packages=(), returns=(), timeline=(),
    )  # fmt: skip
