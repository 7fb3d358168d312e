"""The pages of merchants: listed, shown with their sales, added and changed by who may."""

import re
from html import unescape

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.shop.catalogue import MerchantView, list_merchants, read_merchant
from crossdock.shop.dispatch import list_connectors
from tests.support.factories import moment
from tests.support.people import hidden_fields
from tests.support.staff import Desk

MERCHANTS = "/console/merchants"
TERMS = {
    "email": "hello@acme.example", "country": "BE", "shipping": "5.95", "free_from": "35",
    "share": "12.5", "customer_service_url": "https://acme.example/help",
    "return_policy_url": "https://acme.example/back", "connector": "",
}  # fmt: skip


@pytest.fixture
async def desk(server_database: Database) -> Desk:
    return await Desk.open(server_database, FrozenClock(moment("2026-03-02T12:00:00+00:00")))


@pytest.fixture
def staff(person, browser, desk):
    """A browser of somebody of the shop with this role."""

    async def sign_in(role: str = "manager"):
        return await browser(await person(role=role, shop_id=desk.shop.id))

    return sign_in


def taking_back(page: str) -> dict[str, str]:
    """The fields of the form that undoes what was just done."""
    return hidden_fields(page.partition('class="told')[2].partition("</div>")[0])


async def merchant(desk: Desk, who: str) -> MerchantView:
    async with desk.db.statement() as tx:
        return await read_merchant(tx, shop_id=desk.shop.id, who=who)


async def merchants(desk: Desk) -> list[MerchantView]:
    async with desk.db.statement() as tx:
        return await list_merchants(tx, shop_id=desk.shop.id)


async def test_a_merchant_is_added_found_changed_and_changed_back(desk, staff):
    opened = await staff()
    async with desk.db.statement() as tx:
        known = [each.name for each in await list_connectors(tx, shop_id=desk.shop.id)]

    added = await opened.submit(f"{MERCHANTS}/new", {"name": "Acme 50% Tools", **TERMS})
    here = added.headers["location"].partition("?")[0]
    first = await merchant(desk, "acme-50-tools")
    found = (await opened.get(f"{MERCHANTS}?q=50%25+t&state=on")).text
    none = (await opened.get(f"{MERCHANTS}?q=5_%25&state=on")).text
    changed = await opened.submit(
        f"{here}/edit", {**TERMS, "free_from": "", "share": "0", "connector": next(iter(known), "")}
    )
    second = await merchant(desk, "acme-50-tools")
    page = (await opened.get(changed.headers["location"])).text
    undone = await opened.post(f"{here}/edit", taking_back(page))

    assert added.status_code == 303
    assert (first.terms.shipping_flat_minor, first.terms.free_shipping_from_minor) == (595, 3500)
    assert (first.terms.commission_bp, first.country, first.email) == (
        1250, "BE", "hello@acme.example",
    )  # fmt: skip
    assert f'href="{here}"' in found
    assert "Nothing matches" in none
    assert (second.terms.free_shipping_from_minor, second.terms.commission_bp) == (None, 0)
    assert second.terms.connector == next(iter(known), "")
    assert undone.status_code == 303
    assert await merchant(desk, "acme-50-tools") == first


async def test_its_goods_go_out_of_sale_and_back(desk, staff):
    lamp = await desk.variant(sku="LAMP-8")
    opened = await staff()
    (only,) = await merchants(desk)
    here = f"{MERCHANTS}/{only.id}"

    async def listed() -> bool:
        async with desk.db.statement() as tx:
            return bool(await tx.value("select listed from variants where id = %s", (lamp,)))

    off = await opened.submit(here, {"on": "no"}, to=f"{here}/listing")
    page = (await opened.get(off.headers["location"])).text
    is_off, gone = await merchants(desk), await listed()
    await opened.post(f"{here}/listing", taking_back(page))

    assert "out of sale. Orders that are placed stay" in page
    assert (is_off[0].enabled, gone) == (False, False)
    assert (await merchants(desk), await listed()) == ([only], True)


async def test_its_products_and_its_sales_are_shown_to_who_may_see_them(desk, staff):
    lamp = await desk.variant(sku="LAMP-8", name="Brass lamp")
    (only,) = await merchants(desk)
    async with desk.db.begin() as tx:
        await tx.run(
            "update merchants set commission_bp = 1000 where shop_id = %s", (desk.shop.id,)
        )
        await tx.run(
            "insert into merchants (shop_id, slug, name) values (%s, 'zz', 'Zz')", (desk.shop.id,)
        )
    placed = await desk.on_account((lamp, 2))
    manager, viewer = await staff(), await staff("viewer")
    here = f"{MERCHANTS}/{only.id}"

    page = (await manager.get(here)).text
    seen = (await viewer.get(here)).text
    goods = (await viewer.get(f"/console/products?merchant={only.id}")).text
    other = (await merchants(desk))[-1]
    others = (await viewer.get(f"/console/products?merchant={other.id}&q=LAMP-8")).text
    product = re.findall(r'href="(/console/products/\d+)"', goods)

    assert [amount in page for amount in ("39.98", "4.00", "35.98")] == [True, True, True]
    assert f'href="/console/orders/{placed.id}"' in page
    assert "Goods sold" not in seen
    assert "The shop&#39;s share" not in seen
    assert "Change the terms" not in seen
    assert len(product) == 1
    assert f'href="{here}"' in (await viewer.get(product[0])).text
    assert product[0] not in others


@pytest.mark.parametrize(
    ("field", "text", "told"),
    [
        ("email", "no address", "'no address' is not an e-mail address."),
        ("country", "UK", "write GB"),
        ("shipping", "-1", "'-1' is less than 0.00."),
        ("shipping", "5,95", "'5,95' is not an amount"),
        ("free_from", "0", "'0' is less than 0.01."),
        ("share", "101", "'101' is not a percentage from 0 to 100"),
        ("customer_service_url", "javascript:alert(1)", "is not an address of a web page"),
        ("return_policy_url", "acme.example", "is not an address of a web page"),
        ("connector", "moon", "There is no connector 'moon'"),
        ("name", "\u200b", "A merchant needs a name that can be seen."),
        ("name", "x" * 256, "A merchant cannot be so"),
    ],
)
async def test_a_form_that_is_refused_keeps_what_was_typed_and_changes_nothing(
    desk, staff, field, text, told
):
    opened = await staff()
    before = await merchants(desk)

    wrong = await opened.submit(f"{MERCHANTS}/new", {"name": "Bolt & Co", **TERMS, field: text})

    page = unescape(wrong.text)
    assert wrong.status_code == 422
    assert told in page
    assert 'value="12.5"' in page or field == "share"
    assert await merchants(desk) == before


async def test_no_two_have_one_name_and_a_number_as_a_name_is_no_others_number(desk, staff):
    opened = await staff()
    await opened.submit(f"{MERCHANTS}/new", {"name": "Acme"})
    first = await merchant(desk, "acme")

    again = await opened.submit(f"{MERCHANTS}/new", {"name": "ACME"})
    await opened.submit(f"{MERCHANTS}/new", {"name": str(first.id)})
    await opened.submit(f"{MERCHANTS}/{first.id}/edit", {"shipping": "2"})

    assert again.status_code == 422
    assert "already" in again.text
    assert (await merchant(desk, "acme")).terms.shipping_flat_minor == 200
    assert (await merchant(desk, str(first.id))).name == str(first.id)


@pytest.mark.parametrize("role", ["warehouse", "viewer"])
async def test_who_only_reads_changes_nothing(desk, staff, role):
    await desk.variant(sku="LAMP-8")
    opened, before = await staff(role), await merchants(desk)
    here = f"{MERCHANTS}/{before[0].id}"

    shown = await opened.get(here)

    assert shown.status_code == 200
    assert (await opened.get(f"{MERCHANTS}/new")).status_code == 403
    assert (await opened.get(f"{here}/edit")).status_code == 403
    for path in (f"{MERCHANTS}/new", f"{here}/edit", f"{here}/listing"):
        assert (await opened.post(path, {"name": "X", "on": "no"})).status_code == 403
    assert await merchants(desk) == before


async def test_another_shops_merchant_is_not_there(desk, staff, server_database):
    other = await Desk.open(server_database, FrozenClock(moment("2026-03-02T12:00:00+00:00")))
    await other.variant(sku="LAMP-8")
    (theirs,) = await merchants(other)
    opened, here = await staff(), f"{MERCHANTS}/{theirs.id}"

    assert (await opened.get(here)).status_code == 404
    for path in (f"{here}/edit", f"{here}/listing"):
        reply = await opened.submit(f"{MERCHANTS}/new", {"on": "no"}, to=path)
        assert reply.status_code == 404
    assert (await merchants(other)) == [theirs]


async def test_the_list_goes_on_behind_the_last_name(desk, staff):
    async with desk.db.begin() as tx:
        await tx.run(
            "insert into merchants (shop_id, slug, name)"
            " select %s, 'm-' || n, 'M ' || lpad(n::text, 3, '0') from generate_series(1, 120) n",
            (desk.shop.id,),
        )
    opened = await staff("viewer")
    address, names = f"{MERCHANTS}?q=M+", []

    while address:
        page = (await opened.get(address)).text
        names += re.findall(r">(M \d{3})</a>", page)
        older = re.findall(r'href="([^"]*before=[^"]*)"', page)
        address = unescape(older[0]) if older else ""

    assert names == [f"M {n:03}" for n in range(1, 121)]
