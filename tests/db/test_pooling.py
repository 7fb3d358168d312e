"""Behind a pooler: session mode works with all limits, transaction mode is refused at the start."""

import tempfile
from pathlib import Path

import pytest

from crossdock.db.pooling import refuse_transaction_pooling
from crossdock.db.unit_of_work import Database
from crossdock.errors import CrossdockError, Unavailable
from tests.support.pooler import PROGRAM, pooler
from tests.support.processes import serving

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="PgBouncer is not installed")


@pytest.fixture
def folder():
    """A folder that the pooler's user reaches."""
    with tempfile.TemporaryDirectory(prefix="crossdock-pooler-") as name:
        path = Path(name)
        path.chmod(0o755)
        yield path


def test_a_database_without_a_pooler_is_taken(database_url):
    refuse_transaction_pooling(database_url)


async def test_session_mode_is_taken_and_keeps_the_limits(database_url, folder):
    with pooler(folder, database_url, mode="session") as url:
        refuse_transaction_pooling(url)
        database = Database(url, min_size=1, max_size=2, statement_timeout_ms=200)
        await database.open()
        try:
            for _ in range(8):  # often enough for a prepared statement
                async with database.statement() as tx:
                    assert await tx.value("show jit") == "off"
            with pytest.raises(Unavailable) as refused:
                await sleep(database)
        finally:
            await database.close()
    assert refused.value.code == "busy"


async def sleep(database):
    async with database.statement() as tx:
        await tx.value("select 1 from pg_sleep(5)")


def test_transaction_mode_is_refused_with_the_reason(database_url, folder):
    with (
        pooler(folder, database_url, mode="transaction") as url,
        pytest.raises(CrossdockError, match="pool_mode = session"),
    ):
        refuse_transaction_pooling(url)


def test_a_server_does_not_start_in_transaction_mode(database_url, folder, tmp_path):
    with (
        pooler(folder, database_url, mode="transaction") as url,
        serving(tmp_path, wait=False, database_url=url) as server,
    ):
        assert server.process.wait(30) == 1
        assert "pooler in transaction mode" in server.log()
