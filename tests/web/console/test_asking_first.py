"""What cannot be undone is asked first, with what it does to stock and money; what can be is offered to be undone."""

import re
from html import unescape

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.shop.orders import pay_order
from tests.support.factories import moment
from tests.support.people import hidden_fields
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


async def noted(desk: Desk, path: str) -> int:
    """How often this act of the shop was noted."""
    async with desk.db.statement() as tx:
        return int(
            await tx.value(
                "select count(*) from acts where shop_id = %s and subject = %s",
                (desk.shop.id, path),
            )
        )


async def test_shipping_says_what_leaves_and_does_nothing_yet(desk, staff):
    lamp = await desk.variant(sku="LAMP-8")
    placed = await desk.on_account((lamp, 2))
    opened = await staff("warehouse")
    here = f"{ORDERS}/{placed.id}"

    asked = await opened.submit(here, {"all": "yes"}, to=f"{here}/send")
    kinds, level = await desk.kinds(placed.id), await desk.level(lamp)
    acts = await noted(desk, f"{here}/send")
    done = await opened.post(f"{here}/send", hidden_fields(asked.text))

    assert "2 × LAMP-8 leaves stock (" in asked.text
    assert "Nothing is charged or refunded by this." in asked.text
    assert "It becomes: Shipped." in asked.text
    assert "package.shipped" not in kinds
    assert (level, acts) == ((5, 0, 2, 3), 0)
    assert done.headers["location"] == f"{here}?done=sent"
    assert await desk.level(lamp) == (3, 0, 0, 3)
    assert await noted(desk, f"{here}/send") == 1


async def test_a_card_is_captured_after_its_amount_was_told(desk, staff):
    placed = await desk.with_card((await desk.variant(), 2))
    opened = await staff()
    here = f"{ORDERS}/{placed.id}"

    asked = await opened.submit(here, {}, to=f"{here}/pay")
    (before,) = await desk.payments(placed.id)
    await opened.post(f"{here}/pay", hidden_fields(asked.text))
    again = await opened.post(f"{here}/pay", hidden_fields(asked.text))

    assert "€39.98 is charged to the buyer&#39;s card." in asked.text
    assert (before.state, before.captured_minor) == ("authorised", 0)
    (payment,) = await desk.payments(placed.id)
    assert (payment.state, payment.captured_minor) == ("captured", 3998)
    assert again.status_code == 409


async def test_a_refund_tells_the_amount_and_what_comes_back(desk, staff):
    placed = await desk.with_card((await desk.variant(sku="MUG-1"), 2))
    await pay_order(desk.paying, shop_id=desk.shop.id, order_id=placed.id)
    opened = await staff()
    here = f"{ORDERS}/{placed.id}/refund"

    whole = await opened.submit(here, {"amount": "", "goods_back": "yes"})
    part = await opened.submit(here, {"amount": "5"})
    more = await opened.submit(here, {"amount": "40"})

    assert "€39.98 is refunded." in whole.text
    assert "2 × MUG-1 can be sold again." in whole.text
    assert "It becomes: Cancelled." in whole.text
    assert "€5.00 is refunded." in part.text
    assert "No level changes." in part.text
    assert "is refunded." not in more.text
    assert more.status_code == 409
    (payment,) = await desk.payments(placed.id)
    assert payment.refunded_minor == 0
    assert (await desk.read(placed.id)).fulfilment_state == "processing"


async def test_an_order_is_closed_short_with_what_that_gives_back(desk, staff):
    lamp = await desk.variant(sku="LAMP-8")
    placed = await desk.with_card((lamp, 3))
    await pay_order(desk.paying, shop_id=desk.shop.id, order_id=placed.id)
    opened = await staff()
    here = f"{ORDERS}/{placed.id}"
    work = f"{here}/work"
    await opened.submit(work, {"line.1": "1"}, to=f"{work}/pick")
    await opened.submit(work, {"line.1": "1"}, to=f"{work}/pack")
    await opened.submit_surely(work, {}, to=f"{here}/send")

    page = (await opened.get(here)).text
    asked = (await opened.get(f"{here}/close")).text
    done = await opened.submit(f"{here}/close", {"refund_reason": "out_of_stock"})

    assert "Close short …" in page
    assert "2 × LAMP-8 can be sold again." in asked
    assert "€39.98 is refunded." in asked
    assert "The partner reads that the rest is cancelled." in asked
    assert done.headers["location"] == f"{here}?done=closed"
    assert (await desk.read(placed.id)).fulfilment_state == "shipped"
    assert await desk.level(lamp) == (4, 0, 0, 4)
    (payment,) = await desk.payments(placed.id)
    assert payment.refunded_minor == 3998


async def test_many_are_cancelled_after_units_and_money_were_told(desk, staff):
    lamp = await desk.variant(own=50)
    paid = await desk.with_card((lamp, 3))
    await pay_order(desk.paying, shop_id=desk.shop.id, order_id=paid.id)
    owed, shipped = await desk.on_account((lamp, 2)), await desk.on_account((lamp, 1))
    opened = await staff()
    there = f"{ORDERS}/{shipped.id}"
    await opened.submit_surely(there, {"all": "yes"}, to=f"{there}/send")

    asked = await opened.submit(
        ORDERS, {"action": "cancel", "all": "yes"}, to=f"{ORDERS}/bulk?view=all"
    )

    assert "5 units can be sold again." in asked.text
    assert "€59.97 is refunded." in asked.text
    assert "€39.98 less is owed." in asked.text
    assert "One of them stays as it is:" in asked.text
    assert f'href="{there}">{shipped.id}</a>: An order that is shipped cannot' in asked.text
    assert await desk.level(lamp) == (49, 0, 5, 44)
    assert (await desk.read(owed.id)).fulfilment_state == "processing"


async def test_a_pick_and_a_package_are_taken_back_by_undo(desk, staff):
    placed = await desk.on_account((await desk.variant(), 3))
    opened = await staff("warehouse")
    here = f"{ORDERS}/{placed.id}/work"

    picked = await opened.submit(here, {"line.1": "2"}, to=f"{here}/pick")
    fields, to = undo_of(await opened.get(picked.headers["location"]))
    packed = await opened.submit(here, {"line.1": "2"}, to=f"{here}/pack")
    _, unpack = undo_of(await opened.get(packed.headers["location"]))
    unpacked = await opened.submit(here, {}, to=unpack)
    back, pack = undo_of(await opened.get(unpacked.headers["location"]))
    done = await opened.post(to, fields)

    assert (to, fields["line.1"]) == (f"{here}/unpick", "2")
    assert (pack, back["line.1"]) == (f"{here}/pack", "2")
    assert done.status_code == 303
    order = await desk.read(placed.id)
    assert (order.fulfilment_state, order.lines[0].picked) == ("processing", 0)


async def test_prices_and_names_are_taken_back_unless_they_changed_again(desk, staff):
    lamp = await desk.variant()
    async with desk.db.statement() as tx:
        product = await tx.value("select product_id from variants where id = %s", (lamp,))
        name = await tx.value("select name from products where id = %s", (product,))
    opened = await staff()
    here = f"/console/products/{product}/edit"

    saved = await opened.submit(here, {"name": "Lamp 8", f"price.{lamp}": "24.5"})
    fields, to = undo_of(await opened.get(saved.headers["location"]))
    done = await opened.post(to, fields)
    back = hidden_fields((await opened.get(here)).text)
    again = await opened.submit(here, {"name": "Lamp 9"})
    stale = await opened.post(to, fields)

    assert to == here
    assert done.status_code == again.status_code == 303
    assert (back["shown.name"], back[f"shown.price.{lamp}"]) == (name, "19.99")
    assert stale.status_code == 409


async def test_an_undo_of_another_session_is_not_offered(desk, staff):
    placed = await desk.on_account((await desk.variant(), 3))
    here = f"{ORDERS}/{placed.id}/work"
    mine, other = await staff("warehouse"), await staff("warehouse")
    picked = (await mine.submit(here, {"line.1": "2"}, to=f"{here}/pick")).headers["location"]

    pages = [
        (await opened.get(address)).text
        for opened, address in (
            (mine, picked), (other, picked), (mine, picked[:-1]), (mine, f"{here}?done=picked&undo=e.x"),
        )
    ]  # fmt: skip

    assert ["Undo</button>" in page for page in pages] == [True, False, False, False]
    assert all("Picked." in page for page in pages)


def undo_of(page) -> tuple[dict[str, str], str]:
    """The fields of the page's undo, and where it is sent."""
    form = re.search(
        r'<div class="told.*?<form method="post" action="([^"]+)">(.*?)</form>',
        page.text,
        re.DOTALL,
    )
    assert form is not None
    return hidden_fields(form[2]), unescape(form[1])
