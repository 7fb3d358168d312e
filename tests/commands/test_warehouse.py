"""`crossdock fulfil` and `crossdock stock` at a terminal."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.serving.address import follow_port, noting_address
from crossdock.settings import Settings
from tests.support.factories import make_partner
from tests.support.ordering import order, placing, read_partner
from tests.support.processes import run_command
from tests.support.warehousing import Warehouse

Command = Callable[..., Awaitable[Any]]


@pytest.fixture
async def warehouse(database: Database, clock: FrozenClock) -> Warehouse:
    return await Warehouse.open(database, clock)


@pytest.fixture
def crossdock(database_url: str, tmp_path: Path, warehouse: Warehouse) -> Command:
    """Run one command on the warehouse's shop: what it prints as JSON, or (exit code, stderr)."""

    async def run(*words: object, stdin: str = "", plain: bool = False) -> Any:
        ended = await asyncio.to_thread(
            run_command, *map(str, words), "--shop", warehouse.shop.slug,
            *([] if plain else ["--json"]), stdin=stdin,
            settings={"database_url": database_url, "data_dir": tmp_path},
        )  # fmt: skip
        if ended.returncode:
            assert "Traceback" not in ended.stderr
            return ended.returncode, ended.stderr
        return ended.stdout if plain else json.loads(ended.stdout)

    return run


async def test_an_order_goes_through_the_house(
    crossdock: Command, warehouse: Warehouse, tmp_path: Path
) -> None:
    good = await warehouse.variant(own=5)
    order_id = await warehouse.enter((good, 3), release=False)

    assert [order["id"] for order in await crossdock("fulfil", "list")] == [order_id]
    assert (await crossdock("fulfil", "release", order_id))["state"] == "processing"
    assert (await crossdock("fulfil", "pick", order_id, "1=2"))["picked"] == {"1": 2}
    packed = await crossdock("fulfil", "pack", order_id, "1=1", "--weight", 450)
    noted = await crossdock("fulfil", "serial", order_id, 1, stdin="SN-1\nSN-2\n")
    assert noted["noted"] == 2
    found = await crossdock("fulfil", "find-serial", stdin="SN-2\n")
    assert found == [{"order_id": order_id, "line": 1}]
    order = await crossdock("fulfil", "ship", order_id)
    assert order["state"] == "partially_shipped"
    assert [p["state"] for p in order["packages"]] == ["shipped"]

    order = await crossdock("fulfil", "ship", order_id, "--all")

    assert order["state"] == "shipped"
    assert [p["lines"] for p in order["packages"]] == [{"1": 1}, {"1": 2}]
    assert await warehouse.level(good) == (2, 0, 2)
    label = tmp_path / "label.pdf"
    await crossdock("fulfil", "label", packed["package_id"], "--to", label)
    assert label.read_bytes().startswith(b"%PDF-")
    await warehouse.see(order["packages"][0]["id"], "delivered")
    await crossdock("fulfil", "deliver", order["packages"][1]["id"])
    shown = await crossdock("fulfil", "show", order_id, "--serials")
    assert shown["state"] == "completed"
    assert shown["lines"][0]["serials"] == ["SN-1", "SN-2"]


async def test_work_is_taken_back(crossdock: Command, warehouse: Warehouse) -> None:
    order_id = await warehouse.enter((await warehouse.variant(own=5), 3))
    await crossdock("fulfil", "pick", order_id, "--all")
    package_id = (await crossdock("fulfil", "pack", order_id, "1=2"))["package_id"]

    code, said = await crossdock("fulfil", "unpick", order_id, "1=3")
    assert code
    assert "unpack its package first" in " ".join(said.split())
    opened = await crossdock("fulfil", "unpack", package_id)
    assert opened == {"package_id": package_id, "state": "cancelled", "news": True}
    assert not (await crossdock("fulfil", "unpack", package_id))["news"]
    back = await crossdock("fulfil", "unpick", order_id, "--all")
    assert back == {"order_id": order_id, "unpicked": {"1": 3}}
    assert (await crossdock("fulfil", "cancel", order_id))["state"] == "cancelled"


async def test_an_order_is_closed_short(crossdock: Command, warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=5)
    order_id = await warehouse.enter((good, 3), (good, 2))
    await warehouse.ship_all(order_id, {1: 1})
    await crossdock("fulfil", "pick", order_id, "2=1")
    package_id = (await crossdock("fulfil", "pack", order_id, "2=1"))["package_id"]

    code, said = await crossdock("fulfil", "close", order_id)
    assert code
    assert f"Package {package_id} is packed" in " ".join(said.split())
    await crossdock("fulfil", "unpack", package_id)
    closed = await crossdock("fulfil", "close", "W-1", "--reason", "sold out")

    assert closed == {
        "order_id": order_id,
        "state": "shipped",
        "cancelled": {"1": 2, "2": 2},
        "currency": "EUR",
        "amount_minor": 0,
        "given_back": "",
        "may_be_at": "",
    }
    assert await warehouse.level(good) == (4, 0, 4)
    shown = await crossdock("fulfil", "show", order_id)
    assert [line["cancelled"] for line in shown["lines"]] == [2, 2]
    again = await crossdock("fulfil", "close", order_id, plain=True)
    assert (
        " ".join(again.split()) == f"Order {order_id} is shipped; nothing is left of it to close."
    )


async def test_an_address_is_corrected(crossdock: Command, warehouse: Warehouse) -> None:
    order_id = await warehouse.enter((await warehouse.variant(), 1))

    shown = await crossdock("order", "address", "W-1")
    assert (shown["order_id"], shown["address"]["street"], shown["changed"]) == (
        order_id,
        "Veemarkt",
        [],
    )
    corrected = await crossdock("order", "address", order_id, "--set", "house_number=17")
    assert corrected["changed"] == ["address_1", "address_2", "house_number"]
    assert (await warehouse.read(order_id)).shipping.address_1 == "Veemarkt 17"
    code, said = await crossdock("order", "address", order_id, "--set", "country=UK")
    assert code
    assert "write GB" in " ".join(said.split())
    assert "Veemarkt 17" in await crossdock("order", "address", order_id, plain=True)


async def test_an_order_is_taken_back_until_somebody_works_on_it(
    crossdock: Command, warehouse: Warehouse
) -> None:
    good = await warehouse.variant(own=5)
    waiting = await warehouse.enter((good, 1), release=False)
    reserved = await warehouse.enter((good, 6))
    processing = await warehouse.enter((good, 3))
    begun = await warehouse.enter((good, 1))
    gone = await warehouse.enter((good, 1))
    await warehouse.start(begun)
    await warehouse.ship_all(gone, {1: 1})

    for order_id in (waiting, reserved, processing):
        told = await crossdock("fulfil", "cancel", order_id, "--reason", "changed her mind")
        assert told == {
            "order_id": order_id,
            "state": "cancelled",
            "may_be_at": "",
            "amount_minor": 0,
            "given_back": "",
            "currency": "EUR",
        }
        assert await warehouse.state(order_id) == "cancelled"
    assert await warehouse.level(good) == (4, 1, 3)
    async with warehouse.db.statement() as tx:
        why = await tx.value(
            "select payload ->> 'reason' from events where shop_id = %s and subject_id = %s"
            " and kind = 'order.cancelled'",
            (warehouse.shop.id, waiting),
        )
    assert why == "changed her mind"

    before = await warehouse.everything()
    for order_id, said in (
        (waiting, "The order is cancelled already."),
        (begun, "An order that is in_fulfilment cannot be cancelled."),
        (gone, f"fulfil return announce {gone} --all"),
        (999_999_999, "does not exist"),
    ):
        code, complaint = await crossdock("fulfil", "cancel", order_id)
        assert code == 1
        assert said in complaint
    assert await warehouse.everything() == before


async def _placed_with_webhook(warehouse: Warehouse, good: int) -> int:
    """An order of a partner of the other channel, on its way to a connector."""
    async with warehouse.db.begin() as tx:
        await tx.run(
            "insert into connectors (shop_id, name, kind, is_default)"
            " values (%s, 'depot', 'webhook', true)",
            (warehouse.shop.id,),
        )
        made = await make_partner(tx, shop=warehouse.shop)
    partner = await read_partner(warehouse.db, made)
    service = placing(warehouse.db, warehouse.clock)
    return (await order(service, partner=partner, number="A1", **{f"v{good}": 2})).id


@pytest.mark.parametrize(
    ("reached", "said"),
    [
        (
            "status = 'sent', result = 'X9', sent_at = now(), next_attempt_at = null",
            "depot knows it as X9: have it cancelled there",
        ),
        ("attempts = 1", "once that says failed it can be cancelled here"),
        ("status = 'sending'", "once that says failed it can be cancelled here"),
    ],
)
async def test_an_order_that_may_be_outside_is_not_taken_back(
    crossdock: Command, warehouse: Warehouse, reached: str, said: str
) -> None:
    order_id = await _placed_with_webhook(warehouse, await warehouse.variant(own=5, currency="EUR"))
    async with warehouse.db.begin() as tx:
        await tx.run(f"update deliveries set {reached} where shop_id = %s", (warehouse.shop.id,))
    before = await warehouse.everything()

    code, complaint = await crossdock("fulfil", "cancel", order_id)

    assert code == 1
    assert said in complaint
    assert await warehouse.everything() == before


@pytest.mark.parametrize(
    ("attempts", "status", "may_be_at"), [(0, "queued", ""), (7, "failed", "depot")]
)
async def test_an_order_that_was_not_sent_is_taken_back(
    crossdock: Command, warehouse: Warehouse, attempts: int, status: str, may_be_at: str
) -> None:
    good = await warehouse.variant(own=5, currency="EUR")
    order_id = await _placed_with_webhook(warehouse, good)
    async with warehouse.db.begin() as tx:
        await tx.run(
            "update deliveries set attempts = %s, status = %s, next_attempt_at ="
            " case when %s = 'queued' then next_attempt_at end where shop_id = %s",
            (attempts, status, status, warehouse.shop.id),
        )

    told = await crossdock("fulfil", "cancel", order_id, plain=True)

    assert f"Order {order_id} is cancelled." in told
    assert ("may have reached depot: see that it is not there" in told) is bool(may_be_at)
    assert await warehouse.level(good) == (5, 0, 5)


async def test_parcels_are_followed_on_the_server_that_runs(
    crossdock: Command, warehouse: Warehouse, tmp_path: Path
) -> None:
    good = await warehouse.variant(own=5)
    order_id = await warehouse.enter((good, 1))
    running = follow_port(Settings().having(data_dir=str(tmp_path), port=9123))

    await crossdock("fulfil", "start", order_id)
    await crossdock("fulfil", "pick", order_id, "--all")
    await crossdock("fulfil", "pack", order_id, "--all")
    with noting_address(running) as note_address:
        note_address()
        order = await crossdock("fulfil", "ship", order_id)

    assert order["packages"][0]["tracking_url"].startswith("http://127.0.0.1:9123/track/")


async def test_a_package_arrives_once_and_only_after_it_left(
    crossdock: Command, warehouse: Warehouse
) -> None:
    order_id = await warehouse.enter((await warehouse.variant(own=5), 1))
    await warehouse.pick(order_id, {1: 1})
    package_id = await warehouse.pack(order_id, {1: 1})
    before = await warehouse.everything()

    code, complaint = await crossdock("fulfil", "deliver", package_id)
    assert code == 1
    assert "has not left" in complaint
    assert await warehouse.everything() == before

    await warehouse.ship(package_id)
    assert (await crossdock("fulfil", "deliver", package_id))["news"] is True
    before = await warehouse.everything()
    assert (await crossdock("fulfil", "deliver", package_id))["news"] is False
    assert "already" in await crossdock("fulfil", "deliver", package_id, plain=True)
    assert await warehouse.everything() == before


async def test_labels_name_the_sender(crossdock: Command, warehouse: Warehouse) -> None:
    assert (await crossdock("fulfil", "sender"))["company"] == "Test shop"

    changed = await crossdock("fulfil", "sender", "--set", "city=Gent", "--set", "country=be")

    assert (changed["company"], changed["city"], changed["country"]) == ("Test shop", "Gent", "BE")
    code, complaint = await crossdock("fulfil", "sender", "--set", "planet=Mars")
    assert code == 1
    assert "planet" in complaint


async def test_goods_come_back(crossdock: Command, warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=5)
    order_id = await warehouse.enter((good, 3))
    await warehouse.ship_all(order_id, {1: 3})

    announced = await crossdock("fulfil", "return", "announce", order_id, "1=2")
    received = await crossdock("fulfil", "return", "receive", announced["return_id"], "1=1")

    assert received["restocked"] == {"1": 1}
    assert await warehouse.level(good) == (3, 0, 3)
    code, complaint = await crossdock("fulfil", "return", "receive", announced["return_id"])
    assert code == 1
    assert "taken in already" in complaint


async def test_all_that_is_left_comes_back(crossdock: Command, warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=5)
    order_id = await warehouse.enter((good, 3), (good, 1))
    await warehouse.ship_all(order_id, {1: 3, 2: 1})
    await warehouse.announce(order_id, {1: 1, 2: 1})

    announced = await crossdock("fulfil", "return", "announce", order_id, "--all")

    assert announced["announced"] == {"1": 2}
    before = await warehouse.everything()
    for words, said in (
        ((order_id, "--all"), "Nothing is left"),
        ((order_id,), "--all for what is left"),
        ((999_999_999, "--all"), "does not exist"),
    ):
        code, complaint = await crossdock("fulfil", "return", "announce", *words)
        assert code == 1
        assert said in complaint
    assert await warehouse.everything() == before


async def test_what_is_refused_is_one_line(
    crossdock: Command, warehouse: Warehouse, tmp_path: Path
) -> None:
    good = await warehouse.variant(own=5)
    order_id, over = await warehouse.enter((good, 3)), await warehouse.enter((good, 1))
    await warehouse.cancel(over)
    before = await warehouse.everything()

    for words, said in (
        (("fulfil", "pick", order_id), "--all"),
        (("fulfil", "pick", order_id, "1=x"), "LINE=QUANTITY"),
        (("fulfil", "pick", order_id, "1=" + "9" * 5000), "LINE=QUANTITY"),
        (("fulfil", "ship", order_id, "--all", "--carrier", "pigeon"), "no carrier"),
        (("fulfil", "list", "--state", "lost"), "--state"),
        (("fulfil", "label", 999_999_999, "--to", tmp_path / "x.pdf"), "no such package"),
        (("stock", "show", "nothing"), "no variant"),
        (("stock", "adjust", good, "--to", 999_999_999_999), "999,999,999,999 is too large"),
        (("stock", "receive", good, 999_999_999_999), "999,999,999,999 is too large"),
        (("fulfil", "release", over), "cancelled cannot be released"),
    ):
        code, complaint = await crossdock(*words)
        assert code == 1, words
        assert said in complaint, words

    assert await warehouse.everything() == before


async def test_ships_nothing_of_an_order_whose_label_cannot_be_printed(
    crossdock: Command, warehouse: Warehouse
) -> None:
    order_id = await warehouse.enter((await warehouse.variant(own=5), 3))
    async with warehouse.db.begin() as tx:
        await tx.run(
            "update orders set shipping = shipping || %s::jsonb where id = %s",
            ('{"street": "\\u0938\\u0921\\u0915"}', order_id),
        )
    before = await warehouse.everything()

    code, complaint = await crossdock("fulfil", "ship", order_id, "--all")

    assert code == 1
    assert "receiver.street" in complaint
    assert "स" in complaint
    assert await warehouse.everything() == before


async def test_stock_is_received_counted_and_explained(
    crossdock: Command, warehouse: Warehouse
) -> None:
    good = await warehouse.variant(own=None, sku=f"CLI-{warehouse.shop.id}")
    sku = f"CLI-{warehouse.shop.id}"

    assert await crossdock("stock", "show", sku) == []
    assert (await crossdock("stock", "receive", sku, 7))[0]["available"] == 7
    assert (await crossdock("stock", "adjust", good, "--by", -2))[0]["on_hand"] == 5
    assert (await crossdock("stock", "adjust", good, "--to", 9))[0]["on_hand"] == 9
    kinds = [(e["kind"], e["on_hand"]) for e in await crossdock("stock", "entries", sku)]
    assert kinds == [("adjust", 4), ("adjust", -2), ("receive", 7)]
    code, complaint = await crossdock("stock", "adjust", good, "--by", -10)
    assert code == 1
    assert "not enough stock" in complaint


async def test_people_see_tables(crossdock: Command, warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=5)
    order_id = await warehouse.enter((good, 3))

    assert "processing" in await crossdock("fulfil", "list", plain=True)
    assert "shipped" in await crossdock("fulfil", "ship", order_id, "--all", plain=True)
    assert "own" in await crossdock("stock", "show", good, plain=True)
    assert "ship" in await crossdock("stock", "entries", good, plain=True)
