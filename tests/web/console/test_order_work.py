"""Picking and packing on an order's page: what it does, what it refuses, and who did it."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.shop.orders import read_order
from crossdock.shop.warehouse import read_serials
from tests.support.factories import box, moment
from tests.support.staff import Desk

ORDERS = "/console/orders"


@pytest.fixture
async def desk(server_database: Database) -> Desk:
    """A shop of the server."""
    return await Desk.open(server_database, FrozenClock(moment("2026-03-02T12:00:00+00:00")))


@pytest.fixture
def staff(person, browser, desk):
    """A browser of somebody of the shop with this role."""

    async def sign_in(role: str = "warehouse", name: str = "Noor"):
        return await browser(await person(role=role, name=name, shop_id=desk.shop.id))

    return sign_in


async def read(desk, order_id):
    async with desk.db.statement() as tx:
        return await read_order(
            tx,
            shop_id=desk.shop.id,
            order_id=order_id,
            sections=("lines", "packages", "timeline"),
        )


async def test_an_order_is_scanned_packed_and_shipped_by_whoever_signed_in(desk, staff):
    lamp = await desk.variant(sku="LAMP-8", upc="0012345678905")
    mug = await desk.variant(sku="MUG-1")
    placed = await desk.on_account((lamp, 2), (mug, 1))
    opened = await staff(name="Wim of the dock")
    order, here = f"{ORDERS}/{placed.id}", f"{ORDERS}/{placed.id}/work"

    page = (await opened.get(here)).text
    for code in ("12345678905", "lamp-8", "MUG-1"):
        done = await opened.submit(here, {"code": code}, to=f"{here}/scan")
        assert done.headers["location"].startswith(f"{here}?done=picked&undo=")
    noted = await opened.submit(
        here, {"line": "1", "serials": "A 1\n\nA 2\n"}, to=f"{here}/serials"
    )
    packed = await opened.submit(here, {"line.1": "2", "line.2": "1"}, to=f"{here}/pack")
    waiting = (await opened.get(here)).text
    path = re.findall(r'action="([^"]+/ship)"', waiting)[0]
    sent = await opened.submit_surely(here, {}, to=path)

    assert "3 left to pick." in page
    assert "autofocus" in page
    assert [noted.status_code, packed.status_code, sent.status_code] == [303] * 3
    found = await read(desk, placed.id)
    assert found.fulfilment_state == "shipped"
    assert [package.lines for package in found.packages] == [{1: 2, 2: 1}]
    async with desk.db.statement() as tx:
        serials = await read_serials(tx, shop_id=desk.shop.id, order_id=placed.id, box=box())
    assert serials == {1: ["A 1", "A 2"]}
    by_wim = [e.kind for e in found.timeline if e.author == "Wim of the dock"]
    assert by_wim == [
        *("order.in_fulfilment", "order.picked", "order.picked", "order.picked"),
        *("package.packed", "order.lines_moved", "order.shipped", "package.shipped"),
    ]
    assert "UTC, Wim of the dock</span><p>Picked</p>" in (await opened.get(order)).text
    assert (
        "There is nothing to pick or pack: the order is shipped." in (await opened.get(here)).text
    )


async def test_a_wrong_scan_is_told_on_the_page_and_picks_nothing(desk, staff):
    placed = await desk.on_account((await desk.variant(sku="LAMP-8"), 1))
    opened = await staff()
    here = f"{ORDERS}/{placed.id}/work"

    strange = await opened.submit(here, {"code": "<b>0</b>"}, to=f"{here}/scan")
    empty = await opened.submit(here, {"code": " \x00"}, to=f"{here}/scan")
    await opened.submit(here, {"code": "LAMP-8"}, to=f"{here}/scan")
    again = await opened.submit(here, {"code": "LAMP-8"}, to=f"{here}/scan")

    assert [strange.status_code, empty.status_code, again.status_code] == [400] * 3
    assert "No line of this order has the code &lt;b&gt;0&lt;/b&gt;." in strange.text
    assert "All of LAMP-8 is picked." in again.text
    assert (await read(desk, placed.id)).lines[0].picked == 1


async def test_quantities_are_picked_put_back_packed_and_unpacked(desk, staff):
    placed = await desk.on_account((await desk.variant(), 3))
    opened = await staff()
    here = f"{ORDERS}/{placed.id}/work"

    picked = await opened.submit(here, {"line.1": "2"}, to=f"{here}/pick")
    rest = await opened.submit(here, {"line.1": "", "all": "yes"}, to=f"{here}/pick")
    back = await opened.submit(here, {"line.1": "1"}, to=f"{here}/unpick")
    packed = await opened.submit(here, {"line.1": "2", "weight": "450"}, to=f"{here}/pack")
    found = await read(desk, placed.id)
    path = f"{here}/packages/{found.packages[0].id}/unpack"
    opened_again = await opened.submit_surely(here, {}, to=path)

    replies = (picked, rest, back, packed, opened_again)
    assert [
        parse_qs(urlsplit(reply.headers["location"]).query)["done"][0] for reply in replies
    ] == [
        *("picked", "picked", "unpicked", "packed", "unpacked"),
    ]
    assert (found.lines[0].picked, found.packages[0].weight_g) == (2, 450)
    assert (await read(desk, placed.id)).packages[0].state == "cancelled"


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("pick", {}),
        ("pick", {"line.1": "9"}),
        ("pick", {"line.1": "-1"}),
        ("pick", {"line.7": "1"}),
        ("pick", {"line.99999": "1"}),
        ("pack", {"line.1": "1"}),
        ("pack", {"line.1": "1", "weight": "heavy"}),
        ("unpick", {"line.1": "1"}),
        ("serials", {"line": "1", "serials": "A1"}),
        ("serials", {"line": "1", "serials": " "}),
        ("serials", {"line": "x", "serials": "A1"}),
    ],
)
async def test_what_is_no_quantity_of_a_line_is_refused(desk, staff, action, fields):
    placed = await desk.on_account((await desk.variant(), 3))
    opened = await staff()
    here = f"{ORDERS}/{placed.id}/work"

    reply = await opened.submit(here, fields, to=f"{here}/{action}")

    assert reply.status_code in {400, 404, 409}
    found = await read(desk, placed.id)
    assert (found.fulfilment_state, found.lines[0].picked) == ("processing", 0)


async def test_it_is_for_those_who_fulfil_orders_of_this_shop(desk, staff, person, browser):
    placed = await desk.on_account((await desk.variant(), 3))
    here = f"{ORDERS}/{placed.id}/work"
    viewer, stranger = await staff("viewer"), await browser(await person(role="owner"))
    actions = ("scan", "pick", "unpick", "serials", "pack", "packages/1/ship", "packages/1/unpack")

    for opened, refusal in ((viewer, {403}), (stranger, {404})):
        assert (await opened.get(here)).status_code in refusal
        for action in actions:
            fields = {"code": "x", "line": "1", "serials": "x", "line.1": "1"}
            reply = await opened.submit("/console/account", fields, to=f"{here}/{action}")
            assert reply.status_code in refusal | ({400} if action == "scan" else set()), action
            if opened is stranger:
                assert (await opened.post(f"{here}/{action}", fields)).status_code == 403
    assert (await read(desk, placed.id)).fulfilment_state == "processing"


async def test_a_note_is_kept_with_its_author_and_shown_as_text(desk, staff):
    placed = await desk.on_account((await desk.variant(), 1))
    opened, viewer = await staff(name="Wim"), await staff("viewer")
    here = f"{ORDERS}/{placed.id}"

    kept = await opened.submit(here, {"note": "Ring <twice>.\nDock 4."}, to=f"{here}/note")
    empty = await opened.submit(here, {"note": " \x00 "}, to=f"{here}/note")
    long = await opened.submit(here, {"note": "a" * 2001}, to=f"{here}/note")
    refused = await viewer.submit("/console/account", {"note": "x"}, to=f"{here}/note")

    assert kept.headers["location"] == f"{here}?done=noted"
    assert [empty.status_code, long.status_code, refused.status_code] == [400, 400, 403]
    page = (await viewer.get(here)).text
    assert "UTC, Wim</span><p>Ring &lt;twice&gt;.\nDock 4.</p>" in page
    assert "A note for your colleagues" not in page
    notes = [
        event for event in (await read(desk, placed.id)).timeline if event.kind == "order.noted"
    ]
    assert [(event.author, event.payload) for event in notes] == [
        ("Wim", {"text": "Ring <twice>.\nDock 4."})
    ]
