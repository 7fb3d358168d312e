"""Money in the console: the trial balance as of a day, accounts, entries, payments; payouts by two people."""

import re

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import SystemClock
from crossdock.kit.ids import RandomIds
from crossdock.shop.ledger import Account, Transfer, post_transfers
from crossdock.shop.resellers import NewClaim, read_claim, request_payout
from tests.support.people import PersonFixture
from tests.support.reselling import Reselling

MONEY, PAYOUTS = "/console/money", "/console/payouts"


@pytest.fixture
def posted(server_database: Database):
    """Post a sale of 12.50 and its payment in the shop of somebody, of order 7."""

    async def post(who: PersonFixture) -> None:
        receivable, bank, sales = (
            Account("receivable", "customer:1"),
            Account("bank"),
            Account("sales"),
        )
        transfers = [
            Transfer(
                debit=receivable, credit=sales, amount_minor=1_250, currency="EUR", kind="sale"
            ),
            Transfer(
                debit=bank, credit=receivable, amount_minor=1_000, currency="EUR", kind="payment"
            ),
        ]
        async with server_database.begin() as tx:
            await post_transfers(
                tx, shop_id=who.person.shop_id, transfers=transfers, order_id=7,
                now=SystemClock().now(),
            )  # fmt: skip

    return post


async def test_the_trial_balance_is_even_and_as_of_a_day(browser, person, posted):
    noor = await person(role="manager")
    await posted(noor)
    opened = await browser(noor)

    today = (await opened.get(MONEY)).text
    past = (await opened.get(f"{MONEY}?day=2000-01-01")).text
    odd = await opened.get(f"{MONEY}?day=9999-12-31")

    assert "in balance" in today
    assert re.findall(r"<strong>([^<]+)</strong>", today) == ["€12.50", "€12.50"]
    assert "Nothing was posted up to this day" in past
    assert odd.status_code == 200


async def test_entries_lead_to_their_order_and_their_account(browser, person, posted):
    noor, other = await person(role="owner"), await person(role="owner")
    await posted(noor)
    await posted(other)
    opened = await browser(noor)

    accounts = (await opened.get(f"{MONEY}/accounts?kind=receivable")).text
    address = re.search(r'href="(/console/money/entries\?account=\d+)"', accounts)
    assert address is not None
    of_account = (await opened.get(address[1])).text
    everything = (await opened.get(f"{MONEY}/entries")).text
    of_order = (await opened.get(f"{MONEY}/entries?order=8")).text

    assert "customer:1" in accounts
    assert accounts.count('<td class="name">') == 1
    for page in (of_account, everything):
        assert page.count('href="/console/orders/7"') == 2
        assert "€12.50" in page
    assert "There is no entry here." in of_order
    assert "No payments yet." in (await opened.get(f"{MONEY}/payments")).text


@pytest.fixture
def asked(server_database: Database):
    """A payout of 20.00 that a reseller of somebody's shop asks for, or somebody in its name; its number."""

    async def make(*, by: str = "") -> tuple[int, int]:
        selling = await Reselling.open(server_database, SystemClock())
        reseller, _ = await selling.reseller()
        earned = Transfer(
            debit=Account("reseller_costs"),
            credit=Account("reseller_available", f"reseller:{reseller.id}"),
            amount_minor=10_000,
            currency="USD",
            kind="commission",
        )
        async with server_database.begin() as tx:
            now = SystemClock().now()
            await post_transfers(tx, shop_id=selling.shop.id, transfers=[earned], now=now)
            made = await request_payout(
                tx,
                shop_id=selling.shop.id,
                reseller_id=reseller.id,
                claim=NewClaim(amount_minor=2_000, asset="USDT", network="TRON", address="T<b>1"),
                by=by,
                now=now,
            )
        return selling.shop.id, made.id

    return make


@pytest.fixture
def status_of(server_database: Database):
    async def read(shop_id: int, number: int) -> str:
        async with server_database.statement() as tx:
            return (await read_claim(tx, shop_id=shop_id, claim_id=number)).status

    return read


async def test_a_payout_needs_two_people(browser, person, asked, status_of):
    shop_id, number = await asked()
    noor, ada = (
        await person(role="manager", shop_id=shop_id),
        await person(role="owner", shop_id=shop_id),
    )
    first, second = await browser(noor), await browser(ada)
    here = f"{PAYOUTS}/{number}"

    queue = (await first.get(PAYOUTS)).text
    approved = await first.submit(here, {"action": "approve"})
    own = await first.submit(here, {"action": "complete", "sure": "on"})
    own_page = (await first.get(here)).text
    unsure = await second.submit(here, {"action": "complete"})
    assert await status_of(shop_id, number) == "approved"
    paid = await second.submit(here, {"action": "complete", "sure": "on"})
    page = (await second.get(paid.headers["location"])).text

    assert f'href="{here}"' in queue
    assert "T&lt;b&gt;1" in queue
    assert (approved.status_code, own.status_code, unsure.status_code) == (303, 403, 400)
    assert "You approved it, so a second person confirms the payment." in own_page
    assert await status_of(shop_id, number) == "completed"
    assert "$20.00" in page
    assert noor.email in page
    assert "No payout waits" in (await first.get(PAYOUTS)).text


async def test_who_asked_for_a_payout_does_not_approve_it_and_may_reject_it(
    browser, person, asked, status_of
):
    email = f"ada-{RandomIds().random_token(8).lower()}@shop.example"
    shop_id, number = await asked(by=email)
    opened = await browser(await person(role="owner", shop_id=shop_id, email=email))
    here = f"{PAYOUTS}/{number}"

    for action in ("approve", "force"):
        assert (await opened.submit(here, {"action": action})).status_code == 403
        assert await status_of(shop_id, number) == "pending"
    assert "You asked for it" in (await opened.get(here)).text
    asked_first = await opened.submit(here, {"action": "reject", "reason": "Wrong network"})
    assert "leaves the reserve and can be asked for again." in asked_first.text
    assert await status_of(shop_id, number) == "pending"
    rejected = await opened.submit_surely(here, {"action": "reject", "reason": "Wrong network"})

    assert rejected.status_code == 303
    assert await status_of(shop_id, number) == "rejected"
    assert "Wrong network" in (await opened.get(here)).text
    again = await opened.submit("/console/account", {"action": "approve"}, to=here)
    assert again.status_code == 409


async def test_money_is_seen_and_decided_by_those_who_may(browser, person, asked, status_of):
    shop_id, number = await asked()
    here = f"{PAYOUTS}/{number}"
    viewer = await browser(await person(role="viewer", shop_id=shop_id))
    foreign = await browser(await person(role="owner"))
    own = await browser(await person(role="owner", shop_id=shop_id))

    for path in (
        MONEY,
        f"{MONEY}/accounts",
        f"{MONEY}/entries",
        f"{MONEY}/payments",
        PAYOUTS,
        here,
    ):
        assert (await viewer.get(path)).status_code == 403
    assert (
        await viewer.submit("/console/account", {"action": "approve"}, to=here)
    ).status_code == 403
    assert (await foreign.get(here)).status_code == 404
    assert (
        await foreign.submit("/console/account", {"action": "approve"}, to=here)
    ).status_code == 404
    assert (await own.post(here, {"action": "approve"})).status_code == 403
    assert (await own.submit(here, {"action": "burn"})).status_code == 400
    assert await status_of(shop_id, number) == "pending"
