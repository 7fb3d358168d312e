"""Stripe, spoken to by its own library on a real socket."""

import logging
import re
import traceback
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from crossdock.db.unit_of_work import Database
from crossdock.errors import CrossdockError, Refused, Unavailable
from crossdock.kit.clock import FrozenClock
from crossdock.kit.ids import RandomIds
from crossdock.kit.outbound import Outbound
from crossdock.shop.alerts import list_alerts
from crossdock.shop.payments import (
    NOTHING_FOLLOWS,
    Action,
    Answer,
    Paying,
    Payment,
    Question,
    authorise,
    capture,
    create_stripe,
    read_payment,
    refund,
    settle_payments,
    void,
)
from crossdock.shop.payments.stripe_amounts import stripe_amount
from tests.support.factories import ShopFixture
from tests.support.paying import DECLINED, FRAUD, GOOD, POOR, authorised, card, paying
from tests.support.simulators.stripe import AUTHENTICATE, KEY, StripeSimulator


@pytest.fixture
async def database(empty_database_url: str):
    """One in which nobody else waits for an answer."""
    pool = Database(empty_database_url, min_size=1, max_size=8)
    await pool.open()
    yield pool
    await pool.close()


@pytest.fixture
async def account():
    stripe = StripeSimulator()
    async with stripe.server:
        yield stripe


@pytest.fixture
async def service(database: Database, clock: FrozenClock, account: StripeSimulator):
    async with Outbound(allowed_hosts=[account.server.host]) as outbound:
        provider = create_stripe(
            outbound,
            secret_key=KEY,
            is_live=False,
            api_url=account.server.url,
            timeout=timedelta(seconds=5),
        )
        yield Paying(db=database, clock=clock, ids=RandomIds(), providers={provider.name: provider})


async def pay(service: Paying, shop: ShopFixture, **values: object) -> Payment:
    given = {"amount_minor": 10_000, "currency": "EUR", "number": GOOD} | values
    return await authorise(
        service,
        shop_id=shop.id,
        provider="stripe",
        card=card(str(given["number"])),
        amount_minor=int(str(given["amount_minor"])),
        currency=str(given["currency"]),
        payer="customer:1",
    )


async def settled(service: Paying, shop: ShopFixture, clock: FrozenClock) -> list[str]:
    """The states of the shop's payments once everything that is due was looked up."""
    clock.move(timedelta(seconds=61))
    await settle_payments(service, follow=NOTHING_FOLLOWS)
    async with service.db.statement() as tx:
        rows = await tx.all(
            "select state || case reason when '' then '' else ' ' || reason end from payments"
            " where shop_id = %s order by id",
            (shop.id,),
        )
    return [state for (state,) in rows]


async def test_sets_aside_takes_less_and_gives_back_in_parts(
    service: Paying, shop: ShopFixture, account: StripeSimulator
) -> None:
    payment = await pay(service, shop)
    assert (payment.state, account.statuses) == ("authorised", ["requires_capture"])

    await capture(service, shop_id=shop.id, payment_id=payment.id)
    for amount in (2_500, 7_500):
        payment = await refund(service, shop_id=shop.id, payment_id=payment.id, amount_minor=amount)

    assert (payment.state, account.statuses) == ("refunded", ["succeeded"])
    assert [each["amount"] for each in account.refunds] == [2_500, 7_500]
    [intent] = account.intents.values()
    assert (intent["amount"], intent["currency"]) == (10_000, "eur")
    assert intent["metadata"]["crossdock_reference"] == payment.reference


async def test_that_is_not_called_says_why_in_the_log_alone(
    database: Database, clock: FrozenClock, shop: ShopFixture
) -> None:
    async with Outbound() as outbound:
        provider = create_stripe(
            outbound,
            secret_key=KEY,
            is_live=False,
            api_url="http://127.0.0.1:1",
            timeout=timedelta(seconds=5),
        )
        providers = {provider.name: provider}
        service = Paying(db=database, clock=clock, ids=RandomIds(), providers=providers)
        with capture_logs() as logs, pytest.raises(Unavailable, match="payment_unsettled"):
            await pay(service, shop)

    [told] = [each for each in logs if each["event"] == "stripe did not do it"]
    assert told["why"].endswith("only https:// is called")


async def test_that_is_not_set_up_here_is_named(
    service: Paying, shop: ShopFixture, clock: FrozenClock
) -> None:
    payment = await pay(service, shop)
    elsewhere = Paying(db=service.db, clock=clock, ids=RandomIds(), providers={})

    with pytest.raises(Unavailable, match="The payment provider stripe is not set up here"):
        await capture(elsewhere, shop_id=shop.id, payment_id=payment.id)


async def test_lets_go(service: Paying, shop: ShopFixture, account: StripeSimulator) -> None:
    payment = await pay(service, shop)

    payment = await void(service, shop_id=shop.id, payment_id=payment.id)

    assert (payment.state, account.statuses) == ("voided", ["canceled"])


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (DECLINED, "card_declined"),
        (POOR, "insufficient_funds"),
        (FRAUD, "fraud"),
        (AUTHENTICATE, "authentication_required"),
        ("4000000000000069", "expired_card"),
    ],
)
async def test_says_why_a_card_is_refused(
    service: Paying, shop: ShopFixture, number: str, reason: str
) -> None:
    with pytest.raises(Refused) as caught:
        await pay(service, shop, number=number)

    assert (caught.value.code, caught.value.data["reason"]) == ("payment_declined", reason)


@pytest.mark.parametrize(
    ("status", "told", "code"),
    [
        (403, {"type": "invalid_request_error"}, "payment_declined"),
        (409, {"type": "idempotency_error"}, "payment_unsettled"),
        (429, {"type": "invalid_request_error", "code": "lock_timeout"}, "payment_unsettled"),
        (500, {"type": "api_error"}, "payment_unsettled"),
    ],
)
async def test_knows_refusals_from_answers_that_leave_it_open(
    service: Paying, shop: ShopFixture, account: StripeSimulator, status, told, code
) -> None:
    account.fails.append(("/confirm", status, told))

    with pytest.raises(CrossdockError) as caught:
        await pay(service, shop)

    assert caught.value.code == code


@pytest.mark.parametrize(
    ("lost", "number", "state", "at_stripe"),
    [
        ("lose /payment_intents", GOOD, "abandoned never_arrived", "canceled"),
        ("drop /payment_intents", GOOD, "abandoned never_arrived", "canceled"),
        ("lose /payment_methods", GOOD, "abandoned never_arrived", "canceled"),
        ("drop /confirm", GOOD, "abandoned never_arrived", "canceled"),
        ("lose /confirm", GOOD, "authorised", "requires_capture"),
        ("lose /confirm", POOR, "abandoned insufficient_funds", "canceled"),
    ],
)
async def test_finds_what_became_of_an_authorisation(
    service: Paying,
    shop: ShopFixture,
    account: StripeSimulator,
    clock,
    lost,
    number,
    state,
    at_stripe,
) -> None:
    what, path = lost.split()
    getattr(account, what).append(path)

    with pytest.raises(Unavailable, match="payment_unsettled"):
        await pay(service, shop, number=number)
    found = await settled(service, shop, clock)

    assert [each.split()[-1] for each in found] == [state.split()[-1]]
    assert account.statuses == [at_stripe]


@pytest.mark.parametrize("action", ["capture", "void", "refund"])
@pytest.mark.parametrize("what", ["lose", "drop"])
async def test_finds_what_became_of_what_followed(
    service: Paying, shop: ShopFixture, account: StripeSimulator, clock, action, what
) -> None:
    payment = await pay(service, shop)
    given: dict[str, Any] = {"shop_id": shop.id, "payment_id": payment.id}
    if action == "refund":
        await capture(service, **given)
        await refund(service, **given, amount_minor=1_000)
        account.page_size = 1
    path = {"capture": "/capture", "void": "/cancel", "refund": "/refunds"}[action]
    getattr(account, what).append(path)
    sent = len(account.server.requests)

    call = {"capture": capture, "void": void}.get(action)
    with pytest.raises(Unavailable, match="payment_unsettled"):
        await (call(service, **given) if call else refund(service, **given, amount_minor=4_000))
    [state] = await settled(service, shop, clock)

    done = {"capture": "captured", "void": "voided", "refund": "partially_refunded"}[action]
    before = {"refund": "partially_refunded"}.get(action, "authorised")
    assert state.split()[0] == (done if what == "lose" else before)
    posted = [each.path for each in account.server.requests[sent:] if each.method == "POST"]
    assert [each.endswith(path) for each in posted] == [True]
    if action == "refund":
        async with service.db.statement() as tx:
            payment = await read_payment(tx, **given)
        assert payment.refunded_minor == (5_000 if what == "lose" else 1_000)


@pytest.mark.parametrize(
    ("action", "before", "after"),
    [
        ("void", {"status": "canceled"}, "voided"),
        ("void", {"status": "succeeded", "amount_received": 10_000}, "payment_succeeded"),
        ("capture", {"status": "succeeded", "amount_received": 10_000}, "captured"),
        ("capture", {"status": "succeeded", "amount_received": 9_000}, "captured_another_amount"),
        ("capture", {"status": "canceled"}, "payment_canceled"),
    ],
)
async def test_sees_what_was_done_at_stripe_itself(
    service: Paying, shop: ShopFixture, account: StripeSimulator, action, before, after
) -> None:
    """In its dashboard, or by the end of the seven days that it keeps an authorisation."""
    payment = await pay(service, shop)
    account.intents["pi_1"] |= before

    act = {"capture": capture, "void": void}[action]
    try:
        ended = (await act(service, shop_id=shop.id, payment_id=payment.id)).state
    except Refused as refused:
        ended = refused.data["reason"]

    assert ended == after


@pytest.mark.parametrize("what", ["lose", "drop"])
async def test_finds_a_refund_among_pages_of_them(
    service: Paying, shop: ShopFixture, account: StripeSimulator, clock, what
) -> None:
    """Among those made for us and one made at Stripe itself, which knows nothing of ours."""
    payment = await pay(service, shop)
    given: dict[str, Any] = {"shop_id": shop.id, "payment_id": payment.id}
    await capture(service, **given)
    await refund(service, **given, amount_minor=1_000)
    getattr(account, what).append("/refunds")
    with pytest.raises(Unavailable, match="payment_unsettled"):
        await refund(service, **given, amount_minor=4_000)
    account.refunds.append(account.refunds[0] | {"id": "re_9", "metadata": None})
    account.page_size = 1

    await settled(service, shop, clock)

    async with service.db.statement() as tx:
        payment = await read_payment(tx, **given)
    after = (5_000, 0) if what == "lose" else (1_000, 0)
    assert (payment.refunded_minor, payment.refunding_minor) == after


async def test_does_not_take_another_capture_for_the_one_that_was_lost(
    service: Paying, shop: ShopFixture, account: StripeSimulator, clock
) -> None:
    payment = await pay(service, shop)
    account.drop.append("/capture")
    with pytest.raises(Unavailable, match="payment_unsettled"):
        await capture(service, shop_id=shop.id, payment_id=payment.id)
    account.intents["pi_1"] |= {"status": "succeeded", "amount_received": 9_000}

    assert await settled(service, shop, clock) == ["authorised captured_another_amount"]
    async with service.db.statement() as tx:
        kept = await read_payment(tx, shop_id=shop.id, payment_id=payment.id)
    assert kept.captured_minor == 0


async def test_sends_no_key_and_no_card_over_an_open_line(
    service: Paying, shop: ShopFixture
) -> None:
    async def resolver(_host: str, _port: int) -> list[str]:
        raise AssertionError("it was resolved")

    async with Outbound(resolver=resolver) as outbound:
        stripe = create_stripe(
            outbound,
            secret_key=KEY,
            is_live=False,
            api_url="http://api.stripe.example",
            timeout=timedelta(seconds=5),
        )
        open_line = Paying(
            db=service.db, clock=service.clock, ids=service.ids, providers={"stripe": stripe}
        )
        with pytest.raises(Unavailable, match="payment_unsettled"):
            await pay(open_line, shop)


async def test_waits_while_stripe_is_out_of_reach(
    service: Paying, shop: ShopFixture, account: StripeSimulator, clock: FrozenClock
) -> None:
    account.lose.append("/confirm")
    with pytest.raises(Unavailable):
        await pay(service, shop)
    account.drop.append("/payment_intents")

    assert await settled(service, shop, clock) == ["asked"]
    clock.move(timedelta(seconds=60))
    assert await settled(service, shop, clock) == ["authorised"]


@pytest.mark.parametrize(
    ("minor", "currency", "expected"),
    [
        (1_999, "EUR", 1_999),
        (500, "JPY", 500),
        (5_120, "KWD", 5_120),
        (5_124, "KWD", None),
        (500, "ISK", 50_000),
        (500, "UGX", 50_000),
        (50_000, "MGA", 500),
        (50_020, "MGA", None),
    ],
)
def test_amounts_are_counted_as_stripe_does(minor: int, currency: str, expected) -> None:
    assert stripe_amount(minor, currency) == expected


async def test_an_amount_that_stripe_cannot_say_is_refused_without_asking(
    service: Paying, shop: ShopFixture, account: StripeSimulator
) -> None:
    with pytest.raises(Refused) as caught:
        await pay(service, shop, amount_minor=5_124, currency="KWD")

    assert caught.value.data["reason"] == "amount_not_supported"
    assert account.server.requests == []


@pytest.mark.parametrize("action", ["authorise", "capture", "refund"])
async def test_no_request_is_made_for_such_an_amount(
    service: Paying, account: StripeSimulator, action: Action
) -> None:
    provider = service.providers["stripe"]
    question = Question(
        shop_id=1, reference="r", key="k", action=action, amount_minor=5_124, currency="KWD",
        authorisation="pi_1",
    )  # fmt: skip

    if action == "authorise":
        answer = await provider.authorise(question, card())
    else:
        answer = await getattr(provider, action)(question)

    assert answer == Answer(approved=False, reason="amount_not_supported")
    assert account.server.requests == []


@pytest.mark.parametrize("trouble", ["", "lose", "refuse", "decline"])
async def test_the_card_is_in_no_table_log_or_trace(
    service: Paying, shop: ShopFixture, account, monkeypatch, caplog, capfd, trouble: str
) -> None:
    monkeypatch.setenv("STRIPE_LOG", "debug")
    caplog.set_level(logging.DEBUG)
    if trouble == "lose":
        account.lose.append("/payment_methods")
    if trouble == "refuse":
        account.fails.append(("/payment_methods", 400, {"type": "invalid_request_error"}))
    told = []
    number = POOR if trouble == "decline" else GOOD
    with capture_logs() as lines:
        try:
            told.append(repr(await pay(service, shop, number=number)))
        except CrossdockError as error:
            trace = traceback.TracebackException.from_exception(error, capture_locals=True)
            told += [str(error), repr(error.data), *_ours(trace)]

    text = "".join((*told, repr(lines), caplog.text, *capfd.readouterr()))
    async with service.db.statement() as tx:
        for table in ("payments", "payment_attempts", "alerts"):
            text += repr(await tx.all(f"select to_jsonb(t)::text from {table} t"))
    assert number[-4:] in text
    assert number not in text
    assert KEY not in text
    assert not re.search(r"cvc\W+737", text)
    assert sum(number in each.body.decode() for each in account.server.requests) == 1


def _ours(trace: traceback.TracebackException | None) -> list[str]:
    """What the frames of the program held, of the error and of those behind it."""
    if trace is None:
        return []
    frames = [frame for frame in trace.stack if "/tests/" not in frame.filename]
    return [
        *map(repr, (frame.locals for frame in frames)),
        *_ours(trace.__cause__),
        *_ours(trace.__context__),
    ]


async def test_a_provider_that_is_gone_stops_nobody_else(
    service: Paying, shop: ShopFixture, account: StripeSimulator, clock: FrozenClock
) -> None:
    account.lose.append("/confirm")
    with pytest.raises(Unavailable):
        await pay(service, shop)
    left = await pay(service, shop)
    without = paying(service.db, clock)
    await authorised(without, shop.id)
    clock.move(timedelta(seconds=900))

    states = await settled(without, shop, clock)

    assert states == ["asked", "authorised", "voided"]
    with pytest.raises(Unavailable):
        await void(without, shop_id=shop.id, payment_id=left.id)
    async with service.db.statement() as tx:
        [alert] = await list_alerts(tx, shop_id=shop.id)
    assert alert.kind == "payment_provider_unknown"
    assert "2 open payments are with stripe" in alert.message
    clock.move(timedelta(seconds=60))
    both = Paying(
        db=service.db,
        clock=clock,
        ids=service.ids,
        providers={**service.providers, **without.providers},
    )
    assert (await settled(both, shop, clock))[1:] == ["voided", "voided"]
