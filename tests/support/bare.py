"""An empty database, on which nothing was migrated."""

import contextlib
from collections.abc import Iterator

import psycopg
from psycopg import sql

from tests.support.postgres import with_database


@contextlib.contextmanager
def bare_database(url: str, name: str) -> Iterator[str]:
    """A URL of a database without a table, which is dropped at the end."""
    identifier = sql.Identifier(name)
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in ("drop database if exists {} with (force)", "create database {}"):
            connection.execute(sql.SQL(statement).format(identifier))
        yield with_database(url, name)
        connection.execute(sql.SQL("drop database if exists {} with (force)").format(identifier))
