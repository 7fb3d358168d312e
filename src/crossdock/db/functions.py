"""Applies the files of SQL functions so that programs of the previous release keep working.

A function with the same arguments and result is replaced in place. One with other arguments is an
overload; the old one stays, recorded in `schema_signatures`, until no supported program can call it.
Another result type for the same arguments is impossible and needs a new function name.
"""

import contextlib
from pathlib import Path
from typing import Any

import msgspec
import psycopg

from crossdock.errors import CrossdockError

Connection = psycopg.Connection[Any]

# The declared signatures are found by declaring the functions in a temporary schema, then rolling back.
_DECLARED = """
select p.proname || '(' || oidvectortypes(p.proargtypes) || ')', p.proname::text,
       pg_get_function_result(p.oid), coalesce(p.proargnames::text, '') || p.prokind::text
from pg_proc p where p.pronamespace = {schema}
"""
_OF_DRAFT = "pg_my_temp_schema()"
_OF_DATABASE = "current_schema()::regnamespace"

_NOTE = """
insert into schema_signatures (signature) select unnest(%s::text[])
on conflict (signature) do update set stale_since = null where schema_signatures.stale_since is not null
"""
_NOTE_STALE = """
insert into schema_signatures (signature, stale_since) select unnest(%s::text[]), %s
on conflict (signature) do update set stale_since = excluded.stale_since
where schema_signatures.stale_since is null
"""
_NOTED = "select signature, stale_since from schema_signatures"


class _Declared(msgspec.Struct, frozen=True):
    signature: str
    name: str
    result: str
    arguments: str  # their names and modes, which cannot be changed in place either


def apply_files(
    connection: Connection,
    *,
    changed: list[Path],
    all_files: list[Path],
    generation: int,
    serves_from: int,
) -> None:
    """Replace and add functions, and drop those that no supported program calls, in the transaction.

    Raises CrossdockError `internal` if a function of a supported release would change its result.
    """
    connection.execute("set local check_function_bodies = off")
    declared = _declare_in_draft(connection, files=all_files)
    present = _read(connection, of=_OF_DATABASE)
    ours = _ours(connection, declared=declared, present=present)
    _make_way(connection, declared=declared, ours=ours, keeps=serves_from < generation)
    for path in changed:
        connection.execute(path.read_bytes())
    connection.execute(_NOTE, (list(declared),))
    stale = [signature for signature in ours if signature not in declared]
    connection.execute(_NOTE_STALE, (stale, generation))
    _drop_unserved(connection, serves_from=serves_from)


def _declare_in_draft(connection: Connection, *, files: list[Path]) -> dict[str, _Declared]:
    with connection.transaction(force_rollback=True):
        path = connection.execute("show search_path").fetchone()
        connection.execute(
            f"set local search_path = pg_temp, {path[0] if path else 'public'}".encode()
        )
        for file in files:
            connection.execute(file.read_bytes())
        return _read(connection, of=_OF_DRAFT)


def _read(connection: Connection, *, of: str) -> dict[str, _Declared]:
    rows = connection.execute(_DECLARED.format(schema=of).encode()).fetchall()
    return {row[0]: _Declared(*row) for row in rows}


def _ours(
    connection: Connection, *, declared: dict[str, _Declared], present: dict[str, _Declared]
) -> dict[str, _Declared]:
    """Functions that come from our files, now or earlier; not the queue's or an extension's."""
    noted = {row[0] for row in connection.execute(_NOTED).fetchall()}
    names = {function.name for function in declared.values()}
    return {
        signature: function
        for signature, function in present.items()
        if signature in noted or function.name in names
    }


def _make_way(
    connection: Connection,
    *,
    declared: dict[str, _Declared],
    ours: dict[str, _Declared],
    keeps: bool,
) -> None:
    """Drop functions that cannot be replaced in place, if no supported program may call them."""
    for signature in declared.keys() & ours.keys():
        if declared[signature] == ours[signature]:
            continue
        if keeps:
            raise CrossdockError(
                "internal",
                f"{signature} has another result type or other argument names than in the previous release, "
                "whose programs still call it. Give the new function another name.",
            )
        _drop(connection, signature=signature)


def _drop_unserved(connection: Connection, *, serves_from: int) -> None:
    for signature, stale_since in connection.execute(_NOTED).fetchall():
        if stale_since is not None and stale_since <= serves_from:
            _drop(connection, signature=signature)
            connection.execute("delete from schema_signatures where signature = %s", (signature,))


def _drop(connection: Connection, *, signature: str) -> None:
    """Drop one function; one that a table or trigger depends on stays, and is replaced."""
    with (
        contextlib.suppress(psycopg.errors.DependentObjectsStillExist),
        connection.transaction(),
    ):
        connection.execute(f"drop function if exists {signature}".encode())
