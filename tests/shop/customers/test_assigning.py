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
    Assignment,
    add_sales_rep,
    assign_sales_rep,
    set_sales_rep_active,
)
from crossdock.shop.customers.assigning import next_sales_rep
from tests.support.factories import make_customer, make_shop
from tests.support.simulators.sales_rep_directory import SalesRepDirectory

NAMES = ("Nora", "Omar", "Pia", "Quinn")


class Team(msgspec.Struct):
    """A shop with four sales reps and one customer."""

    shop_id: int
    customer_id: int
    sales_reps: tuple[int, ...]


@pytest.fixture
async def team(database: Database) -> Team:
    async with database.begin() as tx:
        shop = await make_shop(tx)
        sales_reps = [
            await add_sales_rep(tx, shop_id=shop.id, name=name, email=f"{name}@shop.example")
            for name in NAMES
        ]
        return Team(shop.id, shop.customer_id, tuple(sales_reps))


@pytest.fixture
async def service(database: Database, clock) -> AsyncIterator[Assigning]:
    outbound = Outbound(allowed_hosts=["127.0.0.1"])
    yield Assigning(db=database, clock=clock, outbound=outbound)
    await outbound.close()


async def _customers(database: Database, team: Team, count: int) -> list[int]:
    async with database.begin() as tx:
        return [await make_customer(tx, shop_id=team.shop_id) for _ in range(count)]


async def _resolve(service: Assigning, team: Team, customer_id: int | None = None) -> Assignment:
    return await assign_sales_rep(
        service,
        shop_id=team.shop_id,
        customer_id=customer_id or team.customer_id,
        email="buyer+1@example.com",
    )


async def _stored(database: Database, customer_id: int) -> tuple[Any, ...]:
    async with database.statement() as tx:
        row = await tx.one(
            "select sales_rep_id, sales_rep_source from customers where id = %s", (customer_id,)
        )
    assert row
    return row


async def _alerts(database: Database, team: Team) -> int:
    async with database.statement() as tx:
        return int(
            await tx.value(
                "select count(*) from alerts where shop_id = %s and kind = 'sales_rep_missing'",
                (team.shop_id,),
            )
        )


async def test_a_stored_sales_rep_is_kept_though_excluded_inactive_and_contradicted(
    database, service, team
):
    async with database.begin() as tx:
        customer_id = await make_customer(tx, shop_id=team.shop_id, sales_rep_id=team.sales_reps[2])
        await set_sales_rep_active(
            tx, shop_id=team.shop_id, sales_rep_id=team.sales_reps[2], active=False
        )
    async with SalesRepDirectory({"buyer+1@example.com": "Nora"}) as directory:
        changed = msgspec.structs.replace(service, directory_url=directory.url, excluded=NAMES)
        assignment = await _resolve(changed, team, customer_id)
        known = await assign_sales_rep(
            changed,
            shop_id=team.shop_id,
            customer_id=customer_id,
            email="x",
            sales_rep_id=team.sales_reps[2],
        )
    assert assignment == known == Assignment(sales_rep_id=team.sales_reps[2], source="stored")


@pytest.mark.parametrize("named", ["pia@shop.example", "PIA@SHOP.example", "Pia", " pia "])
async def test_the_directory_names_a_sales_rep_by_e_mail_or_name_and_the_customer_keeps_it(
    database, service, team, named
):
    async with SalesRepDirectory({"buyer+1@example.com": named}) as directory:
        changed = msgspec.structs.replace(
            service, directory_url=directory.url + "/hook?key=k", excluded=("Pia",)
        )
        first, second = await _resolve(changed, team), await _resolve(changed, team)
    assert first == Assignment(sales_rep_id=team.sales_reps[2], source="external")
    assert second == Assignment(sales_rep_id=team.sales_reps[2], source="stored")
    assert await _stored(database, team.customer_id) == (team.sales_reps[2], "external")
    assert directory.requests[0].query == {"key": ["k"], "email": ["buyer+1@example.com"]}


@pytest.mark.parametrize(
    "mood", ["", "error", "garbage", "list", "number", "huge", "redirect", "broken", "nul"]
)
async def test_a_directory_without_a_useful_answer_leaves_it_to_the_rotation(service, team, mood):
    async with SalesRepDirectory(mood=mood) as directory:
        changed = msgspec.structs.replace(service, directory_url=directory.url)
        assert await _resolve(changed, team) == Assignment(
            sales_rep_id=team.sales_reps[0], source="rotation"
        )


async def test_a_directory_may_not_name_strangers_or_people_who_left(database, service, team):
    async with database.begin() as tx:
        await set_sales_rep_active(
            tx, shop_id=team.shop_id, sales_rep_id=team.sales_reps[3], active=False
        )
    for named in ("Zoe", "quinn@shop.example"):
        [customer_id] = await _customers(database, team, 1)
        async with SalesRepDirectory({"buyer+1@example.com": named}) as directory:
            changed = msgspec.structs.replace(service, directory_url=directory.url)
            assert (await _resolve(changed, team, customer_id)).source == "rotation"


async def test_a_directory_that_is_silent_or_away_costs_no_more_than_its_limit(service, team):
    limit = timedelta(seconds=0.3)
    async with SalesRepDirectory(mood="hang") as directory:
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
    assert (await _resolve(away, team)).sales_rep_id is not None


async def test_the_limit_is_three_seconds_unless_set(service):
    assert service.directory_timeout == timedelta(seconds=3)


async def test_the_rotation_goes_round_by_id_and_skips_the_excluded(database, service, team):
    changed = msgspec.structs.replace(service, excluded=("OMAR@shop.example", "quinn"))
    chosen = [
        (await _resolve(changed, team, customer_id)).sales_rep_id
        for customer_id in await _customers(database, team, 5)
    ]
    nora, _, pia, _ = team.sales_reps
    assert chosen == [nora, pia, nora, pia, nora]


async def test_an_excluded_id_is_skipped(database, service, team):
    changed = msgspec.structs.replace(service, excluded=(str(team.sales_reps[0]),))
    assert (await _resolve(changed, team)).sales_rep_id == team.sales_reps[1]


async def test_parallel_customers_are_shared_out_evenly(database, service, team):
    customers = await _customers(database, team, 24)
    assignments = await asyncio.gather(
        *(_resolve(service, team, customer) for customer in customers)
    )
    counts = Counter(assignment.sales_rep_id for assignment in assignments)
    assert counts == dict.fromkeys(team.sales_reps, 6)


async def test_parallel_orders_of_one_customer_agree_and_take_one_turn(database, service, team):
    assignments = await asyncio.gather(*(_resolve(service, team) for _ in range(10)))
    assert {assignment.sales_rep_id for assignment in assignments} == {team.sales_reps[0]}
    assert Counter(assignment.source for assignment in assignments) == {"rotation": 1, "stored": 9}
    [other] = await _customers(database, team, 1)
    assert (await _resolve(service, team, other)).sales_rep_id == team.sales_reps[1]


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


async def test_sales_reps_of_another_shop_do_not_count(database, service, team):
    async with database.begin() as tx:
        shop = await make_shop(tx)
    assignment = await assign_sales_rep(
        service, shop_id=shop.id, customer_id=shop.customer_id, email="a@b.example"
    )
    assert assignment == NOBODY


async def test_a_locked_rotation_does_not_fail_the_order(database_url, service, team):
    impatient = Database(database_url, min_size=1, max_size=2, lock_timeout_ms=50)
    await impatient.open()
    async with service.db.begin() as tx:
        await tx.run("select 1 from customers where id = %s for update", (team.customer_id,))
        assert await _resolve(msgspec.structs.replace(service, db=impatient), team) == NOBODY
    await impatient.close()


SALES_REPS = st.lists(st.integers(1, 30), unique=True, max_size=8).map(
    lambda ids: [(number, f"s{number}@x", f"S{number}") for number in sorted(ids)]
)


@given(SALES_REPS, st.integers(0, 40), st.sets(st.integers(1, 30)))
def test_an_excluded_sales_rep_is_never_next(sales_reps, last, barred):
    excluded = tuple(f"S{number}@X" if number % 2 else str(number) for number in barred)
    chosen = next_sales_rep(sales_reps, last=last, excluded=excluded)
    eligible = [row[0] for row in sales_reps if row[0] not in barred]
    assert chosen in (eligible or [None])


@given(SALES_REPS, st.integers(0, 40), st.integers(1, 60))
def test_turns_differ_by_one_at_most(sales_reps, last, turns):
    counts = Counter(dict.fromkeys((row[0] for row in sales_reps), 0))
    for _ in range(turns if sales_reps else 0):
        chosen = next_sales_rep(sales_reps, last=last, excluded=())
        assert chosen is not None
        counts[chosen] += 1
        last = chosen
    assert not counts or max(counts.values()) - min(counts.values()) <= 1
