"""Sends a statement that the driver has prepared without the driver's cursor.

A cursor converts the text of its query and makes its dumpers and loaders anew each time, which takes
longer than talking to the server. Here they are kept for each connection and statement. The driver
still decides which statements it prepares, and when it forgets them; all others go through a cursor.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from psycopg import adapt
from psycopg._queries import PostgresQuery
from psycopg.abc import PQGen, Transformer
from psycopg.errors import InternalError, error_from_result
from psycopg.generators import execute
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn, PGresult

if TYPE_CHECKING:
    from crossdock.db.connection import Connection

Params = Sequence[Any] | Mapping[str, Any]
Row = tuple[Any, ...]
_GOOD = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)
STATEMENTS_MAX = 100  # the driver's own limit of prepared statements


class Answer(NamedTuple):
    """The rows of a statement, and how many it returned or changed."""

    rows: list[Row]
    row_count: int


class Statements:
    """The statements that one connection has sent, the latest last."""

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection
        self._known: OrderedDict[str, _Statement] = OrderedDict()

    async def ask(self, query: str, params: Params | None) -> Answer:
        """Execute and return all rows, as a cursor does."""
        connection = self._connection
        async with connection.lock:
            statement = self._statement(query)
            name = statement.bind(params, connection)
            if name is not None:
                statement.send(name, connection)
                return statement.read(await connection.wait(_result(connection.pgconn)))
        cursor = await connection.execute(query, params)
        return Answer(await cursor.fetchall() if cursor.description else [], cursor.rowcount)

    def _statement(self, query: str) -> "_Statement":
        known = self._known.get(query)
        if known is None:
            known = self._known[query] = _Statement(query, adapt.Transformer(self._connection))
            if len(self._known) > STATEMENTS_MAX:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(query)
        return known


class _Statement:
    """One statement: its converted text, its dumpers and loaders. It keeps no values and no rows."""

    def __init__(self, query: str, transformer: Transformer) -> None:
        self._text = query
        self._transformer = transformer
        self._query = PostgresQuery(transformer)
        self._is_converted = False

    def bind(self, params: Params | None, connection: "Connection") -> bytes | None:
        """Dump the parameters; the name under which the driver has prepared the statement for their types."""
        if self._is_converted and params is not None:
            self._query.dump(params)
        else:
            self._query.convert(self._text, params)
            self._is_converted = params is not None
        prepared = connection._prepared  # noqa: SLF001 - the driver's own account of them
        key = prepared.key(self._query)
        name = prepared._names.get(key)  # noqa: SLF001
        if name is None:
            self._query.params = None
        else:
            prepared._names.move_to_end(key)  # noqa: SLF001 - the driver forgets the oldest one
        return name

    def send(self, name: bytes, connection: "Connection") -> None:
        query = self._query
        connection.pgconn.send_query_prepared(name, query.params, param_formats=query.formats)
        query.params = None

    def read(self, result: PGresult) -> Answer:
        """The rows of a result."""
        if result.status != ExecStatus.TUPLES_OK:
            changed = result.command_tuples
            return Answer([], -1 if changed is None else changed)
        self._transformer.set_pgresult(result)
        rows = self._transformer.load_rows(0, result.ntuples, tuple)
        self._transformer.set_pgresult(None)
        return Answer(rows, result.ntuples)


def _result(pgconn: PGconn) -> PQGen[PGresult]:
    """Receive the result of one statement. Raises the driver's error for the server's."""
    results: list[PGresult] = yield from execute(pgconn)
    for result in results:
        if result.status == ExecStatus.FATAL_ERROR:
            raise error_from_result(result)
    if len(results) != 1 or results[0].status not in _GOOD:
        raise InternalError(f"unexpected results: {[ExecStatus(r.status).name for r in results]}")
    return results[0]
