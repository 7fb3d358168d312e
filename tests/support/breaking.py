"""Rows whose change the database refuses, so that one piece of a job's work fails."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from psycopg import sql

from crossdock.db.unit_of_work import Database

_REFUSE = """
    create or replace function refuse_on_purpose() returns trigger language plpgsql as $$
    begin
        raise exception 'refused on purpose';
    end $$
"""


@asynccontextmanager
async def refusing(db: Database, table: str, *, row_id: int) -> AsyncIterator[None]:
    """Within the block no transaction changes the row with this id."""
    trigger = sql.SQL(
        "create trigger refuse_on_purpose before update or delete on {} for each row"
        " when (old.id = {}) execute function refuse_on_purpose()"
    ).format(sql.Identifier(table), sql.Literal(row_id))
    async with db.begin() as tx:
        await tx.run(_REFUSE)
        await tx.run(trigger.as_string())
    try:
        yield
    finally:
        async with db.begin() as tx:
            await tx.run(f"drop trigger refuse_on_purpose on {table}")
