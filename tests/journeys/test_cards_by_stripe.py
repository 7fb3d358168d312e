"""A shop whose cards go to Stripe: whole checkouts over sockets, against an account of Stripe's."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.shop.alerts import list_alerts
from crossdock.shop.invoices import settle_every_payment
from crossdock.shop.orders import cancel_order, refund_line
from tests.conftest import NOON
from tests.support.clocked import ClockedServer, clocked
from tests.support.hosted import Till
from tests.support.paying import DECLINED, GOOD
from tests.support.shopper import Shopper, add_shopper
from tests.support.shopping import Mall
from tests.support.simulators.stripe import KEY, LIVE_KEY, StripeSimulator


@dataclass
class Counter:
    """A shop, shoppers of its publisher, the server, and the account that its cards go to."""

    mall: Mall
    shopper: Shopper
    server: ClockedServer
    account: StripeSimulator

    async def settle(self, *, after_s: int = 61) -> None:
        """What the worker does, some time later."""
        self.server.clock.move(timedelta(seconds=after_s))
        await settle_every_payment(self.server.app.services.paying)

    async def payments(self) -> list[tuple[str, str]]:
        """Provider and state of each payment, the oldest first."""
        async with self.mall.db.statement() as tx:
            return await tx.all(
                "select provider, state from payments where shop_id = %s order by id",
                (self.mall.shop.id,),
            )

    def posted(self, path: str) -> int:
        """How often Stripe was asked for this."""
        found = [each for each in self.account.server.requests if each.method == "POST"]
        return len([each for each in found if each.path.endswith(path)])


OpenCounter = Callable[..., Awaitable[Counter]]


@pytest.fixture
async def counters(empty_database_url: str, tmp_path: Path) -> AsyncIterator[OpenCounter]:
    """Open a counter; what is given are the shoppers' terms."""
    async with AsyncExitStack() as stack:

        async def make(*, key: str = KEY, **terms: Any) -> Counter:
            account = StripeSimulator(key=key)
            await stack.enter_async_context(account.server)
            db = Database(empty_database_url, min_size=1, max_size=4)
            await db.open()
            stack.push_async_callback(db.close)
            settings: dict[str, Any] = {
                "stripe_secret_key": key,
                "stripe_api_url": account.server.url,
                "shoppable_payment_provider": "stripe",
                "allowed_outbound_hosts": (account.server.host,),
            }
            server = await stack.enter_async_context(
                clocked(
                    database_url=empty_database_url,
                    data_dir=str(tmp_path),
                    clock=FrozenClock(NOON),
                    **settings,
                )
            )
            mall = await Mall.open(db, server.clock)
            _, shopper = await add_shopper(db, server.url, shop_id=mall.shop.id, **terms)
            await stack.enter_async_context(shopper)
            return Counter(mall, shopper, server, account)

        yield make


async def test_takes_a_shopper_from_the_page_to_the_feed_and_refunds_a_line(
    counters: OpenCounter, capfd: pytest.CaptureFixture[str]
) -> None:
    counter = await counters()
    mall, account = counter.mall, counter.account
    walmart = await mall.merchant(name="Walmart", shipping_flat_minor=595)
    topman = await mall.merchant(name="Topman", commission_bp=1000)
    ten = await mall.variant(merchant_id=walmart, price_minor=1000)
    sixty = await mall.variant(merchant_id=topman, price_minor=6000)
    till = Till(counter.shopper, await counter.shopper.cart((ten, 2), (sixty, 1)))

    payment = await till.deliver()
    refused = await till.pay(payment, card_number=DECLINED)
    assert (refused.status, refused.wrong) == (422, ["card_number"])
    done = await till.follow(await till.pay(refused))

    assert "Total $85.95" in done.text
    assert account.statuses == ["requires_payment_method", "succeeded"]
    paid = account.intents["pi_2"]
    assert (paid["amount"], paid["amount_received"], paid["currency"]) == (8595, 8595, "usd")
    told = (await counter.shopper.feed()).json()
    assert {line["order_status"] for line in told} == {"Pending"}
    order_id = int(told[0]["order_number"].removeprefix("R"))
    assert (await mall.order(order_id)).payment_state == "paid"

    back = await refund_line(
        counter.server.app.services.paying,
        shop_id=mall.shop.id,
        order_id=order_id,
        line_no=2,
        reason="agreement",
    )
    assert (back, [each["amount"] for each in account.refunds]) == (6000, [6000])
    assert (await mall.order(order_id)).payment_state == "partially_refunded"
    assert await counter.payments() == [("stripe", "declined"), ("stripe", "partially_refunded")]
    assert (await mall.balances())["clearing stripe USD"] == -2595
    logged = "".join(capfd.readouterr())
    for secret in (GOOD, DECLINED, KEY, counter.shopper.token):
        assert secret not in logged


async def test_keeps_an_order_that_stripe_would_not_capture_until_it_is_cancelled(
    counters: OpenCounter,
) -> None:
    counter = await counters()
    mall, account = counter.mall, counter.account
    good = await mall.variant(price_minor=1000)
    account.fails.append(("/capture", 402, {"type": "card_error", "code": "card_declined"}))

    [line] = await counter.shopper.buy((good, 1))

    assert await counter.payments() == [("stripe", "authorised")]
    async with mall.db.statement() as tx:
        [alert] = await list_alerts(tx, shop_id=mall.shop.id)
    assert alert.kind == "capture_refused"
    await counter.settle()
    assert counter.posted("/capture") == 1
    async with mall.db.begin() as tx:
        await cancel_order(
            tx, shop_id=mall.shop.id, order_id=line["id"], reason="", now=mall.clock.now()
        )
    await counter.settle(after_s=0)
    assert account.statuses == ["canceled"]
    assert await counter.payments() == [("stripe", "voided")]
    assert await mall.level(good) == (10, 0, 0, 10)


async def test_finds_answers_that_were_lost_and_charges_nobody_twice(counters: OpenCounter) -> None:
    counter = await counters()
    mall, account = counter.mall, counter.account
    cart_id = await counter.shopper.cart((await mall.variant(price_minor=1000), 1))
    account.lose.append("/confirm")

    lost = await counter.shopper.check_out(cart_id)
    assert (lost.status_code, lost.headers["retry-after"].isdigit()) == (503, True)
    account.lose.append("/capture")
    [line] = (await counter.shopper.check_out(cart_id)).json()

    assert await counter.payments() == [("stripe", "asked"), ("stripe", "authorised")]
    await counter.settle()
    assert await counter.payments() == [("stripe", "authorised"), ("stripe", "captured")]
    assert (await mall.order(line["id"])).payment_state == "paid"
    await counter.settle(after_s=901)
    assert await counter.payments() == [("stripe", "voided"), ("stripe", "captured")]
    assert account.statuses == ["canceled", "succeeded"]
    assert (counter.posted("/confirm"), counter.posted("/capture")) == (2, 1)


async def test_gives_no_card_of_a_test_token_to_a_live_account(counters: OpenCounter) -> None:
    counter = await counters(key=LIVE_KEY, is_test=True)

    await counter.shopper.buy((await counter.mall.variant(price_minor=1000), 1))

    assert await counter.payments() == [("sandbox", "captured")]
    assert counter.account.server.requests == []
