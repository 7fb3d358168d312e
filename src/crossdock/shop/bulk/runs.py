"""Runs over many orders: begun with the orders that match, stopped and gone on with, read with what became of each."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Conflict, Invalid, NotFound
from crossdock.shop.bulk.acting import BulkAction, BulkWork
from crossdock.shop.events import defer_job
from crossdock.shop.orders import RefundReason, check_note

RUN_ORDERS: Final = "run_orders"
RESULTS_MAX: Final = 1_000
RunState = Literal["running", "stopped", "done"]
RowState = Literal["due", "done", "refused"]


class RunAuthor(NamedTuple):
    """Whose run it is: `label` signs what happens to the orders, `actor` and `act` are what is noted of each.

    `act` has * for the order's number.
    """

    person_id: int
    label: str
    actor: str
    act: str


class OrderRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run; `orders` are all of it, the others how many are in each state by now."""

    id: int
    action: BulkAction
    note: str
    refund_reason: RefundReason | None
    state: RunState
    orders: int
    person_id: int
    person: str
    actor: str
    act: str
    created_at: datetime
    changed_at: datetime
    done: int
    refused: int

    @property
    def due(self) -> int:
        """How many are still to be worked on."""
        return self.orders - self.done - self.refused

    @property
    def work(self) -> BulkWork:
        """What is done with each."""
        return BulkWork(action=self.action, note=self.note, refund_reason=self.refund_reason)


class RunResult(NamedTuple):
    """What became of one order: the state of a released one, or why it was refused."""

    order_id: int
    state: RowState
    result: str


async def begin_run(
    tx: Transaction,
    *,
    shop_id: int,
    order_ids: Sequence[int],
    work: BulkWork,
    author: RunAuthor,
    now: datetime,
) -> int:
    """Have the worker do it with these orders; returns the run's number. Raises Invalid `invalid_input`."""
    if not order_ids:
        raise Invalid("invalid_input", "A run is over one order or more.")
    if work.action == "note":
        check_note(work.note)
    values = {
        "shop": shop_id,
        "action": work.action,
        "note": work.note,
        "refund_reason": work.refund_reason,
        "ids": list(order_ids),
        "person_id": author.person_id,
        "person": author.label,
        "actor": author.actor,
        "act": author.act,
        "now": now,
    }
    run_id = int(await tx.value(_BEGIN, values))
    await tx.run(_ROWS, values | {"run": run_id})
    await _defer(tx, shop_id=shop_id, run_id=run_id)
    return run_id


async def stop_run(tx: Transaction, *, shop_id: int, run_id: int, now: datetime) -> None:
    """Leave the orders that are still due as they are. Raises NotFound `not_found`, Conflict `exists`."""
    await _switch(tx, shop_id=shop_id, run_id=run_id, before="running", after="stopped", now=now)


async def resume_run(tx: Transaction, *, shop_id: int, run_id: int, now: datetime) -> None:
    """Go on with a stopped run. Raises NotFound `not_found`, Conflict `exists`."""
    await _switch(tx, shop_id=shop_id, run_id=run_id, before="stopped", after="running", now=now)
    await _defer(tx, shop_id=shop_id, run_id=run_id)


async def read_run(tx: Transaction, *, shop_id: int, run_id: int) -> OrderRun:
    """One run. Raises NotFound `not_found`."""
    row = await tx.one(f"{_RUNS} and r.id = %(run)s", {"shop": shop_id, "run": run_id})
    if row is None:
        raise NotFound("not_found", f"There is no run {run_id}.", {"run_id": run_id})
    return _run(row)


async def list_runs(
    tx: Transaction, *, shop_id: int, before: int | None = None, limit: int = 50
) -> list[OrderRun]:
    """Runs with a number below `before`, the newest first."""
    rows = await tx.all(
        f"{_RUNS} and (%(before)s::bigint is null or r.id < %(before)s) order by r.id desc limit %(limit)s",
        {"shop": shop_id, "before": before, "limit": limit},
    )
    return [_run(row) for row in rows]


async def list_results(
    tx: Transaction,
    *,
    shop_id: int,
    run_id: int,
    state: RowState | None = None,
    after: int = 0,
    limit: int = 50,
) -> list[RunResult]:
    """What became of the run's orders with a number above `after`, in their order; at most RESULTS_MAX."""
    rows = await tx.all(_RESULTS, (shop_id, run_id, state, state, after, min(limit, RESULTS_MAX)))
    return [RunResult(*row) for row in rows]


async def _switch(
    tx: Transaction,
    *,
    shop_id: int,
    run_id: int,
    before: RunState,
    after: RunState,
    now: datetime,
) -> None:
    done = await tx.run(
        "update order_runs set state = %s, changed_at = %s where shop_id = %s and id = %s and state = %s",
        (after, now, shop_id, run_id, before),
    )
    if not done:
        found = await read_run(tx, shop_id=shop_id, run_id=run_id)
        raise Conflict("exists", f"Run {run_id} is {found.state}.", {"run_id": run_id})


async def _defer(tx: Transaction, *, shop_id: int, run_id: int) -> None:
    # The runs of a shop take turns, so that none is kept from its orders by another.
    args = {"shop_id": shop_id, "run_id": run_id}
    lock = f"order runs of {shop_id}"
    await defer_job(tx, task=RUN_ORDERS, queue="default", args=args, lock=lock)


def _run(row: tuple[Any, ...]) -> OrderRun:
    return msgspec.convert(dict(zip(OrderRun.__struct_fields__, row, strict=True)), OrderRun)


_BEGIN: Final = """
    insert into order_runs (shop_id, action, note, refund_reason, orders, person_id, person, actor, act,
                            created_at, changed_at)
    select %(shop)s, %(action)s, %(note)s, %(refund_reason)s, count(distinct x.id), %(person_id)s, %(person)s,
           %(actor)s, %(act)s, %(now)s, %(now)s
    from unnest(%(ids)s::bigint[]) as x (id) returning id
"""
_ROWS: Final = """
    insert into order_run_rows (shop_id, run_id, order_id)
    select distinct %(shop)s::bigint, %(run)s::bigint, x.id from unnest(%(ids)s::bigint[]) as x (id)
"""
_RUNS: Final = """
    select r.id, r.action, r.note, r.refund_reason, r.state, r.orders, r.person_id, r.person, r.actor, r.act,
           r.created_at, r.changed_at, n.done, n.refused
    from order_runs r cross join lateral (
        select count(*) filter (where x.state = 'done') as done,
               count(*) filter (where x.state = 'refused') as refused
        from order_run_rows x
        where x.shop_id = r.shop_id and x.run_id = r.id and x.state in ('done', 'refused')
    ) n
    where r.shop_id = %(shop)s
"""
_RESULTS: Final = """
    select order_id, state, result from order_run_rows
    where shop_id = %s and run_id = %s and (%s::text is null or state = %s) and order_id > %s
    order by order_id limit %s
"""
