"""Pay an invoice by card, refund it, and what follows from a provider's answer."""

import contextlib
from datetime import datetime

from crossdock.db.unit_of_work import Transaction
from crossdock.db.walking import walk_due
from crossdock.errors import CrossdockError, Invalid, Refused, Unavailable
from crossdock.shop.alerts import isolated
from crossdock.shop.invoices.model import Invoice, lock_invoice, read_invoice
from crossdock.shop.invoices.moving import payer_of
from crossdock.shop.orders import ORDER_FOLLOWS, settle_order_payments
from crossdock.shop.payments import (
    RECORDED,
    Action,
    Answer,
    Asked,
    Card,
    Paying,
    Payment,
    Recorded,
    authorise,
    capture,
    provider_for,
    read_payment,
    recorded,
    refund,
    refusing_payment,
    try_void,
    void,
)


class EveryFollow:
    """What follows from a provider's answer, for invoices and for orders."""

    async def before_asking(
        self, tx: Transaction, *, shop_id: int, payment: Payment, action: Action
    ) -> int | None:
        """Lock what is paid. Raises Refused `invoice_state` for a capture that its invoice does not want."""
        if payment.invoice_id is None:
            return await ORDER_FOLLOWS.before_asking(
                tx, shop_id=shop_id, payment=payment, action=action
            )
        invoice = await lock_invoice(tx, shop_id=shop_id, invoice_id=payment.invoice_id)
        is_wanted = invoice.state == "confirming" and invoice.payment_id == payment.id
        if action == "capture" and not is_wanted:
            raise Refused("invoice_state", data={"state": invoice.state})
        return None

    async def write_answer(
        self, tx: Transaction, *, asked: Asked, answer: Answer, now: datetime
    ) -> Recorded:
        """Record the answer and move the order, or the invoice (see `answer_invoice_payment` in moving.sql)."""
        if asked.invoice_id is None:
            return await ORDER_FOLLOWS.write_answer(tx, asked=asked, answer=answer, now=now)
        return await recorded(tx, statement=_RECORD, asked=asked, answer=answer, now=now)


EVERY_FOLLOW = EveryFollow()


async def pay_invoice(
    service: Paying, *, shop_id: int, invoice_id: int, card: Card, provider: str
) -> Invoice:
    """Pay the invoice with a card: authorise, claim, capture; the invoice after it.

    It is `confirming` where the provider has not answered the capture; the run that settles payments looks
    the answer up. Raises NotFound `not_found`, Refused `invoice_state` for one that is not open, also
    where it was voided meanwhile: then the card is let go of; Refused `payment_declined`, and Unavailable
    `payment_unsettled` where the authorisation has no answer.
    """
    now = service.clock.now()
    invoice = await _read(service, shop_id=shop_id, invoice_id=invoice_id)
    if not invoice.is_open(now=now) or not invoice.total_minor:
        raise Refused("invoice_state", data={"state": invoice.state})
    payment = await authorise(
        service,
        shop_id=shop_id,
        provider=provider_for(service.providers, provider, is_test=invoice.is_test),
        card=card,
        amount_minor=invoice.total_minor,
        currency=invoice.currency,
        payer=payer_of(invoice_id),
        capture_at=now,
    )
    try:
        await _claim(service, shop_id=shop_id, invoice_id=invoice_id, payment_id=payment.id)
        await capture(service, shop_id=shop_id, payment_id=payment.id, follow=EVERY_FOLLOW)
    except Refused as refused:
        # What fails here, the run that settles payments does again.
        with contextlib.suppress(CrossdockError):
            await void(service, shop_id=shop_id, payment_id=payment.id, follow=EVERY_FOLLOW)
        found = await _read(service, shop_id=shop_id, invoice_id=invoice_id)
        if refused.code == "payment_state" and found.payment_id == payment.id:
            return found  # that run was faster
        raise
    except Unavailable as error:
        if error.code != "payment_unsettled":
            raise
    return await _read(service, shop_id=shop_id, invoice_id=invoice_id)


async def refund_invoice(
    service: Paying, *, shop_id: int, invoice_id: int, amount_minor: int | None = None
) -> Invoice:
    """Refund an amount of what was paid for the invoice, also late, or all that is left; the invoice after it.

    Raises NotFound `not_found`, Refused `invoice_state` where nothing was paid, or what was paid is a balance
    or a reseller's stock by now: take that back first; Invalid `invalid_input` for an amount that is
    none; and what `refund` raises.
    """
    async with service.db.begin() as tx:
        invoice = await lock_invoice(tx, shop_id=shop_id, invoice_id=invoice_id)
        if invoice.purpose == "top_up" and invoice.paid_late_at is None:
            raise Refused("invoice_state", "A top-up is taken back from the balance.")
        if invoice.purpose == "stock_transfer" and invoice.paid_late_at is None:
            message = "It paid a reseller's stock, which would stay with the reseller."
            raise Refused("invoice_state", message)
        if invoice.payment_id is None:
            raise Refused("invoice_state", "Nothing was paid.")
        payment = await read_payment(tx, shop_id=shop_id, payment_id=invoice.payment_id)
    left = payment.captured_minor - payment.refunded_minor - payment.refunding_minor
    if not left:
        raise Refused("invoice_state", "Nothing that was paid is left.")
    wanted = left if amount_minor is None else amount_minor
    if wanted < 1:
        raise Invalid("invalid_input", "An amount to refund is above zero.", {"field": "amount"})
    await refund(
        service,
        shop_id=shop_id,
        payment_id=payment.id,
        amount_minor=wanted,
        follow=EVERY_FOLLOW,
    )
    return await _read(service, shop_id=shop_id, invoice_id=invoice_id)


async def settle_every_payment(service: Paying) -> int:
    """Do what `settle_order_payments` does for orders and invoices; returns how many payments were settled.

    Authorisations that their invoice does not want are voided.
    """
    settled = await settle_order_payments(service, follow=EVERY_FOLLOW)
    async for _, shop_id, payment_id in walk_due(service.db, _NOT_WANTED, values={}):
        async with isolated(
            service.db,
            job="settle_payments",
            shop_id=shop_id,
            about=f"payment {payment_id}",
            now=service.clock.now(),
        ):
            settled += await try_void(
                service, shop_id=shop_id, payment_id=payment_id, follow=EVERY_FOLLOW
            )
    return settled


async def _read(service: Paying, *, shop_id: int, invoice_id: int) -> Invoice:
    async with service.db.statement() as tx:
        return await read_invoice(tx, shop_id=shop_id, invoice_id=invoice_id)


async def _claim(service: Paying, *, shop_id: int, invoice_id: int, payment_id: int) -> None:
    async with service.db.begin() as tx:
        try:
            with refusing_payment():
                await tx.run(
                    "select claim_invoice(%s, %s, %s, %s)",
                    (shop_id, invoice_id, payment_id, service.clock.now()),
                )
        except Refused as refused:
            raise Refused("invoice_state") from refused


_RECORD = f"select {RECORDED} from answer_invoice_payment(%s, %s, %s, %s, %s, %s) r"
_NOT_WANTED = """
    select p.created_at, p.shop_id, p.id from payments p
    join invoices i on i.shop_id = p.shop_id and i.id = p.invoice_id
    where p.state = 'authorised' and (i.state <> 'confirming' or i.payment_id <> p.id)
      and (p.created_at, p.shop_id, p.id) > (%(at)s, %(shop)s, %(id)s)
    order by p.created_at, p.shop_id, p.id limit %(limit)s
"""
