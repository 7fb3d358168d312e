"""The ledger, read..."""

from collections.abc import Sequence
from typing import Any

import pytest

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.ledger import (
    Account,
    AccountView,
    LedgerEntry,
    Transfer,
    browse_accounts,
    list_accounts,
    list_entries,
    post_transfers,
)
from tests.conftest import NOON
from tests.support.factories import ShopFixture, make_shop
from tests.support.ledger import transfer


@pytest.fixture
async def shop(tx: Transaction) -> ShopFixture:
    return await make_shop(tx)


async def post(
    tx: Transaction, shop: ShopFixture, *transfers: Transfer, order_id: int | None = None
) -> None:
    await post_transfers(tx, shop_id=shop.id, transfers=transfers, order_id=order_id, now=NOON)


async def post_four(tx: Transaction, shop: ShopFixture) -> None:
    """Rows of 1, 2, 3 and 4, of the orders 1, 2, 1 and of none, so that bank and tax meet three of them."""
    await post(tx, shop, transfer("bank", "sales", 1), order_id=1)
    await post(tx, shop, transfer("sales", "tax", 2), order_id=2)
    await post(tx, shop, transfer("tax", "bank", 3), order_id=1)
    await post(tx, shop, transfer("bank", "tax", 4))


async def ids(tx: Transaction, shop: ShopFixture) -> dict[str, int]:
    return {a.kind: a.id for a in await list_accounts(tx, shop_id=shop.id)}


def names(accounts: Sequence[AccountView]) -> list[tuple[str, str, str, int]]:
    return [(a.kind, a.owner, a.currency, a.balance_minor) for a in accounts]


async def test_has_accounts_by_kind_owner_and_currency(tx: Transaction, shop: ShopFixture) -> None:
    other = await make_shop(tx)
    await post(tx, other, transfer("bank", "sales merchant:1", 70))
    await post(tx, shop, transfer("bank", "sales merchant:2", 5))
    await post(tx, shop, transfer("bank", "sales merchant:1", 3, currency="USD"))
    await post(tx, shop, transfer("bank", "sales merchant:1", 2))
    await post(tx, shop, transfer("bank", "commission merchant:1", 1))

    everything = await list_accounts(tx, shop_id=shop.id)

    assert names(everything) == [
        ("bank", "", "EUR", -8),
        ("bank", "", "USD", -3),
        ("commission", "merchant:1", "EUR", 1),
        ("sales", "merchant:1", "EUR", 2),
        ("sales", "merchant:1", "USD", 3),
        ("sales", "merchant:2", "EUR", 5),
    ]
    assert {a.updated_at for a in everything} == {NOON}


async def test_has_accounts_of_one_kind_or_owner(tx: Transaction, shop: ShopFixture) -> None:
    await post(tx, await make_shop(tx), transfer("bank", "sales merchant:1", 70))
    await post(tx, shop, transfer("bank", "sales merchant:1", 5))
    await post(tx, shop, transfer("bank", "sales merchant:2", 3))
    await post(tx, shop, transfer("bank", "commission merchant:1", 1))
    of_one = ("sales", "merchant:1", "EUR", 5)
    of_two = ("sales", "merchant:2", "EUR", 3)
    commission = ("commission", "merchant:1", "EUR", 1)

    async def found(kind: str | None, owner: str | None) -> list[tuple[str, str, str, int]]:
        return names(await list_accounts(tx, shop_id=shop.id, kind=kind, owner=owner))

    assert await found("sales", None) == [of_one, of_two]
    assert await found(None, "merchant:1") == [commission, of_one]
    assert await found("sales", "merchant:1") == [of_one]
    assert await found(None, "") == [("bank", "", "EUR", -9)]


async def test_has_accounts_in_pages_the_newest_first(tx: Transaction, shop: ShopFixture) -> None:
    other = await make_shop(tx)
    await post(tx, shop, transfer("bank", "sales merchant:1", 5))
    await post(tx, shop, transfer("bank", "sales merchant:2", 3))
    await post(tx, other, transfer("bank", "sales merchant:1", 70))
    await post(tx, shop, transfer("bank", "commission merchant:1", 1))
    newest = [account.id for account in await list_accounts(tx, shop_id=shop.id)]
    newest.sort(reverse=True)

    async def found(**values: Any) -> list[int]:
        return [account.id for account in await browse_accounts(tx, shop_id=shop.id, **values)]

    assert await found() == newest
    assert await found(limit=3) == newest[:3]
    assert await found(before=newest[1]) == newest[2:]
    assert await found(before=newest[0] + 1) == newest
    of_one = {a.kind: a.id for a in await list_accounts(tx, shop_id=shop.id, owner="merchant:1")}
    assert await found(owner="merchant:1") == sorted(of_one.values(), reverse=True)
    assert await found(kind="sales", owner="merchant:1") == [of_one["sales"]]
    assert len(await found(kind="sales")) == 2
    assert await found(kind="sales", before=of_one["sales"]) == []
    assert names(await browse_accounts(tx, shop_id=shop.id, kind="commission")) == [
        ("commission", "merchant:1", "EUR", 1)
    ]


async def test_tells_an_account_s_floor(tx: Transaction, shop: ShopFixture) -> None:
    await post(tx, shop, transfer("bank", "prepaid reseller:1", 5, kind="top_up"))

    floors = {a.kind: a.floor_minor for a in await list_accounts(tx, shop_id=shop.id)}

    assert floors == {"bank": None, "prepaid": 0}


async def test_tells_all_of_a_row(tx: Transaction, shop: ShopFixture) -> None:
    await post(tx, shop, transfer("bank", "sales merchant:1", 4))
    capture = Transfer(
        debit=Account("bank"),
        credit=Account("sales", "merchant:1"),
        amount_minor=6,
        currency="EUR",
        kind="capture",
        reason="by hand",
        payment_id=8,
    )
    await post(tx, shop, capture, order_id=7)

    newest = (await list_entries(tx, shop_id=shop.id))[0]

    assert newest == LedgerEntry(
        id=newest.id,
        kind="capture",
        debit_kind="bank",
        debit_owner="",
        debit_balance_minor=-10,
        credit_kind="sales",
        credit_owner="merchant:1",
        credit_balance_minor=10,
        amount_minor=6,
        currency="EUR",
        reason="by hand",
        order_id=7,
        payment_id=8,
        created_at=NOON,
    )


@pytest.mark.parametrize(
    ("account", "order", "amounts"),
    [
        (None, None, [4, 3, 2, 1]),
        (None, 1, [3, 1]),
        (None, 3, []),
        ("bank", None, [4, 3, 1]),
        ("bank", 1, [3, 1]),
        ("tax", None, [4, 3, 2]),
        ("tax", 1, [3]),
        ("tax", 2, [2]),
        ("sales", 1, [1]),
        ("sales", 2, [2]),
    ],
)
async def test_has_rows_of_one_account_or_order(
    tx: Transaction, shop: ShopFixture, account: str | None, order: int | None, amounts: list[int]
) -> None:
    await post_four(tx, await make_shop(tx))
    await post_four(tx, shop)
    account_id = (await ids(tx, shop))[account] if account else None

    async def pages(size: int) -> list[int]:
        """All rows, so many at a time."""
        found: list[LedgerEntry] = []
        while page := await list_entries(
            tx,
            shop_id=shop.id,
            account_id=account_id,
            order_id=order,
            before=found[-1].id if found else None,
            limit=size,
        ):
            assert len(page) <= size
            assert not found or page[0].id < found[-1].id
            found += page
        return [entry.amount_minor for entry in found]

    assert [await pages(size) for size in (4, 2, 1)] == [amounts] * 3


async def test_has_no_rows_of_an_account_of_another_shop(
    tx: Transaction, shop: ShopFixture
) -> None:
    other = await make_shop(tx)
    await post_four(tx, other)
    await post_four(tx, shop)

    for account_id in (await ids(tx, other)).values():
        assert await list_entries(tx, shop_id=shop.id, account_id=account_id) == []
