"""Editing a product on a page: its words, prices and pictures; what is refused, and for whom."""

import re
from html import unescape

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.shop.catalogue import (
    ProductChanges,
    VariantPrices,
    change_product,
    price_variants,
    read_owned,
    read_pictures,
    read_variant_prices,
)
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


def read_fields(page: str) -> dict[str, str]:
    """The form of the product as a browser sends it untouched: with its own ends of lines."""
    typed = re.findall(r'<input (?:id|class)="[^"]+" name="([^"]+)" value="([^"]*)"', page)
    (text,) = re.findall(r'<textarea id="description"[^>]*>(.*?)</textarea>', page, re.DOTALL)
    words = {name: unescape(value) for name, value in typed}
    return hidden_fields(page) | words | {"description": unescape(text).replace("\n", "\r\n")}


async def fields_of(opened, here):
    return read_fields((await opened.get(here)).text)


async def reprice(desk, variant, minor):
    """As an import does."""
    async with desk.db.begin() as tx:
        await price_variants(
            tx,
            shop_id=desk.shop.id,
            prices={variant: VariantPrices(retail_minor=minor)},
            now=desk.clock.now(),
        )


async def rename(desk, product, **words):
    async with desk.db.begin() as tx:
        await change_product(
            tx,
            shop_id=desk.shop.id,
            merchant_ids=None,
            product_id=product,
            changes=ProductChanges(**words),
            now=desk.clock.now(),
        )


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
    assert done.headers["location"].startswith(f"{here}?done=saved&undo=")
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


async def test_what_was_not_touched_keeps_what_an_import_wrote_meanwhile(desk, staff):
    lamp, other = await desk.variant(), await desk.variant()
    product = await product_of(desk, lamp)
    here = f"{PRODUCTS}/{product}/edit"
    opened = await staff()
    fields = await fields_of(opened, here)
    async with desk.db.begin() as tx:
        await tx.run("update variants set product_id = %s where id = %s", (product, other))
    fields |= await fields_of(opened, here)
    await reprice(desk, lamp, 2100)
    await rename(desk, product, name="Lamp by import", description="New\nwords")

    reply = await opened.post(here, fields | {f"price.{other}": "25.00"})

    assert reply.headers["location"].startswith(f"{here}?done=saved&undo=")
    assert (await prices_of(desk, lamp)).retail_minor == 2100
    assert (await prices_of(desk, other)).retail_minor == 2500
    saved = await read(desk, product)
    assert (saved.name, saved.description) == ("Lamp by import", "New\nwords")


async def test_a_field_that_somebody_else_changed_is_asked_about(desk, staff):
    lamp = await desk.variant(sku="LAMP-9")
    product = await product_of(desk, lamp)
    here = f"{PRODUCTS}/{product}/edit"
    opened = await staff()
    fields = await fields_of(opened, here)
    await reprice(desk, lamp, 2100)
    await rename(desk, product, name=None, description="Words of another")
    typed = fields | {f"price.{lamp}": "25.00", "name": "Mine"}

    asked = await opened.post(here, typed)
    before = await read(desk, product)
    again = await opened.post(here, read_fields(asked.text))

    assert asked.status_code == 409
    assert "Price: LAMP-9: now 21.00, you entered 25.00" in asked.text
    assert "Name: " not in asked.text
    assert "Description: " not in asked.text
    assert before.name != "Mine"
    assert before.price_minor == 2100
    assert again.headers["location"].startswith(f"{here}?done=saved&undo=")
    saved = await read(desk, product)
    assert (saved.name, saved.description, saved.price_minor) == ("Mine", "Words of another", 2500)


async def test_words_of_somebody_else_are_not_written_over_unasked(desk, staff):
    product = await product_of(desk, await desk.variant())
    here = f"{PRODUCTS}/{product}/edit"
    opened = await staff()
    fields = await fields_of(opened, here) | {"name": "Mine", "description": "My words"}
    await rename(desk, product, name="Theirs", description="Their words")

    mistaken = await opened.post(here, fields | {"name": " "})
    asked = await opened.post(here, read_fields(mistaken.text) | {"name": "Mine"})

    assert (mistaken.status_code, asked.status_code) == (409, 303)
    assert "Description: now Their words, you entered My words" in mistaken.text
    assert (await read(desk, product)).description == "My words"


async def test_a_mistake_does_not_hide_what_somebody_else_changed_after_it(desk, staff):
    lamp = await desk.variant()
    here = f"{PRODUCTS}/{await product_of(desk, lamp)}/edit"
    opened = await staff()
    fields = await fields_of(opened, here) | {f"price.{lamp}": "25.00", f"sale.{lamp}": "26.00"}

    mistaken = await opened.post(here, fields)
    await reprice(desk, lamp, 2100)
    asked = await opened.post(here, read_fields(mistaken.text) | {f"sale.{lamp}": ""})

    assert (mistaken.status_code, asked.status_code) == (400, 409)
    assert "now 21.00, you entered 25.00" in asked.text
    assert (await prices_of(desk, lamp)).retail_minor == 2100


@pytest.mark.parametrize(
    ("sale", "starts", "ends", "kept"),
    [
        ("15.00", "2026-02-01", "2026-03-01", False),
        ("17.00", "2026-02-01", "2026-03-01", True),
        ("15.00", "2026-02-01", "2099-04-01", True),
        ("15.00", "2099-03-10", "2099-04-01", True),
    ],
)
async def test_a_new_sale_is_not_kept_to_the_days_of_one_that_is_over(
    desk, staff, sale, starts, ends, kept
):
    lamp = await desk.variant()
    here = f"{PRODUCTS}/{await product_of(desk, lamp)}/edit"
    async with desk.db.begin() as tx:
        await tx.run(
            "update variants set sale_minor = 1700, sale_starts_at = %s, sale_ends_at = %s"
            " where id = %s",
            (f"{starts}T00:00:00Z", f"{ends}T00:00:00Z", lamp),
        )
    opened = await staff()

    await opened.post(here, await fields_of(opened, here) | {f"sale.{lamp}": sale, "name": "X"})

    async with desk.db.statement() as tx:
        row = await tx.one(
            "select sale_starts_at is not null, sale_ends_at is not null, sale_minor"
            " from variants where id = %s",
            (lamp,),
        )
    assert row == (kept, kept, int(sale[:2]) * 100)


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
