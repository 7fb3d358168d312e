"""The log of a kind's deliveries..."""

from datetime import timedelta

import pytest

from crossdock.shop.alerts import list_alerts
from crossdock.shop.deliveries import (
    Delivering,
    DeliveryKind,
    DeliveryKinds,
    Headers,
    Permanent,
    Retryable,
    Sent,
    deliver_due,
    page_deliveries,
)

KIND = "noted"
HEADERS = Headers(
    {"X-Signature": "[hidden]", "Authorization": "Bearer abcdefghijklmnopqrstuvwxyz0123456789"},
    {"server": "x" * 999},
)


@pytest.fixture
def outcomes():
    """What the next attempts come to; then they arrive."""
    return []


@pytest.fixture
def noting(database, clock, outcomes):
    """An engine whose kind notes headers and raises one alert for each target."""

    async def build(tx, *, claim):
        async def call():
            if outcomes:
                raise outcomes.pop(0)
            return Sent("theirs", 204, "fine", HEADERS)

        return call

    kind = DeliveryKind(name=KIND, build=build, waits_s=(10,), one_alert=True)
    return Delivering(db=database, clock=clock, turns=clock, kinds=DeliveryKinds([kind]))


@pytest.fixture
def page(database, box):
    """Pages of the log."""

    async def read(**chosen):
        async with database.statement() as tx:
            return await page_deliveries(tx, shop_id=box.shop_id, kind=KIND, **chosen)

    return read


async def test_has_what_was_sent_and_how_the_last_attempt_ended(noting, box, page, outcomes):
    outcomes.append(Retryable("answered 503", status=503, answer="down", headers=HEADERS))
    delivery_id = await box.put(kind=KIND, payload={"event": "a", "data": {"n": 1}})
    await deliver_due(noting, limit=1, shop_id=box.shop_id)
    [row], total = await page()
    assert (row.id, total, row.status, row.attempts) == (delivery_id, 1, "queued", 1)
    assert (row.http_status, row.answer, row.last_error) == (503, "down", "answered 503")

    box.clock.move(timedelta(seconds=10))
    await deliver_due(noting, limit=1, shop_id=box.shop_id)
    [row], _ = await page(delivery_id=delivery_id)
    assert (row.status, row.attempts, row.http_status, row.answer) == ("sent", 2, 204, "fine")
    assert row.payload == {"event": "a", "data": {"n": 1}}


async def test_bounds_headers_and_hides_secrets_in_them(noting, box, page):
    await box.put(kind=KIND)
    await deliver_due(noting, limit=1, shop_id=box.shop_id)

    [row], _ = await page()
    assert row.request_headers is not None
    assert row.answer_headers is not None
    assert "abcdefghijkl" not in row.request_headers["Authorization"]
    assert len(row.answer_headers["server"]) == 500
    assert (await box.log(row.id))[0]["request_headers"] == row.request_headers


async def test_is_read_in_pages_and_filtered(noting, box, page):
    ids = [
        await box.put(target, kind=KIND, payload={"event": event})
        for target, event in (("a", "x"), ("b", "x"), ("a", "y"))
    ]
    await deliver_due(noting, limit=1, shop_id=box.shop_id)

    rows, total = await page(limit=2)
    assert ([row.id for row in rows], total) == ([ids[2], ids[1]], 3)
    rows, total = await page(limit=2, offset=2)
    assert ([row.id for row in rows], total) == ([ids[0]], 3)
    assert await page(offset=9) == ([], 3)
    assert [row.id for row in (await page(holding={"event": "x"}, target="a"))[0]] == [ids[0]]
    assert [row.id for row in (await page(statuses=("sent",)))[0]] == [ids[0]]


async def test_raises_one_alert_for_all_that_fails_at_a_target(noting, box, outcomes, database):
    outcomes += [Permanent("gone")] * 3
    for target in ("a", "a", "b"):
        await box.put(target, kind=KIND)
    await deliver_due(noting, limit=9, shop_id=box.shop_id)

    async with database.statement() as tx:
        alerts = await list_alerts(tx, shop_id=box.shop_id)
    assert sorted(alert.subject for alert in alerts) == ["a", "b"]
    assert {alert.kind for alert in alerts} == {"noted_failed"}
