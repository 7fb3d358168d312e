"""The feed of events, filtered and page by page; endpoints, paused and resumed; a range that is sent again."""

import re

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import SystemClock
from crossdock.kit.ids import RandomIds
from crossdock.shop.deliveries import list_deliveries, queue_delivery
from crossdock.shop.events import (
    InvoicePaid,
    OrderPicked,
    PackagePacked,
    ResellerPayoutRequested,
    number_events,
    write_event,
)
from crossdock.shop.invoices import create_invoice
from crossdock.shop.webhooks import list_webhook_endpoints
from tests.support.people import PersonFixture

EVENTS, ENDPOINTS, DELIVERIES = "/console/events", "/console/endpoints", "/console/deliveries"


@pytest.fixture
def happened(server_database: Database):
    """Write events of the shop of somebody: (event, subject) each, numbered."""

    async def write(who: PersonFixture, *events) -> None:
        async with server_database.begin() as tx:
            for event, subject in events:
                await write_event(
                    tx, shop_id=who.person.shop_id, event=event, subject_id=subject,
                    now=SystemClock().now(),
                )  # fmt: skip
        async with server_database.begin() as tx:
            await number_events(tx, shop_id=who.person.shop_id)

    return write


def shown(page):
    """The numbers of the events on a page, in order."""
    return [int(number) for number in re.findall(r'<a href="/console/events/(\d+)"', page)]


async def test_events_are_listed_the_newest_first_and_by_filters(browser, person, happened):
    noor, other = await person(role="viewer"), await person(role="viewer")
    await happened(
        noor,
        (OrderPicked(lines={"1": 2}), 7),
        (PackagePacked(package_id=1), 7),
        (OrderPicked(lines={"<b>": 2}), 8),
    )
    await happened(other, (PackagePacked(package_id=2), 7))
    opened = await browser(noor)

    async def at(query):
        reply = await opened.get(f"{EVENTS}{query}")
        assert reply.status_code == 200
        return reply.text

    everything = await at("")
    assert shown(everything) == [3, 2, 1]
    assert "&lt;b&gt;" in everything
    assert 'href="/console/orders/8"' in everything
    assert shown(await at("?kind=order.picked")) == [3, 1]
    assert shown(await at("?subject=7")) == [2, 1]
    assert shown(await at("?subject=7&kind=order.picked")) == [1]
    assert shown(await at("?before=3")) == [2, 1]
    assert shown(await at("?since=2000-01-01")) == [3, 2, 1]
    assert shown(await at("?until=2000-01-01")) == []
    assert "No event matches." in await at("?until=2000-01-01")
    assert shown(await at("?kind=no.such&since=soon&before=x")) == [3, 2, 1]


async def test_a_page_goes_on_where_the_last_one_ended(browser, person, happened):
    noor = await person(role="owner")
    await happened(noor, *((PackagePacked(package_id=n), n) for n in range(60)))
    opened = await browser(noor)

    first = (await opened.get(EVENTS)).text
    older = re.search(r'rel="next" href="([^"]+)"', first)
    assert older is not None
    second = (await opened.get(older[1].replace("&amp;", "&"))).text

    assert shown(first) == list(range(60, 10, -1))
    assert shown(second) == list(range(10, 0, -1))


async def test_one_event_is_shown_whole(browser, person, happened):
    noor = await person(role="viewer")
    await happened(noor, (OrderPicked(lines={str(n): n + 1 for n in range(200)}), 9))
    opened = await browser(noor)

    page = (await opened.get(f"{EVENTS}/1")).text

    assert "order.picked" in page
    assert "&#34;199&#34;: 200" in page
    for odd in ("2", "0", "x", "9" * 30):
        assert (await opened.get(f"{EVENTS}/{odd}")).status_code == 404


async def test_who_may_not_read_events_sees_none(browser, person, happened):
    packer, partner = await person(role="warehouse"), await person(role="partner")
    await happened(packer, (PackagePacked(package_id=1), 1))

    for who in (packer, partner):
        opened = await browser(who)
        assert (await opened.get(EVENTS)).status_code == 403
        assert (await opened.get(f"{EVENTS}/1")).status_code == 403


async def test_what_is_of_the_books_is_for_those_who_read_them(browser, person, happened):
    noor = await person(role="manager")
    viewer = await person(role="viewer", shop_id=noor.person.shop_id)
    await happened(
        noor,
        (PackagePacked(package_id=1), 7),
        (
            ResellerPayoutRequested(
                reseller_id=1,
                email="sam@sales.example",
                amount_minor=77_001,
                currency="USD",
                asset="",
                network="",
                status="requested",
            ),
            1,
        ),
        (
            InvoicePaid(
                purpose="stock", subject_id=1, total_minor=77_001, currency="USD", by_hand=True
            ),
            1,
        ),
    )
    reads, looks = await browser(noor), await browser(viewer)

    assert shown((await reads.get(EVENTS)).text) == [3, 2, 1]
    assert (await reads.get(f"{EVENTS}/2")).status_code == 200
    for query in ("", "?kind=reseller.payout_requested", "?subject=1"):
        page = (await looks.get(f"{EVENTS}{query}")).text
        assert shown(page) == ([1] if not query else [])
        assert "77001" not in page
        # What one asked for oneself stands in the forms that save the view and choose its columns.
        name, _, asked = query.removeprefix("?").partition("=")
        for own in (f"{name}={asked}", f'name="{name}" value="{asked}"'):
            page = page.replace(own, "") if query else page
        assert "reseller.payout_requested" not in page
    for number in (2, 3):
        assert (await looks.get(f"{EVENTS}/{number}")).status_code == 404


@pytest.fixture
def endpoints(server_database: Database):
    """A connector and a webhook of the shop of somebody; the webhook's number."""

    async def make(who: PersonFixture) -> int:
        shop_id = who.person.shop_id
        async with server_database.begin() as tx:
            await tx.run(
                "insert into connectors (shop_id, name, kind, is_default) values (%s, 'house', 'manual', true)",
                (shop_id,),
            )
            return int(
                await tx.value(
                    "insert into webhook_subscriptions (shop_id, channel, url, names, sealed_secret,"
                    " failing_since, last_failed_at, created_at, updated_at) values (%s, 'shoppex_reseller',"
                    " 'https://a.example/hook', '{order:paid}', '', now(), now(), now(), now()) returning id",
                    (shop_id,),
                )
            )

    return make


@pytest.fixture
def states(server_database: Database):
    async def of(who: PersonFixture) -> tuple[bool, bool, bool]:
        """Whether the connector is in use, the webhook paused, and the webhook failing."""
        async with server_database.statement() as tx:
            row = await tx.one(
                "select c.enabled, w.paused_at is not null, w.failing_since is not null from connectors c"
                " join webhook_subscriptions w on w.shop_id = c.shop_id where c.shop_id = %s",
                (who.person.shop_id,),
            )
        assert row is not None
        return row

    return of


async def test_endpoints_are_paused_and_resumed(browser, person, endpoints, states):
    noor = await person(role="manager")
    webhook = await endpoints(noor)
    opened = await browser(noor)

    async def press(of, name, action):
        reply = await opened.submit(ENDPOINTS, {"of": of, "name": str(name), "action": action})
        return reply.status_code, (await opened.get(reply.headers["location"])).text

    assert await states(noor) == (True, False, True)
    for of, name in (("connector", "house"), ("webhook", webhook)):
        status, page = await press(of, name, "pause")
        assert status == 303
        assert "Nothing is sent to it until it is resumed." in page
    assert await states(noor) == (False, True, True)
    await press("connector", "house", "resume")
    await press("webhook", webhook, "resume")
    assert await states(noor) == (True, False, False)


async def test_the_webhook_of_a_single_payment_is_listed_while_it_is_paused(
    browser, person, server_database: Database
):
    noor = await person(role="manager")
    now = SystemClock().now()
    async with server_database.begin() as tx:
        fee = await create_invoice(
            tx,
            shop_id=noor.person.shop_id,
            purpose="payment",
            subject_id=None,
            title="Fee",
            quantity=1,
            unit_minor=300,
            currency="USD",
            email="b@example.com",
            expires_at=None,
            ids=RandomIds(),
            now=now,
        )
        for host, paused_at in (("calm", None), ("quiet", now)):
            await tx.run(
                "insert into webhook_subscriptions (shop_id, channel, url, names, sealed_secret, invoice_id,"
                " paused_at, created_at, updated_at) values (%s, 'shoppex_reseller', %s, '{order:paid}', '', %s,"
                " %s, now(), now())",
                (noor.person.shop_id, f"https://{host}.example/hook", fee.id, paused_at),
            )
    opened = await browser(noor)
    page = (await opened.get(ENDPOINTS)).text
    assert f"of payment {fee.id} alone" in page
    assert ("quiet.example" in page, "calm.example" in page) == (True, False)
    async with server_database.statement() as tx:
        [quiet] = await list_webhook_endpoints(tx, shop_id=noor.person.shop_id)
    await opened.submit(ENDPOINTS, {"of": "webhook", "name": str(quiet.id), "action": "resume"})
    assert "quiet.example" not in (await opened.get(ENDPOINTS)).text


async def test_endpoints_of_others_and_without_the_right_stay_as_they_are(
    browser, person, endpoints, states
):
    noor, stranger = await person(role="manager"), await person(role="owner")
    webhook = await endpoints(noor)
    viewer = await browser(await person(role="viewer", shop_id=noor.person.shop_id))
    foreign, own = await browser(stranger), await browser(noor)
    fields = {"of": "webhook", "name": str(webhook), "action": "pause"}

    seen = (await viewer.get(ENDPOINTS)).text
    assert "https://a.example/…" in seen
    assert "a.example/hook" not in seen
    assert "https://a.example/hook" in (await own.get(ENDPOINTS)).text
    assert "<button" not in (await viewer.get(ENDPOINTS)).text.partition("<main")[2]
    assert (await viewer.submit("/console/account", fields, to=ENDPOINTS)).status_code == 403
    assert (await foreign.submit(ENDPOINTS, fields)).status_code == 404
    assert (await own.post(ENDPOINTS, fields)).status_code == 403
    for odd in ({"of": "house"}, {"of": "webhook", "name": "x"}):
        assert (await own.submit(ENDPOINTS, odd)).status_code == 400
    assert await states(noor) == (True, False, True)


async def test_failed_deliveries_of_a_target_and_of_days_are_sent_again(
    browser, person, server_database
):
    noor, now = await person(role="manager"), SystemClock().now()
    shop_id = noor.person.shop_id
    async with server_database.begin() as tx:
        for target in ("house", "shed"):
            await queue_delivery(
                tx,
                shop_id=shop_id,
                kind="nobody_sends_this",
                target=target,
                subject_id=None,
                now=now,
            )
        await tx.run(
            "update deliveries set status = 'failed', next_attempt_at = null where shop_id = %s",
            (shop_id,),
        )
    opened = await browser(noor)
    chosen = f"{DELIVERIES}?status=failed&target=shed"

    page = (await opened.get(chosen)).text
    past = await opened.submit_surely(
        f"{chosen}&until=2000-01-01", {"until": "2000-01-01"}, to=DELIVERIES
    )
    again = await opened.submit_surely(chosen, {}, to=DELIVERIES)

    assert "shed" in page
    assert "house" not in page
    assert past.status_code == 303
    assert again.headers["location"] == f"{DELIVERIES}?resent=1"
    async with server_database.statement() as tx:
        found = await list_deliveries(tx, shop_id=shop_id)
    assert {each.target: each.status for each in found} == {"house": "failed", "shed": "queued"}
