"""Promotions on pages: added for a product, seen by a partner, changed, ended; and a product's translations."""

import re

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock, SystemClock
from crossdock.shop.catalogue import list_promotions, read_translations
from tests.support.factories import make_partner, moment
from tests.support.people import hidden_fields
from tests.support.staff import Desk

PRODUCTS, PROMOTIONS = "/console/products", "/console/promotions"
TIMES = {"starts_at": "2026-03-01T00:00", "ends_at": "2199-03-08T00:00"}


@pytest.fixture
async def desk(server_database: Database) -> Desk:
    return await Desk.open(server_database, FrozenClock(moment("2026-03-02T12:00:00+00:00")))


@pytest.fixture
def staff(person, browser, desk):
    """A browser of somebody of the shop with this role."""

    async def sign_in(role: str = "manager"):
        return await browser(await person(role=role, shop_id=desk.shop.id))

    return sign_in


async def page_of(desk: Desk, variant: int) -> str:
    async with desk.db.statement() as tx:
        number = await tx.value("select product_id from variants where id = %s", (variant,))
    return f"{PRODUCTS}/{number}"


async def promotions(desk: Desk) -> list:
    async with desk.db.statement() as tx:
        return await list_promotions(tx, shop_id=desk.shop.id, now=SystemClock().now())


async def test_one_is_added_seen_by_a_partner_changed_and_ended(desk, staff):
    lamp = await desk.variant(name="Brass lamp")
    async with desk.db.begin() as tx:
        partner = await make_partner(tx, shop=desk.made)
    opened, product = await staff(), await page_of(desk, lamp)
    here = f"{product}/promotions"

    added = await opened.submit(here, TIMES | {"variant": str(lamp), "price": "14,50"})
    (made,) = await promotions(desk)
    one = f"{PROMOTIONS}/{made.id}"
    seen = (await opened.get(product, params={"partner": str(partner.id)})).text
    listed = (await opened.get(PROMOTIONS, params={"state": "running", "q": "brass"})).text
    changed = await opened.submit(one, TIMES | {"price": "13.00"})
    shown = (await opened.get(f"{one}?done=changed")).text
    ended = await opened.submit(one, {}, to=f"{one}/end")

    assert added.headers["location"] == f"{here}?done=added"
    assert made.price_minor == 1450
    assert "€14.50" in seen
    assert '<span class="tag">promotion</span>' in seen
    assert f'href="{one}"' in listed
    assert changed.status_code == 303
    assert 'value="13.00"' in shown
    assert "The promotion is changed." in shown
    assert ended.headers["location"] == f"{here}?done=ended"
    assert (await promotions(desk))[0].state(SystemClock().now()) == "over"
    assert "It is over" in (await opened.get(one)).text
    assert (await opened.submit(here, {}, to=f"{one}/end")).status_code == 409


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"price": "x"}, ""), ({"price": "19.99"}, "below the price"), ({"ends_at": "soon"}, "a day and a time"),
        ({"ends_at": "2026-01-01T00:00"}, "ends after it starts"), ({"variant": "1"}, "Choose a variant"),
        ({"starts_at": "0001-01-01T00:00"}, "a day and a time"), ({"ends_at": "99999999999-01-01"}, "a day and a time"),
    ],
)  # fmt: skip
async def test_a_mistake_is_told_and_what_was_typed_stays(desk, staff, changes, told):
    lamp = await desk.variant()
    opened, here = await staff(), f"{await page_of(desk, lamp)}/promotions"
    fields = TIMES | {"variant": str(lamp), "price": "14.50"} | changes

    refused = await opened.submit(here, fields)

    assert refused.status_code == 400
    assert told in refused.text
    assert f'value="{fields["price"]}"' in refused.text
    assert await promotions(desk) == []


async def test_roles_and_other_shops_keep_their_bounds(desk, staff, person, browser):
    lamp = await desk.variant()
    here = f"{await page_of(desk, lamp)}/promotions"
    manager, viewer = await staff(), await staff("viewer")
    stranger = await browser(await person(role="owner"))
    fields = TIMES | {"variant": str(lamp), "price": "14.50"}
    await manager.submit(here, fields)
    one = f"{PROMOTIONS}/{(await promotions(desk))[0].id}"

    assert (await viewer.submit("/console/account", fields, to=here)).status_code == 403
    assert (await viewer.submit("/console/account", {}, to=f"{one}/end")).status_code == 403
    assert "<h2>Add a promotion</h2>" not in (await viewer.get(here)).text
    for path in (here, one):
        assert (await stranger.get(path)).status_code == 404, path
        assert (await stranger.submit("/console/account", fields, to=path)).status_code == 404, path
    assert one not in (await stranger.get(PROMOTIONS)).text


async def test_a_product_is_translated_on_its_page_and_an_edit_of_somebody_else_is_told(
    desk, staff
):
    lamp = await desk.variant()
    async with desk.db.begin() as tx:
        await tx.run("update shops set languages = %s where id = %s", (["en", "nl"], desk.shop.id))
    opened = await staff()
    product = await page_of(desk, lamp)
    here, name = f"{product}/edit", "translated-name.nl"
    first = hidden_fields((await opened.get(here)).text)

    saved = await opened.post(here, first | {name: "Koperen lamp"})
    stale = await opened.post(here, first | {name: "Messing lamp"})

    assert saved.status_code == 303
    assert stale.status_code == 409
    assert "Name: nl: now Koperen lamp, you entered Messing lamp" in stale.text
    assert re.search(r'name="translated-name.nl" value="Messing lamp"', stale.text)
    async with desk.db.statement() as tx:
        number = int(product.rpartition("/")[2])
        texts = await read_translations(tx, shop_id=desk.shop.id, product_id=number)
    assert texts == {"nl": {"name": "Koperen lamp"}}
