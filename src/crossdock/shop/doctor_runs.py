"""What the runs of the doctor found, kept for the console's home."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec
from psycopg.types.json import Jsonb

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.doctor import CheckResult


class DoctorRun(msgspec.Struct, frozen=True, kw_only=True):
    """What a run found: how many values differ, of all, of the stock, and of the ledger."""

    done_at: datetime
    looked_at: int
    differences: int
    oversold: int
    drift: int


async def keep_run(tx: Transaction, *, results: Sequence[CheckResult], now: datetime) -> None:
    """Keep what a run found, for the console's home; runs of more than RUNS_KEPT ago are deleted."""
    checks = {each.check: [each.looked_at, len(each.differences)] for each in results}
    await tx.run(
        "insert into doctor_runs (checks, looked_at, differences, done_at) values (%s, %s, %s, %s)",
        (
            Jsonb(checks),
            sum(each.looked_at for each in results),
            sum(len(each.differences) for each in results),
            now,
        ),
    )
    await tx.run(
        "delete from doctor_runs where id <= (select max(id) from doctor_runs) - %s", (RUNS_KEPT,)
    )


async def read_last_run(tx: Transaction) -> DoctorRun | None:
    """The last run that was kept, or None."""
    row = await tx.one(
        "select done_at, looked_at, differences, checks from doctor_runs order by id desc limit 1"
    )
    if row is None:
        return None
    wrong = {check: many for check, (_looked_at, many) in row[3].items()}
    return DoctorRun(
        done_at=row[0],
        looked_at=row[1],
        differences=row[2],
        oversold=sum(wrong.get(check, 0) for check in STOCK_CHECKS),
        drift=sum(wrong.get(check, 0) for check in LEDGER_CHECKS),
    )


RUNS_KEPT: Final = 100
STOCK_CHECKS: Final = (
    "stock levels are the sums of their entries",
    "held stock is the sum of open holds",
    "committed stock is the sum of open orders",
    "unsold serials are what is on hand",
    "no order has more than it asked for",
    "orders that are over keep no stock",
)
LEDGER_CHECKS: Final = (
    "balances are the sums of their rows",
    "debits are the sums of their rows",
    "ledger rows carry the balances after them",
    "the balances of a currency sum to zero",
    "captures and refunds are posted",
)
