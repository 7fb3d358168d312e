"""The page of alerts: what is open in one's own shop, and a button that closes it."""

from collections.abc import Awaitable, Callable

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import SystemClock
from crossdock.shop.alerts import Alert, list_alerts, raise_alert
from tests.support.people import PersonFixture, hidden_fields

Raise = Callable[..., Awaitable[Alert]]


@pytest.fixture
def alert_of(server_database: Database) -> Raise:
    """Raise an alert in the shop of somebody."""

    async def make(who: PersonFixture, message: str = "Order 12 was not sent.") -> Alert:
        shop_id, now = who.person.shop_id, SystemClock().now()
        async with server_database.begin() as tx:
            await raise_alert(
                tx,
                shop_id=shop_id,
                kind="dispatch_failed",
                message=message,
                subject=message,
                now=now,
            )
            return (await list_alerts(tx, shop_id=shop_id))[0]

    return make


async def test_shows_what_is_open_and_closes_it(browser, person, alert_of):
    noor = await person(role="warehouse")
    kept, closed = await alert_of(noor, "<b>kept</b>"), await alert_of(noor, "closed")
    opened = await browser(noor)

    assert "2 open" in (await opened.get("/console/")).text
    page = (await opened.get("/console/alerts")).text
    assert "&lt;b&gt;kept&lt;/b&gt;" in page
    done = await opened.submit("/console/alerts", {"alerts": str(closed.id)})

    assert (done.status_code, done.headers["location"]) == (303, "/console/alerts?closed=1")
    page = (await opened.get(done.headers["location"])).text
    assert "One alert is closed." in page
    open_part, seen_part = page.split("Seen lately")
    assert f"alert {kept.id}" in open_part
    assert f"alert {closed.id}" not in open_part
    assert "Noor" in seen_part


async def test_closes_all_that_it_showed_and_none_that_came_since(
    browser, person, alert_of, server_database
):
    noor = await person(role="manager")
    shown = [await alert_of(noor, text) for text in ("one", "two")]
    opened = await browser(noor)
    fields = hidden_fields((await opened.get("/console/alerts")).text)
    assert fields["alerts"].split() == [str(alert.id) for alert in reversed(shown)]
    late = await alert_of(noor, "late")

    assert (await opened.post("/console/alerts", fields)).status_code == 303
    again = await opened.post("/console/alerts", fields)

    assert again.headers["location"] == "/console/alerts?closed=0"
    assert "already" in (await opened.get(again.headers["location"])).text
    async with server_database.statement() as tx:
        assert await list_alerts(tx, shop_id=noor.person.shop_id) == [late]


async def test_of_another_shop_are_neither_shown_nor_closed(
    browser, person, alert_of, server_database
):
    noor, other = await person(role="owner"), await person(role="owner")
    foreign = await alert_of(other, "foreign")
    opened = await browser(noor)

    assert "No open alerts." in (await opened.get("/console/alerts")).text
    done = await opened.submit(
        "/console/account", {"alerts": str(foreign.id)}, to="/console/alerts"
    )

    assert done.headers["location"] == "/console/alerts?closed=0"
    async with server_database.statement() as tx:
        assert await list_alerts(tx, shop_id=other.person.shop_id) == [foreign]


async def test_a_viewer_sees_and_a_partner_does_not(browser, person, alert_of, server_database):
    viewer = await person(role="viewer")
    alert = await alert_of(viewer)
    opened = await browser(viewer)

    page = (await opened.get("/console/alerts")).text
    refused = await opened.submit(
        "/console/account", {"alerts": str(alert.id)}, to="/console/alerts"
    )
    partner = await browser(await person(role="partner"))

    assert alert.message in page
    assert 'action="/console/alerts"' not in page
    assert refused.status_code == 403
    assert (await partner.get("/console/alerts")).status_code == 403
    assert "/console/alerts" not in (await partner.get("/console/")).text
    async with server_database.statement() as tx:
        assert await list_alerts(tx, shop_id=viewer.person.shop_id) == [alert]


async def test_a_form_without_the_sessions_token_closes_nothing(
    browser, person, alert_of, server_database
):
    noor = await person(role="manager")
    alert = await alert_of(noor)
    opened = await browser(noor)

    for fields in ({"alerts": str(alert.id)}, {"alerts": str(alert.id), "form_token": "x" * 43}):
        assert (await opened.post("/console/alerts", fields)).status_code == 403
    async with server_database.statement() as tx:
        assert await list_alerts(tx, shop_id=noor.person.shop_id) == [alert]


@pytest.mark.parametrize("numbers", ["", "all", "1 or 2", "-1", "9" * 30, "²"])
async def test_a_form_that_names_no_alert_is_refused(browser, person, numbers):
    opened = await browser(await person(role="manager"))

    reply = await opened.submit("/console/account", {"alerts": numbers}, to="/console/alerts")

    assert reply.status_code == 400


async def test_an_alert_leads_to_its_order(browser, person, server_database):
    noor = await person(role="warehouse")
    now = SystemClock().now()
    async with server_database.begin() as tx:
        await raise_alert(
            tx, shop_id=noor.person.shop_id, kind="dispatch_failed", message="m", subject="s",
            order_id=7, now=now,
        )  # fmt: skip

    page = (await (await browser(noor)).get("/console/alerts")).text
    assert '<a href="/console/orders/7">order 7</a>' in page
