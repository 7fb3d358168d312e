"""A ledger that is verified..."""

import pytest

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.ledger import LedgerDifference, list_accounts, post_transfers, verify_ledger
from tests.conftest import NOON
from tests.support.factories import ShopFixture, make_shop
from tests.support.ledger import transfer

SUMS_OF_ROWS = "balances are the sums of their rows"
RUNNING = "rows carry the balances after them"
ZERO = "the balances of a currency sum to zero"


async def make_ledger(tx: Transaction) -> ShopFixture:
    """A shop that sold for 100 and for 50 EUR."""
    shop = await make_shop(tx)
    sales = [transfer("bank", "sales", 100), transfer("bank", "sales", 50)]
    await post_transfers(tx, shop_id=shop.id, transfers=sales, now=NOON)
    return shop


@pytest.fixture
async def shop(tx: Transaction) -> ShopFixture:
    return await make_ledger(tx)


async def spoil_balances(tx: Transaction, shop: ShopFixture) -> None:
    """The bank's balance is one too high, and an account of 1 JPY has no rows at all."""
    await tx.run(
        "update accounts set balance_minor = balance_minor + 1 where shop_id = %s and kind = 'bank'",
        (shop.id,),
    )
    await tx.run(
        "insert into accounts (shop_id, kind, owner, currency, balance_minor, created_at, updated_at)"
        " values (%s, 'tax', 'state', 'JPY', 1, %s, %s)",
        (shop.id, NOON, NOON),
    )


async def spoil_rows(tx: Transaction, shop: ShopFixture) -> None:
    """The first row says that the account it credits stands at 7, past the trigger that forbids it."""
    await tx.run("set local session_replication_role = replica")
    await tx.run(
        "update ledger_entries set credit_balance_minor = 7 where shop_id = %s and amount_minor = 100",
        (shop.id,),
    )
    await tx.run("set local session_replication_role = origin")


async def test_shows_balances_that_are_not_what_its_rows_say(
    tx: Transaction, shop: ShopFixture
) -> None:
    await spoil_balances(tx, await make_ledger(tx))
    await spoil_balances(tx, shop)

    found = await verify_ledger(tx, shop_id=shop.id)

    assert sorted(found, key=lambda d: (d.check, d.place)) == [
        LedgerDifference(
            check=SUMS_OF_ROWS, place=f"shop {shop.id} bank  EUR", expected="-150", found="-149"
        ),
        LedgerDifference(
            check=SUMS_OF_ROWS, place=f"shop {shop.id} tax state JPY", expected="0", found="1"
        ),
        LedgerDifference(check=ZERO, place=f"shop {shop.id} EUR", expected="0", found="1"),
        LedgerDifference(check=ZERO, place=f"shop {shop.id} JPY", expected="0", found="1"),
    ]


async def test_shows_debits_that_are_not_what_its_rows_say(
    tx: Transaction, shop: ShopFixture
) -> None:
    await tx.run(
        "update accounts set debited_minor = debited_minor + 1 where shop_id = %s and kind = 'bank'",
        (shop.id,),
    )

    (found,) = await verify_ledger(tx, shop_id=shop.id)

    assert found == LedgerDifference(
        check="debits are the sums of their rows",
        place=f"shop {shop.id} bank  EUR",
        expected="150",
        found="151",
    )


async def test_shows_rows_that_carry_other_balances(tx: Transaction, shop: ShopFixture) -> None:
    await spoil_rows(tx, await make_ledger(tx))
    await spoil_rows(tx, shop)

    (found,) = await verify_ledger(tx, shop_id=shop.id)

    sales = {a.kind: a.id for a in await list_accounts(tx, shop_id=shop.id)}["sales"]
    first = await tx.value("select min(id) from ledger_entries where shop_id = %s", (shop.id,))
    assert found == LedgerDifference(
        check=RUNNING,
        place=f"shop {shop.id} account {sales} entry {first}",
        expected="100",
        found="7",
    )


async def test_shows_nothing_of_other_shops(tx: Transaction, shop: ShopFixture) -> None:
    other = await make_ledger(tx)
    await spoil_balances(tx, other)
    await spoil_rows(tx, other)

    assert await verify_ledger(tx, shop_id=shop.id) == []


@pytest.mark.parametrize(
    ("function", "rights", "wrongs"),
    [
        ("ledger_balances", 2, 1),
        ("ledger_debits", 3, 0),
        ("ledger_running", 3, 1),
        ("ledger_sums", 1, 1),
    ],
)
async def test_with_all_the_others_has_each_shop_once(
    tx: Transaction, shop: ShopFixture, function: str, rights: int, wrongs: int
) -> None:
    """What the doctor asks for: no shop in particular."""
    other = await make_ledger(tx)
    await spoil_rows(tx, other)
    await tx.run(
        "insert into accounts (shop_id, kind, owner, currency, balance_minor, created_at, updated_at)"
        " values (%s, 'tax', '', 'JPY', 1, now(), now()), (%s, 'tax', '', 'JPY', 0, now(), now())",
        (other.id, shop.id),
    )

    async def counted(shop_id: int) -> tuple[int, int]:
        found = await tx.all(
            f"select wrong, count(*) from {function}(null) where place like %s || ' %%' group by wrong",
            (f"shop {shop_id}",),
        )
        counts = dict(found)
        return counts.get(False, 0), counts.get(True, 0)

    spoilt = await counted(other.id)
    assert await counted(shop.id) == (sum(spoilt), 0)
    assert spoilt == (rights, wrongs)
