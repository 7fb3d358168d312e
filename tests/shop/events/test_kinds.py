"""The kinds of events..."""

import ast
import re
from pathlib import Path
from typing import get_args

import pytest

import crossdock
from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.shop.events import KINDS, Topic
from tests.support.payloads import wrong_payload
from tests.support.warehousing import Warehouse

SOURCE = Path(crossdock.__file__).parent
KINDS_FILE = SOURCE / "shop" / "events" / "kinds.py"
SUBJECTS = "|".join(sorted({kind.partition(".")[0] for kind in KINDS}))
IN_SQL = re.compile(rf"'((?:{SUBJECTS})\.[a-z_]+)'")
WHOLE = re.compile(rf"\b(?:{SUBJECTS})\.[a-z_]+")


def _in_python(text: str) -> set[str]:
    """The kinds that are made as structs, named in SQL, or given as `kind=`."""
    by_name = {payload.__name__: kind for kind, payload in KINDS.items()}
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            found |= {by_name[node.func.id]} if node.func.id in by_name else set()
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found |= set(IN_SQL.findall(node.value)) if "event" in node.value else set()
        elif isinstance(node, ast.keyword) and node.arg == "kind":
            found |= set(WHOLE.findall(ast.unparse(node.value)))
    return found


def _written() -> set[str]:
    found = set()
    for path in (SOURCE / "shop").rglob("*.sql"):
        found |= set(IN_SQL.findall(path.read_text(encoding="utf-8")))
    for path in SOURCE.rglob("*.py"):
        if path != KINDS_FILE:
            found |= _in_python(path.read_text(encoding="utf-8"))
    return found


def test_are_found_as_structs_in_sql_and_by_keyword() -> None:
    text = """write_event(tx, event=PriceChanged(variant_ids=[]))
tell(kind="order.picked")
tx.run("select write_event(1, 'stock.changed', null)")
tx.run("an event of 'order.placed' is written") if kind in ("order.shipped",) else 'return.nothing'
tx.run("an order.placed is written")
"""
    assert _in_python(text) == {"price.changed", "order.picked", "stock.changed", "order.placed"}


def test_are_all_written_somewhere_and_all_listed() -> None:
    assert _written() == set(KINDS)


async def test_have_the_topic_that_sql_gives_them(database: Database) -> None:
    async with database.statement() as tx:
        topics = dict(
            await tx.all("select k, event_topic(k) from unnest(%s::text[]) k", (list(KINDS),))
        )

    assert topics == {kind: payload.topic for kind, payload in KINDS.items()}
    assert set(topics.values()) <= set(get_args(Topic))


@pytest.mark.parametrize(
    ("kind", "topic", "payload", "complaint"),
    [
        ("price.changed", "price", {"variant_ids": [1]}, ""),
        ("price.lost", "price", {}, "price.lost is not in kinds.py"),
        ("price.changed", "stock", {"variant_ids": [1]}, "the topic stock, not price"),
        ("price.changed", "price", {}, "missing required field `variant_ids`"),
        ("price.changed", "price", {"variant_ids": ["1"]}, "Expected `int`"),
        ("price.changed", "price", {"variant_ids": [1], "why": 2}, "['why'] are no fields"),
    ],
)
def test_are_compared_with_what_a_run_wrote(kind, topic, payload, complaint) -> None:
    found = wrong_payload(kind, topic, payload)

    assert complaint in found
    assert bool(found) == bool(complaint)


async def test_of_the_whole_way_of_goods_are_what_their_structs_say(
    database: Database, clock: FrozenClock
) -> None:
    warehouse = await Warehouse.open(database, clock)
    mug = await warehouse.variant(own=3)
    reserved = await warehouse.enter((mug, 5), release=False)
    assert await warehouse.release(reserved) == "reserved"
    await warehouse.receive(mug, 4)
    assert await warehouse.release(reserved) == "processing"
    await warehouse.cancel(reserved)
    order = await warehouse.enter((mug, 2), release=False)
    assert await warehouse.release(order) == "processing"
    package = await warehouse.ship_all(order, {1: 2})
    await warehouse.see(package, "delivered")
    await warehouse.take_in(await warehouse.announce(order, {1: 1}), {1: 1})

    async with database.statement() as tx:
        rows = await tx.all(
            "select kind, topic, payload from events where shop_id = %s", (warehouse.shop.id,)
        )
    assert {wrong_payload(*row) for row in rows} == {""}
    assert {kind for kind, _, _ in rows} >= {
        *("stock.changed", "inventory.moved", "order.placed", "order.reserved", "order.released"),
        *("order.cancelled", "order.in_fulfilment", "order.picked", "package.packed"),
        *("package.shipped", "package.delivered", "return.announced", "return.received"),
    }
