"""Look up requests whose answer was lost, and void payments that nothing claimed."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime, timedelta

import structlog

from crossdock.db.unit_of_work import Transaction
from crossdock.db.walking import walk_due
from crossdock.errors import CrossdockError, Refused
from crossdock.kit.money import format_minor
from crossdock.kit.numbers import counted
from crossdock.shop.alerts import isolated, raise_alert
from crossdock.shop.payments.contract import Action, Answer, AnswerLost, Question
from crossdock.shop.payments.following import Asked, Follow
from crossdock.shop.payments.model import (
    Attempt,
    Payment,
    PaymentState,
    authorisation_of,
    read_payment,
)
from crossdock.shop.payments.paying import (
    BY_HAND,
    Paying,
    ask_provider,
    capture,
    known_providers,
    refund_due_amount,
    void,
)

log = structlog.get_logger("crossdock.payments")

BATCH = 50
UNCLAIMED_AFTER_S = 900
ALERT_AFTER = 5
WAITS_S = (60, 120, 300, 900, 3_600)
"""Between one look-up and the next, by how many there were; the last goes on for ever."""
NEVER_ARRIVED = "never_arrived"


async def settle_payments(service: Paying, *, follow: Follow) -> int:
    """Look up all overdue answers; returns how many were settled. Safe to run concurrently.

    A request that the provider never received counts as refused, so a new one may be made. One that fails
    raises an alert and keeps no other from being looked up.
    Authorised payments that nothing claimed within UNCLAIMED_AFTER_S are voided, oldest first, except
    those with an open request.
    """
    settled = 0
    while attempts := await _due(service):
        for attempt in attempts:
            async with _isolated(service, shop_id=attempt.shop_id, payment_id=attempt.payment_id):
                settled += await _settle(service, attempt, follow=follow)
    await _void_unclaimed(service)
    await _tell_of_strangers(service)
    return settled


async def capture_due(service: Paying, *, follow: Follow) -> int:
    """Capture the payments of orders that are due to be, the longest waiting first; how many were.

    It picks up where whoever placed the order was cut off. A capture that the provider refuses is not
    tried again: an alert says so, and the order stays authorised.
    """
    values = {"now": service.clock.now(), "providers": known_providers(service)}
    captured = 0
    async for _, shop_id, payment_id in walk_due(service.db, _CAPTURES, values=values):
        async with _isolated(service, shop_id=shop_id, payment_id=payment_id):
            captured += await _capture(service, shop_id, payment_id, follow)
    return captured


async def capture_now(service: Paying, *, shop_id: int, payment_id: int, follow: Follow) -> Payment:
    """Capture the payment as `capture` does; if the provider refuses, nobody tries again and an alert says so."""
    async with _telling_of_refusal(service, shop_id=shop_id, payment_id=payment_id):
        return await capture(service, shop_id=shop_id, payment_id=payment_id, follow=follow)


async def capture_asked(service: Paying, asked: Asked, *, provider: str, follow: Follow) -> Payment:
    """Capture as `capture_now` does, where whoever placed the order has recorded the request with it."""
    shop_id, payment_id = asked.question.shop_id, asked.payment_id
    async with _telling_of_refusal(service, shop_id=shop_id, payment_id=payment_id):
        return await ask_provider(service, asked, provider=provider, follow=follow)


@asynccontextmanager
async def _telling_of_refusal(
    service: Paying, *, shop_id: int, payment_id: int
) -> AsyncIterator[None]:
    try:
        yield
    except Refused as refusal:
        if refusal.code == "payment_declined":
            await _give_up(
                service, action="capture", shop_id=shop_id, payment_id=payment_id, refusal=refusal
            )
        raise


async def plan_refund(
    tx: Transaction, *, shop_id: int, order_id: int, amount_minor: int, now: datetime
) -> int | None:
    """Make an amount of what was captured for an order due to be refunded by `refund_due`.

    Returns how much is due by this call, which is less if some was refunded before; None if nothing was
    captured for the order.
    """
    planned: int | None = await tx.value(
        "select plan_refund(%s, %s, %s, %s)", (shop_id, order_id, amount_minor, now)
    )
    return planned


async def is_given_back(tx: Transaction, *, shop_id: int, order_id: int) -> bool:
    """Whether nothing of what was captured for the order stays: it is refunded, being refunded, or due to be."""
    found: bool = await tx.value(
        "select coalesce(sum(captured_minor) > 0 and sum(captured_minor - refunded_minor - refunding_minor"
        " - refund_due_minor) = 0, false) from payments where shop_id = %s and order_id = %s",
        (shop_id, order_id),
    )
    return found


async def settle_by_hand(
    tx: Transaction, *, shop_id: int, order_id: int, now: datetime
) -> PaymentState | None:
    """Refund what is due of an order's payments that no provider is asked about, at once.

    Returns the state of the last one that was refunded, None without any.
    """
    state: PaymentState | None = await tx.value(
        "select refund_by_hand(%s, %s, %s)", (shop_id, order_id, now)
    )
    return state


async def refund_due(service: Paying, *, follow: Follow) -> int:
    """Refund the amounts that are due, oldest payment first; returns how many payments.

    A payment with an open request is skipped: its answer is looked up first. A refund that the provider
    refuses is not tried again; an alert is raised.
    """
    values = {"providers": known_providers(service)}
    refunded = 0
    async for _, shop_id, payment_id in walk_due(service.db, _REFUNDS, values=values):
        async with _isolated(service, shop_id=shop_id, payment_id=payment_id):
            refunded += await _refund(service, shop_id, payment_id, follow)
    return refunded


async def _refund(service: Paying, shop_id: int, payment_id: int, follow: Follow) -> bool:
    try:
        await refund_due_amount(service, shop_id=shop_id, payment_id=payment_id, follow=follow)
    except CrossdockError as error:
        log.warning("a payment was not refunded", payment=payment_id, code=error.code)
        if error.code == "payment_declined":
            await _give_up(
                service, action="refund", shop_id=shop_id, payment_id=payment_id, refusal=error
            )
        return False
    return True


async def _capture(service: Paying, shop_id: int, payment_id: int, follow: Follow) -> bool:
    try:
        await capture_now(service, shop_id=shop_id, payment_id=payment_id, follow=follow)
    except CrossdockError as error:
        log.warning("a payment was not captured", payment=payment_id, code=error.code)
        return False
    return True


_SO = {
    "capture": "It is not paid.",
    "refund": "The money was not given back.",
}


async def _give_up(
    service: Paying, *, action: Action, shop_id: int, payment_id: int, refusal: CrossdockError
) -> None:
    now = service.clock.now()
    async with service.db.begin() as tx:
        payment = await read_payment(tx, shop_id=shop_id, payment_id=payment_id)
        what, subject = str(action), ""
        if action == "capture":
            await tx.run(_CAPTURE_NO_MORE, (shop_id, payment_id))
        else:
            attempt_id, amount_minor = await _refund_no_more(tx, payment=payment, shop_id=shop_id)
            what += f" {format_minor(amount_minor, payment.currency)} {payment.currency} of"
            subject = f"attempt:{attempt_id}"
        await raise_alert(
            tx,
            shop_id=shop_id,
            kind=f"{action}_refused",
            message=f"{payment.provider} refused to {what} payment {payment_id} of {payment.subject}"
            f": {refusal.data.get('reason', '')}. {_SO[action]}",
            order_id=payment.order_id,
            subject=subject,
            now=now,
        )


_CAPTURE_NO_MORE = "update payments set capture_at = null where shop_id = %s and id = %s"


async def _refund_no_more(tx: Transaction, *, payment: Payment, shop_id: int) -> tuple[int, int]:
    """Take what was refused off what is due, which may be more by now; the attempt's id and amount."""
    row = await tx.one(
        "select id, amount_minor from payment_attempts where shop_id = %s and payment_id = %s"
        " and action = 'refund' and is_due and outcome = 'refused' order by id desc limit 1",
        (shop_id, payment.id),
    )
    assert row is not None  # the refusal was recorded before
    attempt_id, amount_minor = row
    await tx.run(
        "update payments set refund_due_minor = greatest(0, refund_due_minor - %s)"
        " where shop_id = %s and id = %s",
        (amount_minor, shop_id, payment.id),
    )
    return attempt_id, amount_minor


async def _due(service: Paying) -> list[Attempt]:
    now = service.clock.now()
    async with service.db.begin() as tx:
        rows = await tx.all(
            "select id, shop_id, payment_id, action, amount_minor, key, outcome, reason, look_ups, asked_at,"
            " answered_at from due_attempts(%s, %s, %s)",
            (BATCH, now + timedelta(seconds=WAITS_S[0]), now),
        )
    return [Attempt(**dict(zip(Attempt.__struct_fields__, row, strict=True))) for row in rows]


async def _settle(service: Paying, attempt: Attempt, *, follow: Follow) -> bool:
    """Whether the answer is known now. If not, the look-up is retried with backoff, at last with an alert."""
    async with service.db.statement() as tx:
        payment = await read_payment(tx, shop_id=attempt.shop_id, payment_id=attempt.payment_id)
        authorisation = await authorisation_of(
            tx, shop_id=attempt.shop_id, payment_id=attempt.payment_id
        )
    if payment.provider not in known_providers(service):
        await _put_off(service, attempt)
        return False
    question = Question(
        shop_id=attempt.shop_id,
        reference=payment.reference,
        key=attempt.key,
        action=attempt.action,
        amount_minor=attempt.amount_minor,
        currency=payment.currency,
        authorisation=authorisation,
    )
    answer: Answer | None = Answer(approved=True, code="by hand")
    if payment.provider not in BY_HAND:
        try:
            answer = await service.providers[payment.provider].look_up(question)
        except AnswerLost:
            await _put_off(service, attempt)
            return False
    asked = Asked(
        attempt_id=attempt.id,
        payment_id=payment.id,
        order_id=payment.order_id,
        invoice_id=payment.invoice_id,
        question=question,
    )
    answer = answer or Answer(approved=False, reason=NEVER_ARRIVED)
    async with service.db.statement() as tx:
        found = await follow.write_answer(tx, asked=asked, answer=answer, now=service.clock.now())
    return found.is_first


async def _put_off(service: Paying, attempt: Attempt) -> None:
    now = service.clock.now()
    wait_s = WAITS_S[min(attempt.look_ups, len(WAITS_S) - 1)]
    async with service.db.begin() as tx:
        await tx.run(
            "update payment_attempts set next_look_up_at = %s where shop_id = %s and id = %s",
            (now + timedelta(seconds=wait_s), attempt.shop_id, attempt.id),
        )
        if attempt.look_ups >= ALERT_AFTER:
            await _tell(tx, attempt=attempt, now=now)


async def _tell(tx: Transaction, *, attempt: Attempt, now: datetime) -> None:
    payment = await read_payment(tx, shop_id=attempt.shop_id, payment_id=attempt.payment_id)
    await raise_alert(
        tx,
        shop_id=attempt.shop_id,
        kind="payment_unsettled",
        message=f"{payment.provider} does not tell what became of a {attempt.action} of payment"
        f" {payment.id}, asked {attempt.asked_at:%Y-%m-%d %H:%M} UTC.",
        order_id=payment.order_id,
        now=now,
    )


async def _void_unclaimed(service: Paying) -> None:
    before = service.clock.now() - timedelta(seconds=UNCLAIMED_AFTER_S)
    values = {"before": before, "providers": known_providers(service)}
    async for _, shop_id, payment_id in walk_due(service.db, _UNCLAIMED, values=values):
        async with _isolated(service, shop_id=shop_id, payment_id=payment_id):
            await _void(service, shop_id=shop_id, payment_id=payment_id)


async def _void(service: Paying, *, shop_id: int, payment_id: int) -> None:
    try:
        await void(service, shop_id=shop_id, payment_id=payment_id)
    except CrossdockError as error:
        log.warning("an unclaimed payment was not voided", payment=payment_id, code=error.code)


async def _tell_of_strangers(service: Paying) -> None:
    """An alert for each provider that open payments name and the settings no longer do."""
    now = service.clock.now()
    async with service.db.begin() as tx:
        rows = await tx.all(
            "select p.shop_id, p.provider, count(*) from payments p where p.provider <> all(%s)"
            " and (p.state in ('asked', 'authorised') or p.refund_due_minor > 0 or p.refunding_minor > 0)"
            " group by p.shop_id, p.provider",
            (known_providers(service),),
        )
        for shop_id, provider, count in rows:
            are = counted(count, "open payment is", "open payments are")
            they = "it is" if count == 1 else "they are"
            await raise_alert(
                tx,
                shop_id=shop_id,
                kind="payment_provider_unknown",
                message=f"{are} with {provider}, which the settings do not name: {they} neither captured,"
                " voided, refunded nor looked up until it is set up again.",
                subject=provider,
                now=now,
            )


def _isolated(
    service: Paying, *, shop_id: int, payment_id: int
) -> AbstractAsyncContextManager[None]:
    return isolated(
        service.db,
        job="settle_payments",
        shop_id=shop_id,
        about=f"payment {payment_id}",
        now=service.clock.now(),
    )


_NOT_ASKED = """
    not exists (select 1 from payment_attempts a
                where a.shop_id = p.shop_id and a.payment_id = p.id and a.outcome = 'asked')
"""
_CAPTURES = f"""
    select p.capture_at, p.shop_id, p.id from payments p
    where p.state = 'authorised' and p.capture_at <= %(now)s and p.provider = any(%(providers)s)
      and num_nonnulls(p.order_id, p.invoice_id) = 1 and {_NOT_ASKED}
      and p.capture_at >= %(at)s and (p.capture_at, p.shop_id, p.id) > (%(at)s, %(shop)s, %(id)s)
    order by p.capture_at, p.shop_id, p.id limit %(limit)s
"""
_REFUNDS = f"""
    select p.created_at, p.shop_id, p.id from payments p
    where p.refund_due_minor > 0 and p.provider = any(%(providers)s) and {_NOT_ASKED}
      and (p.created_at, p.shop_id, p.id) > (%(at)s, %(shop)s, %(id)s)
    order by p.created_at, p.shop_id, p.id limit %(limit)s
"""
_UNCLAIMED = f"""
    select p.updated_at, p.shop_id, p.id from payments p
    where p.state = 'authorised' and num_nonnulls(p.order_id, p.invoice_id) = 0 and p.updated_at < %(before)s
      and p.provider = any(%(providers)s) and {_NOT_ASKED}
      and (p.updated_at, p.shop_id, p.id) > (%(at)s, %(shop)s, %(id)s)
    order by p.updated_at, p.shop_id, p.id limit %(limit)s
"""
