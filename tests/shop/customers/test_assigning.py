"""Who looks after a customer: stored, directory, rotation, nobody."""

import asyncio
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossdock.db.unit_of_work import Database
from crossdock.kit.outbound import Outbound
from crossdock.shop.customers import (
    NOBODY,
    Assigning,
    Vendor,
    add_seller,
    resolve_vendor,
    set_seller_active,
)
from crossdock.shop.customers.assigning import next_seller
from tests.support.factories import make_customer, make_shop
from tests.support.simulators.seller_directory import SellerDirectory

NAMES = ("Nora", "Omar", "Pia", "Quinn")


class Team(msgspec.Struct):
    """A shop with four sellers and one customer."""

    shop_id: int
    customer_id: int
    sellers: tuple[int, ...]


@pytest.fixture
async def team(database: Database) -> Team:
    async with database.begin() as tx:
        shop = await make_shop(tx)
        sellers = [
            await add_seller(tx, shop_id=shop.id, name=name, email=f"{name}@shop.example")
            for name in NAMES
        ]
        return Team(shop.id, shop.customer_id, tuple(sellers))


@pytest.fixture
async def service(database: Database, clock) -> AsyncIterator[Assigning]:
    outbound = Outbound(allowed_hosts=["127.0.0.1"])
    yield Assigning(db=database, clock=clock, outbound=outbound)
    await outbound.close()


async def _customers(database: Database, team: Team, count: int) -> list[int]:
    async with database.begin() as tx:
        return [await make_customer(tx, shop_id=team.shop_id) for _ in range(count)]


async def _resolve(service: Assigning, team: Team, customer_id: int | None = None) -> Vendor:
    return await resolve_vendor(
        service,
        shop_id=team.shop_id,
        customer_id=customer_id or team.customer_id,
        email="buyer+1@example.com",
    )


async def _stored(database: Database, customer_id: int) -> tuple[Any, ...]:
    async with database.statement() as tx:
        row = await tx.one(
            "select seller_id, seller_source from customers where id = %s", (customer_id,)
        )
    assert row
    return row


async def _alerts(database: Database, team: Team) -> int:
    async with database.statement() as tx:
        return int(
            await tx.value(
                "select count(*) from alerts where shop_id = %s and kind = 'vendor_missing'",
                (team.shop_id,),
            )
        )


async def test_a_stored_seller_is_kept_though_excluded_inactive_and_contradicted(
    database, service, team
):
    async with database.begin() as tx:
        customer_id = await make_customer(tx, shop_id=team.shop_id, seller_id=team.sellers[2])
        await set_seller_active(tx, shop_id=team.shop_id, seller_id=team.sellers[2], active=False)
    async with SellerDirectory({"buyer+1@example.com": "Nora"}) as directory:
        changed = msgspec.structs.replace(service, directory_url=directory.url, excluded=NAMES)
        vendor = await _resolve(changed, team, customer_id)
        known = await resolve_vendor(
            changed,
            shop_id=team.shop_id,
            customer_id=customer_id,
            email="x",
            seller_id=team.sellers[2],
        )
    assert vendor == known == Vendor(seller_id=team.sellers[2], source="stored")


@pytest.mark.parametrize("named", ["pia@shop.example", "PIA@SHOP.example", "Pia", " pia "])
async def test_the_directory_names_a_seller_by_e_mail_or_name_and_the_customer_keeps_it(
    database, service, team, named
):
    async with SellerDirectory({"buyer+1@example.com": named}) as directory:
        changed = msgspec.structs.replace(
            service, directory_url=directory.url + "/hook?key=k", excluded=("Pia",)
        )
        first, second = await _resolve(changed, team), await _resolve(changed, team)
    assert first == Vendor(seller_id=team.sellers[2], source="external")
    assert second == Vendor(seller_id=team.sellers[2], source="stored")
    assert await _stored(database, team.customer_id) == (team.sellers[2], "external")
    assert directory.requests[0].query == {"key": ["k"], "email": ["buyer+1@example.com"]}


@pytest.mark.parametrize(
    "mood", ["", "error", "garbage", "list", "number", "huge", "redirect", "broken", "nul"]
)
async def test_a_directory_without_a_useful_answer_leaves_it_to_the_rotation(service, team, mood):
    async with SellerDirectory(mood=mood) as directory:
        changed = msgspec.structs.replace(service, directory_url=directory.url)
        assert await _resolve(changed, team) == Vendor(seller_id=team.sellers[0], source="rotation")


async def test_a_directory_may_not_name_strangers_or_people_who_left(database, service, team):
    async with database.begin() as tx:
        await set_seller_active(tx, shop_id=team.shop_id, seller_id=team.sellers[3], active=False)
    for named in ("Zoe", "quinn@shop.example"):
        [customer_id] = await _customers(database, team, 1)
        async with SellerDirectory({"buyer+1@example.com": named}) as directory:
            changed = msgspec.structs.replace(service, directory_url=directory.url)
            assert (await _resolve(changed, team, customer_id)).source == "rotation"


async def test_a_directory_that_is_silent_or_away_costs_no_more_than_its_limit(service, team):
    limit = timedelta(seconds=0.3)
    async with SellerDirectory(mood="hang") as directory:
        changed = msgspec.structs.replace(
            service, directory_url=directory.url, directory_timeout=limit
        )
        start = time.monotonic()
        assert (await _resolve(changed, team)).source == "rotation"
        assert 0.3 <= time.monotonic() - start < 2.0
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    away = msgspec.structs.replace(service, directory_url=f"http://127.0.0.1:{port}/")
    assert (await _resolve(away, team)).seller_id is not None


async def test_the_limit_is_three_seconds_unless_set(service):
    assert service.directory_timeout == timedelta(seconds=3)


async def test_the_rotation_goes_round_by_id_and_skips_the_excluded(database, service, team):
    changed = msgspec.structs.replace(service, excluded=("OMAR@shop.example", "quinn"))
    chosen = [
        (await _resolve(changed, team, customer_id)).seller_id
        for customer_id in await _customers(database, team, 5)
    ]
    nora, _, pia, _ = team.sellers
    assert chosen == [nora, pia, nora, pia, nora]


async def test_an_excluded_id_is_skipped(database, service, team):
    changed = msgspec.structs.replace(service, excluded=(str(team.sellers[0]),))
    assert (await _resolve(changed, team)).seller_id == team.sellers[1]


async def test_parallel_customers_are_shared_out_evenly(database, service, team):
    customers = await _customers(database, team, 24)
    vendors = await asyncio.gather(*(_resolve(service, team, customer) for customer in customers))
    counts = Counter(vendor.seller_id for vendor in vendors)
    assert counts == dict.fromkeys(team.sellers, 6)


async def test_parallel_orders_of_one_customer_agree_and_take_one_turn(database, service, team):
    vendors = await asyncio.gather(*(_resolve(service, team) for _ in range(10)))
    assert {vendor.seller_id for vendor in vendors} == {team.sellers[0]}
    assert Counter(vendor.source for vendor in vendors) == {"rotation": 1, "stored": 9}
    [other] = await _customers(database, team, 1)
    assert (await _resolve(service, team, other)).seller_id == team.sellers[1]


async def test_with_nobody_left_the_order_goes_on_and_staff_are_told_once(database, service, team):
    changed = msgspec.structs.replace(service, excluded=NAMES)
    customers = await _customers(database, team, 3)
    assert [await _resolve(changed, team, customer) for customer in customers] == [NOBODY] * 3
    assert await _alerts(database, team) == 1
    assert await _stored(database, customers[0]) == (None, None)
    async with database.begin() as tx:
        await tx.run("update alerts set seen_at = now() where shop_id = %s", (team.shop_id,))
    await _resolve(changed, team)
    assert await _alerts(database, team) == 2


async def test_sellers_of_another_shop_do_not_count(database, service, team):
    async with database.begin() as tx:
        shop = await make_shop(tx)
    vendor = await resolve_vendor(
        service, shop_id=shop.id, customer_id=shop.customer_id, email="a@b.example"
    )
    assert vendor == NOBODY


async def test_a_locked_rotation_does_not_fail_the_order(database_url, service, team):
    impatient = Database(database_url, min_size=1, max_size=2, lock_timeout_ms=50)
    await impatient.open()
    async with service.db.begin() as tx:
        await tx.run("select 1 from customers where id = %s for update", (team.customer_id,))
        assert await _resolve(msgspec.structs.replace(service, db=impatient), team) == NOBODY
    await impatient.close()


SELLERS = st.lists(st.integers(1, 30), unique=True, max_size=8).map(
    lambda ids: [(number, f"s{number}@x", f"S{number}") for number in sorted(ids)]
)


@given(SELLERS, st.integers(0, 40), st.sets(st.integers(1, 30)))
def test_an_excluded_seller_is_never_next(sellers, last, barred):
    excluded = tuple(f"S{number}@X" if number % 2 else str(number) for number in barred)
    chosen = next_seller(sellers, last=last, excluded=excluded)
    eligible = [row[0] for row in sellers if row[0] not in barred]
    assert chosen in (eligible or [None])


@given(SELLERS, st.integers(0, 40), st.integers(1, 60))
def test_turns_differ_by_one_at_most(sellers, last, turns):
    counts = Counter(dict.fromkeys((row[0] for row in sellers), 0))
    for _ in range(turns if sellers else 0):
        chosen = next_seller(sellers, last=last, excluded=())
        assert chosen is not None
        counts[chosen] += 1
        last = chosen
    assert not counts or max(counts.values()) - min(counts.values()) <= 1
