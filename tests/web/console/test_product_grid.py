"""The grid of prices and levels: what is saved, what is refused beside its row, and what is pasted."""

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.shop.warehouse import read_grid
from tests.support.factories import moment
from tests.support.people import hidden_fields
from tests.support.staff import Desk

GRID = "/console/products/grid"


@pytest.fixture
async def desk(server_database: Database) -> Desk:
    return await Desk.open(server_database, FrozenClock(moment("2026-03-02T12:00:00+00:00")))


@pytest.fixture
def staff(person, browser, desk):
    """A browser of somebody of the shop with this role."""

    async def sign_in(role: str = "manager"):
        return await browser(await person(role=role, shop_id=desk.shop.id))

    return sign_in


async def row(desk: Desk, variant_id: int) -> tuple[int | None, int]:
    """The price and what is on hand."""
    async with desk.db.statement() as tx:
        found = await read_grid(tx, shop_id=desk.shop.id, variant_ids=[variant_id])
    return found[variant_id].row.retail_minor, found[variant_id].row.on_hand


async def test_rows_are_saved_together_and_each_tells_its_result(desk, staff):
    lamp, mug = await desk.variant(sku="LAMP-8"), await desk.variant(sku="MUG-1")
    opened, other = await staff(), await staff()
    seen = hidden_fields((await opened.get(GRID)).text)
    await other.submit(GRID, {f"price.{mug}": "21.00"})

    done = await opened.post(
        GRID, seen | {f"price.{lamp}": "24.50", f"on_hand.{lamp}": "9", f"price.{mug}": "25.00"}
    )
    again = await opened.post(GRID, hidden_fields(done.text) | {f"price.{mug}": "25.00"})

    assert done.status_code == 200
    assert "One row is saved. One is not; the reason is beside it." in done.text
    assert "Changed meanwhile, now: Price 21.00." in done.text
    assert f'name="price.{mug}" value="25.00"' in done.text
    assert await row(desk, lamp) == (2450, 9)
    assert "One row is saved." in again.text
    assert await row(desk, mug) == (2500, 5)


@pytest.mark.parametrize(
    ("field", "text", "told"),
    [
        ("price", "cheap", "cheap"), ("on_hand", "-1", "-1 is no whole number."),
        ("sale", "19.99", "A sale&#39;s price is below the price."),
        ("warning", "9999999999", "A level is zero or more"),
    ],
)  # fmt: skip
async def test_a_mistake_is_told_beside_its_row_and_stays_typed(desk, staff, field, text, told):
    lamp = await desk.variant()

    reply = await (await staff()).submit(GRID, {f"{field}.{lamp}": text})

    assert told in reply.text
    assert f'name="{field}.{lamp}" value="{text}"' in reply.text
    assert await row(desk, lamp) == (1999, 5)


async def test_pasted_rows_are_looked_at_before_they_are_saved(desk, staff):
    lamp, mug = await desk.variant(sku="LAMP-8"), await desk.variant(sku="MUG-1")
    opened = await staff()
    pasted = "SKU\tOn hand\tPrice (USD)\nLAMP-8\t40\t24,50\nMUG-1\t\t18\nNONE\t1\t1\n"

    page = await opened.submit(GRID, {"pasted": pasted}, to=f"{GRID}/paste")
    before = await row(desk, lamp)
    typed = {f"price.{lamp}": "24,50", f"on_hand.{lamp}": "40", f"price.{mug}": "18"}
    done = await opened.post(GRID, hidden_fields(page.text) | typed)

    assert "No variant has the SKU NONE." in page.text
    assert all(f'name="{name}" value="{text}"' in page.text for name, text in typed.items())
    assert before == (1999, 5)
    assert "2 rows are saved." in done.text
    assert (await row(desk, lamp), await row(desk, mug)) == ((2450, 40), (1800, 5))


@pytest.mark.parametrize(
    ("pasted", "told"),
    [
        (" ", "Paste at least one row"), ("SKU\tPrice", "Paste at least one row"),
        ("A\t1\nA\t2", "The SKU A is in two rows."), ("SKU\tWeight\nA\t1", "Weight is no column"),
        ("\n".join(f"A{n}\t1" for n in range(301)), "at most 300 rows"),
    ],
)  # fmt: skip
async def test_what_cannot_be_pasted_is_refused_in_words(staff, pasted, told):
    reply = await (await staff()).submit(GRID, {"pasted": pasted}, to=f"{GRID}/paste")

    assert reply.status_code == 400
    assert told in reply.text
    assert f">{pasted}</textarea>" in reply.text


async def test_it_is_for_those_who_set_prices_and_levels_of_the_shop(desk, staff, person, browser):
    lamp = await desk.variant()
    packer, stranger = await staff("warehouse"), await browser(await person(role="owner"))
    fields = {f"shown.on_hand.{lamp}": "5", f"on_hand.{lamp}": "9"}

    refused = [
        (await packer.get(GRID)).status_code,
        (await packer.submit("/console/account", fields, to=GRID)).status_code,
        (await packer.submit("/console/account", {"pasted": "A"}, to=f"{GRID}/paste")).status_code,
    ]
    elsewhere = await stranger.submit("/console/account", fields, to=GRID)

    assert refused == [403] * 3
    assert elsewhere.status_code == 200
    assert "0 rows are saved." in elsewhere.text
    assert await row(desk, lamp) == (1999, 5)
