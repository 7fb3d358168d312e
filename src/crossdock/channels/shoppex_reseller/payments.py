"""`/dev/v1/payments` and `/dev/v1/checkout/sessions`: amounts that are asked for without goods (spec section 13)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from crossdock.channels.shoppex_reseller.calls import Call
from crossdock.channels.shoppex_reseller.dialect import create_dialect
from crossdock.channels.shoppex_reseller.errors import invalid
from crossdock.channels.shoppex_reseller.ids import Kind
from crossdock.channels.shoppex_reseller.invoice_happenings import BECOMES, STATUSES
from crossdock.channels.shoppex_reseller.openapi import TEXT
from crossdock.channels.shoppex_reseller.paging import cursor_list
from crossdock.channels.shoppex_reseller.payment_fields import (
    COMPLETED,
    NOTE_MAX,
    SENT,
    SESSION,
    STATES_BY_WORD,
    Asked,
    NewPayment,
    ShownPayment,
    ShownSession,
    new_payment,
    read_payment,
    read_session,
    shown_payment,
    shown_session,
)
from crossdock.channels.shoppex_reseller.routes import DEV, Route
from crossdock.channels.shoppex_reseller.wire import Reply, one
from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid, NotFound, Refused
from crossdock.kit.ids import Ids
from crossdock.kit.paging import Place
from crossdock.shop.invoices import (
    Invoice,
    complete_invoice,
    create_invoice,
    page_invoices,
    read_invoice,
)
from crossdock.shop.webhooks import Subscribing, subscribe

PATH: Final = f"{DEV}/payments"
SESSIONS: Final = f"{DEV}/checkout/sessions"
ONE: Final = f"{PATH}/{{uniqid}}"
READ, WRITE = "payments.read", "payments.write"


class Payments:
    """The calls of payments."""

    def __init__(
        self, *, ids: Ids, pay_within_s: int, subscribing: Callable[[], Subscribing]
    ) -> None:
        self._ids = ids
        self._subscribing = subscribing
        self._dialect = create_dialect()
        self._pay_within = timedelta(seconds=pay_within_s)

    def routes(self) -> tuple[Route, ...]:
        """The routes of this file."""
        payment: dict[str, Any] = {"answer": ShownPayment}
        return (
            Route(method="GET", covers="shop",
                  path=PATH, name="listPayments", summary="List payments", scope=READ,
                  reads=self._list, listed="cursor", query={"status": TEXT}, **payment),
            Route(method="POST", covers="shop",
                  path=PATH, name="createPayment",
                  summary="Ask for an amount, on a page where it is paid by card", scope=WRITE,
                  writes=self._create, status=201, body=SENT,
                  required=("title", "email", "value", "currency"), told_once=("webhook_secret",),
                  answer=NewPayment),
            Route(method="GET", covers="shop",
                  path=ONE, name="getPayment", summary="Read a payment", scope=READ,
                  reads=self._get, **payment),
            Route(method="POST", covers="shop",
                  path=f"{ONE}/complete", name="completePayment",
                  summary="Note that it was paid outside", scope=WRITE, writes=self._complete,
                  body=COMPLETED, **payment),
            Route(method="POST", covers="shop",
                  path=SESSIONS, name="createCheckoutSession",
                  summary="Ask for an amount: a payment in other words", scope=WRITE,
                  writes=self._open, status=201, answer=ShownSession, body=SESSION,
                  required=("product", "amount", "currency", "customer_email")),
        )  # fmt: skip

    async def _list(self, call: Call, tx: Transaction) -> Reply:
        fields = call.filters()
        states = fields.choice("status", STATES_BY_WORD)
        fields.check()
        page = call.place_page(Kind.INVOICE)
        found = await page_invoices(
            tx, shop_id=call.shop_id, purpose="payment", page=page, states=states
        )
        return cursor_list(
            found,
            page=page,
            kind=Kind.INVOICE,
            ids=call.ids,
            place=_place,
            show=lambda each: shown_payment(call, each),
        )

    async def _create(self, call: Call, tx: Transaction) -> Reply:
        asked = read_payment(call)
        made = await self._ask(call, tx, asked=asked)
        secret = await self._hear(call, tx, made, url=asked.webhook) if asked.webhook else None
        return one(new_payment(call, made, secret=secret), status=201)

    async def _open(self, call: Call, tx: Transaction) -> Reply:
        made = await self._ask(call, tx, asked=read_session(call))
        return one(shown_session(call, made), status=201)

    async def _get(self, call: Call, tx: Transaction) -> Reply:
        return one(shown_payment(call, await _read(call, tx)))

    async def _complete(self, call: Call, tx: Transaction) -> Reply:
        note = read_note(call)
        found = await _read(call, tx)
        return one(shown_payment(call, await complete_by_hand(call, tx, found, note=note)))

    async def _hear(self, call: Call, tx: Transaction, made: Invoice, *, url: str) -> str:
        """Tell this address what becomes of the payment; the secret of the calls."""
        try:
            _, secret = await subscribe(
                tx,
                service=self._subscribing(),
                dialect=self._dialect,
                shop_id=call.shop_id,
                url=url,
                names=BECOMES,
                invoice_id=made.id,
                now=call.now,
            )
        except Invalid as error:
            raise invalid(("webhook", error.message)) from error
        return secret

    async def _ask(self, call: Call, tx: Transaction, *, asked: Asked) -> Invoice:
        return await create_invoice(
            tx,
            shop_id=call.shop_id,
            purpose="payment",
            subject_id=None,
            title=asked.title,
            quantity=asked.quantity,
            unit_minor=asked.unit_minor,
            currency=asked.currency,
            email=asked.email,
            expires_at=call.now + self._pay_within,
            ids=self._ids,
            now=call.now,
            return_url=asked.return_url,
            cancel_url=asked.cancel_url,
            metadata=asked.metadata,
            is_test=call.credential.is_test,
        )


def read_note(call: Call) -> str:
    """The note of a completion. Raises WireError VALIDATION_ERROR."""
    fields = call.fields()
    note = fields.text("note", nullable=True, longest=NOTE_MAX)
    fields.flag("suppress_emails", nullable=True)
    fields.check()
    return note or ""


async def complete_by_hand(call: Call, tx: Transaction, found: Invoice, *, note: str) -> Invoice:
    """Complete the invoice; one that cannot be is 422, as the documentation says (spec 3.4)."""
    try:
        return await complete_invoice(
            tx, shop_id=call.shop_id, invoice_id=found.id, note=note, now=call.now
        )
    except Refused as refused:
        if refused.code != "invoice_state":
            raise
        status = STATUSES[found.state]
        raise invalid(("status", f"is {status}, which cannot be completed")) from refused


async def _read(call: Call, tx: Transaction) -> Invoice:
    invoice_id = call.number(Kind.INVOICE, "uniqid")
    found = await read_invoice(tx, shop_id=call.shop_id, invoice_id=invoice_id)
    if found.purpose != "payment":
        raise NotFound("not_found")
    return found


def _place(payment: Invoice) -> Place:
    return payment.created_at, payment.id
