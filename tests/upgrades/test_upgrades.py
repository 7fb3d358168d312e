"""A database of each release is brought to this version with everything in it, while it is in use."""

import asyncio
import base64
import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from crossdock.db.generations import RELEASES_FILE, wanted_state
from crossdock.db.unit_of_work import Database
from tests.support.bare import bare_database
from tests.support.factories import MASTER_KEY, make_partner, make_shop, make_variant
from tests.support.partner_client import PartnerClient
from tests.support.processes import ServerProcess, serving
from tests.upgrades.programs import REVISION, Program, next_program, this_program
from tools.release import DUMPS, dump, make_demo, restore

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("upgrades")]

# What a version must find again; the counts of before are counted by the tables' own names.
TABLES = (
    "shops", "merchants", "products", "variants", "stock_levels", "stock_entries", "orders",
    "order_lines", "events", "partners", "customers",
)  # fmt: skip


def released() -> list[str]:
    return [line.split()[0] for line in RELEASES_FILE.read_text().splitlines()]


def frozen() -> list[str]:
    return sorted(path.name.removesuffix(".sql.gz") for path in DUMPS.glob("*.sql.gz"))


def counts(url: str) -> dict[str, int]:
    with psycopg.connect(url) as connection:
        return {
            table: connection.execute(f"select count(*) from {table}".encode()).fetchall()[0][0]
            for table in TABLES
        }


@pytest.fixture
def bare_url(postgres_url: str, worker_id: str) -> Iterator[str]:
    """An empty database."""
    with bare_database(postgres_url, f"crossdock_upgrade_{worker_id}") as url:
        yield url


@pytest.fixture
def later(tmp_path: Path) -> Program:
    """The version after this one."""
    return next_program(tmp_path / "later", before=wanted_state().revision or "")


def test_each_release_has_its_frozen_database():
    assert frozen() == sorted(released())


@pytest.mark.parametrize("version", [*frozen(), "this version"])
def test_a_database_of_a_release_keeps_its_data(
    version: str, bare_url: str, empty_database_url: str, later: Program, tmp_path: Path
):
    """Each release is upgraded to this version, and this version to the next."""
    program = this_program()
    if version == "this version":
        program = later
        make_demo(empty_database_url)
        restore(dump(empty_database_url), url=bare_url)
    else:
        restore((DUMPS / f"{version}.sql.gz").read_bytes(), url=bare_url)
    before = counts(bare_url)
    assert before["variants"] > 100

    migrated = program.run("migrate", "--json", url=bare_url, data_dir=tmp_path)

    assert migrated.returncode == 0, migrated.stderr
    assert json.loads(migrated.stdout) == {"changed": True, "is_current": True}
    assert counts(bare_url) == before
    examined = program.run("doctor", url=bare_url, data_dir=tmp_path)
    assert examined.returncode == 0, examined.stdout + examined.stderr


async def test_a_server_of_the_release_before_goes_on_while_the_next_one_migrates(
    empty_database_url: str, later: Program, tmp_path: Path
):
    url = empty_database_url
    database = Database(url, max_size=2)
    await database.open()
    async with database.begin() as tx:
        shop = await make_shop(tx)
        partner = await make_partner(tx, shop=shop)
        product = await make_variant(tx, shop=shop, own=10_000)
    await database.close()
    key = base64.b64encode(MASTER_KEY).decode()
    with serving(tmp_path / "server", database_url=url, workers=1, master_key=key) as server:
        async with PartnerClient.of(server.url, partner) as client:
            working = asyncio.create_task(work(client, product, until=later_is_there(url)))
            migrated = await asyncio.to_thread(later.run, "migrate", url=url, data_dir=tmp_path)
            assert migrated.returncode == 0, migrated.stderr
            reads, orders = await working
            assert reads > 3
            assert orders > 3
            assert await is_ready(server, client)

    older = this_program()
    refused = older.run("migrate", url=url, data_dir=tmp_path)
    assert refused.returncode == 1
    assert "newer than this program" in refused.stderr
    for program in (older, later):
        assert program.run("doctor", url=url, data_dir=tmp_path).returncode == 0
    with psycopg.connect(url) as connection:
        assert connection.execute("select count(*) from orders").fetchall() == [(orders,)]
        assert connection.execute("select only_in_next()").fetchall() == [(1,)]


def later_is_there(url: str) -> Iterator[bool]:
    """Whether the next version has migrated; asked again and again."""
    with psycopg.connect(url, autocommit=True) as connection:
        while True:
            rows = connection.execute("select version_num from alembic_version").fetchall()
            yield rows == [(REVISION,)]


async def work(client: PartnerClient, product: int, *, until: Iterator[bool]) -> tuple[int, int]:
    """Read and order all the time, and three times more when the next version has migrated."""
    reads, orders, rest = 0, 0, 3
    async with asyncio.timeout(90):
        while rest:
            listed, placed = await asyncio.gather(client.products(), client.order(product))
            assert listed.status_code == 200, listed.text
            assert placed.status_code == 201, placed.text
            reads, orders, rest = reads + 1, orders + 1, rest - next(until)
    return reads, orders


async def is_ready(server: ServerProcess, client: PartnerClient) -> bool:
    return (await client.send("GET", "/ready", headers={})).status_code == 200
