"""A fingerprint of a database's whole content, and a database handle that fails at a chosen place."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
from psycopg import sql

from crossdock.db.connection import Connection
from crossdock.db.unit_of_work import Database, Transaction

BROKEN = "CD099"
"""The state of the error at a fail point."""

MASKED_TYPES = ("timestamp with time zone", "bytea")
MASKED_COLUMNS = ("order_key", "public_key", "took_ms")
TABLES = """
    select c.table_name, array_agg(c.column_name::text order by c.ordinal_position)
    from information_schema.columns c
    join information_schema.tables t using (table_schema, table_name)
    where c.table_schema = 'public' and t.table_type = 'BASE TABLE'
      and c.table_name <> 'alembic_version' and c.table_name not like 'schema%%'
      and (c.table_name not like 'procrastinate%%' or c.table_name = 'procrastinate_jobs')
      and c.data_type <> all(%s) and c.column_name <> all(%s)
    group by c.table_name order by c.table_name
"""
RECORDED = """
    create schema if not exists proof;
    create table if not exists proof.steps (step text);
    create or replace function fail_point(step text) returns boolean language sql as
        'insert into proof.steps values (step) returning true';
"""


class Crash(BaseException):
    """The process died; no error handler may catch this."""


def content_of(url: str) -> sql.Composed:
    """The query for the content of every database with the tables of this one."""
    with psycopg.connect(url) as connection:
        found = connection.execute(TABLES, [list(MASKED_TYPES), list(MASKED_COLUMNS)])
        return sql.SQL(" union all ").join(
            sql.SQL(
                "select {name} || md5(coalesce(string_agg(r, '|' order by r), '')) from"
                " (select row({columns})::text as r from {table}) rows"
            ).format(
                name=sql.Literal(table),
                columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
                table=sql.Identifier(table),
            )
            for table, columns in found.fetchall()
        )


class Reading:
    """Fingerprints of one database, without times, random ids and encrypted bytes."""

    def __init__(self, url: str, *, content: sql.Composed) -> None:
        self.url = url
        self._connection = psycopg.connect(url, autocommit=True)
        self._content = content

    def state(self) -> tuple[str, ...]:
        """The committed content, by table."""
        return tuple(row[0] for row in self._connection.execute(self._content).fetchall())

    def record_steps(self) -> None:
        """Record the name of every fail point that is passed from now on."""
        self._connection.execute(RECORDED)

    def steps(self) -> list[str]:
        """The fail points that were passed and committed."""
        rows = self._connection.execute("select distinct step from proof.steps order by 1")
        return [row[0] for row in rows.fetchall()]

    def break_at(self, step: str | None) -> None:
        """Make new connections of this database fail at the fail point."""
        name = sql.Identifier(self._connection.info.dbname)
        if step is None:
            self._connection.execute(
                sql.SQL("alter database {} reset crossdock.fail_point").format(name)
            )
            return
        self._connection.execute(
            sql.SQL("alter database {} set crossdock.fail_point to {}").format(
                name, sql.Literal(step)
            )
        )

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class Breaking:
    """A statement hook that observes a run, or ends it before statement number `at`."""

    def __init__(self, url: str, *, at: int = 0, reading: Reading | None = None) -> None:
        self.count = 0
        self.states: list[tuple[str, ...]] = []
        self.database = _ClosingDatabase(url, hook=self)
        self._at = at
        self._reading = reading

    async def __call__(self, _statement: str) -> None:
        self.look()
        self.count += 1
        if self.count == self._at:
            raise Crash

    def look(self) -> None:
        """Record the committed state if it has changed."""
        if self._reading is None:
            return
        state = self._reading.state()
        if not self.states or self.states[-1] != state:
            self.states.append(state)


class _ClosingDatabase(Database):
    """Counts a COMMIT as a statement, so that a crash just before it is tested too."""

    def __init__(self, url: str, *, hook: Breaking) -> None:
        super().__init__(url, min_size=1, max_size=4, hook=hook)
        self._before_commit = hook

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        async with super().begin() as tx:
            yield tx
            await self._before_commit("commit")

    async def give_back(self, connection: Connection, error: BaseException | None = None) -> None:
        """At a fail point the process dies: a job that goes on without what failed would hide it."""
        await super().give_back(connection, error)
        if isinstance(error, psycopg.Error) and error.sqlstate == BROKEN:
            raise Crash from error
