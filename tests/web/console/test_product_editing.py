"""Editing a product on a page: its words, prices and pictures; what is refused, and for whom."""

import re

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.shop.catalogue import VariantPrices, read_owned, read_pictures, read_variant_prices
from tests.support.factories import moment
from tests.support.people import hidden_fields
from tests.support.pictures import fresh
from tests.support.staff import Desk

PRODUCTS = "/console/products"


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


async def product_of(desk, variant):
    async with desk.db.statement() as tx:
        return await tx.value("select product_id from variants where id = %s", (variant,))


async def prices_of(desk, variant):
    async with desk.db.statement() as tx:
        known = await read_variant_prices(tx, shop_id=desk.shop.id, variant_ids=[variant])
    return known[variant]


async def read(desk, product):
    async with desk.db.statement() as tx:
        return await read_owned(tx, shop_id=desk.shop.id, merchant_ids=None, product_id=product)


async def test_words_and_prices_are_saved_and_told(desk, staff):
    lamp = await desk.variant(sku="LAMP-8")
    product = await product_of(desk, lamp)
    here = f"{PRODUCTS}/{product}/edit"
    opened = await staff()

    page = (await opened.get(here)).text
    done = await opened.submit(
        here,
        {
            "name": "Lamp <8>", "description": "<p>Brass.</p><script>x()</script>",
            f"price.{lamp}": "24.50", f"sale.{lamp}": "20", f"cost.{lamp}": "",
        },
    )  # fmt: skip

    assert f'name="price.{lamp}" value="19.99"' in page
    assert done.headers["location"] == f"{here}?done=saved"
    assert await prices_of(desk, lamp) == VariantPrices(retail_minor=2450, sale_minor=2000)
    saved = await read(desk, product)
    assert (saved.name, saved.description) == ("Lamp <8>", "<p>Brass.</p>")
    assert "Lamp &lt;8&gt;" in (await opened.get(here)).text
    async with desk.db.statement() as tx:
        told = await tx.all(
            "select payload -> 'product_ids', author from events"
            " where shop_id = %s and kind = 'catalogue.changed'",
            (desk.shop.id,),
        )
    assert told == [([product], "Noor")] * 2


@pytest.mark.parametrize(
    ("field", "text", "told"),
    [
        ("price", "cheap", "cheap"),
        ("price", "-1", ""),
        ("sale", "19.99", "A sale&#39;s price is below the price."),
        ("name", " ", ""),
    ],
)
async def test_a_mistake_is_told_and_nothing_is_saved(desk, staff, field, text, told):
    lamp = await desk.variant()
    product = await product_of(desk, lamp)
    here = f"{PRODUCTS}/{product}/edit"
    before = await read(desk, product)
    name = field if field == "name" else f"{field}.{lamp}"
    fields = {"name": "New name", f"price.{lamp}": "19.99", name: text}

    reply = await (await staff()).submit(here, fields)

    assert reply.status_code == 400
    assert told in reply.text
    assert await read(desk, product) == before


async def test_a_picture_is_added_as_the_cover_and_taken_away(desk, staff):
    lamp = await desk.variant(sku="LAMP-8")
    product = await product_of(desk, lamp)
    here = f"{PRODUCTS}/{product}/edit"
    opened = await staff()
    fields = hidden_fields((await opened.get(here)).text) | {"product": str(product)}

    async def send(body: bytes, **more: str):
        return await opened.client.post(
            f"{PRODUCTS}/pictures", data=fields | more, files={"file": ("a.png", body)}
        )

    first = await send(fresh(30, 20), alt="The lamp")
    second = await send(fresh(20, 30), first="yes")
    wrong = await send(b"no picture")
    unsigned = await opened.client.post(
        f"{PRODUCTS}/pictures", data={"product": str(product)}, files={"file": ("a.png", b"x")}
    )
    page = (await opened.get(here)).text
    checksum = re.findall(r'name="checksum" value="([^"]+)"', page)[0]
    gone = await opened.submit(
        here, {"checksum": checksum}, to=f"{PRODUCTS}/{product}/pictures/remove"
    )

    assert [reply.status_code for reply in (first, second, wrong, unsigned, gone)] == [
        *(303, 303, 400, 403, 303),
    ]  # fmt: skip
    assert 'alt="The lamp"' in page
    async with desk.db.begin() as tx:
        _, left = await read_pictures(tx, shop_id=desk.shop.id, sku="LAMP-8")
    assert [(p.alt, p.media and (p.media.width, p.media.height)) for p in left] == [
        ("The lamp", (30, 20))
    ]


async def test_it_is_for_those_who_manage_products_of_the_shop(desk, staff, person, browser):
    lamp = await desk.variant()
    product = await product_of(desk, lamp)
    here = f"{PRODUCTS}/{product}/edit"
    packer, stranger = await staff("warehouse"), await browser(await person(role="owner"))
    fields = {"name": "Mine", "checksum": "0" * 64, f"price.{lamp}": "1"}

    for opened, refusal in ((packer, 403), (stranger, 404)):
        assert (await opened.get(here)).status_code == refusal
        for to in (here, f"{PRODUCTS}/{product}/pictures/remove"):
            reply = await opened.submit("/console/account", fields, to=to)
            assert reply.status_code == refusal, to
    assert "Edit …" not in (await packer.get(f"{PRODUCTS}/{product}")).text
    assert (await prices_of(desk, lamp)).retail_minor == 1999
