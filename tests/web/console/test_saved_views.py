"""Saved views: what is shown of a list is kept under a name, for oneself or for the whole shop."""

import re
from html import unescape

import pytest

from crossdock.db.unit_of_work import Database
from tests.support.factories import ShopFixture, make_shop
from tests.support.people import hidden_fields

VIEWS = "/console/views"
ORDERS = "/console/orders"


@pytest.fixture
async def shop(server_database: Database) -> ShopFixture:
    async with server_database.begin() as tx:
        return await make_shop(tx)


@pytest.fixture
def staff(person, browser, shop):
    async def sign_in(role: str = "warehouse"):
        return await browser(await person(role=role, shop_id=shop.id))

    return sign_in


def views_on(page: str) -> dict[str, str]:
    """The saved views that a page has, each with its address."""
    found = re.findall(r'<li><a href="([^"]+)"[^>]*>([^<]+)</a>', page)
    return {unescape(name): unescape(address) for address, name in found}


async def save(opened, page: str, name: str, **fields: str):
    return await opened.submit(page, {"name": name, **fields}, to=VIEWS)


@pytest.mark.parametrize(
    "path",
    [
        "/console/orders",
        "/console/products",
        "/console/stock",
        "/console/merchants",
        "/console/partners",
        "/console/customers",
        "/console/deliveries",
        "/console/events",
        "/console/tickets",
        "/console/mail",
        "/console/money/accounts",
        "/console/money/payments",
        "/console/payouts",
        "/console/log",
    ],
)
async def test_every_list_keeps_what_is_shown(staff, path):
    opened = await staff("owner")

    saved = await save(opened, f"{path}?q=caf%C3%A9&status=open&before=5&done=x", "Mine")

    assert saved.status_code == 303
    assert saved.headers["location"] == f"{path}?q=caf%C3%A9&status=open"
    page = await opened.get(saved.headers["location"])
    assert page.status_code == 200
    assert views_on(page.text)["Mine"] == f"{path}?q=caf%C3%A9&status=open"


async def test_a_view_is_the_savers_own_or_the_whole_shops(staff, person, browser):
    ada, bob = await staff(), await staff()
    stranger = await browser(await person(role="owner"))

    await save(ada, f"{ORDERS}?view=late", "Own")
    await save(ada, f"{ORDERS}?view=unpaid", "Everybody's", shared="yes")

    assert set(views_on((await ada.get(ORDERS)).text)) == {"Own", "Everybody's"}
    assert set(views_on((await bob.get(ORDERS)).text)) == {"Everybody's"}
    assert views_on((await stranger.get(ORDERS)).text) == {}


async def test_a_view_is_replaced_and_removed_by_who_saved_it_or_by_an_owner(staff):
    ada, bob, owner = await staff(), await staff(), await staff("owner")
    await save(ada, f"{ORDERS}?view=late", "Ours", shared="yes")
    page = (await ada.get(ORDERS)).text
    (remove,) = re.findall(rf'action="({VIEWS}/\d+/remove)"', page)

    assert remove not in (await bob.get(ORDERS)).text
    refused = await bob.submit(ORDERS, {}, to=remove)
    taken = await save(bob, f"{ORDERS}?view=failed", "ours", shared="yes")
    again = await save(ada, f"{ORDERS}?view=unpaid", "OURS", shared="yes")

    assert (refused.status_code, taken.status_code, again.status_code) == (404, 409, 303)
    assert views_on((await bob.get(ORDERS)).text) == {"OURS": f"{ORDERS}?view=unpaid"}
    removed = await owner.submit(ORDERS, {}, to=remove)
    shown, _, undo = removed.headers["location"].partition("&done=view_removed&undo=")
    assert (shown, bool(undo)) == (f"{ORDERS}?view=unpaid", True)
    assert views_on((await ada.get(ORDERS)).text) == {}


async def test_what_no_database_takes_is_left_out(staff):
    opened = await staff()

    saved = await save(opened, ORDERS, "M\x00ine", query="view=la\x00te")

    assert saved.headers["location"] == f"{ORDERS}?view=late"
    assert views_on((await opened.get(ORDERS)).text) == {"Mine": f"{ORDERS}?view=late"}


@pytest.mark.parametrize("shared", ["yes", "no"])
async def test_a_view_that_was_removed_is_saved_again_as_it_was(staff, shared):
    ada, bob = await staff(), await staff()
    query = "view=late&cols=placed&cols=total"
    await save(ada, f"{ORDERS}?{query}", "Caf\u00e9 & co", shared=shared)
    page = (await ada.get(ORDERS)).text
    (remove,) = re.findall(rf'action="({VIEWS}/\d+/remove)"', page)

    removed = await ada.submit(ORDERS, {}, to=remove)
    there = removed.headers["location"]
    page = (await ada.get(there)).text
    told = page.partition('id="removed-view"')[2].partition("</div>")[0]
    strangers = (await bob.get(there)).text
    saved_now = hidden_fields(page.partition('id="saved-views"')[2])["query"]
    back = await ada.post(VIEWS, hidden_fields(told))

    assert "The view is removed." in told
    assert views_on(page) == {}
    assert ">Undo<" not in strangers
    assert saved_now == query
    assert back.headers["location"] == f"{ORDERS}?{query}"
    assert views_on((await ada.get(ORDERS)).text) == {"Caf\u00e9 & co": f"{ORDERS}?{query}"}
    assert bool(views_on((await bob.get(ORDERS)).text)) == (shared == "yes")


async def test_what_cannot_be_saved_is_refused_and_changes_nothing(staff):
    opened = await staff()

    for fields, status in (
        ({"name": " \u200b"}, 400),
        ({"name": "x" * 61}, 400),
        ({"name": "Log", "list": "/console/log"}, 403),
        ({"name": "Else", "list": "https://elsewhere.example/"}, 400),
        ({"name": "Long", "query": "q=" + "x" * 1000}, 400),
        ({"name": "Many", "query": "a=1&" * 51}, 400),
    ):
        reply = await opened.submit(ORDERS, fields, to=VIEWS)
        assert reply.status_code == status, fields
    for number in range(30):
        assert (await save(opened, ORDERS, f"View {number}")).status_code == 303
    assert (await save(opened, ORDERS, "One more")).status_code == 409
    assert (await save(opened, ORDERS, "View 3")).status_code == 303
    assert len(views_on((await opened.get(ORDERS)).text)) == 30


async def test_the_columns_of_the_board_are_chosen_and_kept(staff):
    opened = await staff()

    page = (await opened.get(f"{ORDERS}?cols=placed&cols=total")).text

    assert page.count("cols=placed&amp;cols=total") > 2
    saved = await save(opened, f"{ORDERS}?cols=placed&cols=total", "Short")
    assert saved.headers["location"] == f"{ORDERS}?cols=placed&cols=total"
