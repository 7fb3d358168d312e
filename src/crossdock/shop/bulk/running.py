"""Run over many orders: each in a transaction of its own, with its result and its note in the audit log.

What is done is told by the rows alone. A run that was cut short, by a stop of the worker or of the machine, goes on
with those that are due; none is worked on twice.
"""

import asyncio
from datetime import datetime, timedelta
from typing import Final

import structlog

from crossdock.db.unit_of_work import Database
from crossdock.errors import CrossdockError, DatabaseUnavailable, Unavailable
from crossdock.kit.acting import act_as
from crossdock.kit.clock import Clock
from crossdock.shop.acts import Act, begin_act, plain_details
from crossdock.shop.bulk.acting import act_on_order
from crossdock.shop.bulk.runs import OrderRun, read_run

log = structlog.get_logger("crossdock.bulk")

_PAGE: Final = 100
_BUSY_TRIES: Final = 5
_BUSY_WAIT_S: Final = 0.5
_FAILED: Final = "It failed; see the log."
RUNS_KEPT: Final = timedelta(days=90)


async def run_orders(db: Database, *, shop_id: int, run_id: int, clock: Clock) -> OrderRun:
    """Work on the run's orders until none is due or somebody stops it, the oldest order first; the run after that.

    Raises DatabaseUnavailable, and NotFound `not_found`.
    """
    async with db.statement() as tx:
        run = await read_run(tx, shop_id=shop_id, run_id=run_id)
    values = {"shop": shop_id, "run": run_id}
    act_as(run.person)
    try:
        while due := await _due(db, values):
            for order_id in due:
                await _work_on(db, run, shop_id=shop_id, order_id=order_id, clock=clock)
    finally:
        act_as("")
    async with db.statement() as tx:
        await tx.run(_END, values | {"now": clock.now()})
        return await read_run(tx, shop_id=shop_id, run_id=run_id)


async def purge_runs(db: Database, *, now: datetime) -> int:
    """Forget runs that ended RUNS_KEPT ago, with their results; the audit log stays. Returns how many."""
    async with db.statement() as tx:
        return await tx.run(_PURGE, (now - RUNS_KEPT,))


async def _due(db: Database, values: dict[str, int]) -> list[int]:
    async with db.statement() as tx:
        rows = await tx.all(_DUE, values | {"size": _PAGE})
    return [order_id for (order_id,) in rows]


async def _work_on(
    db: Database, run: OrderRun, *, shop_id: int, order_id: int, clock: Clock
) -> None:
    for tries_left in reversed(range(_BUSY_TRIES)):
        try:
            await _try(db, run, shop_id=shop_id, order_id=order_id, clock=clock)
            return
        except DatabaseUnavailable:
            raise
        except Unavailable as error:
            if tries_left:
                await asyncio.sleep(_BUSY_WAIT_S)
                continue
            reason = error.message
        except CrossdockError as error:
            reason = error.message
        except Exception:  # the others are worked on all the same
            log.exception("an order of a run failed", run=run.id, order=order_id)
            reason = _FAILED
        break
    await _refuse(db, run, shop_id=shop_id, order_id=order_id, reason=reason)


async def _try(db: Database, run: OrderRun, *, shop_id: int, order_id: int, clock: Clock) -> None:
    begin_act(_act(run, shop_id=shop_id, order_id=order_id, clock=clock))
    try:
        async with db.begin() as tx:
            place = {"shop": shop_id, "run": run.id, "order": order_id}
            if not await tx.run(_CLAIM, place):
                return
            result = await act_on_order(
                tx, shop_id=shop_id, order_id=order_id, work=run.work, now=clock.now()
            )
            if result:
                await tx.run(_TELL, place | {"result": result})
    finally:
        begin_act(None)


async def _refuse(db: Database, run: OrderRun, *, shop_id: int, order_id: int, reason: str) -> None:
    values = {"shop": shop_id, "run": run.id, "order": order_id, "result": reason}
    async with db.statement() as tx:
        await tx.run(_REFUSE, values)


def _act(run: OrderRun, *, shop_id: int, order_id: int, clock: Clock) -> Act:
    details = {"run": run.id, "note": run.note, "refund_reason": run.refund_reason}
    return Act(
        actor=run.actor,
        act=run.act,
        subject=run.act.replace("*", str(order_id)),
        details=plain_details(details, personal=("note",)),
        clock=clock,
        shop_id=shop_id,
        person_id=run.person_id,
    )


_DUE: Final = """
    select x.order_id from order_run_rows x join order_runs r on r.shop_id = x.shop_id and r.id = x.run_id
    where x.shop_id = %(shop)s and x.run_id = %(run)s and x.state = 'due' and r.state = 'running'
    order by x.order_id limit %(size)s
"""
_AT = "where shop_id = %(shop)s and run_id = %(run)s and order_id = %(order)s"
# Nothing is claimed of a run that was stopped meanwhile, nor twice.
_CLAIM: Final = f"""
    update order_run_rows set state = 'done' {_AT} and state = 'due'
       and exists (select from order_runs where shop_id = %(shop)s and id = %(run)s and state = 'running')
"""
_TELL: Final = f"update order_run_rows set result = %(result)s {_AT}"
_REFUSE: Final = f"""
    update order_run_rows set state = 'refused', result = %(result)s {_AT} and state = 'due'
"""
_END: Final = """
    update order_runs set state = 'done', changed_at = %(now)s
    where shop_id = %(shop)s and id = %(run)s and state = 'running'
      and not exists (select from order_run_rows x
                      where x.shop_id = %(shop)s and x.run_id = %(run)s and x.state = 'due')
"""
_PURGE: Final = """
    delete from order_runs r using (
        select shop_id, id from order_runs where changed_at < %s and state <> 'running'
        order by changed_at limit 100) old
    where r.shop_id = old.shop_id and r.id = old.id
"""
