"""A run over many orders..."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.errors import Conflict, Invalid, NotFound
from crossdock.kit.clock import FrozenClock
from crossdock.shop.bulk import (
    RUNS_KEPT,
    BulkWork,
    OrderRun,
    RunAuthor,
    begin_run,
    bulk_work,
    list_results,
    list_runs,
    purge_runs,
    read_run,
    resume_run,
    run_orders,
    stop_run,
)
from crossdock.shop.orders import BoardFilters, list_matching, sum_board
from tests.support.locks import waiting_for_a_lock
from tests.support.staff import Desk

_FAULT = """
    create function fault() returns trigger language plpgsql as $$
    begin raise exception 'a fault that nobody expects'; end $$
"""
NOOR = RunAuthor(7, "Noor", "noor@shop.example", "/console/orders/*/note")


@pytest.fixture
async def desk(database: Database, clock: FrozenClock) -> Desk:
    return await Desk.open(database, clock)


async def orders(desk: Desk, count: int) -> list[int]:
    lamp = await desk.variant(own=99)
    return [(await desk.on_account((lamp, 1))).id for _ in range(count)]


async def begin(desk: Desk, order_ids: Sequence[int], work: BulkWork) -> int:
    async with desk.db.begin() as tx:
        return await begin_run(
            tx,
            shop_id=desk.shop.id,
            order_ids=order_ids,
            work=work,
            author=NOOR,
            now=desk.clock.now(),
        )


async def run(desk: Desk, run_id: int) -> OrderRun:
    return await run_orders(desk.db, shop_id=desk.shop.id, run_id=run_id, clock=desk.clock)


async def results(desk: Desk, run_id: int, **values: Any) -> list[tuple[Any, ...]]:
    async with desk.db.statement() as tx:
        found = await list_results(tx, shop_id=desk.shop.id, run_id=run_id, **values)
    return [tuple(each) for each in found]


async def acts(desk: Desk) -> list[tuple[Any, ...]]:
    async with desk.db.statement() as tx:
        return await tx.all(
            "select actor, person_id, act, subject, details from acts where shop_id = %s order by id",
            (desk.shop.id,),
        )


async def test_does_each_with_its_author_and_its_note_in_the_audit_log(desk):
    first, second = await orders(desk, 2)
    run_id = await begin(desk, [second, first, first], bulk_work("note", note="Ring the bell."))

    told = await run(desk, run_id)

    assert (told.state, told.orders, told.done, told.refused, told.due) == ("done", 2, 2, 0, 0)
    assert await results(desk, run_id) == [(first, "done", ""), (second, "done", "")]
    noted = [each for each in (await desk.read(first)).timeline if each.kind == "order.noted"]
    assert [(each.author, each.payload["text"]) for each in noted] == [("Noor", "Ring the bell.")]
    assert await acts(desk) == [
        (
            "noor@shop.example", 7, "/console/orders/*/note", f"/console/orders/{order_id}/note",
            {"run": str(run_id), "note": "(not kept)"},
        )
        for order_id in (first, second)
    ]  # fmt: skip


async def test_tells_why_an_order_was_refused_and_does_the_others(desk):
    first, second = await orders(desk, 2)
    work = bulk_work("cancel", note="Closed down.", refund_reason="agreement")
    run_id = await begin(desk, [first, second, 999_999_999], work)
    await run(desk, await begin(desk, [first], work))

    told = await run(desk, run_id)

    assert (told.state, told.done, told.refused) == ("done", 1, 2)
    assert [(n, state) for n, state, _ in await results(desk, run_id, state="refused")] == [
        (first, "refused"), (999_999_999, "refused"),
    ]  # fmt: skip
    assert (await desk.read(second)).fulfilment_state == "cancelled"
    assert [subject for _, _, _, subject, _ in await acts(desk)] == [
        f"/console/orders/{order_id}/note" for order_id in (first, second)
    ]


async def test_tells_the_state_of_what_it_released(desk):
    order_id = (await desk.with_card((await desk.variant(), 1))).id
    run_id = await begin(desk, [order_id], bulk_work("release"))

    await run(desk, run_id)

    assert await results(desk, run_id) == [(order_id, "done", "processing")]


async def test_goes_on_after_it_was_cut_short_and_does_none_twice(desk):
    numbers = await orders(desk, 3)
    run_id = await begin(desk, numbers, bulk_work("note", note="Once."))
    async with desk.db.begin() as tx:
        await tx.run("select from orders where id = %s for update", (numbers[1],))
        cut = asyncio.create_task(run(desk, run_id))
        await waiting_for_a_lock(desk.db, behind=tx)
        cut.cancel()
        await asyncio.gather(cut, return_exceptions=True)
    before = await results(desk, run_id)

    told = await run(desk, run_id)

    assert [state for _, state, _ in before] == ["done", "due", "due"]
    assert (told.state, told.done) == ("done", 3)
    assert [(await desk.kinds(n)).count("order.noted") for n in numbers] == [1, 1, 1]
    assert len(await acts(desk)) == 3


async def test_notes_what_failed_for_no_known_reason_and_goes_on(desk):
    first, second = await orders(desk, 2)
    run_id = await begin(desk, [first, second], bulk_work("note", note="x"))
    async with desk.db.begin() as tx:
        await tx.run(_FAULT)
        await tx.run(
            "create trigger fault before insert on events for each row"
            f" when (new.subject_id = {first} and new.kind = 'order.noted') execute function fault()"
        )
    try:
        await run(desk, run_id)
    finally:
        async with desk.db.begin() as tx:
            await tx.run("drop function fault() cascade")

    assert await results(desk, run_id) == [
        (first, "refused", "It failed; see the log."), (second, "done", ""),
    ]  # fmt: skip
    assert len(await acts(desk)) == 1


async def test_is_stopped_and_gone_on_with(desk):
    (order_id,) = await orders(desk, 1)
    run_id, at = await begin(desk, [order_id], bulk_work("note", note="x")), desk.clock.now()
    place = {"shop_id": desk.shop.id, "run_id": run_id, "now": at}
    async with desk.db.begin() as tx:
        await stop_run(tx, **place)

    stopped = await run(desk, run_id)
    with pytest.raises(Conflict):
        async with desk.db.begin() as tx:
            await stop_run(tx, **place)
    async with desk.db.begin() as tx:
        await resume_run(tx, **place)
    done = await run(desk, run_id)

    assert (stopped.state, stopped.due) == ("stopped", 1)
    assert (done.state, done.due) == ("done", 0)
    with pytest.raises(Conflict):
        async with desk.db.begin() as tx:
            await resume_run(tx, **place)


async def test_of_nothing_or_with_an_empty_note_is_refused(desk):
    (order_id,) = await orders(desk, 1)

    with pytest.raises(Invalid):
        await begin(desk, [], bulk_work("release"))
    with pytest.raises(Invalid):
        await begin(desk, [order_id], bulk_work("note", note=" "))
    with pytest.raises(Invalid):
        bulk_work("cancel", refund_reason="whim")

    assert await desk.count("order_runs") == 0


async def test_is_of_its_shop_alone_and_is_forgotten_after_its_time(desk):
    (order_id,) = await orders(desk, 1)
    run_id = await begin(desk, [order_id], bulk_work("note", note="x"))
    other = await Desk.open(desk.db, desk.clock)
    with pytest.raises(NotFound):
        async with desk.db.statement() as tx:
            await read_run(tx, shop_id=other.shop.id, run_id=run_id)
    late = desk.clock.now() + RUNS_KEPT * 2

    await purge_runs(desk.db, now=late)
    ended = await run(desk, run_id)
    await purge_runs(desk.db, now=late)

    assert ended.state == "done"
    async with desk.db.statement() as tx:
        assert await list_runs(tx, shop_id=desk.shop.id) == []


async def test_is_over_all_that_match_and_were_there_when_it_was_asked_about(desk):
    first, second = await orders(desk, 2)
    filters, place = BoardFilters(view="all"), {"shop_id": desk.shop.id, "now": desk.clock.now()}
    async with desk.db.statement() as tx:
        asked = await sum_board(tx, filters=filters, **place)
    await orders(desk, 1)

    async with desk.db.statement() as tx:
        found = await list_matching(tx, filters=filters, up_to=asked.newest, **place)
        none = await sum_board(tx, filters=BoardFilters(view="returned"), **place)

    assert (asked.orders, asked.newest, asked.money) == (2, second, {"EUR": 3998})
    assert found == [first, second]
    assert (none.orders, none.newest, none.money) == (0, 0, {})
