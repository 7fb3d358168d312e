"""What is picked, shipped and returned of an order..."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.errors import Refused
from crossdock.kit.clock import FrozenClock
from crossdock.shop.orders import (
    move_order,
    note_picked,
    note_returned,
    note_shipped,
    place,
)
from crossdock.shop.stock import add_serials, read_sold_serials
from tests.support.drafts import draft_of, line_of
from tests.support.factories import box
from tests.support.warehousing import Warehouse

Lines = list[tuple[str, int, int, int]]


class Progress(Warehouse):
    """A shop whose orders are moved on without packages, as the warehouse does it in between."""

    async def take(self, *wanted: tuple[int, int], take: str = "own_capped") -> int:
        """An order of (variant, quantity) lines whose fulfilment has begun."""
        lines = [
            line_of(variant, shop=self.shop, quantity=many, take=take) for variant, many in wanted
        ]
        async with self.db.begin() as tx:
            placed = await place(tx, draft=draft_of(*lines, shop=self.shop), now=self.clock.now())
            await move_order(
                tx,
                shop_id=self.shop.id,
                order_id=placed.id,
                to="in_fulfilment",
                now=self.clock.now(),
            )
        return placed.id

    async def note_picked(
        self, order_id: int, quantities: Mapping[int, int], *, shop_id: int = 0
    ) -> int | None:
        """The line that has less; nothing stays then."""
        async with self.db.begin() as tx:
            return await note_picked(
                tx, shop_id=shop_id or self.shop.id, order_id=order_id, quantities=quantities
            )

    async def note_shipped(self, order_id: int, quantities: Mapping[int, int]) -> str:
        """Picked before, unless it was."""
        async with self.db.begin() as tx:
            return await note_shipped(
                tx,
                shop_id=self.shop.id,
                order_id=order_id,
                quantities=quantities,
                now=self.clock.now(),
            )

    async def note_returned(self, order_id: int, quantities: Mapping[int, int]) -> None:
        async with self.db.begin() as tx:
            await note_returned(
                tx,
                shop_id=self.shop.id,
                order_id=order_id,
                quantities=quantities,
                now=self.clock.now(),
            )

    async def lines(self, order_id: int) -> Lines:
        """State, picked, shipped and returned of each line."""
        order = await self.read(order_id)
        return [(line.state, line.picked, line.shipped, line.returned) for line in order.lines]

    async def shares(self, order_id: int) -> list[tuple[str, int, int, str]]:
        """Pool, quantity, shipped and status of what the order took, by variant."""
        async with self.db.statement() as tx:
            return await tx.all(
                "select pool, quantity, shipped, status from order_allocations"
                " where shop_id = %s and order_id = %s order by variant_id, pool",
                (self.shop.id, order_id),
            )

    async def moved(self, order_id: int) -> list[tuple[str, dict[str, str]]]:
        """Which lines were moved from where, the oldest first."""
        async with self.db.statement() as tx:
            rows = await tx.all(
                "select payload from events where shop_id = %s and subject_id = %s"
                " and kind = 'order.lines_moved' order by id",
                (self.shop.id, order_id),
            )
        return [(payload["to"], payload["lines"]) for (payload,) in rows]


@pytest.fixture
async def work(database: Database, clock: FrozenClock) -> Progress:
    made = await Progress.open(database, clock)
    assert isinstance(made, Progress)
    return made


async def test_is_picked_of_the_lines_that_are_named_and_of_no_others(work: Progress) -> None:
    good = await work.variant(own=50)
    order_id = await work.take((good, 4), (good, 3), (good, 2))
    bystander = await work.take((good, 4), (good, 3), (good, 2))

    assert await work.note_picked(order_id, {1: 3, 3: 2}) is None
    assert await work.note_picked(order_id, {1: 1}) is None

    assert await work.lines(order_id) == [("open", 4, 0, 0), ("open", 0, 0, 0), ("open", 2, 0, 0)]
    assert await work.lines(bystander) == [("open", 0, 0, 0)] * 3


async def test_is_not_picked_beyond_what_was_ordered(work: Progress) -> None:
    good = await work.variant(own=50)
    order_id = await work.take((good, 4), (good, 3), (good, 2))
    assert await work.note_picked(order_id, {2: 2}) is None

    assert await work.note_picked(order_id, {3: 3, 2: 2}) == 2
    assert await work.note_picked(order_id, {9: 1}) == 9

    assert await work.lines(order_id) == [("open", 0, 0, 0), ("open", 2, 0, 0), ("open", 0, 0, 0)]


async def test_is_not_picked_for_another_shop(work: Progress) -> None:
    order_id = await work.take((await work.variant(own=5), 4))
    other = await Progress.open(work.db, work.clock)

    assert await work.note_picked(order_id, {1: 1}, shop_id=other.shop.id) == 1

    assert await work.lines(order_id) == [("open", 0, 0, 0)]


async def test_is_shipped_line_by_line_until_the_order_is_whole(work: Progress) -> None:
    one, other = await work.variant(own=9), await work.variant(own=9)
    order_id = await work.take((one, 3), (other, 1))
    bystander = await work.take((one, 3), (other, 1))
    for order in (order_id, bystander):
        await work.note_picked(order, {1: 3, 2: 1})

    assert await work.note_shipped(order_id, {1: 1}) == "partially_shipped"
    assert await work.lines(order_id) == [("partially_shipped", 3, 1, 0), ("open", 1, 0, 0)]
    assert await work.state(order_id) == "partially_shipped"
    work.clock.move(timedelta(minutes=1))
    assert await work.note_shipped(order_id, {1: 1}) == "partially_shipped"
    assert (await work.read(order_id)).updated_at == work.clock.now()
    assert await work.note_shipped(order_id, {1: 1}) == "partially_shipped"
    assert await work.note_shipped(order_id, {2: 1}) == "shipped"

    assert await work.lines(order_id) == [("shipped", 3, 3, 0), ("shipped", 1, 1, 0)]
    assert await work.state(order_id) == "shipped"
    assert await work.moved(order_id) == [
        ("partially_shipped", {"1": "open"}),
        ("shipped", {"1": "partially_shipped"}),
        ("shipped", {"2": "open"}),
    ]
    assert await work.lines(bystander) == [("open", 3, 0, 0), ("open", 1, 0, 0)]
    assert await work.state(bystander) == "in_fulfilment"
    assert await work.level(one) == (6, 3, 3)
    assert await work.level(other) == (8, 1, 7)
    assert await work.shares(order_id) == [("own", 3, 3, "shipped"), ("own", 1, 1, "shipped")]
    assert await work.shares(bystander) == [("own", 3, 0, "committed"), ("own", 1, 0, "committed")]


async def test_is_shipped_at_once_when_all_of_it_is(work: Progress) -> None:
    order_id = await work.take((await work.variant(own=9), 2), (await work.variant(own=9), 1))
    await work.note_picked(order_id, {1: 2, 2: 1})

    assert await work.note_shipped(order_id, {1: 2, 2: 1}) == "shipped"

    assert await work.moved(order_id) == [("shipped", {"1": "open", "2": "open"})]
    assert await work.events(order_id) == [
        "order.placed",
        "order.in_fulfilment",
        "order.lines_moved",
        "order.shipped",
    ]


async def test_is_shipped_from_own_stock_first_and_then_from_the_supplier_s(work: Progress) -> None:
    good = await work.variant(own=3, supplier=9, origin="*")
    order_id = await work.take((good, 2), (good, 3), take="own_first")
    await work.note_picked(order_id, {1: 2, 2: 3})
    assert await work.shares(order_id) == [
        ("own", 3, 0, "committed"),
        ("supplier", 2, 0, "committed"),
    ]

    await work.note_shipped(order_id, {1: 1})
    assert await work.shares(order_id) == [
        ("own", 3, 1, "committed"),
        ("supplier", 2, 0, "committed"),
    ]
    await work.note_shipped(order_id, {1: 1, 2: 2})
    assert await work.shares(order_id) == [
        ("own", 3, 3, "shipped"),
        ("supplier", 2, 1, "committed"),
    ]
    await work.note_shipped(order_id, {2: 1})
    assert await work.shares(order_id) == [("own", 3, 3, "shipped"), ("supplier", 2, 2, "shipped")]

    assert await work.level(good) == (0, 0, 0)
    assert await work.entries(good) == [
        ("receive", 3, 0),
        ("receive", 9, 0),
        ("commit", 0, 3),
        ("commit", 0, 2),
        ("ship", -1, -1),
        ("ship", -2, -2),
        ("ship", -1, -1),
        ("ship", -1, -1),
    ]


async def test_is_not_shipped_when_it_is_not_on_hand(work: Progress) -> None:
    good = await work.variant(own=1)
    order_id = await work.take((good, 2), take="own")
    await work.note_picked(order_id, {1: 2})
    before = await work.everything()

    with pytest.raises(Refused, match="stock_insufficient"):
        await work.note_shipped(order_id, {1: 2})

    assert await work.everything() == before


async def test_takes_no_level_where_goods_are_not_counted(work: Progress) -> None:
    order_id = await work.take((await work.variant(own=9), 2), take=None)  # type: ignore[arg-type]
    await work.note_picked(order_id, {1: 2})

    assert await work.note_shipped(order_id, {1: 2}) == "shipped"

    assert await work.shares(order_id) == []


async def test_takes_the_serials_of_what_own_stock_gave_alone(work: Progress) -> None:
    keyed = await work.variant(own=None, supplier=9, origin="*")
    plain = await work.variant(own=9)
    async with work.db.begin() as tx:
        await add_serials(
            tx, shop_id=work.shop.id, variant_id=keyed, serials=["K1", "K2", "K3"], box=box(),
            now=work.clock.now(),
        )  # fmt: skip
    own = await work.take((keyed, 2), (plain, 2))
    mixed = await work.take((keyed, 2), take="own_first")
    for order_id in (own, mixed):
        await work.note_picked(order_id, {1: 2})
    await work.note_picked(own, {2: 1})

    await work.note_shipped(own, {1: 1})
    await work.note_shipped(mixed, {1: 2})
    await work.note_shipped(own, {1: 1, 2: 1})

    async with work.db.statement() as tx:
        sold = [
            await read_sold_serials(tx, shop_id=work.shop.id, order_id=order_id, box=box())
            for order_id in (own, mixed)
        ]
    assert sold == [{1: ["K1", "K2"]}, {}]


async def test_comes_back_line_by_line(work: Progress) -> None:
    good = await work.variant(own=50)
    order_id, bystander = [await work.take((good, 2), (good, 2), (good, 2)) for _ in range(2)]
    for order in (order_id, bystander):
        await work.note_picked(order, {1: 2, 2: 2, 3: 2})
        await work.note_shipped(order, {1: 2, 2: 2, 3: 1})

    await work.note_returned(order_id, {1: 1, 2: 1, 3: 1})
    assert await work.moved(order_id) == await work.moved(bystander)
    await work.note_returned(order_id, {2: 1})

    assert await work.lines(order_id) == [
        ("shipped", 2, 2, 1),
        ("returned", 2, 2, 2),
        ("partially_shipped", 2, 1, 1),
    ]
    assert (await work.moved(order_id))[-1] == ("returned", {"2": "shipped"})
    assert await work.lines(bystander) == [
        ("shipped", 2, 2, 0),
        ("shipped", 2, 2, 0),
        ("partially_shipped", 2, 1, 0),
    ]
    await work.note_returned(order_id, {1: 1})
    assert (await work.moved(order_id))[-1] == ("returned", {"1": "shipped"})


async def test_goes_on_after_a_line_of_it_came_back(work: Progress) -> None:
    good = await work.variant(own=9)
    order_id = await work.take((good, 1), (good, 2))
    await work.note_picked(order_id, {1: 1, 2: 2})
    await work.note_shipped(order_id, {1: 1})
    await work.note_returned(order_id, {1: 1})

    assert await work.note_shipped(order_id, {2: 1}) == "partially_shipped"
    assert await work.note_shipped(order_id, {2: 1}) == "shipped"

    assert await work.lines(order_id) == [("returned", 1, 1, 1), ("shipped", 2, 2, 0)]
