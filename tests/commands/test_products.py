"""`crossdock product`..."""

from pathlib import Path

import pytest

from crossdock.db.unit_of_work import Database
from tests.support.command_line import CommandLine
from tests.support.factories import ShopFixture, make_shop, make_variant


@pytest.fixture
def line(database_url: str, tmp_path: Path) -> CommandLine:
    return CommandLine(data_dir=tmp_path, database_url=database_url)


@pytest.fixture
async def shop(database: Database) -> ShopFixture:
    async with database.begin() as tx:
        shop = await make_shop(tx, currency="EUR")
        await make_variant(tx, shop=shop, own=5, sku="MUG", currency="EUR", price_minor=1250)
        await make_variant(tx, shop=shop, own=5, sku="CUP", currency="EUR", price_minor=950)
        return shop


async def test_lists_prices_and_switches_products(line: CommandLine, shop: ShopFixture) -> None:
    in_shop = ("--shop", shop.slug)

    listed = line.ask("product", "list", *in_shop)
    found = line.ask("product", "list", *in_shop, "--search", "MUG")
    line.ask("product", "set", "MUG", *in_shop, "--price", "14.00", "--sale", "11", "--name", "Mug")
    shown = line.ask("product", "show", "MUG", *in_shop)
    line.ask("product", "set", "MUG", *in_shop, "--sale", "")
    line.ask("product", "off", "MUG", *in_shop)
    after = line.ask("product", "show", "MUG", *in_shop)
    line.ask("product", "on", "MUG", *in_shop)

    assert [product["variants"][0]["sku"] for product in listed] == ["CUP", "MUG"]
    assert [product["variants"][0]["sku"] for product in found] == ["MUG"]
    [variant] = shown["variants"]
    assert (shown["name"], variant["price_minor"], variant["sale_minor"]) == ("Mug", 1400, 1100)
    [variant] = after["variants"]
    assert (after["is_enabled"], variant["price_minor"], variant["sale_minor"]) == (
        *(False, 1400, None),
    )  # fmt: skip
    assert line.ask("product", "show", "MUG", *in_shop)["is_enabled"] is True


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("show", "NONE"), "There is no product 'NONE'."),
        (("set", "MUG"), "Say what is to change."),
        (("set", "MUG", "--sku", "CUP", "--price", "1"), "The product has no variant 'CUP'."),
        (("set", "MUG", "--sale", "12.50"), "A sale's price is below the price."),
    ],
)
async def test_refuses_what_it_cannot_do(
    line: CommandLine, shop: ShopFixture, words: tuple[str, ...], told: str
) -> None:
    refused = line.run("product", *words, "--shop", shop.slug)

    assert refused.returncode != 0
    assert told in refused.stderr
    [variant] = line.ask("product", "show", "MUG", "--shop", shop.slug)["variants"]
    assert (variant["price_minor"], variant["sale_minor"]) == (1250, None)
