"""The progress of an import: written with each batch, so that a killed run resumes."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from psycopg.types.json import Jsonb

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Conflict


class Refusal(msgspec.Struct, frozen=True):
    """One refused row as it is stored."""

    row: int
    field: str
    reason: str
    value: str


class ImportRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run over one file: `rows_done` records were processed and committed, of which `refused` were refused."""

    id: int
    rows_done: int
    products: int
    variants: int
    refused: int
    status: str


async def open_run(tx: Transaction, *, shop_id: int, file_format: str, file_hash: str) -> ImportRun:
    """The last run over the same file in the same format, or a new one."""
    row = await tx.one(
        f"""select {_COLUMNS} from import_runs where shop_id = %s and file_hash = %s and format = %s
            order by id desc limit 1""",
        (shop_id, file_hash, file_format),
    )
    row = row or await tx.one(
        f"""insert into import_runs (shop_id, format, file_hash) values (%s, %s, %s)
            returning {_COLUMNS}""",
        (shop_id, file_format, file_hash),
    )
    return msgspec.convert(dict(zip(_COLUMNS.split(", "), row or (), strict=True)), ImportRun)


_COLUMNS = "id, rows_done, products, variants, refused, status"


async def advance_run(
    tx: Transaction,
    *,
    shop_id: int,
    run: ImportRun,
    refusals: Sequence[Refusal],
    before: ImportRun,
    now: datetime,
) -> None:
    """Store the run's progress, in the transaction of its batch.

    Raises Conflict (exists) if another process has advanced the same run.
    """
    done = await tx.run(
        """update import_runs set rows_done = %s, products = %s, variants = %s, refused = %s, status = %s,
                  updated_at = %s
           where shop_id = %s and id = %s and rows_done = %s and status = %s""",
        (run.rows_done, run.products, run.variants, run.refused, run.status, now, shop_id, run.id,
         before.rows_done, before.status),
    )  # fmt: skip
    if not done:
        raise Conflict("exists", "Another process imports the same file.", {"run_id": run.id})
    if refusals:
        await tx.run(
            """insert into import_refusals (shop_id, run_id, row_number, field, reason, value)
               select %s, %s, x.* from jsonb_to_recordset(%s)
                   as x ("row" bigint, field text, reason text, value text)""",
            (shop_id, run.id, Jsonb([msgspec.to_builtins(refusal) for refusal in refusals])),
        )
