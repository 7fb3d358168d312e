"""The database of a test run: one server for all xdist workers, one template, a clone per worker.

CROSSDOCK_DATABASE_URL, when set, names the server to use; its role must be allowed to create
databases. Without it an embedded server is started whose data nobody needs after a power cut.
CROSSDOCK_TEST_TEMPLATE names a template on that server that is migrated already; it is left there.
"""

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from crossdock.db.embedded import EmbeddedPostgres
from crossdock.db.migrate import migrate
from tests.support.memory import keep_in_memory


@contextlib.contextmanager
def server_url(folder: Path) -> Iterator[str]:
    """A URL of a running server; `folder` is shared by the workers of this run."""
    if named := os.environ.get("CROSSDOCK_DATABASE_URL"):
        try:
            yield named
        finally:
            if "CROSSDOCK_TEST_TEMPLATE" not in os.environ:
                with locked(folder / "template.lock"):
                    _drop(named, database=_template(folder))
        return
    data_dir = folder / "postgres-data"
    keep_in_memory(data_dir)
    with EmbeddedPostgres(data_dir, temporary=True) as server:
        yield server.url("postgres")


@contextlib.contextmanager
def clone(url: str, *, folder: Path, name: str, of: str = "") -> Iterator[str]:
    """A fresh database: a copy of `of`, whom nobody is connected to, or of what is migrated once per run."""
    template, database = of or _template(folder), f"crossdock_test_{_run(folder)}_{name}"
    with locked(folder / "template.lock"):
        if not of:
            _ensure_template(url, template=template)
        _recreate(url, database=database, template=template)
    try:
        yield with_database(url, database)
    finally:
        _drop(url, database=database)


def database_of(url: str) -> str:
    """The name of the database that a URL leads to."""
    return urlsplit(url).path.removeprefix("/")


def with_database(url: str, database: str) -> str:
    """The same server, another database."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"/{database}"))


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Only one process of the run at a time."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _run(folder: Path) -> str:
    return hashlib.sha256(str(folder).encode()).hexdigest()[:8]


def _template(folder: Path) -> str:
    return os.environ.get("CROSSDOCK_TEST_TEMPLATE") or f"crossdock_template_{_run(folder)}"


def _ensure_template(url: str, *, template: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute("select 1 from pg_database where datname = %s", (template,))
        if found.fetchone():
            return
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(template)))
    migrate(with_database(url, template))


def _recreate(url: str, *, database: str, template: str) -> None:
    _drop(url, database=database)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("create database {} template {} strategy file_copy").format(
                sql.Identifier(database), sql.Identifier(template)
            )
        )


def _drop(url: str, *, database: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(database))
        )
