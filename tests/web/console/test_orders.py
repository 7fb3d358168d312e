"""The pages of orders: what they show, what they do, and for whom."""

import csv
import io
import re

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.shop.mailing import list_mails
from crossdock.shop.orders import move_order, pay_order, place
from crossdock.shop.payments import list_payments
from tests.support.drafts import draft_of, line_of
from tests.support.factories import moment
from tests.support.staff import Desk

ORDERS = "/console/orders"


@pytest.fixture
async def desk(server_database: Database) -> Desk:
    """A shop of the server, whose orders are some days old."""
    return await Desk.open(server_database, FrozenClock(moment("2026-03-02T12:00:00+00:00")))


@pytest.fixture
def staff(person, browser, desk):
    """A browser of somebody of the shop with this role."""

    async def sign_in(role: str = "manager"):
        return await browser(await person(role=role, shop_id=desk.shop.id))

    return sign_in


async def test_the_board_shows_views_filters_and_a_page(desk, staff):
    good = await desk.variant(own=99)
    placed = [(await desk.on_account((good, 1), number=f"T-{n}")).id for n in range(51)]
    opened = await staff("viewer")

    page = (await opened.get(ORDERS)).text

    assert f'href="{ORDERS}/{placed[50]}"' in page
    assert f'href="{ORDERS}/{placed[0]}"' not in page
    assert 'Open <span class="count">51</span>' in page
    assert page.count("late</span>") == 50
    older = (await opened.get(f"{ORDERS}?before={placed[1]}")).text
    assert f'href="{ORDERS}/{placed[0]}"' in older
    found = (await opened.get(f"{ORDERS}?q=T-7")).text
    assert f'href="{ORDERS}/{placed[7]}"' in found
    assert found.count('<td class="id">') == 1
    none = (await opened.get(f"{ORDERS}?view=all&state=shipped")).text
    assert "No order matches." in none


@pytest.mark.parametrize(
    "query",
    ["?view=nothing", "?before=-1", "?before=9" + "9" * 40, "?q=%00", "?state=x&payment=y",
     "?q=" + "a" * 5000, "?channel=%00", "?q=%27%3B--", "?before=%C2%B2"],
)  # fmt: skip
async def test_an_odd_address_shows_a_board_all_the_same(staff, query):
    assert (await (await staff()).get(ORDERS + query)).status_code == 200


async def test_a_view_is_downloaded_whole_and_as_plain_text(desk, staff):
    good = await desk.variant(own=999)
    placed = [
        (await desk.on_account((good, 1), number=f"{'=＝'[n % 2]}A{n}")).id for n in range(205)
    ]
    opened = await staff("viewer")

    reply = await opened.get(f"{ORDERS}.csv?view=open")

    rows = list(csv.DictReader(io.StringIO(reply.text)))
    assert reply.headers["content-type"] == "text/csv; charset=utf-8"
    assert [int(row["id"]) for row in rows] == placed[::-1]
    assert [row["partner_order_id"] for row in rows[:2]] == ["'=A204", "'＝A203"]
    assert (rows[0]["total"], rows[0]["currency"], rows[0]["is_late"]) == ("19.99", "EUR", "yes")


async def test_an_order_is_paid_shipped_and_its_label_printed(desk, staff):
    placed = await desk.on_account((await desk.variant(), 2))
    opened = await staff()
    here = f"{ORDERS}/{placed.id}"

    paid = await opened.submit_surely(here, {"reference": "ACME 12"}, to=f"{here}/pay")
    sent = await opened.submit_surely(here, {}, to=f"{here}/send")

    assert (paid.status_code, paid.headers["location"]) == (303, f"{here}?done=paid")
    assert (sent.status_code, sent.headers["location"]) == (303, f"{here}?done=sent")
    order = await desk.read(placed.id)
    assert (order.fulfilment_state, order.payment_state) == ("shipped", "paid")
    page = (await opened.get(f"{here}?done=sent")).text
    assert "Shipped. The labels and tracking numbers are with the packages below." in page
    path = page.partition("/label.pdf")[0].rpartition('"')[2] + "/label.pdf"
    label = await opened.get(path)
    assert label.headers["content-type"] == "application/pdf"
    assert label.content.startswith(b"%PDF")
    assert "Pick, pack and ship all" not in page


async def test_an_order_is_refunded_in_part_and_then_whole(desk, staff):
    placed = await desk.with_card((await desk.variant(), 2))
    opened = await staff()
    here = f"{ORDERS}/{placed.id}"
    assert (await opened.submit_surely(here, {}, to=f"{here}/pay")).status_code == 303

    part = await opened.submit_surely(f"{here}/refund", {"amount": "10.50"})
    too_much = await opened.submit_surely(f"{here}/refund", {"amount": "30"})
    wrong = await opened.submit_surely(f"{here}/refund", {"amount": "ten"})
    rest = await opened.submit_surely(f"{here}/refund", {"amount": "", "goods_back": "yes"})

    assert [part.status_code, too_much.status_code, wrong.status_code, rest.status_code] == [
        303, 409, 400, 303,
    ]  # fmt: skip
    async with desk.db.statement() as tx:
        (payment,) = await list_payments(tx, shop_id=desk.shop.id, order_id=placed.id)
    assert payment.refunded_minor == payment.captured_minor == 3998
    order = await desk.read(placed.id)
    assert (order.fulfilment_state, order.payment_state) == ("cancelled", "refunded")
    authors = [
        (event.kind, event.author)
        for event in order.timeline
        if event.kind.startswith("payment.") and event.kind != "payment.authorised"
    ]
    assert authors == [
        ("payment.paid", "Noor"), ("payment.partially_refunded", "Noor"), ("payment.refunded", "Noor"),
    ]  # fmt: skip
    assert "Nothing that was paid is left to refund." in (await opened.get(f"{here}/refund")).text


async def test_cancelling_asks_first_and_says_what_it_does(desk, staff):
    placed = await desk.on_account((await desk.variant(sku="LAMP-8"), 2))
    opened = await staff()
    here = f"{ORDERS}/{placed.id}"

    asked = (await opened.get(f"{here}/cancel")).text
    wrong = await opened.submit(f"{here}/cancel", {"refund_reason": "mood"})
    done = await opened.submit(
        f"{here}/cancel", {"refund_reason": "agreement", "reason": "<b>twice</b>"}
    )

    assert "2 × LAMP-8 can be sold again." in asked
    assert "Nothing was paid, so nothing is refunded." in asked
    assert wrong.status_code == 400
    assert done.headers["location"] == f"{here}?done=cancelled"
    assert (await desk.read(placed.id)).fulfilment_state == "cancelled"
    assert "&lt;b&gt;twice&lt;/b&gt;" in (await opened.get(here)).text
    assert "cannot be cancelled any more" in (await opened.get(f"{here}/cancel")).text
    again = await opened.submit(here, {"refund_reason": "agreement"}, to=f"{here}/cancel")
    assert again.status_code == 409


async def test_a_role_does_only_what_it_may(desk, staff):
    placed = await desk.on_account((await desk.variant(), 2))
    here = f"{ORDERS}/{placed.id}"
    viewer, packer = await staff("viewer"), await staff("warehouse")

    seen = (await viewer.get(here)).text
    packing = (await packer.get(here)).text
    refused = [
        (await viewer.submit("/console/account", {}, to=f"{here}/{action}")).status_code
        for action in ("release", "send", "pay", "cancel", "refund")
    ] + [
        (await packer.submit("/console/account", {}, to=f"{here}/{action}")).status_code
        for action in ("pay", "cancel", "refund")
    ]

    assert 'class="todo"' not in seen
    assert "Pick, pack and ship all" in packing
    assert "Cancel …" not in packing
    assert refused == [403] * 8
    order = await desk.read(placed.id)
    assert (order.fulfilment_state, order.payment_state) == ("processing", "awaiting")


async def test_another_shops_order_and_a_partner_see_nothing(desk, staff, person, browser):
    placed = await desk.on_account((await desk.variant(), 2))
    here = f"{ORDERS}/{placed.id}"
    stranger = await browser(await person(role="owner"))
    partner = await browser(await person(role="partner"))

    assert (await stranger.get(here)).status_code == 404
    assert (await stranger.get(f"{here}/cancel")).status_code == 404
    for action in ("release", "send", "pay", "cancel", "refund"):
        reply = await stranger.submit(
            "/console/account",
            {"refund_reason": "agreement", "reference": "x"},
            to=f"{here}/{action}",
        )
        assert reply.status_code == 404, action
    assert "There are no orders yet." in (await stranger.get(f"{ORDERS}?view=all")).text
    assert [(await partner.get(path)).status_code for path in (ORDERS, here)] == [403, 403]
    assert [(await partner.get(f"{ORDERS}.csv")).status_code] == [403]
    for number in ("0", "abc", "9" * 30, "²"):
        assert (await stranger.get(f"{ORDERS}/{number}")).status_code == 404


async def test_a_form_without_the_sessions_token_does_nothing(desk, staff):
    placed = await desk.on_account((await desk.variant(), 2))
    opened = await staff()

    for action in ("release", "send", "pay", "cancel", "refund"):
        reply = await opened.post(
            f"{ORDERS}/{placed.id}/{action}", {"all": "yes", "reference": "x"}
        )
        assert reply.status_code == 403, action
    order = await desk.read(placed.id)
    assert (order.fulfilment_state, order.payment_state) == ("processing", "awaiting")


async def test_a_waiting_order_is_released(desk, staff):
    placed = await desk.with_card((await desk.variant(), 1))
    opened = await staff("warehouse")
    here = f"{ORDERS}/{placed.id}"
    async with desk.db.begin() as tx:
        await move_order(
            tx, shop_id=desk.shop.id, order_id=placed.id, to="waiting_for_release",
            now=desk.clock.now(),
        )  # fmt: skip

    done = await opened.submit(here, {}, to=f"{here}/release")

    assert done.headers["location"] == f"{here}?done=released"
    assert (await desk.read(placed.id)).fulfilment_state == "processing"


async def test_the_home_page_counts_what_is_to_be_done(desk, staff):
    await desk.on_account((await desk.variant(), 1))

    page = (await (await staff("viewer")).get("/console/")).text

    tiles = re.findall(
        r'href="/console/orders([^"]*)"><span class="many">(\d+)</span> ([^<]+)', page
    )
    assert tiles == [
        ("", "1", "Open"),
        ("?view=to_release", "0", "To release"),
        ("?view=to_fulfil", "1", "To pick and pack"),
        ("?view=to_deliver", "0", "To deliver"),
        ("?view=late", "1", "Late"),
        ("?view=unpaid", "1", "Unpaid"),
        ("?view=failed", "0", "With an alert"),
        ("?view=returned", "0", "Open returns"),
        ("?view=all", "0", "Orders today"),
    ]
    assert 'class="tile urgent" href="/console/orders?view=late"' in page


async def test_what_no_warehouse_sends_is_delivered_and_never_released(desk, staff):
    draft = draft_of(
        line_of(await desk.variant(), shop=desk.made, take="own"),
        shop=desk.made,
        currency="EUR",
        state="waiting_for_release",
        release_policy="delivered",
        payment_state="awaiting",
    )
    async with desk.db.begin() as tx:
        order_id = (await place(tx, draft=draft, now=desk.clock.now())).id
    opened = await staff("warehouse")
    here = f"{ORDERS}/{order_id}"
    assert f'href="{here}"' not in (await opened.get(f"{ORDERS}?view=to_deliver")).text
    await pay_order(desk.paying, shop_id=desk.shop.id, order_id=order_id, reference="ACME 13")

    assert f'href="{here}"' in (await opened.get(f"{ORDERS}?view=to_deliver")).text
    assert f'href="{here}"' not in (await opened.get(f"{ORDERS}?view=to_release")).text
    page = (await opened.get(here)).text
    released = await opened.submit(here, {}, to=f"{here}/release")
    done = await opened.submit_surely(here, {"note": "Set up on Monday."}, to=f"{here}/deliver")

    assert "Deliver and mail it" in page
    assert ">Release<" not in page
    assert released.status_code == 409
    assert done.headers["location"] == f"{here}?done=delivered"
    assert (await desk.read(order_id)).fulfilment_state == "completed"
    async with desk.db.statement() as tx:
        (mail,) = await list_mails(tx, shop_id=desk.shop.id)
    assert mail.template == "order_delivery"
