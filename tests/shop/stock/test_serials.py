"""Serials in stock..."""

import asyncio
import contextlib
import io

import msgspec
import psycopg
import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import Conflict, Invalid, Refused, SealBroken
from crossdock.kit.crypto import SecretBox
from crossdock.kit.logging import configure_logging
from crossdock.shop.doctor import CHECKS
from crossdock.shop.stock import (
    Posting,
    add_serials,
    adjust_stock,
    exchange_serials,
    list_serials,
    post_stock,
    read_bought_serials,
    read_entries,
    read_sold_serials,
    receive_stock,
    sell_serials,
    take_serials,
)
from tests.conftest import NOON
from tests.support.factories import MASTER_KEY, ShopFixture, box, level, make_shop, make_variant
from tests.support.locks import waiting_for_a_lock


@pytest.fixture
async def shop(tx: Transaction) -> ShopFixture:
    return await make_shop(tx)


@pytest.fixture
async def variant(tx: Transaction, shop: ShopFixture) -> int:
    return await make_variant(tx, shop=shop, own=None)


async def add(tx: Transaction, shop: ShopFixture, variant: int, *serials: str) -> int:
    return await add_serials(
        tx, shop_id=shop.id, variant_id=variant, serials=serials, box=box(), now=NOON
    )


async def take(
    tx: Transaction,
    shop: ShopFixture,
    variant: int,
    quantity: int,
    *,
    order: int = 1,
    line: int = 1,
) -> list[int]:
    return await take_serials(
        tx,
        shop_id=shop.id,
        order_id=order,
        line_no=line,
        variant_id=variant,
        quantity=quantity,
        now=NOON,
    )


async def sold(tx: Transaction, shop: ShopFixture, order: int) -> dict[int, list[str]]:
    return await read_sold_serials(tx, shop_id=shop.id, order_id=order, box=box())


async def furnish(database: Database, *serials: str) -> tuple[ShopFixture, int]:
    async with database.begin() as tx:
        shop = await make_shop(tx)
        variant = await make_variant(tx, shop=shop, own=None)
        await add(tx, shop, variant, *serials)
    return shop, variant


async def test_are_counted_by_the_level(tx: Transaction, shop: ShopFixture, variant: int) -> None:
    assert await add(tx, shop, variant, "B", " A ") == 2

    assert await level(tx, shop_id=shop.id, variant_id=variant) == (2, 0, 0, 2)
    (entry,) = await read_entries(tx, shop_id=shop.id, variant_id=variant)
    assert (entry.kind, entry.on_hand, entry.reason) == ("receive", 2, "serials added")


async def test_are_sold_in_the_order_in_which_they_came(
    tx: Transaction, shop: ShopFixture, variant: int
) -> None:
    await add(tx, shop, variant, "B", "A")
    await add(tx, shop, variant, "C")

    await take(tx, shop, variant, 2, order=7, line=1)
    await take(tx, shop, variant, 1, order=8, line=2)

    assert await sold(tx, shop, 7) == {1: ["B", "A"]}
    assert await sold(tx, shop, 8) == {2: ["C"]}
    assert await level(tx, shop_id=shop.id, variant_id=variant) == (0, 0, 0, 0)
    newest = (await read_entries(tx, shop_id=shop.id, variant_id=variant))[0]
    assert (newest.kind, newest.on_hand, newest.order_id) == ("ship", -1, 8)
    views = await list_serials(tx, shop_id=shop.id, variant_id=variant)
    assert [(view.sold_at, view.order_id, view.line_no) for view in views] == [
        (NOON, 7, 1),
        (NOON, 7, 1),
        (NOON, 8, 2),
    ]


async def test_are_listed_sold_or_unsold(tx: Transaction, shop: ShopFixture, variant: int) -> None:
    await add(tx, shop, variant, "A", "B", "C")
    first = await take(tx, shop, variant, 1)

    found = await list_serials(tx, shop_id=shop.id, variant_id=variant, sold=True)
    left = await list_serials(tx, shop_id=shop.id, variant_id=variant, sold=False, limit=1)

    assert [view.id for view in found] == first
    assert [(view.id > first[0], view.sold_at) for view in left] == [(True, None)]


async def test_of_which_there_are_fewer_are_refused_as_a_whole(database: Database) -> None:
    shop, variant = await furnish(database, "A", "B")

    with pytest.raises(Refused) as refusal:
        async with database.begin() as tx:
            await take(tx, shop, variant, 3)

    assert refusal.value.code == "stock_limit_exceeded"
    assert refusal.value.data == {"variant_ids": [variant]}
    async with database.begin() as tx:
        assert await level(tx, shop_id=shop.id, variant_id=variant) == (2, 0, 0, 2)
        assert await sold(tx, shop, 1) == {}
        assert len(await list_serials(tx, shop_id=shop.id, variant_id=variant, sold=False)) == 2


async def test_that_a_level_counts_and_nobody_has_are_refused(database: Database) -> None:
    shop, variant = await furnish(database, "A")
    async with database.begin() as tx:
        await tx.run("update stock_levels set on_hand = 2 where variant_id = %s", (variant,))

    with pytest.raises(Refused) as refusal:
        async with database.begin() as tx:
            await take(tx, shop, variant, 2)

    assert refusal.value.data == {"variant_ids": [variant]}
    async with database.begin() as tx:
        wrong = f"select place from ({CHECKS['unsold serials are what is on hand']})"
        rows = await tx.all(f"{wrong} as found (place, expected, found, wrong) where wrong")
        assert f"shop {shop.id} variant {variant}" in [row[0] for row in rows]
        await tx.run("update stock_levels set on_hand = 1 where variant_id = %s", (variant,))


@pytest.mark.parametrize("serials", [("A", "A"), ("NEW", "B"), ("C", " B ")])
async def test_are_known_again_whoever_sold_them(
    database: Database, serials: tuple[str, ...]
) -> None:
    shop, variant = await furnish(database, "B")
    async with database.begin() as tx:
        await take(tx, shop, variant, 1)

    with pytest.raises(Conflict) as refusal:
        async with database.begin() as tx:
            await add(tx, shop, variant, *serials)

    assert refusal.value.message == "1 of the serials are there already; none was added."
    async with database.begin() as tx:
        assert len(await list_serials(tx, shop_id=shop.id, variant_id=variant)) == 1
        assert await level(tx, shop_id=shop.id, variant_id=variant) == (0, 0, 0, 0)


async def test_are_known_again_after_a_change_of_the_master_key(
    tx: Transaction, shop: ShopFixture, variant: int
) -> None:
    await add(tx, shop, variant, "A")
    newer = SecretBox(b"n" * 32, older=[MASTER_KEY])

    with pytest.raises(Conflict):
        await add_serials(
            tx, shop_id=shop.id, variant_id=variant, serials=["A"], box=newer, now=NOON
        )


async def test_may_be_the_same_for_two_variants(
    tx: Transaction, shop: ShopFixture, variant: int
) -> None:
    other = await make_variant(tx, shop=shop, own=None)

    assert await add(tx, shop, variant, "A") == await add(tx, shop, other, "A") == 1


@pytest.mark.parametrize("serials", [(), ("",), ("A", " "), ("a\nb",), ("x" * 513,)])
async def test_that_cannot_be_one_are_refused(
    tx: Transaction, shop: ShopFixture, variant: int, serials: tuple[str, ...]
) -> None:
    with pytest.raises(Invalid):
        await add(tx, shop, variant, *serials)

    assert await list_serials(tx, shop_id=shop.id, variant_id=variant) == []


async def test_do_not_mix_with_goods_that_have_none(tx: Transaction, shop: ShopFixture) -> None:
    counted = await make_variant(tx, shop=shop, own=3)

    with pytest.raises(Invalid) as refusal:
        await add(tx, shop, counted, "A")

    assert refusal.value.message == "3 without a serial are on hand; set the level to 0 first."


async def test_alone_change_their_level(tx: Transaction, shop: ShopFixture, variant: int) -> None:
    await add(tx, shop, variant, "A")

    with pytest.raises(Invalid, match="counted by its serials"):
        await receive_stock(tx, shop_id=shop.id, variant_id=variant, quantity=1, now=NOON)
    with pytest.raises(Invalid, match="counted by its serials"):
        await adjust_stock(tx, shop_id=shop.id, variant_id=variant, difference=-1, now=NOON)
    await receive_stock(
        tx, shop_id=shop.id, variant_id=variant, quantity=1, pool="supplier", now=NOON
    )

    assert await level(tx, shop_id=shop.id, variant_id=variant) == (1, 0, 0, 1)


async def test_are_listed_with_their_variant_alone(
    tx: Transaction, shop: ShopFixture, variant: int
) -> None:
    other = await make_variant(tx, shop=shop, own=None)
    await add(tx, shop, variant, "A")
    await add(tx, shop, other, "B", "C")

    assert len(await list_serials(tx, shop_id=shop.id, variant_id=variant)) == 1
    assert len(await list_serials(tx, shop_id=shop.id, variant_id=other)) == 2


async def test_of_another_shop_count_nothing_here(
    tx: Transaction, shop: ShopFixture, variant: int
) -> None:
    await add(tx, shop, variant, "A")
    other = await make_shop(tx)

    await receive_stock(tx, shop_id=other.id, variant_id=variant, quantity=2, now=NOON)

    assert await level(tx, shop_id=other.id, variant_id=variant) == (2, 0, 0, 2)


async def test_are_exchanged_the_oldest_valid_ones_first_and_for_ever(
    tx: Transaction, shop: ShopFixture, variant: int
) -> None:
    await add(tx, shop, variant, "A", "B", "C", "D", "E", "F", "G")
    await take(tx, shop, variant, 3)
    await take(tx, shop, variant, 1, line=2)
    await take(tx, shop, variant, 1, order=2)

    async def exchange(quantity: int) -> list[int]:
        return await exchange_serials(
            tx, shop_id=shop.id, order_id=1, line_no=1, variant_id=variant, quantity=quantity,
            now=NOON,
        )  # fmt: skip

    (sixth,) = await exchange(1)
    assert await sold(tx, shop, 1) == {1: ["B", "C", "F"], 2: ["D"]}
    assert await sold(tx, shop, 2) == {1: ["E"]}
    bought = await read_bought_serials(tx, shop_id=shop.id, order_id=1, box=box())
    assert [(each.serial, each.revoked_at, each.is_replaced) for each in bought[1]] == [
        ("A", NOON, True), ("B", None, False), ("C", None, False), ("F", None, False),
    ]  # fmt: skip
    assert bought[1][3].id == sixth
    await exchange(1)
    assert await sold(tx, shop, 1) == {1: ["C", "F", "G"], 2: ["D"]}
    with pytest.raises(Refused, match="stock_limit_exceeded"):
        await exchange(1)


@pytest.mark.races
async def test_that_somebody_adds_meanwhile_are_known(database: Database) -> None:
    shop, variant = await furnish(database, "A")

    async def add_more() -> int:
        async with database.begin() as other:
            return await add(other, shop, variant, "B", "C", "D")

    async with database.begin() as tx:
        await add(tx, shop, variant, "B")
        second = asyncio.create_task(add_more())
        await waiting_for_a_lock(database, behind=tx)
    with pytest.raises(Conflict) as refusal:
        await second

    assert refusal.value.message.startswith("1 of the serials")
    async with database.begin() as tx:
        assert await level(tx, shop_id=shop.id, variant_id=variant) == (2, 0, 0, 2)


async def test_are_sold_while_the_suppliers_level_is_changed_by_others(database: Database) -> None:
    shop, variant = await furnish(database, "A")

    async def restock(quantity: int) -> None:
        async with database.begin() as other:
            await receive_stock(
                other, shop_id=shop.id, variant_id=variant, quantity=quantity, pool="supplier",
                now=NOON,
            )  # fmt: skip

    await restock(4)
    async with database.begin() as tx:
        await take(tx, shop, variant, 1)
        await asyncio.wait_for(restock(1), timeout=5)
    async with database.begin() as tx:
        assert await level(tx, shop_id=shop.id, variant_id=variant, pool="supplier") == (5, 0, 0, 5)


async def test_open_only_where_they_are_kept(
    tx: Transaction, shop: ShopFixture, variant: int
) -> None:
    other = await make_variant(tx, shop=shop, own=None)
    await add(tx, shop, variant, "A")
    await take(tx, shop, variant, 1)
    await tx.run("update serials set variant_id = %s where variant_id = %s", (other, variant))

    with pytest.raises(SealBroken):
        await sold(tx, shop, 1)


async def test_stay_out_of_logs_events_and_tables(
    tx: Transaction, shop: ShopFixture, variant: int
) -> None:
    secret = "LICENCE-AAAA-BBBB-CCCC"
    stream = io.StringIO()
    configure_logging(level="info", format="json", stream=stream)
    await add(tx, shop, variant, secret)
    structlog.get_logger().info("added", serials=[secret], serial=secret)
    with pytest.raises(Conflict) as refusal:
        await add(tx, shop, variant, secret)

    assert secret not in stream.getvalue()
    assert secret not in str(refusal.value)
    for table in ("serials", "events", "stock_entries"):
        rows = await tx.all(f"select t::text from {table} t where shop_id = %s", (shop.id,))
        assert rows
        assert secret not in str(rows)
        assert secret.encode().hex() not in str(rows)


async def test_have_one_buyer_by_the_wall(tx: Transaction, shop: ShopFixture, variant: int) -> None:
    await add(tx, shop, variant, "A")
    (serial,) = await take(tx, shop, variant, 1)

    with pytest.raises(psycopg.errors.UniqueViolation):
        await tx.run(
            "insert into serial_sales (shop_id, serial_id, order_id, line_no, sold_at)"
            " values (%s, %s, 2, 1, now())",
            (shop.id, serial),
        )


@pytest.mark.races
async def test_that_somebody_buys_meanwhile_go_to_one_of_two(database: Database) -> None:
    shop, variant = await furnish(database, "A", "B", "C")

    async def buy() -> list[int]:
        async with database.begin() as other:
            return await take(other, shop, variant, 2, order=2)

    async with database.begin() as tx:
        await take(tx, shop, variant, 2, order=1)
        second = asyncio.create_task(buy())
        await waiting_for_a_lock(database, behind=tx)
    with pytest.raises(Refused):
        await second

    async with database.begin() as tx:
        assert await sold(tx, shop, 1) == {1: ["A", "B"]}
        assert await sold(tx, shop, 2) == {}
        assert await level(tx, shop_id=shop.id, variant_id=variant) == (1, 0, 0, 1)


@pytest.mark.races
async def test_that_somebody_gives_up_go_to_the_one_who_waited(database: Database) -> None:
    shop, variant = await furnish(database, "A", "B", "C")

    async def buy() -> None:
        async with database.begin() as other:
            await take(other, shop, variant, 3, order=2)

    with contextlib.suppress(psycopg.Rollback):
        async with database.begin() as tx:
            await take(tx, shop, variant, 2, order=1)
            second = asyncio.create_task(buy())
            await waiting_for_a_lock(database, behind=tx)
            raise psycopg.Rollback
    await second

    async with database.begin() as tx:
        assert await sold(tx, shop, 2) == {1: ["A", "B", "C"]}


@pytest.mark.races
async def test_that_are_sealed_again_meanwhile_are_waited_for(database: Database) -> None:
    """Under a newer master key; they are in stock all the while, and still go first."""
    shop, variant = await furnish(database, "A", "B")

    async def buy() -> list[int]:
        async with database.begin() as other:
            return await take(other, shop, variant, 1, order=2)

    async with database.begin() as tx:
        await tx.run(
            "update serials set sealed = sealed where id ="
            " (select min(id) from serials where shop_id = %s)",
            (shop.id,),
        )
        second = asyncio.create_task(buy())
        await waiting_for_a_lock(database, behind=tx)
    await second

    async with database.begin() as tx:
        assert await sold(tx, shop, 2) == {1: ["A"]}


@pytest.mark.races
async def test_that_another_shipment_takes_are_waited_for_and_passed_over(
    database: Database,
) -> None:
    """By themselves, whatever else the callers have locked."""
    shop, variant = await furnish(database, "A", "B", "C")

    async def ship(order: int, tx: Transaction) -> None:
        await sell_serials(tx, shop_id=shop.id, order_id=order, sold=[(1, variant, 1)], now=NOON)

    async def ship_later(order: int) -> None:
        async with database.begin() as other:
            await ship(order, other)

    async with database.begin() as tx:
        await ship(1, tx)
        second = asyncio.create_task(ship_later(2))
        await waiting_for_a_lock(database, behind=tx)
    await second

    async with database.begin() as tx:
        assert await sold(tx, shop, 1) == {1: ["A"]}
        assert await sold(tx, shop, 2) == {1: ["B"]}


@pytest.mark.races
async def test_and_shipments_never_wait_for_each_other_in_a_circle(database: Database) -> None:
    """The buyer waits for the level that a shipment has changed, and holds no serial meanwhile."""
    shop, variant = await furnish(database, "A", "B", "C")
    shipped = Posting(variant_id=variant, pool="own", kind="ship", on_hand=-1)

    async def buy() -> list[int]:
        async with database.begin() as other:
            return await take(other, shop, variant, 1, order=2)

    async with database.begin() as tx:
        await post_stock(tx, shop_id=shop.id, postings=[shipped], reason="shipped", now=NOON)
        second = asyncio.create_task(buy())
        await waiting_for_a_lock(database, behind=tx)
        await tx.run("set local lock_timeout = '2s'")
        await sell_serials(tx, shop_id=shop.id, order_id=1, sold=[(1, variant, 1)], now=NOON)
    await second

    async with database.begin() as tx:
        assert await sold(tx, shop, 1) == {1: ["A"]}
        assert await sold(tx, shop, 2) == {1: ["B"]}
        assert await level(tx, shop_id=shop.id, variant_id=variant) == (1, 0, 0, 1)


@pytest.mark.parametrize(("committed", "left"), [(0, 2), (2, 0), (3, 0)])
async def test_that_are_refused_say_how_many_are_left(
    database: Database, committed: int, left: int
) -> None:
    """Never fewer than none, even where more is promised than there is; other levels do not count."""
    async with database.begin() as tx:
        shop = await make_shop(tx)
        await make_variant(tx, shop=shop, own=50)
        variant = await make_variant(tx, shop=shop, own=None, supplier=50)
        await add(tx, shop, variant, "A", "B")
    promised = Posting(variant_id=variant, pool="own", kind="commit", committed=committed)
    async with database.begin() as tx:
        await post_stock(tx, shop_id=shop.id, postings=[promised], reason="order", now=NOON)

    with pytest.raises(psycopg.Error) as refusal:
        async with database.begin() as tx:
            await tx.run(
                "select take_serials(%s, 1, 1::smallint, %s, 3, now())", (shop.id, variant)
            )

    assert refusal.value.sqlstate == "CD001"
    assert msgspec.json.decode(refusal.value.diag.message_detail or "") == [
        {"variant_id": variant, "pool": "own", "available": left}
    ]


async def test_of_a_variant_without_any_are_none(tx: Transaction, shop: ShopFixture) -> None:
    variant = await make_variant(tx, shop=shop, own=None)

    with pytest.raises(psycopg.Error) as refusal:
        await tx.run("select take_serials(%s, 1, 1::smallint, %s, 1, now())", (shop.id, variant))

    assert msgspec.json.decode(refusal.value.diag.message_detail or "") == [
        {"variant_id": variant, "pool": "own", "available": 0}
    ]


async def test_that_nobody_has_are_not_shipped_either(database: Database) -> None:
    async with database.begin() as tx:
        shop = await make_shop(tx)
        variant = await make_variant(tx, shop=shop, own=1)

    with pytest.raises(psycopg.Error) as refusal:
        async with database.begin() as tx:
            await tx.run(
                "select sell_serials(%s, 1, 1::smallint, %s, 1, now())", (shop.id, variant)
            )

    assert refusal.value.sqlstate == "CD001"
    assert msgspec.json.decode(refusal.value.diag.message_detail or "") == [
        {"variant_id": variant, "pool": "own", "available": 0}
    ]


async def test_of_another_variant_are_not_sold_though_they_came_first(
    tx: Transaction, shop: ShopFixture, variant: int
) -> None:
    other = await make_variant(tx, shop=shop, own=None)
    await add(tx, shop, other, "X")
    await add(tx, shop, variant, "A")

    await take(tx, shop, variant, 1, order=7)

    assert await sold(tx, shop, 7) == {1: ["A"]}


@pytest.mark.parametrize(
    ("serials", "message"),
    [
        (("x",) * 10_001, "Give 1 to 10000 serials at once."),
        ((*map(str, range(9_999)), "a\nb"), "A serial is 1 to 512 printable characters."),
    ],
)
async def test_are_given_ten_thousand_at_a_time_at_most(
    tx: Transaction, shop: ShopFixture, variant: int, serials: tuple[str, ...], message: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        await add(tx, shop, variant, *serials)

    assert refusal.value.message == message
    assert await list_serials(tx, shop_id=shop.id, variant_id=variant) == []


async def test_have_512_characters_at_most(
    tx: Transaction, shop: ShopFixture, variant: int
) -> None:
    assert await add(tx, shop, variant, "x" * 512, "y") == 2


async def test_of_one_shop_are_not_shown_to_another(
    tx: Transaction, shop: ShopFixture, variant: int
) -> None:
    other = await make_shop(tx)
    await add(tx, shop, variant, "A", "B")
    await take(tx, shop, variant, 1, order=7)

    assert await list_serials(tx, shop_id=other.id, variant_id=variant) == []
    assert await sold(tx, other, 7) == {}
    assert await sold(tx, shop, 8) == {}


async def test_come_line_by_line_and_the_oldest_first(
    tx: Transaction, shop: ShopFixture, variant: int
) -> None:
    other = await make_variant(tx, shop=shop, own=None)
    await add(tx, shop, variant, "A", "B", "C")
    await add(tx, shop, other, "X")

    await sell_serials(
        tx, shop_id=shop.id, order_id=7, sold=[(1, other, 1), (3, variant, 1), (2, variant, 2)],
        now=NOON,
    )  # fmt: skip

    found = await sold(tx, shop, 7)
    assert list(found.items()) == [(1, ["X"]), (2, ["A", "B"]), (3, ["C"])]


@pytest.mark.parametrize("step", ["take_serials:sold", "take_serials:sale", "post_stock:levels"])
async def test_stay_unsold_when_the_sale_breaks_half_way(database: Database, step: str) -> None:
    shop, variant = await furnish(database, "A", "B")

    async def sell_and_break() -> None:
        async with database.begin() as tx:
            await tx.run("select set_config('crossdock.fail_point', %s, true)", (step,))
            await take(tx, shop, variant, 1)

    with pytest.raises(psycopg.Error) as broken:
        await sell_and_break()

    assert broken.value.sqlstate == "CD099"
    async with database.begin() as tx:
        assert len(await list_serials(tx, shop_id=shop.id, variant_id=variant, sold=False)) == 2
        assert await level(tx, shop_id=shop.id, variant_id=variant) == (2, 0, 0, 2)


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.integers(-4, 4).filter(bool), min_size=1, max_size=10))
async def test_leave_in_the_order_in_which_they_came_whatever_happens(
    database: Database, steps: list[int]
) -> None:
    """A step above zero adds so many, one below sells so many."""
    async with database.begin() as tx:
        shop = await make_shop(tx)
        variant = await make_variant(tx, shop=shop, own=0)
    added, taken = 0, 0
    for order, step in enumerate(steps, start=1):
        async with database.begin() as tx:
            if step > 0:
                await add(tx, shop, variant, *(f"S{added + n}" for n in range(step)))
                added += step
            elif taken - step <= added:
                await take(tx, shop, variant, -step, order=order)
                expected = [f"S{taken + n}" for n in range(-step)]
                assert await sold(tx, shop, order) == {1: expected}
                taken -= step
            on_hand = await level(tx, shop_id=shop.id, variant_id=variant)
        assert on_hand == (added - taken, 0, 0, added - taken)
