"""Single lines of an order and its returns, on pages: what they do to stock and money, and for whom."""

import re

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.shop.orders import pay_order, read_order
from tests.support.factories import moment
from tests.support.staff import Desk

ORDERS = "/console/orders"


@pytest.fixture
async def desk(server_database: Database) -> Desk:
    """A shop of the server."""
    return await Desk.open(server_database, FrozenClock(moment("2026-03-02T12:00:00+00:00")))


@pytest.fixture
def staff(person, browser, desk):
    """A browser of somebody of the shop with this role."""

    async def sign_in(role: str = "manager"):
        return await browser(await person(role=role, shop_id=desk.shop.id))

    return sign_in


async def read(desk, order_id):
    async with desk.db.statement() as tx:
        return await read_order(
            tx,
            shop_id=desk.shop.id,
            order_id=order_id,
            sections=("lines", "packages", "returns", "timeline"),
        )


async def test_a_line_of_a_paid_order_is_cancelled_and_its_money_goes_back(desk, staff):
    lamp, mug = await desk.variant(sku="LAMP-8"), await desk.variant(sku="MUG-1")
    placed = await desk.with_card((lamp, 2), (mug, 1))
    await pay_order(desk.paying, shop_id=desk.shop.id, order_id=placed.id)
    opened = await staff()
    here = f"{ORDERS}/{placed.id}"

    asked = (await opened.get(f"{here}/lines/1")).text
    done = await opened.submit(
        f"{here}/lines/1", {"reason": "agreement"}, to=f"{here}/lines/1/cancel"
    )
    again = await opened.submit(here, {"reason": "agreement"}, to=f"{here}/lines/1/cancel")

    assert "2 × LAMP-8 can be sold again." in asked
    assert "€39.98 is refunded." in asked
    assert "It is the last line" not in asked
    assert done.headers["location"] == f"{here}?done=line_cancelled"
    assert again.status_code == 409
    order = await read(desk, placed.id)
    assert [(line.state, line.cancelled) for line in order.lines] == [("cancelled", 2), ("open", 0)]
    assert (order.fulfilment_state, order.payment_state) == ("processing", "partially_refunded")
    (payment,) = await desk.payments(placed.id)
    assert (payment.captured_minor, payment.refunded_minor) == (5997, 3998)
    assert await desk.level(lamp) == (5, 0, 0, 5)
    assert await desk.level(mug) == (5, 0, 1, 4)
    assert "The last line" not in asked
    last = (await opened.get(f"{here}/lines/2")).text
    assert "It is the last line, so the whole order is cancelled." in last
    gone = await opened.submit(f"{here}/lines/2", {"reason": "fraud"}, to=f"{here}/lines/2/cancel")
    assert gone.status_code == 303
    assert (await read(desk, placed.id)).fulfilment_state == "cancelled"
    (payment,) = await desk.payments(placed.id)
    assert payment.refunded_minor == 5997


async def test_a_line_of_an_unpaid_order_is_owed_no_more(desk, staff):
    lamp, mug = await desk.variant(), await desk.variant()
    placed = await desk.on_account((lamp, 2), (mug, 1))
    opened = await staff()
    here = f"{ORDERS}/{placed.id}"

    asked = (await opened.get(f"{here}/lines/1")).text
    await opened.submit(f"{here}/lines/1", {"reason": "agreement"}, to=f"{here}/lines/1/cancel")
    await opened.submit_surely(here, {"reference": "ACME 12"}, to=f"{here}/pay")

    assert "€39.98 less is owed." in asked
    (payment,) = await desk.payments(placed.id)
    assert (payment.captured_minor, payment.refunded_minor) == (1999, 0)
    assert (await read(desk, placed.id)).payment_state == "paid"


async def test_shipping_is_named_with_the_last_line_alone(desk, staff):
    lamp, mug = await desk.variant(sku="LAMP-9"), await desk.variant(sku="MUG-9")
    placed = await desk.on_account((lamp, 2), (mug, 1), shipping_minor=500)
    opened = await staff()
    here = f"{ORDERS}/{placed.id}"

    first = (await opened.get(f"{here}/lines/1")).text
    await opened.submit(f"{here}/lines/1", {"reason": "agreement"}, to=f"{here}/lines/1/cancel")
    last = (await opened.get(f"{here}/lines/2")).text

    assert "2 × LAMP-9 can be sold again." in first
    assert "€39.98 less is owed." in first
    assert "€24.99 less is owed." in last


async def test_a_line_is_refunded_once_and_its_goods_stay(desk, staff):
    lamp, mug = await desk.variant(), await desk.variant()
    placed = await desk.with_card((lamp, 2), (mug, 1), shipping_minor=500)
    await pay_order(desk.paying, shop_id=desk.shop.id, order_id=placed.id)
    opened = await staff()
    here = f"{ORDERS}/{placed.id}"
    line, to = f"{here}/lines/1", f"{here}/lines/1/refund"

    first = await opened.submit_surely(line, {"reason": "agreement"}, to=to)
    again = await opened.submit_surely(here, {"reason": "agreement"}, to=to)
    wrong = await opened.submit_surely(here, {"reason": "mood"}, to=to)
    left = (await opened.get(line)).text
    shipping = await opened.submit_surely(line, {"reason": "agreement"}, to=to)

    assert [reply.status_code for reply in (first, again, wrong, shipping)] == [303, 409, 400, 303]
    assert "Refund its shipping" in left
    assert "Refund this line" not in left
    (payment,) = await desk.payments(placed.id)
    assert payment.refunded_minor == 3998 + 500
    assert (await desk.level(lamp))[2] == 2


async def test_what_is_picked_is_not_cancelled(desk, staff):
    placed = await desk.on_account((await desk.variant(), 2), (await desk.variant(), 1))
    opened = await staff()
    here = f"{ORDERS}/{placed.id}"
    work = f"{here}/work"
    await opened.submit(work, {"line.1": "1"}, to=f"{work}/pick")

    page = (await opened.get(f"{here}/lines/1")).text
    reply = await opened.submit(here, {"reason": "agreement"}, to=f"{here}/lines/1/cancel")

    assert "Nothing of this line can be cancelled or refunded now." in page
    assert reply.status_code == 409
    assert (await read(desk, placed.id)).lines[0].cancelled == 0


async def test_goods_come_back_to_the_shelf_and_are_refunded(desk, staff):
    lamp = await desk.variant(sku="LAMP-8")
    placed = await desk.with_card((lamp, 3))
    await pay_order(desk.paying, shop_id=desk.shop.id, order_id=placed.id)
    opened = await staff()
    here = f"{ORDERS}/{placed.id}"
    assert "Nothing of this order can come back" in (await opened.get(f"{here}/return")).text
    await opened.submit_surely(here, {"all": "yes"}, to=f"{here}/send")

    registered = await opened.submit(f"{here}/return", {"line.1": "2", "reason": "Too <big>"})
    too_many = await opened.submit(f"{here}/return", {"line.1": "2"})
    none = await opened.submit(f"{here}/return", {"line.1": ""})
    page = (await opened.get(here)).text
    receive = re.findall(r'href="([^"]+/receive)"', page)[0]
    received = await opened.submit(receive, {"line.1": "1"})
    twice = await opened.submit(here, {"line.1": "1"}, to=receive)
    after = (await opened.get(here)).text
    refund = re.findall(r'href="([^"]+/refund\?amount=[^"]+)"', after)[0]

    assert [reply.status_code for reply in (registered, too_many, none, received, twice)] == [
        *(303, 400, 400, 303, 409),
    ]  # fmt: skip
    assert "Too &lt;big&gt;" in page
    assert await desk.level(lamp) == (3, 0, 0, 3)
    order = await read(desk, placed.id)
    assert [(back.state, back.lines) for back in order.returns] == [("received", {1: 2})]
    assert order.lines[0].returned == 2
    assert refund == f"{here}/refund?amount=39.98"
    assert 'value="39.98"' in (await opened.get(refund)).text
    assert "This return was taken in already." in (await opened.get(receive)).text


async def test_it_is_for_those_who_may_and_for_orders_of_their_shop(desk, staff, person, browser):
    placed = await desk.on_account((await desk.variant(), 2))
    here = f"{ORDERS}/{placed.id}"
    packer, viewer = await staff("warehouse"), await staff("viewer")
    stranger = await browser(await person(role="owner"))
    fields = {"reason": "agreement", "line.1": "1"}

    for opened, paths in (
        (packer, ("/lines/1", "/lines/1/cancel", "/lines/1/refund")),
        (viewer, ("/lines/1/cancel", "/return", "/returns/1/receive")),
    ):
        for path in paths:
            reply = await opened.submit("/console/account", fields, to=here + path)
            assert reply.status_code == (405 if path == "/lines/1" else 403), path
    assert (await packer.get(f"{here}/lines/1")).status_code == 403
    for path in ("/lines/1/cancel", "/lines/1/refund", "/return", "/returns/1/receive"):
        reply = await stranger.submit("/console/account", fields, to=here + path)
        assert reply.status_code == 404, path
    for path in ("/lines/1", "/return", "/returns/1/receive"):
        assert (await stranger.get(here + path)).status_code == 404, path
    manager = await staff()
    for path in ("/lines/9", "/lines/x", "/returns/999999999/receive"):
        assert (await manager.get(here + path)).status_code == 404, path
    assert (await read(desk, placed.id)).lines[0].cancelled == 0
