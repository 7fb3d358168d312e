"""An order of serials..."""

import asyncio
from typing import Any

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.errors import Refused
from crossdock.kit.clock import FrozenClock
from crossdock.shop.doctor import CHECKS
from crossdock.shop.ledger import Account, Transfer, list_accounts, post_transfers
from crossdock.shop.orders import OrderDraft, Placed, place, read_order
from crossdock.shop.stock import add_serials, read_sold_serials
from tests.support.drafts import draft_of, line_of
from tests.support.factories import ShopFixture, box, level, make_shop, make_variant
from tests.support.locks import waiting_for_a_lock

OWNER = "reseller:7"


@pytest.fixture
async def shop(database: Database) -> ShopFixture:
    async with database.begin() as tx:
        return await make_shop(tx)


async def _licence(database: Database, shop: ShopFixture, clock: FrozenClock, *serials: str) -> int:
    async with database.begin() as tx:
        variant = await make_variant(tx, shop=shop, own=None)
        await add_serials(
            tx, shop_id=shop.id, variant_id=variant, serials=serials, box=box(), now=clock.now()
        )
    return variant


async def _top_up(database: Database, shop: ShopFixture, clock: FrozenClock, amount: int) -> None:
    transfer = Transfer(
        debit=Account("bank"),
        credit=Account("prepaid", OWNER),
        amount_minor=amount,
        currency="USD",
        kind="top_up",
    )
    async with database.begin() as tx:
        await post_transfers(tx, shop_id=shop.id, transfers=[transfer], now=clock.now())


def _draft(shop: ShopFixture, *quantities: tuple[int, int], **more: Any) -> OrderDraft:
    lines = [line_of(v, shop=shop, quantity=q, take="serials") for v, q in quantities]
    return draft_of(*lines, shop=shop, **({"state": "completed"} | more))


def _prepaid(shop: ShopFixture, *quantities: tuple[int, int]) -> OrderDraft:
    return _draft(shop, *quantities, payment_state="paid", prepaid_owner=OWNER)


async def _place(database: Database, clock: FrozenClock, draft: OrderDraft) -> Placed:
    async with database.begin() as tx:
        return await place(tx, draft=draft, now=clock.now())


async def _written(database: Database, shop: ShopFixture, variant: int) -> tuple[object, ...]:
    """(orders, sold serials, level, rows of the ledger that no top-up wrote)."""
    async with database.begin() as tx:
        row = await tx.one(
            "select (select count(*) from orders where shop_id = %(shop)s),"
            " (select count(*) from serial_sales where shop_id = %(shop)s),"
            " (select count(*) from ledger_entries where shop_id = %(shop)s and kind <> 'top_up')",
            {"shop": shop.id},
        )
        assert row is not None
        return *row, tuple(await level(tx, shop_id=shop.id, variant_id=variant))


async def _faults(database: Database, shop: ShopFixture) -> list[str]:
    """The doctor's checks that find something wrong in this shop."""
    found = []
    async with database.begin() as tx:
        for check, query in CHECKS.items():
            rows = await tx.all(f"{query}")
            found += [check for row in rows if row[3] and f"shop {shop.id} " in f"{row[0]} "]
    return found


async def test_delivers_the_oldest_as_it_is_placed(
    database: Database, shop: ShopFixture, clock: FrozenClock
) -> None:
    variant = await _licence(database, shop, clock, "K-1", "K-2", "K-3", "K-4")
    placed = await _place(database, clock, _draft(shop, (variant, 2), (variant, 1)))

    async with database.begin() as tx:
        found = await read_sold_serials(tx, shop_id=shop.id, order_id=placed.id, box=box())
        view = await read_order(tx, shop_id=shop.id, order_id=placed.id)
        left = await level(tx, shop_id=shop.id, variant_id=variant)
    assert found == {1: ["K-1", "K-2"], 2: ["K-3"]}
    assert placed.state == "completed"
    assert [(line.state, line.shipped) for line in view.lines] == [("shipped", 2), ("shipped", 1)]
    assert tuple(left) == (1, 0, 0, 1)
    assert await _faults(database, shop) == []


async def test_delivers_all_or_nothing(
    database: Database, shop: ShopFixture, clock: FrozenClock
) -> None:
    plenty = await _licence(database, shop, clock, "A-1", "A-2")
    scarce = await _licence(database, shop, clock, "B-1")
    with pytest.raises(Refused) as refused:
        await _place(database, clock, _draft(shop, (plenty, 2), (scarce, 2)))
    assert refused.value.code == "stock_limit_exceeded"
    assert await _written(database, shop, plenty) == (0, 0, 0, (2, 0, 0, 2))
    assert await _written(database, shop, scarce) == (0, 0, 0, (1, 0, 0, 1))


async def test_is_paid_from_a_prepaid_balance(
    database: Database, shop: ShopFixture, clock: FrozenClock
) -> None:
    variant = await _licence(database, shop, clock, "K-1", "K-2")
    await _top_up(database, shop, clock, 2_500)
    placed = await _place(database, clock, _prepaid(shop, (variant, 2)))

    async with database.begin() as tx:
        accounts = await list_accounts(tx, shop_id=shop.id)
        view = await read_order(tx, shop_id=shop.id, order_id=placed.id)
    assert view.payment_state == "paid"
    assert {(a.kind, a.owner): a.balance_minor for a in accounts} == {
        ("bank", ""): -2_500,
        ("prepaid", OWNER): 500,
        ("sales", f"merchant:{shop.merchant_id}"): 2_000,
    }


async def test_that_the_balance_does_not_cover_writes_nothing(
    database: Database, shop: ShopFixture, clock: FrozenClock
) -> None:
    variant = await _licence(database, shop, clock, "K-1", "K-2")
    await _top_up(database, shop, clock, 1_999)
    with pytest.raises(Refused) as refused:
        await _place(database, clock, _prepaid(shop, (variant, 2)))
    assert refused.value.code == "balance_insufficient"
    assert await _written(database, shop, variant) == (0, 0, 0, (2, 0, 0, 2))


@pytest.mark.races
async def test_sent_twice_at_once_delivers_and_pays_once(
    database: Database, shop: ShopFixture, clock: FrozenClock
) -> None:
    variant = await _licence(database, shop, clock, "K-1", "K-2")
    await _top_up(database, shop, clock, 9_000)
    draft = _draft(
        shop,
        (variant, 1),
        payment_state="paid",
        prepaid_owner=OWNER,
        request_hash=b"same",
        number="N-1",
    )
    async with database.begin() as tx:
        first = await place(tx, draft=draft, now=clock.now())
        second = asyncio.create_task(_place(database, clock, draft))
        await waiting_for_a_lock(database, behind=tx)
    again = await second
    assert (first.outcome, again.outcome, again.id) == ("created", "replayed", first.id)
    assert (await _written(database, shop, variant))[:3] == (1, 1, 1)


@pytest.mark.parametrize(
    ("take", "more"),
    [
        ("serials", {}),
        ("own", {"state": "completed"}),
        ("serials", {"state": "completed", "prepaid_owner": OWNER}),
    ],
)
def test_is_completed_at_once_and_paid_where_a_balance_pays(
    take: str, more: dict[str, Any]
) -> None:
    shop = ShopFixture(id=1, slug="s", merchant_id=1, customer_id=1)
    with pytest.raises(ValueError, match=r"order"):
        draft_of(line_of(1, shop=shop, take=take), shop=shop, **more)


def test_takes_serials_for_every_line() -> None:
    shop = ShopFixture(id=1, slug="s", merchant_id=1, customer_id=1)
    lines = [line_of(1, shop=shop, take="serials"), line_of(2, shop=shop)]
    with pytest.raises(ValueError, match="serials for all its lines"):
        draft_of(*lines, shop=shop, state="completed")
