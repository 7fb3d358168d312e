"""A posting..."""

import asyncio
import contextlib

import msgspec
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import Refused
from crossdock.kit.clock import FrozenClock
from crossdock.shop.ledger import (
    ACCOUNT_KINDS,
    Account,
    Transfer,
    list_entries,
    post_transfers,
    verify_ledger,
)
from tests.conftest import NOON
from tests.support.factories import ShopFixture, make_shop
from tests.support.ledger import balances, transfer
from tests.support.locks import waiting_for_a_lock


@pytest.fixture
async def shop(tx: Transaction) -> ShopFixture:
    return await make_shop(tx)


async def test_moves_an_amount_from_one_account_to_another_in_one_row(
    tx: Transaction, shop: ShopFixture, clock: FrozenClock
) -> None:
    await post_transfers(
        tx,
        shop_id=shop.id,
        transfers=[transfer("receivable customer:1", "sales", 1999)],
        order_id=7,
        now=clock.now(),
    )

    assert await balances(tx, shop_id=shop.id) == {
        "receivable customer:1 EUR": -1999,
        "sales EUR": 1999,
    }
    (row,) = await list_entries(tx, shop_id=shop.id)
    assert (row.debit_kind, row.debit_owner, row.debit_balance_minor) == (
        "receivable",
        "customer:1",
        -1999,
    )
    assert (row.credit_kind, row.credit_owner, row.credit_balance_minor) == ("sales", "", 1999)
    assert (row.amount_minor, row.currency, row.kind, row.order_id) == (1999, "EUR", "sale", 7)
    assert row.created_at == clock.now()


async def test_carries_the_balances_after_each_of_its_rows(
    tx: Transaction, shop: ShopFixture
) -> None:
    transfers = [
        transfer("bank", "prepaid reseller:1", 500, kind="top_up"),
        transfer("prepaid reseller:1", "sales", 120),
        transfer("prepaid reseller:1", "tax", 30),
    ]

    await post_transfers(tx, shop_id=shop.id, transfers=transfers, now=NOON)

    rows = list(reversed(await list_entries(tx, shop_id=shop.id)))
    assert [(row.debit_balance_minor, row.credit_balance_minor) for row in rows] == [
        (-500, 500),
        (380, 120),
        (350, 30),
    ]
    assert await verify_ledger(tx, shop_id=shop.id) == []


async def test_is_told_in_one_event(tx: Transaction, shop: ShopFixture) -> None:
    transfers = [transfer("bank", "sales", 5), transfer("bank", "tax", 1, kind="tax")]

    await post_transfers(tx, shop_id=shop.id, transfers=transfers, order_id=3, now=NOON)

    events = "select kind, subject_id, payload from events where shop_id = %s"
    ((kind, subject, payload),) = await tx.all(events, (shop.id,))
    rows = list(reversed(await list_entries(tx, shop_id=shop.id)))
    assert (kind, subject) == ("ledger.posted", 3)
    assert payload == {"entries": [row.id for row in rows]}


async def test_of_nothing_writes_nothing(tx: Transaction, shop: ShopFixture) -> None:
    await post_transfers(tx, shop_id=shop.id, transfers=[transfer("bank", "shipping", 0)], now=NOON)

    assert await balances(tx, shop_id=shop.id) == {}
    assert await tx.value("select count(*) from events where shop_id = %s", (shop.id,)) == 0


async def test_below_a_floor_is_refused_as_a_whole(database: Database) -> None:
    async with database.begin() as tx:
        shop = await make_shop(tx)
        top_up = transfer("bank", "prepaid reseller:1", 100, kind="top_up")
        await post_transfers(tx, shop_id=shop.id, transfers=[top_up], now=NOON)

    transfers = [
        transfer("bank", "sales", 50),
        transfer("prepaid reseller:1", "sales", 101),
        transfer("prepaid reseller:2", "sales", 1),
    ]
    with pytest.raises(Refused) as refusal:
        async with database.begin() as tx:
            await post_transfers(tx, shop_id=shop.id, transfers=transfers, now=NOON)

    assert refusal.value.code == "balance_insufficient"
    assert refusal.value.data == {
        "accounts": [
            {"kind": "prepaid", "owner": "reseller:1", "currency": "EUR", "change_minor": -101},
            {"kind": "prepaid", "owner": "reseller:2", "currency": "EUR", "change_minor": -1},
        ]
    }
    async with database.begin() as tx:
        assert await balances(tx, shop_id=shop.id) == {
            "bank EUR": -100,
            "prepaid reseller:1 EUR": 100,
        }
        assert len(await list_entries(tx, shop_id=shop.id)) == 1
        assert await tx.value("select count(*) from events where shop_id = %s", (shop.id,)) == 1


async def test_down_to_the_floor_is_allowed(tx: Transaction, shop: ShopFixture) -> None:
    transfers = [
        transfer("prepaid reseller:1", "sales", 100),
        transfer("bank", "prepaid reseller:1", 100, kind="top_up"),
    ]

    await post_transfers(tx, shop_id=shop.id, transfers=transfers, now=NOON)

    assert await balances(tx, shop_id=shop.id) == {
        "bank EUR": -100,
        "prepaid reseller:1 EUR": 0,
        "sales EUR": 100,
    }


async def test_keeps_currencies_apart(tx: Transaction, shop: ShopFixture) -> None:
    await post_transfers(
        tx,
        shop_id=shop.id,
        transfers=[
            transfer("bank", "sales", 7, currency="EUR"),
            transfer("bank", "sales", 9, currency="JPY"),
        ],
        now=NOON,
    )

    assert await balances(tx, shop_id=shop.id) == {
        "bank EUR": -7,
        "bank JPY": -9,
        "sales EUR": 7,
        "sales JPY": 9,
    }


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"amount_minor": -1}, psycopg.errors.CheckViolation),
        ({"credit": Account("bank")}, psycopg.errors.CheckViolation),
        ({"currency": "eur"}, psycopg.errors.CheckViolation),
        ({"credit": Account("pocket")}, psycopg.errors.ForeignKeyViolation),  # type: ignore[arg-type]
        ({"kind": "A fact"}, psycopg.errors.CheckViolation),
    ],
)
async def test_that_makes_no_sense_is_refused_by_the_database(
    tx: Transaction, shop: ShopFixture, changes: dict[str, object], error: type[Exception]
) -> None:
    values = {
        "debit": Account("bank"),
        "credit": Account("sales"),
        "amount_minor": 5,
        "currency": "EUR",
        "kind": "sale",
    }
    odd = Transfer(**(values | changes))  # type: ignore[arg-type]

    with pytest.raises(error):
        await post_transfers(tx, shop_id=shop.id, transfers=[odd], now=NOON)


@pytest.mark.parametrize(
    "statement",
    [
        "update ledger_entries set amount_minor = 1 where shop_id = %s",
        "delete from ledger_entries where shop_id = %s",
    ],
)
async def test_is_never_altered(tx: Transaction, shop: ShopFixture, statement: str) -> None:
    await post_transfers(tx, shop_id=shop.id, transfers=[transfer("bank", "sales", 5)], now=NOON)

    with pytest.raises(psycopg.Error) as refusal:
        await tx.run(statement, (shop.id,))

    assert refusal.value.sqlstate == "CD011"


async def test_row_cannot_join_two_currencies(tx: Transaction, shop: ShopFixture) -> None:
    transfers = [transfer("bank", "sales", 5), transfer("bank", "sales", 5, currency="USD")]
    await post_transfers(tx, shop_id=shop.id, transfers=transfers, now=NOON)

    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        await tx.run(
            "insert into ledger_entries (shop_id, debit_account_id, credit_account_id, amount_minor, currency,"
            " debit_balance_minor, credit_balance_minor, kind, created_at)"
            " select d.shop_id, d.id, c.id, 5, 'EUR', 0, 0, 'sale', now() from accounts d, accounts c"
            " where d.shop_id = %s and d.kind = 'bank' and d.currency = 'EUR'"
            " and c.shop_id = d.shop_id and c.kind = 'sales' and c.currency = 'USD'",
            (shop.id,),
        )


@pytest.mark.parametrize(
    "step",
    ["post_transfers:missing_account", "post_transfers:balances", "post_transfers:entry"],
)
async def test_that_breaks_half_way_leaves_nothing(database: Database, step: str) -> None:
    async with database.begin() as tx:
        shop = await make_shop(tx)

    transfers = [transfer("bank", "sales", 5), transfer("bank", "tax", 1)]

    async def post_and_break() -> None:
        async with database.begin() as tx:
            await tx.run("select set_config('crossdock.fail_point', %s, true)", (step,))
            await post_transfers(tx, shop_id=shop.id, transfers=transfers, now=NOON)

    with pytest.raises(psycopg.Error) as broken:
        await post_and_break()

    assert broken.value.sqlstate == "CD099"
    async with database.begin() as tx:
        assert await balances(tx, shop_id=shop.id) == {}
        assert await list_entries(tx, shop_id=shop.id) == []


@pytest.mark.races
async def test_waits_for_the_account_and_then_sees_what_is_left(database: Database) -> None:
    async with database.begin() as tx:
        shop = await make_shop(tx)
        top_up = transfer("bank", "prepaid reseller:1", 100, kind="top_up")
        await post_transfers(tx, shop_id=shop.id, transfers=[top_up], now=NOON)
    purchase = transfer("prepaid reseller:1", "sales", 60)

    async def buy() -> None:
        async with database.begin() as other:
            await post_transfers(other, shop_id=shop.id, transfers=[purchase], now=NOON)

    async with database.begin() as tx:
        await post_transfers(tx, shop_id=shop.id, transfers=[purchase], now=NOON)
        second = asyncio.create_task(buy())
        await waiting_for_a_lock(database, behind=tx)
    with pytest.raises(Refused):
        await second

    async with database.begin() as tx:
        assert (await balances(tx, shop_id=shop.id))["prepaid reseller:1 EUR"] == 40


@pytest.mark.races
async def test_waits_for_another_that_makes_the_same_account(database: Database) -> None:
    async with database.begin() as tx:
        shop = await make_shop(tx)

    async def sell(amount_minor: int) -> None:
        async with database.begin() as other:
            sale = transfer("bank", "sales", amount_minor)
            await post_transfers(other, shop_id=shop.id, transfers=[sale], now=NOON)

    async with database.begin() as tx:
        await post_transfers(
            tx, shop_id=shop.id, transfers=[transfer("bank", "sales", 1)], now=NOON
        )
        second = asyncio.create_task(sell(2))
        await waiting_for_a_lock(database, behind=tx)
    await second

    async with database.begin() as tx:
        assert await balances(tx, shop_id=shop.id) == {"bank EUR": -3, "sales EUR": 3}
        assert await verify_ledger(tx, shop_id=shop.id) == []


async def test_in_either_direction_at_once_never_waits_in_a_circle(database: Database) -> None:
    async with database.begin() as tx:
        shop = await make_shop(tx)
    pairs = [("bank", "sales"), ("sales", "bank"), ("bank", "tax"), ("tax", "sales")] * 10

    async def post(debit: str, credit: str) -> None:
        async with database.begin() as tx:
            transfers = [transfer(debit, credit, 3), transfer(credit, "shipping", 1)]
            await post_transfers(tx, shop_id=shop.id, transfers=transfers, now=NOON)

    await asyncio.gather(*(post(*pair) for pair in pairs))

    async with database.begin() as tx:
        assert await verify_ledger(tx, shop_id=shop.id) == []
        assert len(await list_entries(tx, shop_id=shop.id, limit=200)) == 80


@pytest.mark.races
async def test_on_several_accounts_locks_the_first_of_them_first(database: Database) -> None:
    """While it waits for that, it holds none of the others: nobody waits in a circle."""
    async with database.begin() as tx:
        shop = await make_shop(tx)
    others = ("tax", "sales", "refunds", "shipping", "commission", "receivable customer:1")
    postings = [transfer(name, "bank", 1) for name in others]

    async def post() -> None:
        async with database.begin() as other:
            await post_transfers(other, shop_id=shop.id, transfers=postings, now=NOON)

    await post()
    async with database.begin() as tx:
        bank = [transfer("bank", "prepaid reseller:1", 1)]
        await post_transfers(tx, shop_id=shop.id, transfers=bank, now=NOON)
        waiting = asyncio.create_task(post())
        await waiting_for_a_lock(database, behind=tx)
        await tx.run("set local lock_timeout = '2s'")
        await post_transfers(tx, shop_id=shop.id, transfers=postings, now=NOON)
    await waiting

    async with database.begin() as tx:
        assert (await balances(tx, shop_id=shop.id))["bank EUR"] == 17


async def test_without_a_reason_has_an_empty_one(tx: Transaction, shop: ShopFixture) -> None:
    """Callers in SQL leave it out."""
    given = msgspec.structs.asdict(transfer("bank", "sales", 5))
    del given["reason"]

    await tx.run(
        "select post_transfers(%s, %s, null, now())",
        (shop.id, msgspec.json.encode([given]).decode()),
    )

    (row,) = await list_entries(tx, shop_id=shop.id)
    assert (row.amount_minor, row.reason) == (5, "")


async def test_knows_the_kinds_of_the_chart(tx: Transaction) -> None:
    rows = await tx.all("select kind, floor_minor from account_kinds")

    assert {row[0] for row in rows} == set(ACCOUNT_KINDS)
    floored = {"prepaid", "reseller_pending", "reseller_reserved"}
    assert {row[0] for row in rows if row[1] == 0} == floored


_BROKE = "balance_insufficient"
_ACCOUNTS = ("bank", "sales", "tax", "prepaid reseller:1", "prepaid reseller:2")
_TRANSFERS = st.lists(
    st.tuples(
        st.sampled_from(_ACCOUNTS),
        st.sampled_from(_ACCOUNTS),
        st.integers(0, 1_000),
        st.sampled_from(("EUR", "JPY", "KWD")),
    ).filter(lambda drawn: drawn[0] != drawn[1]),
    min_size=1,
    max_size=4,
)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(_TRANSFERS, min_size=1, max_size=8))
async def test_sequence_ends_where_a_model_does(
    database: Database, postings: list[list[tuple[str, str, int, str]]]
) -> None:
    async with database.begin() as tx:
        shop = await make_shop(tx)
    model: dict[str, int] = {}
    for posting in postings:
        after = dict(model)
        for debit, credit, amount, currency in posting:
            for name, change in ((debit, -amount), (credit, amount)):
                if amount:
                    key = f"{name} {currency}"
                    after[key] = after.get(key, 0) + change
        is_covered = all(v >= 0 for k, v in after.items() if k.startswith("prepaid"))
        transfers = [transfer(d, c, a, currency=m) for d, c, a, m in posting]
        with contextlib.nullcontext() if is_covered else pytest.raises(Refused, match=_BROKE):
            async with database.begin() as tx:
                await post_transfers(tx, shop_id=shop.id, transfers=transfers, now=NOON)
        model = after if is_covered else model

    async with database.begin() as tx:
        assert await balances(tx, shop_id=shop.id) == model
        assert await verify_ledger(tx, shop_id=shop.id) == []
