"""The columns of a list are chosen in its address, and ..."""

import re
from html import unescape
from urllib.parse import parse_qsl

import pytest
from starlette.datastructures import QueryParams
from starlette.requests import Request

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.shop.tickets import open_ticket
from crossdock.web.console.list_columns import Column, Columns, chosen_of, read_columns
from tests.support.factories import make_partner, moment
from tests.support.listed import fill_lists
from tests.support.people import PlainBrowser
from tests.support.staff import Desk
from tests.support.ticketing import known_images, new_ticket

OFFERED = {"sku": Column("SKU"), "price": Column("Price", is_number=True), "pool": Column("Pool")}
LISTS = {
    "/console/orders?view=all": [
        "Order", "Placed (UTC)", "From", "For", "Fulfilment", "Payment", "Total",
    ],
    "/console/products": ["Product", "SKU", "Status", "On hand", "Available", "Price"],
    "/console/stock?at_most=9": [
        "Product", "SKU", "Pool", "On hand", "Available", "Warning level",
    ],
    "/console/customers": ["Customer", "E-mail", "City", "Orders for it"],
    "/console/partners": ["Partner", "Channel", "Calls", "Live keys", "Last call (UTC)"],
    "/console/deliveries?status=queued": ["Delivery", "To", "Status", "Queued (UTC)"],
    "/console/money/payments?state=authorised": [
        "Payment", "When (UTC)", "State", "Of", "Amount", "Refunded",
    ],
    "/console/tickets?view=open": ["Ticket", "From", "State", "Opened (UTC)"],
    "/console/merchants?state=on": ["Merchant", "Connector", "Shipping", "Status", "Products"],
    "/console/events?kind=merchant.changed": ["Event", "About", "When (UTC)", "What it says"],
    "/console/mail": ["Subject", "To", "Written (UTC)", "Status"],
    "/console/money/accounts?kind=reseller_available": [
        "Account", "Owner", "Last entry (UTC)", "Balance",
    ],
    "/console/payouts?status=all": ["Payout", "Asked (UTC)", "To", "Status", "Amount"],
    "/console/log?who=noor%40shop.example": ["When", "Who", "What", "Of", "From"],
}  # fmt: skip


@pytest.fixture
async def owner(server_database: Database, browser, person) -> PlainBrowser:
    """Signed in to a shop that has a row for every list."""
    now = moment("2026-03-02T12:00:00+00:00")
    desk = await Desk.open(server_database, FrozenClock(now))
    await desk.with_card((await desk.variant(), 1))
    async with server_database.begin() as tx:
        partner = await make_partner(tx, shop=desk.made)
        await open_ticket(
            tx, shop_id=desk.shop.id, partner_id=partner.id, ticket=new_ticket(),
            images=known_images, now=now,
        )  # fmt: skip
    await fill_lists(server_database, shop=desk.made, now=now)
    return await browser(await person(role="owner", shop_id=desk.shop.id))


def table_of(page: str) -> tuple[list[str], set[int]]:
    """The headings of a page's list, and how many cells its rows have."""
    board = page.partition('<table class="board')[2].partition("</table>")[0]
    headings = [unescape(text) for text in re.findall(r'<th scope="col"[^>]*>([^<]*)</th>', board)]
    rows = board.partition("<tbody>")[2].split("</tr>")[:-1]
    return headings, {row.count("<td") for row in rows}


def choice_of(page: str) -> str:
    """The form that chooses the columns."""
    return page.partition('id="columns">')[2].partition("</details>")[0]


async def test_every_list_shows_those_and_offers_all(owner):
    for address, headings in LISTS.items():
        page = (await owner.get(address)).text
        names = re.findall(r'name="cols" value="(\w+)" checked', choice_of(page))
        joint = "&" if "?" in address else "?"
        narrow = (await owner.get(f"{address}{joint}cols={names[-1]}&cols=nothing")).text
        choice = choice_of(narrow)

        assert table_of(page) == (headings, {len(headings)}), address
        assert len(names) == len(headings) - 1, address
        assert table_of(narrow) == ([headings[0], headings[-1]], {2}), address
        assert re.findall(r'value="(\w+)" checked', choice) == [names[-1]], address
        assert choice.count('name="cols"') == len(names), address
        for name, text in parse_qsl(address.partition("?")[2]):
            assert f'name="{name}" value="{text}"' in choice, address


async def test_the_links_and_the_search_of_a_list_keep_them(owner):
    for address, link in (
        ("/console/products?q=nothing-like-it", "/console/products?cols=price"),
        ("/console/stock?at_most=0", "/console/stock?cols=pool"),
        ("/console/customers?q=nobody-like-it", "/console/customers?cols=city"),
        ("/console/deliveries?kind=x", "/console/deliveries?status=failed&kind=x&cols=to"),
        ("/console/money/payments?state=declined", "/console/money/payments?cols=amount"),
        ("/console/tickets?view=closed", "/console/tickets?view=all&cols=state"),
        ("/console/orders?view=late", "/console/orders?view=all&cols=total"),
        ("/console/orders?view=late&q=nothing-like-it", "/console/orders?view=all&cols=for"),
        ("/console/merchants?q=nobody-like-it", "/console/merchants?cols=products"),
        ("/console/events?subject=999999999", "/console/events?cols=about"),
        ("/console/mail?to=nobody@x.example", "/console/mail?cols=written"),
        ("/console/money/accounts?owner=nobody", "/console/money/accounts?cols=last"),
        ("/console/payouts?status=rejected", "/console/payouts?status=all&cols=to"),
        ("/console/log?who=nobody@x.example", "/console/log?cols=what"),
    ):
        cols = link.rpartition("cols=")[2]
        page = unescape((await owner.get(f"{address}&cols={cols}")).text)
        assert f'href="{link}"' in page, address
        filters = page.partition('<form class="filters"')[2].partition("</form>")[0]
        assert f'name="cols" value="{cols}"' in filters or not filters, address


async def test_a_file_of_the_board_has_those(owner):
    whole = (await owner.get("/console/orders.csv?view=all")).text.splitlines()
    narrow = (await owner.get("/console/orders.csv?view=all&cols=payment&cols=total")).text

    assert len(whole[0].split(",")) == 16
    head, row = narrow.splitlines()
    assert head == "id,payment_state,currency,total,is_test"
    assert re.fullmatch(r"\d+,authorised,EUR,19\.99,no", row)


def test_none_and_all_of_them_are_the_same():
    assert chosen_of(QueryParams("cols=price&cols=sku&cols=x"), OFFERED) == ("sku", "price")
    assert chosen_of(QueryParams("cols=pool&cols=price&cols=sku"), OFFERED) == ()
    assert chosen_of(QueryParams("q=x"), OFFERED) == ()
    assert Columns(path="/console/x", offered=OFFERED).shown == OFFERED
    assert Columns(path="/console/x", offered=OFFERED).link(q="") == "/console/x"


def test_the_choice_keeps_the_filters_but_not_the_page():
    scope = {
        "type": "http", "path": "/console/x", "headers": [(b"host", b"test")],
        "query_string": b"q=a&cols=pool&before=7&done=sent&tag=1&tag=2",
    }  # fmt: skip
    columns = read_columns(Request(scope), OFFERED)

    assert columns.kept == (("q", "a"), ("tag", "1"), ("tag", "2"))
    assert list(columns.shown) == ["pool"]
    assert columns.link(q="b c") == "/console/x?q=b+c&cols=pool"
