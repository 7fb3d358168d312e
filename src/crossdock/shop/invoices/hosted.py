"""What is to be paid on the page of a hosted payment: an invoice, or an order that awaits its payment."""

from datetime import datetime
from typing import Literal

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import NotFound
from crossdock.kit.numbers import read_number
from crossdock.shop.invoices.model import STOCK_TITLE, Invoice, Purpose, read_by_token
from crossdock.shop.invoices.paying import pay_invoice
from crossdock.shop.orders import OrderView, pay_awaiting_order, read_order_by_key
from crossdock.shop.payments import Card, Paying, list_payments
from crossdock.shop.shops import Shop, read_shop_by_id

Standing = Literal["open", "suspended", "confirming", "paid", "refunded", "expired", "voided"]
"""`suspended`: it would be open, but its shop takes no payments now."""
PAYMENT_PAGES = "/pay/"
"""What the local addresses of payment pages begin with; what stands for the invoice or order follows."""
_TOKEN_MAX = 100


class PayableLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of what is paid for, in minor units.

    The page says in its own language what it is for: of `stock_transfer` the name is that of the goods, that of
    `top_up` says in English what the page says.
    """

    name: str
    quantity: int
    unit_minor: int
    purpose: Purpose = "payment"


class Payable(msgspec.Struct, frozen=True, kw_only=True):
    """What a person pays; the extras are added to the lines' sum. Its repr hides the token.

    `language` and `country` are those of the order, '' where it has none.
    """

    shop: Shop
    kind: Literal["invoice", "order"]
    id: int
    token: str
    standing: Standing
    lines: tuple[PayableLine, ...]
    discount_minor: int
    tax_minor: int
    shipping_minor: int
    total_minor: int
    currency: str
    is_test: bool
    return_url: str
    cancel_url: str
    expires_at: datetime | None
    paid_at: datetime | None
    language: str = ""
    country: str = ""

    @property
    def shop_id(self) -> int:
        """The shop that is paid."""
        return self.shop.id

    def __repr__(self) -> str:
        return f"Payable({self.kind} {self.id}, {self.standing})"


def order_token(order: OrderView) -> str:
    """What stands for an order in the address of its payment page."""
    return f"{order.id}-{order.order_key}"


async def find_payable(tx: Transaction, *, token: str, now: datetime) -> Payable:
    """What the token stands for. Raises NotFound `not_found` for any other text.

    What was paid, and what became of a payment, is told of a suspended shop as well; nothing is paid to it.
    """
    payable = await _find(tx, token=token, now=now)
    if payable.standing == "open" and payable.shop.suspended_at is not None:
        return msgspec.structs.replace(payable, standing="suspended")
    return payable


async def _find(tx: Transaction, *, token: str, now: datetime) -> Payable:
    if len(token) > _TOKEN_MAX or not (token.isascii() and token.isprintable()):
        raise NotFound("not_found")
    number, dash, key = token.partition("-")
    if not dash:
        invoice = await read_by_token(tx, token=token)
        shop = await read_shop_by_id(tx, shop_id=invoice.shop_id)
        return _of_invoice(invoice, shop=shop, now=now)
    order_id = read_number(number)
    if order_id is None:
        raise NotFound("not_found")
    try:
        order = await read_order_by_key(tx, order_id=order_id, order_key=key)
    except NotFound:
        raise NotFound("not_found") from None
    payments = await list_payments(tx, shop_id=order.shop_id, order_id=order.id)
    has_card = any(each.state == "authorised" for each in payments)
    shop = await read_shop_by_id(tx, shop_id=order.shop_id)
    return _of_order(order, shop=shop, has_card=has_card, now=now)


async def pay_payable(service: Paying, payable: Payable, *, card: Card, provider: str) -> None:
    """Pay it by card; raises what `pay_invoice` and `pay_awaiting_order` raise."""
    shop_id = payable.shop_id
    if payable.kind == "invoice":
        await pay_invoice(
            service, shop_id=shop_id, invoice_id=payable.id, card=card, provider=provider
        )
    else:
        await pay_awaiting_order(
            service, shop_id=shop_id, order_id=payable.id, card=card, provider=provider
        )


def _of_invoice(invoice: Invoice, *, shop: Shop, now: datetime) -> Payable:
    is_stock = invoice.purpose == "stock_transfer"
    line = PayableLine(
        name=invoice.title.removeprefix(STOCK_TITLE) if is_stock else invoice.title,
        quantity=invoice.quantity,
        unit_minor=invoice.unit_minor,
        purpose=invoice.purpose,
    )
    return Payable(
        shop=shop,
        kind="invoice",
        id=invoice.id,
        token=invoice.token,
        standing=_standing_of_invoice(invoice, now=now),
        lines=(line,),
        discount_minor=0,
        tax_minor=0,
        shipping_minor=0,
        total_minor=invoice.total_minor,
        currency=invoice.currency,
        is_test=invoice.is_test,
        return_url=invoice.return_url,
        cancel_url=invoice.cancel_url,
        expires_at=invoice.expires_at,
        paid_at=invoice.paid_at,
    )


def _standing_of_invoice(invoice: Invoice, *, now: datetime) -> Standing:
    if invoice.state == "pending":
        return "open" if invoice.is_open(now=now) else "expired"
    if invoice.state == "voided":
        return "expired" if invoice.void_reason == "expired" else "voided"
    if invoice.state in ("refunded", "confirming"):
        return "refunded" if invoice.state == "refunded" else "confirming"
    return "paid"


def _of_order(order: OrderView, *, shop: Shop, has_card: bool, now: datetime) -> Payable:
    return Payable(
        shop=shop,
        kind="order",
        id=order.id,
        token=order_token(order),
        standing=_standing_of_order(order, has_card=has_card, now=now),
        lines=tuple(
            PayableLine(name=line.name, quantity=line.quantity, unit_minor=line.unit_price_minor)
            for line in order.lines
        ),
        discount_minor=order.discount_minor,
        tax_minor=order.tax_minor,
        shipping_minor=order.shipping_minor,
        total_minor=order.total_minor,
        currency=order.currency,
        is_test=order.is_test,
        return_url="",
        cancel_url="",
        expires_at=order.expires_at,
        paid_at=order.paid_at,
        language=order.language,
        country=order.shipping.country,
    )


def _standing_of_order(order: OrderView, *, has_card: bool, now: datetime) -> Standing:
    if order.payment_state in ("paid", "partially_refunded"):
        return "paid"
    if order.payment_state == "refunded":
        return "refunded"
    is_over = order.expires_at is not None and order.expires_at <= now
    if order.payment_state == "expired" or (order.payment_state == "awaiting" and is_over):
        return "expired"
    if order.payment_state in ("none", "voided") or order.fulfilment_state == "cancelled":
        return "voided"
    return "confirming" if has_card or order.payment_state == "authorised" else "open"
