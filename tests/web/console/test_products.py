"""The pages of products and stock: what they show, what they change, and for whom."""

import re

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.shop.stock import read_entries, read_levels
from tests.support.factories import make_partner, moment
from tests.support.people import hidden_fields
from tests.support.staff import Desk

PRODUCTS, STOCK = "/console/products", "/console/stock"


@pytest.fixture
async def desk(server_database: Database) -> Desk:
    return await Desk.open(server_database, FrozenClock(moment("2026-03-02T12:00:00+00:00")))


@pytest.fixture
def staff(person, browser, desk):
    """A browser of somebody of the shop with this role."""

    async def sign_in(role: str = "manager"):
        return await browser(await person(role=role, shop_id=desk.shop.id))

    return sign_in


async def product_of(desk: Desk, variant_id: int) -> int:
    async with desk.db.statement() as tx:
        return int(await tx.value("select product_id from variants where id = %s", (variant_id,)))


async def test_the_list_is_searched_by_number_and_by_name(desk, staff):
    lamp = await desk.variant(
        sku="LAMP-1", name="Brass lamp", upc="036000291452", gtin14="00036000291452"
    )
    tray = await desk.variant(sku="TRAY-1", name="Oak tray")
    lamp_page, tray_page = [
        f'href="{PRODUCTS}/{await product_of(desk, each)}"' for each in (lamp, tray)
    ]
    opened = await staff("viewer")

    everything = (await opened.get(PRODUCTS)).text
    assert lamp_page in everything
    assert tray_page in everything
    for wanted in ("LAMP-1", "036000291452", "0036000291452", str(lamp), " LAMP-1 "):
        found = (await opened.get(PRODUCTS, params={"q": wanted})).text
        assert lamp_page in found, wanted
        assert tray_page not in found, wanted
    for wanted in ("LAMP-2", "9" * 40, "²", "%", "' or true --", "\x00lamp-9"):
        found = (await opened.get(PRODUCTS, params={"q": wanted})).text
        assert "Nothing matches." in found, wanted


@pytest.mark.parametrize("after", ["x", "~", "2026-03-02~1", "2026-03-02T12:00:00+00:00~x", "9~9"])
async def test_an_odd_place_shows_the_first_page(staff, after):
    reply = await (await staff()).get(PRODUCTS, params={"after": after})

    assert reply.status_code == 200


async def test_the_list_goes_on_where_it_ended(desk, staff):
    made = [await product_of(desk, await desk.variant(own=1)) for _ in range(52)]
    opened = await staff()

    first = (await opened.get(PRODUCTS)).text
    address = first.partition('">Older</a>')[0].rpartition('href="')[2].replace("&amp;", "&")
    second = (await opened.get(address)).text

    shown = [f'href="{PRODUCTS}/{each}"' for each in made]
    assert sum(each in first for each in shown) == 50
    assert [each for each in shown if each in second] == [
        each for each in shown if each not in first
    ]


async def test_stock_is_received_and_counted_with_a_reason_and_its_author(desk, staff):
    variant_id = await desk.variant(own=5)
    opened = await staff("warehouse")
    here = f"{STOCK}/{variant_id}"

    received = await opened.submit(
        here, {"quantity": "7", "pool": "own", "reason": "<b>truck</b>"}, to=f"{here}/receive"
    )
    counted = await opened.submit(here, {"counted": "10", "pool": "own"}, to=f"{here}/count")
    same = await opened.submit(here, {"counted": "10", "pool": "own"}, to=f"{here}/count")

    where = [each.headers["location"] for each in (received, counted, same)]
    assert [each.partition("&undo=")[0] for each in where] == [
        f"{here}?done=received", f"{here}?done=counted", f"{here}?done=same",
    ]  # fmt: skip
    async with desk.db.statement() as tx:
        levels = await read_levels(tx, shop_id=desk.shop.id, variant_id=variant_id)
        entries = await read_entries(tx, shop_id=desk.shop.id, variant_id=variant_id)
    assert [(level.pool, level.on_hand) for level in levels if level.pool == "own"] == [("own", 10)]
    assert [(each.on_hand, each.reason) for each in entries[:2]] == [
        (-2, "counted (Noor)"), (7, "<b>truck</b> (Noor)"),
    ]  # fmt: skip
    assert "&lt;b&gt;truck&lt;/b&gt; (Noor)" in (await opened.get(here)).text


async def test_a_receipt_and_a_count_are_taken_back_whatever_was_sold_meanwhile(desk, staff):
    variant_id = await desk.variant(own=5)
    opened = await staff("warehouse")
    here = f"{STOCK}/{variant_id}"

    async def undo(done) -> None:
        page = (await opened.get(done.headers["location"])).text
        form = page.partition(f'action="{here}/count"')[2].partition("</form>")[0]
        fields = dict(re.findall(r'name="(pool|difference)" value="([^"]*)"', form))
        back = await opened.submit(here, fields, to=f"{here}/count")
        assert back.status_code == 303

    received = await opened.submit(here, {"quantity": "7", "pool": "own"}, to=f"{here}/receive")
    await desk.on_account((variant_id, 2))
    await undo(received)
    assert (await desk.level(variant_id))[0] == 5
    counted = await opened.submit(here, {"counted": "3", "pool": "own"}, to=f"{here}/count")
    await undo(counted)
    assert (await desk.level(variant_id))[0] == 5

    odd = await opened.submit(here, {"difference": "--1", "pool": "own"}, to=f"{here}/count")

    assert odd.status_code == 400
    assert (await desk.level(variant_id))[0] == 5


async def test_a_product_tells_the_stock_of_every_variant(desk, staff):
    first = await desk.variant(own=1)
    product = await product_of(desk, first)
    others = [await desk.variant(own=7) for _ in range(51)]
    async with desk.db.begin() as tx:
        await tx.run("update variants set product_id = %s where id = any(%s)", (product, others))

    page = (await (await staff()).get(f"{PRODUCTS}/{product}")).text

    assert page.count("/console/stock/") == 52
    assert "No stock yet" not in page


async def test_a_variant_s_stock_is_found_where_many_products_have_its_number(desk, staff):
    variant_id = await desk.variant(own=1)
    async with desk.db.begin() as tx:
        await tx.run(
            "insert into products (shop_id, merchant_id, handle, name)"
            " select p.shop_id, p.merchant_id, 'same-' || n, 'Same' from products p, generate_series(1, 60) n"
            " where p.id = %s",
            (await product_of(desk, variant_id),),
        )
        await tx.run(
            "insert into variants (shop_id, merchant_id, product_id, sku, name, merchant_sku, currency)"
            " select shop_id, merchant_id, id, handle, name, %s, 'EUR' from products"
            " where shop_id = %s and handle like 'same-%%'",
            (str(variant_id), desk.shop.id),
        )
        last = await tx.value("select max(id) from products where shop_id = %s", (desk.shop.id,))
        await tx.run("update variants set product_id = %s where id = %s", (last, variant_id))

    reply = await (await staff()).get(f"{STOCK}/{variant_id}")

    assert reply.status_code == 200
    assert f'href="{PRODUCTS}/{last}"' in reply.text


async def test_stock_comes_into_a_pool_that_the_variant_does_not_have_yet(desk, staff):
    variant_id = await desk.variant(own=5)
    opened = await staff("warehouse")
    here = f"{STOCK}/{variant_id}"

    page = (await opened.get(here)).text
    await opened.submit(here, {"quantity": "7", "pool": "supplier"}, to=f"{here}/receive")

    choice = page.partition('id="receive-pool"')[2].partition("</select>")[0]
    assert re.findall(r'value="(\w+)"', choice) == ["own", "supplier"]
    async with desk.db.statement() as tx:
        levels = await read_levels(tx, shop_id=desk.shop.id, variant_id=variant_id)
    assert [(level.pool, level.on_hand) for level in levels] == [("own", 5), ("supplier", 7)]


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("receive", {"quantity": "0"}),
        ("receive", {"quantity": "1.5"}),
        ("receive", {"quantity": "999999999999"}),
        ("receive", {"quantity": "1", "pool": "moon"}),
        ("count", {"counted": "-1"}),
        ("count", {"counted": ""}),
        ("count", {"counted": "²"}),
    ],
)
async def test_a_wrong_quantity_is_refused_and_changes_nothing(desk, staff, action, fields):
    variant_id = await desk.variant(own=5)
    opened = await staff()
    here = f"{STOCK}/{variant_id}"

    reply = await opened.submit(here, {"pool": "own", **fields}, to=f"{here}/{action}")

    assert reply.status_code == 400
    async with desk.db.statement() as tx:
        levels = await read_levels(tx, shop_id=desk.shop.id, variant_id=variant_id)
    assert [level.on_hand for level in levels if level.pool == "own"] == [5]


async def test_a_product_is_taken_out_of_sale_and_put_back(desk, staff):
    here = f"{PRODUCTS}/{await product_of(desk, await desk.variant())}"
    opened = await staff()

    off = await opened.submit(here, {}, to=f"{here}/listing")
    page = (await opened.get(off.headers["location"])).text
    on = await opened.submit(here, {}, to=f"{here}/listing")

    assert off.headers["location"] == f"{here}?done=off"
    assert "Out of sale" in page
    assert on.headers["location"] == f"{here}?done=on"
    assert "Put on sale" not in (await opened.get(here)).text


async def test_a_product_shows_what_a_partner_sees_and_why_not(desk, staff, server_database):
    priced = await desk.variant(own=3)
    async with server_database.begin() as tx:
        partner = await make_partner(tx, shop=desk.made)
        blind = await make_partner(tx, shop=desk.made, visible_merchants=[])
    opened = await staff("viewer")
    here = f"{PRODUCTS}/{await product_of(desk, priced)}"

    seen = (await opened.get(f"{here}?partner={partner.id}")).text
    unseen = (await opened.get(f"{here}?partner={blind.id}")).text
    stranger = (await opened.get(f"{here}?partner=999999999")).text

    assert "€19.99" in seen.partition('id="seen"')[2]
    assert "Its merchant is not visible to the partner." not in seen
    assert "Its merchant is not visible to the partner." in unseen
    assert "Pays now" not in stranger


async def test_roles_tokens_and_other_shops_keep_their_bounds(desk, staff, person, browser):
    variant_id = await desk.variant(own=5)
    product = f"{PRODUCTS}/{await product_of(desk, variant_id)}"
    stock = f"{STOCK}/{variant_id}"
    viewer, stranger = await staff("viewer"), await browser(await person(role="owner"))
    partner = await browser(await person(role="partner"))
    writes = {
        f"{stock}/receive": {"quantity": "1", "pool": "own"},
        f"{stock}/count": {"counted": "1", "pool": "own"},
        f"{product}/listing": {"on": "no"},
    }

    assert [(await stranger.get(path)).status_code for path in (product, stock)] == [404, 404]
    assert (await partner.get(PRODUCTS)).status_code == 403
    for path, fields in writes.items():
        for who, status in ((viewer, 403), (stranger, 404)):
            reply = await who.submit("/console/account", fields, to=path)
            assert reply.status_code == status, path
        assert (await (await staff()).post(path, fields)).status_code == 403, path
    async with desk.db.statement() as tx:
        levels = await read_levels(tx, shop_id=desk.shop.id, variant_id=variant_id)
    assert [level.on_hand for level in levels if level.pool == "own"] == [5]
    assert [(await viewer.get(f"{PRODUCTS}/{odd}")).status_code for odd in ("0", "x", "9" * 30)] == [
        404, 404, 404,
    ]  # fmt: skip


async def test_what_was_done_to_a_product_is_taken_back_from_its_notice(desk, staff):
    product = await product_of(desk, await desk.variant())
    opened = await staff("manager")
    page = f"{PRODUCTS}/{product}"

    gone = await opened.submit(page, {"on": "no"}, to=f"{page}/listing")
    notice = (await opened.get(gone.headers["location"])).text.partition('class="told')[2]
    form = notice.partition("</form>")[0]
    assert f'action="{page}/listing"' in form
    assert '<input type="hidden" name="on" value="yes">' in form

    back = await opened.submit(page, {"on": "yes"}, to=f"{page}/listing")
    shown = (await opened.get(back.headers["location"])).text
    assert "The product is for sale again." in shown
    viewer = (await (await staff("viewer")).get(f"{page}?done=off")).text
    assert "The product is out of sale." in viewer
    assert "<form" not in viewer.partition('class="told')[2].partition("</div>")[0]


async def test_stock_is_moved_to_the_other_pool_and_back(desk, staff):
    lamp = await desk.variant(sku="LAMP-8")
    opened = await staff("warehouse")
    here = f"{STOCK}/{lamp}"

    done = await opened.submit(here, {"from": "own", "quantity": "2"}, to=f"{here}/transfer")
    page = (await opened.get(done.headers["location"])).text
    moved = await desk.level(lamp)
    undone = await opened.post(f"{here}/transfer", hidden_fields(page))
    too_many = await opened.submit(here, {"from": "own", "quantity": "9"}, to=f"{here}/transfer")
    odd = await opened.submit(here, {"from": "moon", "quantity": "1"}, to=f"{here}/transfer")

    assert "The stock is moved to the other pool." in page
    assert (moved[0], (await desk.level(lamp))[0]) == (3, 5)
    assert [reply.status_code for reply in (undone, too_many, odd)] == [303, 409, 400]


async def test_a_level_below_its_warning_level_is_shown_as_none_to_sell(desk, staff):
    lamp = await desk.variant(sku="LAMP-9", own=1)
    async with desk.db.begin() as tx:
        await tx.run(
            "update stock_levels set warning_level = 10 where shop_id = %s and variant_id = %s",
            (desk.shop.id, lamp),
        )
    opened = await staff("viewer")

    low = (await opened.get(f"{STOCK}?cols=available&cols=warning_level")).text
    cells = re.findall(r"<td[^>]*>(.*?)</td>", low.partition("<tbody>")[2].partition("</tr>")[0])
    shown = [" ".join(re.sub(r"<[^>]*>", " ", cell).split()) for cell in cells]

    assert (await desk.level(lamp))[3] == -9
    assert shown[1:] == ["Available 0 1 kept back", "Warning level 10"]


async def test_what_runs_out_is_listed_and_the_home_page_leads_there(desk, staff):
    lamp = await desk.variant(sku="LAMP-8", own=1)
    opened = await staff("viewer")

    home = (await opened.get("/console/")).text
    none = (await opened.get(STOCK)).text
    found = (await opened.get(f"{STOCK}?at_most=1&pool=own")).text
    odd = await opened.get(f"{STOCK}?at_most=x&pool=moon&before=1~~")

    assert f'href="{STOCK}"' in home
    assert "Nothing is low." in none
    assert f'href="{STOCK}/{lamp}"' in found
    assert odd.status_code == 200
