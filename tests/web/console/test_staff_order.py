"""Taking an order down on a page: what it finds, places, refuses, and places once."""

import re

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from tests.support.factories import moment
from tests.support.people import hidden_fields
from tests.support.staff import Desk

NEW = "/console/orders/new"
CARD = {
    "payment": "card", "card_name": "A. Buyer", "card_number": "4242 4242 4242 4242",
    "expiry_month": "12", "expiry_year": "2031", "security_code": "737",
}  # fmt: skip


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


def number_of(reply) -> int:
    """The number of the order whose page a reply leads to."""
    return int(re.findall(r"/console/orders/(\d+)\?done=placed", reply.headers["location"])[0])


async def test_lines_are_found_added_changed_and_dropped(desk, staff):
    lamp = await desk.variant(sku="LAMP-8", name="Reading lamp, brass")
    mug = await desk.variant(sku="MUG-1", name="Mug", own=0)
    opened = await staff()

    by_sku = await opened.submit(NEW, {"do": "find", "search": "lamp-8"})
    by_number = await opened.submit(NEW, {"do": "find", "search": str(mug), f"line.{lamp}": "3"})
    none = await opened.submit(NEW, {"do": "find", "search": "no such"})
    added = await opened.submit(NEW, {"add": str(mug), f"line.{lamp}": "3"})
    dropped = await opened.submit(NEW, {"drop": str(mug), f"line.{lamp}": "3", f"line.{mug}": "1"})
    strange = await opened.submit(NEW, {"add": "999999999"})

    assert f'name="line.{lamp}" value="1"' in by_sku.text
    assert f'name="add" value="{mug}"' in by_number.text
    assert f'name="line.{lamp}" value="3"' in by_number.text
    assert "0 available" in by_number.text
    assert "Nothing matches." in none.text
    assert f'name="line.{mug}" value="1"' in added.text
    assert "€79.96" in added.text
    assert f'name="line.{mug}"' not in dropped.text
    assert "line.999999999" not in strange.text
    assert await desk.count("orders") == 0
    async with desk.db.statement() as tx:
        assert await tx.value("select count(*) from acts where shop_id = %s", (desk.shop.id,)) == 0


async def test_an_order_is_placed_on_account_once(desk, staff):
    lamp = await desk.variant(sku="LAMP-8")
    opened = await staff()
    page = (await opened.get(f"{NEW}?customer={desk.made.customer_id}")).text
    fields = {
        **hidden_fields(page), f"line.{lamp}": "2", "customer": str(desk.made.customer_id),
        "shipping": "5.95", "comments": "Ring twice.", "do": "place",
    }  # fmt: skip

    first = await opened.post(NEW, fields)
    again = await opened.post(NEW, fields)

    number = number_of(first)
    assert again.headers["location"] == f"/console/orders/{number}?done=placed_before"
    order = await desk.read(number)
    assert (order.total_minor, order.payment_state, order.comments) == (
        4593,
        "awaiting",
        "Ring twice.",
    )
    assert (order.channel, order.timeline[0].author) == ("staff", "Noor")
    assert await desk.count("orders") == 1
    assert (await desk.level(lamp))[2] == 2


async def test_a_sandbox_card_pays_it(desk, staff):
    lamp = await desk.variant()
    opened = await staff()
    fields = {f"line.{lamp}": "1", "customer": str(desk.made.customer_id), "do": "place", **CARD}

    wrong = await opened.submit(NEW, fields | {"card_number": "4242"})
    declined = await opened.submit(NEW, fields | {"card_number": "4000 0000 0000 0002"})
    good = await opened.submit(NEW, fields)

    assert (wrong.status_code, declined.status_code) == (400, 400)
    assert "Check the card number" in wrong.text
    assert 'value="4242"' not in wrong.text
    assert 'value="737"' not in wrong.text
    order = await desk.read(number_of(good))
    assert order.payment_state == "authorised"
    assert await desk.count("orders") == 1


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"customer": "nobody@else.example"}, "Choose a customer of the shop."),
        ({"customer": ""}, "Choose a customer of the shop."),
        ({"many": "9"}, "The quantity exceeds what is available."),
        ({"many": "0"}, "A quantity is a whole number above zero."),
        ({"many": "²"}, "A quantity is a whole number above zero."),
        ({"many": "0000000001999999999999"}, "A quantity is a whole number above zero."),
        ({"many": "1" * 5000}, "A quantity is a whole number above zero."),
        ({"many": ""}, "A quantity is a whole number above zero."),
        ({"shipping": "much"}, "much"),
        ({"line": ""}, "An order has at least one line."),
    ],
)
async def test_what_cannot_be_ordered_is_told_on_the_page(desk, staff, fields, told):
    lamp = await desk.variant()
    wanted = {f"line.{lamp}": fields.get("many", "1")} if "line" not in fields else {}
    base = {"customer": str(desk.made.customer_id), "do": "place", "number": "T-<1>", **wanted}
    opened = await staff()

    reply = await opened.submit(
        NEW, base | {k: v for k, v in fields.items() if k in base or k == "shipping"}
    )

    assert reply.status_code == 400
    assert told in reply.text
    assert "T-&lt;1&gt;" in reply.text
    assert await desk.count("orders") == 0


async def test_a_refusal_keeps_the_typed_quantities(desk, staff):
    lamp, mug = await desk.variant(), await desk.variant()
    fields = {f"line.{lamp}": "2", f"line.{mug}": "3", "do": "place", "customer": ""}
    opened = await staff()

    unknown = await opened.submit(NEW, fields)
    wrong = await opened.submit(NEW, fields | {f"line.{mug}": "a few"})

    assert (unknown.status_code, wrong.status_code) == (400, 400)
    for reply, many in ((unknown, "3"), (wrong, "a few")):
        assert f'name="line.{lamp}" value="2"' in reply.text
        assert f'name="line.{mug}" value="{many}"' in reply.text
    assert "€99.95" in unknown.text


async def test_it_is_for_those_who_manage_orders_and_customers_of_the_shop(
    desk, staff, person, browser
):
    lamp = await desk.variant()
    packer, stranger = await staff("warehouse"), await browser(await person(role="owner"))
    fields = {f"line.{lamp}": "1", "customer": str(desk.made.customer_id), "do": "place"}

    refused = await packer.submit("/console/account", fields, to=NEW)
    elsewhere = await stranger.submit(NEW, fields)
    unsigned = await (await staff()).post(NEW, fields)

    assert (await packer.get(NEW)).status_code == 403
    assert "New order" not in (await packer.get("/console/orders")).text
    assert [refused.status_code, elsewhere.status_code, unsigned.status_code] == [403, 400, 403]
    assert await desk.count("orders") == 0
