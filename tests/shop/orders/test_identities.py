"""An identity..."""

import asyncio
from datetime import timedelta
from functools import partial

import pytest

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import Conflict, NotFound, Refused
from crossdock.kit.clock import FrozenClock
from crossdock.shop.orders import (
    Identity,
    Known,
    Written,
    claim_identity,
    find_order_id,
    keep_answer,
    place,
    purge_identities,
    read_order,
    write_once,
)
from crossdock.shop.orders.identities import Act
from tests.support.drafts import draft_of, line_of
from tests.support.factories import (
    ShopFixture,
    box,
    level,
    make_customer,
    make_partner,
    make_shop,
    make_variant,
)
from tests.support.locks import waiting_for_a_lock

MUG = b"one mug"


@pytest.fixture
async def shop(database: Database) -> ShopFixture:
    async with database.begin() as tx:
        return await make_shop(tx)


async def _count(database: Database, shop: ShopFixture) -> int:
    async with database.statement() as tx:
        return int(await tx.value("select count(*) from orders where shop_id = %s", (shop.id,)))


@pytest.mark.parametrize(
    ("first", "second", "outcome"),
    [
        (MUG, MUG, "replayed"),
        (MUG, b"two", "conflict"),
        (None, None, "conflict"),
        (None, MUG, "conflict"),
        (MUG, None, "conflict"),
    ],
)
async def test_used_again_tells_of_the_first_order_and_writes_nothing(
    database: Database, clock: FrozenClock, shop: ShopFixture, first, second, outcome
) -> None:
    async with database.begin() as tx:
        variant = await make_variant(tx, shop=shop, own=5)
    placed = []
    for request in (first, second):
        draft = draft_of(line_of(variant, shop=shop), shop=shop, number="N-1", request_hash=request)
        async with database.statement() as tx:
            placed.append(await place(tx, draft=draft, now=clock.now()))

    assert [p.outcome for p in placed] == ["created", outcome]
    assert placed[1].id == placed[0].id
    assert placed[1].order_key == placed[0].order_key
    assert (placed[0].state, placed[1].state) == ("processing", None)
    async with database.begin() as tx:
        assert await level(tx, shop_id=shop.id, variant_id=variant) == (5, 0, 1, 4)
    assert await _count(database, shop) == 1


@pytest.mark.races
async def test_used_by_many_at_once_makes_one_order(
    database: Database, clock: FrozenClock, shop: ShopFixture
) -> None:
    async with database.begin() as tx:
        variant = await make_variant(tx, shop=shop, own=50)

    async def buy() -> str:
        draft = draft_of(line_of(variant, shop=shop), shop=shop, number="N-1", request_hash=MUG)
        async with database.statement() as tx:
            return (await place(tx, draft=draft, now=clock.now())).outcome

    outcomes = await asyncio.gather(*(buy() for _ in range(20)))

    assert sorted(outcomes) == ["created"] + ["replayed"] * 19
    async with database.begin() as tx:
        assert await level(tx, shop_id=shop.id, variant_id=variant) == (50, 0, 1, 49)


async def test_of_a_partner_finds_its_order_and_nobody_elses(
    database: Database, clock: FrozenClock, shop: ShopFixture
) -> None:
    async with database.begin() as tx:
        variant = await make_variant(tx, shop=shop)
        partners = [(await make_partner(tx, shop=shop)).id for _ in range(2)]
        orders = []
        for partner_id in partners:
            draft = draft_of(
                line_of(variant, shop=shop), shop=shop, partner_id=partner_id, number="SAME"
            )
            orders.append(await place(tx, draft=draft, now=clock.now()))
        assert [p.outcome for p in orders] == ["created", "created"]
        for partner_id, placed in zip(partners, orders, strict=True):
            found = await read_order(
                tx, shop_id=shop.id, partner_id=partner_id, partner_order_id="SAME"
            )
            assert found.id == placed.id
        assert await find_order_id(tx, shop_id=shop.id, number="SAME") == orders[1].id
        other = await make_shop(tx)
        for wrong in (
            {"shop_id": other.id, "partner_id": partners[0], "partner_order_id": "SAME"},
            {"shop_id": shop.id, "partner_id": partners[0], "partner_order_id": "other"},
            {"shop_id": shop.id, "partner_id": partners[0], "order_id": orders[1].id},
            {"shop_id": shop.id, "partner_order_id": "SAME"},
        ):
            with pytest.raises(NotFound):
                await read_order(tx, **wrong)


async def test_of_a_write_that_makes_no_order_keeps_its_answer(
    database: Database, clock: FrozenClock, shop: ShopFixture
) -> None:
    identity = Identity(namespace="refund", key="K", request_hash=MUG)
    async with database.begin() as tx:
        assert (
            await claim_identity(tx, shop_id=shop.id, identity=identity, box=box(), now=clock.now())
            is None
        )
        await keep_answer(tx, shop_id=shop.id, identity=identity, answer=b"refund 7", box=box())

    for request, same in ((MUG, True), (b"two", False)):
        again = Identity(namespace="refund", key="K", request_hash=request)
        async with database.begin() as tx:
            known = await claim_identity(
                tx, shop_id=shop.id, identity=again, box=box(), now=clock.now()
            )
        assert known is not None
        assert (known.is_same_request, known.answer) == (same, b"refund 7")
    elsewhere = Identity(namespace="other", key="K", request_hash=MUG)
    async with database.begin() as tx:
        assert (
            await claim_identity(
                tx, shop_id=shop.id, identity=elsewhere, box=box(), now=clock.now()
            )
            is None
        )


async def test_is_of_its_shop_its_namespace_and_its_key(
    database: Database, clock: FrozenClock, shop: ShopFixture
) -> None:
    async with database.begin() as tx:
        other = await make_shop(tx)
    names = [
        (shop.id, "refund", "K"),
        (shop.id, "refund", "L"),
        (shop.id, "label", "K"),
        (other.id, "refund", "K"),
    ]
    async with database.begin() as tx:
        for number, (shop_id, namespace, key) in enumerate(names):
            mine = Identity(namespace=namespace, key=key, request_hash=b"%d" % number)
            assert (
                await claim_identity(tx, shop_id=shop_id, identity=mine, box=box(), now=clock.now())
                is None
            )
            await keep_answer(tx, shop_id=shop_id, identity=mine, answer=b"%d" % number, box=box())

        for number, (shop_id, namespace, key) in enumerate(names):
            mine = Identity(namespace=namespace, key=key, request_hash=b"%d" % number)
            known = await claim_identity(
                tx, shop_id=shop_id, identity=mine, box=box(), now=clock.now()
            )
            assert known == Known(is_same_request=True, answer=b"%d" % number)


async def test_that_has_a_time_is_new_again_when_it_is_over(
    database: Database, clock: FrozenClock, shop: ShopFixture
) -> None:
    identity = Identity(namespace="refund", key="K", request_hash=MUG)
    for moves in (0, 59, 1):
        clock.move(timedelta(seconds=moves))
        async with database.begin() as tx:
            known = await claim_identity(
                tx,
                shop_id=shop.id,
                identity=identity,
                box=box(),
                now=clock.now(),
                expires_at=clock.now() + timedelta(seconds=60),
            )
        assert (known is None) == (moves != 59)
    clock.move(timedelta(seconds=60))
    async with database.begin() as tx:
        await purge_identities(tx, now=clock.now())
        left = "select count(*) from identities where shop_id = %s"
        assert await tx.value(left, (shop.id,)) == 0


async def once(
    database: Database, clock: FrozenClock, shop: ShopFixture, *, request: bytes, act: Act
) -> Written:
    """A write under one key that lasts for a minute."""
    return await write_once(
        database,
        shop_id=shop.id,
        identity=Identity(namespace="write", key="K", request_hash=request),
        act=act,
        box=box(),
        now=clock.now(),
        expires_at=clock.now() + timedelta(seconds=60),
    )


async def noted(tx: Transaction, *, shop: ShopFixture, answer: bytes) -> bytes:
    """A write that leaves something to count."""
    await make_customer(tx, shop_id=shop.id)
    return answer


async def count_noted(database: Database, shop: ShopFixture) -> int:
    async with database.statement() as tx:
        return int(await tx.value("select count(*) from customers where shop_id = %s", (shop.id,)))


async def test_of_a_write_does_it_once_and_tells_its_answer_again(
    database: Database, clock: FrozenClock, shop: ShopFixture
) -> None:
    before = await count_noted(database, shop)
    for number in range(2):
        act = partial(noted, shop=shop, answer=b"%d" % number)
        told = await once(database, clock, shop, request=MUG, act=act)
        assert told == Written(answer=b"0", is_replayed=bool(number))
    with pytest.raises(Conflict, match="idempotency_key_used"):
        await once(database, clock, shop, request=b"other", act=act)
    assert await count_noted(database, shop) == before + 1


async def test_of_a_write_that_failed_is_new_again(
    database: Database, clock: FrozenClock, shop: ShopFixture
) -> None:
    before = await count_noted(database, shop)

    async def fail(tx: Transaction) -> bytes:
        await noted(tx, shop=shop, answer=b"")
        raise Refused("stock_insufficient")

    with pytest.raises(Refused):
        await once(database, clock, shop, request=MUG, act=fail)
    told = await once(
        database, clock, shop, request=MUG, act=partial(noted, shop=shop, answer=b"done")
    )
    assert told == Written(answer=b"done")
    assert await count_noted(database, shop) == before + 1


@pytest.mark.races
async def test_that_is_being_used_is_waited_for(
    database: Database, clock: FrozenClock, shop: ShopFixture
) -> None:
    before = await count_noted(database, shop)
    second: list[asyncio.Task[Written]] = []

    async def linger(tx: Transaction) -> bytes:
        act = partial(noted, shop=shop, answer=b"second")
        second.append(asyncio.create_task(once(database, clock, shop, request=MUG, act=act)))
        await waiting_for_a_lock(database, behind=tx)
        return await noted(tx, shop=shop, answer=b"first")

    assert await once(database, clock, shop, request=MUG, act=linger) == Written(answer=b"first")
    assert await second[0] == Written(answer=b"first", is_replayed=True)
    assert await count_noted(database, shop) == before + 1
