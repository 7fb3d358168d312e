"""A data folder without room: the processes live, the pages answer, and metrics are counted."""

import base64
import errno
import io
import json
import os
import time
import urllib.request

import psutil
import psycopg
import pytest
import structlog

from crossdock.edge import metrics_folder
from crossdock.kit.logging import configure_logging
from crossdock.kit.storage import is_full, least_space
from crossdock.shop.alerts import list_alerts, raise_for_operator
from tests.support import postgres
from tests.support.factories import MASTER_KEY, make_shop
from tests.support.full_disk import may_mount, small_disk
from tests.support.processes import WEB, serving

KEY = base64.b64encode(MASTER_KEY).decode()  # what other tests sealed in the database they share
needs_mount = pytest.mark.skipif(not may_mount(), reason="only root may make a file system")


def wait_for(connection, question):
    deadline = time.monotonic() + 60
    while not (row := connection.execute(question).fetchone()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)
    return row[0]


@pytest.fixture
def own_database_url(postgres_url, run_dir, worker_id):
    """A database whose only server is the test's."""
    with postgres.clone(postgres_url, folder=run_dir, name=f"{worker_id}_disk") as url:
        yield url


def get(url):
    with urllib.request.urlopen(url, timeout=15) as reply:
        return reply.read()


@needs_mount
def test_no_process_dies_of_it_and_every_request_is_counted(database_url, tmp_path):
    with (
        small_disk(tmp_path / "disk", megabytes=20) as disk,
        serving(
            disk.path, "--no-jobs", database_url=database_url, workers=2, master_key=KEY
        ) as server,
    ):
        before = server.children(WEB)
        disk.fill()

        for _ in range(100):
            assert get(f"{server.url}/health")

        assert server.children(WEB) == before
        told = json.loads(get(f"{server.url}/ready"))
        assert (told["status"], told["disk"], told["disk_free_mb"]) == ("ready", "low", 0)
        metrics = get(f"{server.url}/metrics").decode()
        assert "\ncrossdock_disk_free_bytes 0\n" in metrics
        counted = [line for line in metrics.splitlines() if 'route="/health"' in line]
        assert any(line.endswith(" 100.0") for line in counted)


def test_the_metrics_of_a_server_go_with_it(database_url, tmp_path):
    with serving(tmp_path, "--no-jobs", database_url=database_url, master_key=KEY) as server:
        assert get(f"{server.url}/health")
        (mine,) = metrics_folder.MEMORY.glob(f"crossdock-metrics-*-{server.port}")
        assert mine.stat().st_mode & 0o077 == 0
        sizes = [(f.stat().st_size, f.stat().st_blocks * 512) for f in mine.glob("*.db")]
        assert sizes
        assert all(taken >= size for size, taken in sizes)

    assert not mine.exists()


@needs_mount
def test_a_process_without_room_for_its_metrics_counts_alone(tmp_path, monkeypatch):
    with small_disk(tmp_path / "disk", megabytes=1) as disk:
        monkeypatch.setenv(metrics_folder.FOLDER_VARIABLE, str(disk.path))

        assert not metrics_folder.take_room()

        assert metrics_folder.FOLDER_VARIABLE not in os.environ
        assert not list(disk.path.iterdir())


def test_a_folder_that_a_killed_server_left_is_emptied(tmp_path):
    folder = metrics_folder.make_folder(tmp_path, port=1)
    assert folder is not None
    (folder / "counter_1.db").write_bytes(b"old")

    assert metrics_folder.make_folder(tmp_path, port=1) == folder

    assert not list(folder.iterdir())
    folder.rmdir()


def test_a_log_that_cannot_be_written_stops_nobody():
    class Full(io.StringIO):
        def write(self, text):
            raise OSError(errno.ENOSPC, "No space left on device")

    configure_logging(level="info", format="json", stream=Full())
    try:
        structlog.get_logger("crossdock.test").warning("lost")
    finally:
        configure_logging(level="info", format="console")


def test_the_room_left_is_that_of_the_fullest_disk_there_is(tmp_path):
    assert least_space([tmp_path / "not there"]) is None
    space = least_space([tmp_path, tmp_path / "not there"])
    assert space is not None
    assert 0 < space.free_bytes <= psutil.disk_usage(str(tmp_path)).free * 1.1
    assert is_full(OSError(errno.EDQUOT, "quota"))
    assert not is_full(OSError(errno.EACCES, "no"))


async def test_an_alert_for_the_operator_stands_with_the_oldest_shop(tx, clock):
    await make_shop(tx)
    oldest = await tx.value("select min(id) from shops")

    assert await raise_for_operator(tx, kind="disk_low", message="Full.", now=clock.now())
    assert not await raise_for_operator(tx, kind="disk_low", message="Full.", now=clock.now())

    alerts = await list_alerts(tx, shop_id=oldest)
    assert [alert.message for alert in alerts if alert.kind == "disk_low"] == ["Full."]


def test_a_server_with_little_room_raises_an_alert(own_database_url, tmp_path):
    with psycopg.connect(own_database_url, autocommit=True) as connection:
        connection.execute("insert into shops (slug, name, currency) values ('one', 'S', 'EUR')")
        connection.execute(
            "insert into procrastinate_jobs (queue_name, task_name, args)"
            " values ('default', 'watch_disk', '{\"timestamp\": 0}')"
        )
        with serving(tmp_path, database_url=own_database_url, disk_low_mb=10**9):
            message = wait_for(connection, "select message from alerts where kind = 'disk_low'")
        assert f"The disk of {tmp_path}" in message
