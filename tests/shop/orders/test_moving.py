"""A move..."""

import psycopg
import pytest

from crossdock.db.unit_of_work import Database
from crossdock.errors import NotFound, Refused
from crossdock.kit.clock import FrozenClock
from crossdock.shop.events import KINDS
from crossdock.shop.orders import OrderView, lock_order, move_order, place, read_order
from crossdock.shop.orders.states import BEGINNINGS, MOVES, STATES, Axis
from tests.support.drafts import draft_of, line_of
from tests.support.factories import make_shop, make_variant

ARROWS = [
    (axis, before, after)
    for axis, arrows in MOVES.items()
    for before, targets in arrows.items()
    for after in targets
]
COLUMNS = {
    "fulfilment": "orders.fulfilment_state",
    "payment": "orders.payment_state",
    "line": "order_lines.state",
}
_NO_WALL = "set local session_replication_role = replica"


async def _placed(database: Database, clock: FrozenClock) -> tuple[int, int]:
    async with database.begin() as tx:
        shop = await make_shop(tx)
        variants = [await make_variant(tx, shop=shop) for _ in range(2)]
        lines = [line_of(variant, shop=shop) for variant in variants]
        placed = await place(tx, draft=draft_of(*lines, shop=shop), now=clock.now())
    return shop.id, placed.id


async def _put(database: Database, *, axis: Axis, state: str, shop_id: int, order_id: int) -> None:
    """Set a state past the wall, as no code of ours can."""
    table, column = COLUMNS[axis].split(".")
    key = "order_id" if table == "order_lines" else "id"
    async with database.begin() as tx:
        await tx.run(_NO_WALL)
        await tx.run(
            f"update {table} set {column} = %s where shop_id = %s and {key} = %s",
            (state, shop_id, order_id),
        )
        if axis == "fulfilment":
            await tx.run(
                "update order_parts set state = %s where shop_id = %s and order_id = %s",
                (state, shop_id, order_id),
            )


_UNPACKED = [
    ("fulfilment", "waiting_for_release", "partially_shipped"),
    ("fulfilment", "waiting_for_release", "shipped"),
]
"""The arrows of orders that no warehouse sends, and of no others."""


async def _deliver_by_hand(database: Database, *, shop_id: int, order_id: int) -> None:
    async with database.begin() as tx:
        await tx.run(
            "update orders set release_policy = 'delivered' where shop_id = %s and id = %s",
            (shop_id, order_id),
        )


async def _events(database: Database, shop_id: int, order_id: int) -> list[tuple[str, dict]]:
    async with database.statement() as tx:
        return [
            (kind, payload)
            for kind, payload in await tx.all(
                "select kind, payload from events where shop_id = %s and subject_id = %s"
                " and topic = 'orders' order by id",
                (shop_id, order_id),
            )
        ]


@pytest.mark.parametrize(("axis", "before", "after"), ARROWS)
async def test_along_every_arrow_is_in_the_feed(
    database: Database, clock: FrozenClock, axis: Axis, before: str, after: str
) -> None:
    shop_id, order_id = await _placed(database, clock)
    if (axis, before, after) in _UNPACKED:
        await _deliver_by_hand(database, shop_id=shop_id, order_id=order_id)
    await _put(database, axis=axis, state=before, shop_id=shop_id, order_id=order_id)
    known = await _events(database, shop_id, order_id)

    async with database.begin() as tx:
        told = await move_order(
            tx,
            shop_id=shop_id,
            order_id=order_id,
            axis=axis,
            lines=[1] if axis == "line" else None,
            to=after,
            details=None if axis == "line" else {"reason": "because"},
            now=clock.now(),
        )

    [(kind, payload)] = (await _events(database, shop_id, order_id))[len(known) :]
    assert kind in KINDS
    if axis == "line":
        assert (kind, payload) == ("order.lines_moved", {"to": after, "lines": {"1": before}})
        assert told == ""
    else:
        assert kind.partition(".")[0] == ("payment" if axis == "payment" else "order")
        assert payload == {"from": before, "to": after, "reason": "because"}
        assert told == before
    async with database.statement() as tx:
        order = await read_order(tx, order_id=order_id, sections=("lines", "parts"))
    if axis == "line":
        assert [line.state for line in order.lines] == [after, before]
    elif axis == "payment":
        assert order.payment_state == after
    else:
        assert order.fulfilment_state == after
        assert {part.state for part in order.parts} == {after}


@pytest.mark.parametrize(
    ("axis", "to"), [("fulfilment", "in_fulfilment"), ("payment", "paid"), ("line", "shipped")]
)
async def test_leaves_the_shop_s_other_orders_where_they_are(
    database: Database, clock: FrozenClock, axis: Axis, to: str
) -> None:
    async with database.begin() as tx:
        shop = await make_shop(tx)
        line = line_of(await make_variant(tx, shop=shop), shop=shop)
        made = [
            await place(
                tx, draft=draft_of(line, shop=shop, payment_state="awaiting"), now=clock.now()
            )
            for _ in range(3)
        ]
        orders = [placed.id for placed in made]
        lines = [1] if axis == "line" else None
        await move_order(
            tx, shop_id=shop.id, order_id=orders[1], axis=axis, lines=lines, to=to, now=clock.now()
        )
        seen = [
            await read_order(tx, order_id=order_id, sections=("lines", "parts"))
            for order_id in orders
        ]

    def states(order: OrderView) -> list[str]:
        own = [order.fulfilment_state, order.payment_state]
        own += [part.state for part in order.parts]
        return own + [line.state for line in order.lines]

    before = ["processing", "awaiting", "processing", "open"]
    after = {
        "fulfilment": [to, "awaiting", to, "open"],
        "payment": ["processing", to, "processing", "open"],
        "line": ["processing", "awaiting", "processing", to],
    }[axis]
    assert [states(order) for order in seen] == [before, after, before]


@pytest.mark.parametrize("axis", MOVES)
async def test_off_the_arrows_is_refused_by_the_database_and_writes_nothing(
    database: Database, clock: FrozenClock, axis: Axis
) -> None:
    shop_id, order_id = await _placed(database, clock)
    states = {*MOVES[axis], *(s for targets in MOVES[axis].values() for s in targets), "nonsense"}
    tried = 0
    for before in sorted(states - {"nonsense"}):
        await _put(database, axis=axis, state=before, shop_id=shop_id, order_id=order_id)
        known = await _events(database, shop_id, order_id)
        for after in sorted(states - {before, *MOVES[axis].get(before, ())}):
            with pytest.raises(Refused) as refusal:
                async with database.begin() as tx:
                    await move_order(
                        tx,
                        shop_id=shop_id,
                        order_id=order_id,
                        axis=axis,
                        lines=[1] if axis == "line" else None,
                        to=after,
                        now=clock.now(),
                    )
            assert refusal.value.code == "order_state"
            tried += 1
        assert await _events(database, shop_id, order_id) == known
    assert tried > len(states)


async def test_to_where_the_order_is_already_is_refused(
    database: Database, clock: FrozenClock
) -> None:
    shop_id, order_id = await _placed(database, clock)
    with pytest.raises(Refused) as refusal:
        async with database.begin() as tx:
            await move_order(
                tx, shop_id=shop_id, order_id=order_id, to="processing", now=clock.now()
            )
    assert refusal.value.code == "order_state"


async def test_of_lines_that_are_there_already_tells_of_the_others_alone(
    database: Database, clock: FrozenClock
) -> None:
    shop_id, order_id = await _placed(database, clock)
    for lines in ([1], [1, 2], [1, 2]):
        async with database.begin() as tx:
            await move_order(
                tx,
                shop_id=shop_id,
                order_id=order_id,
                axis="line",
                lines=lines,
                to="shipped",
                now=clock.now(),
            )
    moved = [
        payload["lines"]
        for kind, payload in await _events(database, shop_id, order_id)
        if kind == "order.lines_moved"
    ]
    assert moved == [{"1": "open"}, {"2": "open"}]


@pytest.mark.parametrize("foreign", ["unknown", "another shop's"])
async def test_of_an_order_that_is_not_there_is_not_found(
    database: Database, clock: FrozenClock, foreign: str
) -> None:
    shop_id, order_id = await _placed(database, clock)
    other, _ = await _placed(database, clock)
    key = (shop_id, 1) if foreign == "unknown" else (other, order_id)
    for ask in (
        lambda tx: move_order(tx, shop_id=key[0], order_id=key[1], to="cancelled", now=clock.now()),
        lambda tx: lock_order(tx, shop_id=key[0], order_id=key[1]),
    ):
        with pytest.raises(NotFound) as refusal:
            async with database.begin() as tx:
                await ask(tx)
        assert refusal.value.code == "order_not_found"


async def test_has_the_arrows_that_the_database_has(database: Database) -> None:
    async with database.statement() as tx:
        rows = await tx.all("select axis, from_state, to_state from order_moves")
    assert sorted(rows) == sorted(ARROWS)


async def test_of_a_new_order_begins_where_it_may(database: Database, clock: FrozenClock) -> None:
    """The wall guards what is inserted as well."""
    _, order_id = await _placed(database, clock)
    walls: tuple[tuple[str, Axis, str], ...] = (
        ("orders", "fulfilment", "fulfilment_state"),
        ("orders", "payment", "payment_state"),
        ("order_lines", "line", "state"),
        ("order_parts", "fulfilment", "state"),
    )
    for table, axis, column in walls:
        every = {*MOVES[axis], *(s for targets in MOVES[axis].values() for s in targets), "none"}
        allowed = set(BEGINNINGS[axis])
        for state in every:
            assert await _can_begin(database, table, column, state, order_id) == (state in allowed)


async def _can_begin(
    database: Database, table: str, column: str, state: str, order_id: int
) -> bool:
    """Whether a copy of the row could begin in that state; nothing stays."""
    key = "id" if table == "orders" else "order_id"
    copy = (
        f"insert into {table} overriding system value"
        f" select (jsonb_populate_record(x, %s::jsonb)).* from {table} x where x.{key} = %s limit 1"
    )
    change = {
        "orders": f'{{"id": -1, "{column}": "{state}"}}',
        "order_lines": f'{{"line_no": -1, "{column}": "{state}"}}',
        "order_parts": f'{{"merchant_id": -1, "subtotal_minor": 0, "total_minor": 0, "{column}": "{state}"}}',
    }[table]
    try:
        async with database.begin() as tx:
            await tx.run(copy, (change, order_id))
            raise _Undone
    except _Undone:
        return True
    except psycopg.Error as error:
        if error.sqlstate != "CD010":
            raise
        return False


class _Undone(Exception):
    """Nothing of the transaction is to stay."""


def test_has_every_state_in_one_list() -> None:
    arrows = MOVES["fulfilment"]
    assert set(STATES) == {*arrows, *(s for targets in arrows.values() for s in targets)}
