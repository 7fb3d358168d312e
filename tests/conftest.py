"""Fixtures for every test: a migrated database per worker, a clock, the real server."""

import base64
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
import structlog
from hypothesis import settings as hypothesis_settings

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.kit import logging
from crossdock.kit.clock import FrozenClock
from crossdock.settings import Settings
from tests.support import postgres
from tests.support.factories import MASTER_KEY
from tests.support.payloads import assert_payloads
from tests.support.pools import SharedPool
from tests.support.processes import ServerProcess, serving
from tests.support.simulators.moto_server import Moto, moto_server

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

# How long one example takes says something of the machine, not of what is tested.
hypothesis_settings.register_profile("crossdock", deadline=None)
hypothesis_settings.load_profile("crossdock")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With `--dist loadgroup` a file is a group as well."""
    if config.getvalue("dist") != "loadgroup":
        return None
    from tests.support.scheduling import FileScheduling

    return FileScheduling(config, log)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def _uncached_loggers() -> Iterator[None]:
    """Loggers follow the configuration of the moment: a cached one escapes the next `capture_logs`."""
    configure = structlog.configure

    def without_cache(*arguments: Any, **chosen: Any) -> None:
        configure(*arguments, **chosen | {"cache_logger_on_first_use": False})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(structlog, "configure", without_cache)
        yield


@pytest.fixture(autouse=True)
def _default_logging() -> Iterator[None]:
    """A test that configures logging, as the proof's own does, leaves the level to the next as it was."""
    yield
    if structlog.is_configured():
        structlog.reset_defaults()
        logging._request_lines.clear()


@pytest.fixture(scope="session")
def run_dir(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder that all xdist workers of this run share."""
    base = tmp_path_factory.getbasetemp()
    return base if worker_id == "master" else base.parent


@pytest.fixture(scope="session")
def postgres_url(run_dir: Path) -> Iterator[str]:
    """A server where tests may make databases."""
    with postgres.server_url(run_dir) as url:
        yield url


@pytest.fixture(scope="session")
def database_url(postgres_url: str, run_dir: Path, worker_id: str) -> Iterator[str]:
    """This worker's own migrated database; tests share it, each with a shop of its own.

    At the end every event that was written there must be what its kind says.
    """
    with postgres.clone(postgres_url, folder=run_dir, name=worker_id) as url:
        yield url
        assert_payloads(url)


@pytest.fixture
def empty_database_url(postgres_url: str, run_dir: Path, worker_id: str) -> Iterator[str]:
    """A migrated database for one test alone, for tests that look at everything there is."""
    with postgres.clone(postgres_url, folder=run_dir, name=f"{worker_id}_alone") as url:
        yield url


@pytest.fixture(scope="session")
async def shared_pool(database_url: str) -> AsyncIterator[SharedPool]:
    """What `database` lends."""
    shared = SharedPool(database_url, max_size=8)
    yield shared
    await shared.close()


@pytest.fixture
async def database(shared_pool: SharedPool) -> AsyncIterator[Database]:
    """An open pool on this worker's database."""
    async with shared_pool.lent() as pool:
        yield pool


@pytest.fixture
async def tx(database: Database) -> AsyncIterator[Transaction]:
    """A transaction that is rolled back at the end of the test."""
    async with database.begin() as transaction:
        yield transaction
        raise psycopg.Rollback


@pytest.fixture(scope="session")
def moto(run_dir: Path, worker_id: str) -> Iterator[Moto]:
    """moto's server with a bucket; each test takes a prefix of its own in it."""
    folder = run_dir / f"moto-{worker_id}"
    folder.mkdir()
    with moto_server(folder) as server:
        yield server


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Defaults, this worker's database and a data folder of the test's own."""
    return Settings().having(database_url=database_url, data_dir=str(tmp_path))


@pytest.fixture
def clock() -> FrozenClock:
    """A clock that stands at noon of 2 March 2026 until the test moves it."""
    return FrozenClock(NOON)


@pytest.fixture(scope="session")
def server(postgres_url: str, run_dir: Path, worker_id: str) -> Iterator[ServerProcess]:
    """The real `crossdock serve` with two web processes and a job worker, on a database of its own.

    Allowed to call loopback simulators, and to be told callers' addresses by X-Forwarded-For; its
    database is `server.database_url`.
    """
    with (
        postgres.clone(postgres_url, folder=run_dir, name=f"{worker_id}_server") as url,
        serving(
            run_dir / f"server-{worker_id}",
            database_url=url,
            workers=2,
            master_key=base64.b64encode(MASTER_KEY).decode(),
            allowed_outbound_hosts="127.0.0.1,localhost",
            rate_limit_per_minute=0,
            guest_calls_per_minute=0,
            trusted_proxies="127.0.0.1",
        ) as process,
    ):
        process.database_url = url
        yield process
        assert_payloads(url)


@pytest.fixture(scope="session")
async def shared_server_pool(server: ServerProcess) -> AsyncIterator[SharedPool]:
    """What `server_database` lends."""
    shared = SharedPool(server.database_url, max_size=4)
    yield shared
    await shared.close()


@pytest.fixture
async def server_database(shared_server_pool: SharedPool) -> AsyncIterator[Database]:
    """An open pool on the database of the running server."""
    async with shared_server_pool.lent() as pool:
        yield pool
