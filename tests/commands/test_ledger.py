"""`crossdock ledger`..."""

from pathlib import Path

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.shop.ledger import post_transfers
from tests.conftest import NOON
from tests.support.command_line import CommandLine
from tests.support.factories import ShopFixture, make_shop
from tests.support.ledger import transfer


@pytest.fixture
def line(database_url: str, tmp_path: Path) -> CommandLine:
    return CommandLine(data_dir=tmp_path, database_url=database_url)


@pytest.fixture
async def shop(database: Database) -> ShopFixture:
    """A shop in which 19.99 EUR were sold on account and 12.00 EUR of it paid."""
    async with database.begin() as tx:
        shop = await make_shop(tx)
        sale = transfer("receivable customer:1", "sales", 1999)
        paid = transfer("bank", "receivable customer:1", 1200, kind="payment")
        await post_transfers(tx, shop_id=shop.id, transfers=[sale], order_id=7, now=NOON)
        await post_transfers(tx, shop_id=shop.id, transfers=[paid], now=NOON)
    return shop


async def test_accounts_tells_the_balances(line: CommandLine, shop: ShopFixture) -> None:
    found = line.ask("ledger", "accounts", "--shop", shop.slug)

    assert [(a["kind"], a["owner"], a["balance_minor"], a["currency"]) for a in found] == [
        ("bank", "", -1200, "EUR"),
        ("receivable", "customer:1", -799, "EUR"),
        ("sales", "", 1999, "EUR"),
    ]
    assert line.ask("ledger", "accounts", "--shop", shop.slug, "--kind", "bank") == found[:1]
    table = line.run("ledger", "accounts", "--shop", shop.slug).stdout
    assert "-7.99" in table
    assert "customer:1" in table


async def test_entries_tells_the_rows_page_by_page(line: CommandLine, shop: ShopFixture) -> None:
    newest, oldest = line.ask("ledger", "entries", "--shop", shop.slug)

    assert (newest["kind"], newest["amount_minor"], newest["order_id"]) == ("payment", 1200, None)
    assert (oldest["kind"], oldest["amount_minor"], oldest["order_id"]) == ("sale", 1999, 7)
    entries = ("ledger", "entries", "--shop", shop.slug)
    assert line.ask(*entries, "--limit", 1) == [newest]
    assert line.ask(*entries, "--before", newest["id"]) == [oldest]
    assert line.ask(*entries, "--order", 7) == [oldest]
    bank = line.ask("ledger", "accounts", "--shop", shop.slug, "--kind", "bank")[0]["id"]
    assert line.ask(*entries, "--account", bank) == [newest]
    assert "12.00 EUR" in line.run(*entries).stdout


async def test_verify_finds_what_was_changed_by_hand(
    line: CommandLine, shop: ShopFixture, database: Database
) -> None:
    assert line.ask("ledger", "verify", "--shop", shop.slug) == []

    async with database.begin() as tx:
        await tx.run(
            "update accounts set balance_minor = 1 where shop_id = %s and kind = 'bank'",
            (shop.id,),
        )
    ended = line.run("ledger", "verify", "--shop", shop.slug)
    async with database.begin() as tx:
        await tx.run(
            "update accounts set balance_minor = -1200 where shop_id = %s and kind = 'bank'",
            (shop.id,),
        )

    assert ended.returncode == 1
    assert ended.stdout.splitlines() == [
        f"balances are the sums of their rows: shop {shop.id} bank  EUR: expected -1200, found 1",
        f"the balances of a currency sum to zero: shop {shop.id} EUR: expected 0, found 1201",
        "2 differ",
    ]
