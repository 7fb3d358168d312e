"""`crossdock stock serials`..."""

from pathlib import Path

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.shop.stock import take_serials
from tests.conftest import NOON
from tests.support.command_line import CommandLine
from tests.support.factories import ShopFixture, make_shop, make_variant


@pytest.fixture
def line(database_url: str, tmp_path: Path) -> CommandLine:
    return CommandLine(data_dir=tmp_path, database_url=database_url)


@pytest.fixture
async def shop(database: Database) -> ShopFixture:
    async with database.begin() as tx:
        return await make_shop(tx)


async def test_add_puts_the_lines_of_a_file_into_stock(
    line: CommandLine, shop: ShopFixture, database: Database, tmp_path: Path
) -> None:
    async with database.begin() as tx:
        variant = await make_variant(tx, shop=shop, own=None, sku="LICENCE")
    keys = tmp_path / "keys.txt"
    keys.write_text("KEY-1\n\nKEY-2\n", encoding="utf-8")
    serials = ("stock", "serials")

    added = line.ask(*serials, "add", "LICENCE", "--shop", shop.slug, "--file", keys)
    async with database.begin() as tx:
        await take_serials(
            tx, shop_id=shop.id, order_id=9, line_no=2, variant_id=variant, quantity=1, now=NOON
        )
    first, second = line.ask(*serials, "list", "LICENCE", "--shop", shop.slug)

    assert added == {"added": 2}
    assert (first["order_id"], first["line_no"]) == (9, 2)
    assert (second["order_id"], second["sold_at"]) == (None, None)
    assert line.ask(*serials, "list", "LICENCE", "--shop", shop.slug, "--unsold") == [second]
    (level,) = line.ask("stock", "show", "LICENCE", "--shop", shop.slug)
    assert level["on_hand"] == 1
    table = line.run(*serials, "list", "LICENCE", "--shop", shop.slug)
    assert "KEY-" not in table.stdout
    again = line.refuse(*serials, "add", "LICENCE", "--shop", shop.slug, "--file", keys)
    assert again == "crossdock: 2 of the serials are there already; none was added.\n"


async def test_import_adds_a_file_whole_or_not_at_all(
    line: CommandLine, shop: ShopFixture, database: Database, tmp_path: Path
) -> None:
    async with database.begin() as tx:
        await make_variant(tx, shop=shop, own=None, sku="LICENCE")
    keys, more = tmp_path / "keys.txt", tmp_path / "more.txt"
    keys.write_text("\ufeffKEY-1\n\nKEY-2\n", encoding="utf-8")
    more.write_text("KEY-3\nKEY-2\nKEY-3\n", encoding="utf-8")
    command = ("stock", "serials", "import", "LICENCE")

    assert line.ask(*command, keys, "--shop", shop.slug) == {"added": 2}
    told = line.refuse(*command, more, "--shop", shop.slug)

    assert told == (
        "crossdock: 2 of the serials are there already, or twice: lines 2, 3; none was added.\n"
    )
    listed = line.ask("stock", "serials", "list", "LICENCE", "--shop", shop.slug)
    assert len(listed) == 2


async def test_add_names_a_file_that_is_no_text(
    line: CommandLine, shop: ShopFixture, tmp_path: Path
) -> None:
    latin = tmp_path / "latin.txt"
    latin.write_bytes(b"\xe9\n")

    told = line.refuse("stock", "serials", "add", "X", "--shop", shop.slug, "--file", latin)

    assert told == "crossdock: The serials are not UTF-8 text.\n"
