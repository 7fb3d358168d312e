"""The embedded PostgreSQL: started by the first, stopped by the last, mended after a crash."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import psycopg
import pytest

from crossdock.db.embedded import EmbeddedPostgres, running_database
from crossdock.errors import CrossdockError
from crossdock.settings import Settings
from tests.support.processes import ROOT


@pytest.fixture
def folder(tmp_path):
    """A data folder whose cluster is removed afterwards, wherever it was placed."""
    yield tmp_path / "data"
    with EmbeddedPostgres(tmp_path / "data", temporary=True):
        pass


def server_pid(server: EmbeddedPostgres) -> int:
    return int((server.placement.cluster_dir / "postmaster.pid").read_text().split()[0])


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def ask(server: EmbeddedPostgres, question: str) -> object:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        row = connection.execute(question).fetchone()
    return row and row[0]


def wait_until(holds, *, timeout_s=10.0):
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def test_it_starts_answers_and_stops(folder):
    with EmbeddedPostgres(folder) as server:
        assert ask(server, "select current_database()") == "crossdock"
        pid = server_pid(server)

    assert not is_alive(pid)
    assert not (server.placement.cluster_dir / "postmaster.pid").exists()


def test_it_keeps_every_promise_of_durability(folder):
    with EmbeddedPostgres(folder) as server:
        for name in ("fsync", "synchronous_commit", "full_page_writes", "data_checksums"):
            assert ask(server, f"show {name}") == "on"


def test_nobody_can_reach_it_over_the_network_or_another_users_socket(folder):
    with EmbeddedPostgres(folder) as server:
        assert ask(server, "show listen_addresses") == ""
        assert server.placement.socket_dir.stat().st_mode & 0o077 == 0


def test_its_log_is_read_by_its_owner_alone(folder):
    log = Path(folder) / "postgres.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.touch()
    log.chmod(0o644)
    with EmbeddedPostgres(folder) as server:
        with pytest.raises(psycopg.errors.UndefinedColumn):
            ask(server, "select nothing_like_it")
        assert "nothing_like_it" in log.read_text()
        assert log.stat().st_mode & 0o077 == 0


def test_data_outlives_a_restart_which_takes_less_than_a_second(folder):
    with (
        EmbeddedPostgres(folder) as server,
        psycopg.connect(server.url(), autocommit=True) as connection,
    ):
        connection.execute("create table kept as select 42 as answer")

    started = time.monotonic()
    with EmbeddedPostgres(folder) as server:
        took_s = time.monotonic() - started
        assert ask(server, "select answer from kept") == 42
    assert took_s < 1.0


def test_a_second_user_shares_it_and_the_last_to_leave_stops_it(folder):
    first, second = EmbeddedPostgres(folder), EmbeddedPostgres(folder)
    first.start()
    pid = server_pid(first)
    second.start()
    assert server_pid(second) == pid

    first.stop()
    assert ask(second, "select 1") == 1

    second.stop()
    assert not (first.placement.cluster_dir / "postmaster.pid").exists()


def test_another_process_shares_it(folder):
    script = (
        "import sys; from pathlib import Path; from crossdock.db.embedded import EmbeddedPostgres\n"
        "with EmbeddedPostgres(Path(sys.argv[1])) as s:\n"
        "    print((s.placement.cluster_dir / 'postmaster.pid').read_text().split()[0])"
    )
    with EmbeddedPostgres(folder) as server:
        other = subprocess.run(
            [sys.executable, "-c", script, str(folder)],
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
            check=True,
            capture_output=True,
            text=True,
        )
        assert int(other.stdout) == server_pid(server)
        assert ask(server, "select 1") == 1


def test_a_killed_user_leaves_a_server_that_the_next_takes_over(folder):
    script = (
        "import sys, time; from pathlib import Path\n"
        "from crossdock.db.embedded import EmbeddedPostgres\n"
        "EmbeddedPostgres(Path(sys.argv[1])).start(); print('up', flush=True); time.sleep(60)"
    )
    killed = subprocess.Popen(
        [sys.executable, "-c", script, str(folder)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        stdout=subprocess.PIPE,
    )
    assert killed.stdout is not None
    assert killed.stdout.readline() == b"up\n"
    killed.kill()
    killed.wait()
    killed.stdout.close()

    with EmbeddedPostgres(folder) as server:
        pid = server_pid(server)
        assert ask(server, "select 1") == 1
    wait_until(lambda: not is_alive(pid))


def test_a_killed_server_recovers_with_everything_committed(folder):
    server = EmbeddedPostgres(folder)
    server.start()
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("create table kept as select 42 as answer")
    os.kill(server_pid(server), signal.SIGKILL)
    server.stop()

    with EmbeddedPostgres(folder) as again:
        assert ask(again, "select answer from kept") == 42


def test_a_server_killed_under_its_users_is_started_again(folder):
    with running_database(Settings().having(data_dir=str(folder))) as settings:
        with psycopg.connect(settings.database.url, autocommit=True) as connection:
            connection.execute("create table kept as select 7 as seven")
        server = EmbeddedPostgres(folder)
        os.kill(server_pid(server), signal.SIGKILL)

        def answers():
            try:
                return ask(server, "select seven from kept") == 7
            except psycopg.OperationalError:
                return False

        wait_until(answers, timeout_s=30)


def test_a_pid_file_that_names_a_stranger_is_no_obstacle(folder):
    with EmbeddedPostgres(folder) as server:
        pid_file = server.placement.cluster_dir / "postmaster.pid"
        lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")

    with EmbeddedPostgres(folder) as again:
        assert ask(again, "select 1") == 1


def crash(server):
    """SIGKILL to the server and every process below it, as when a machine stops; its files stay."""
    postmaster = psutil.Process(server_pid(server))
    everybody = [postmaster, *postmaster.children(recursive=True)]
    for process in everybody:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    server._process.wait()
    psutil.wait_procs(everybody, timeout=10)


def claim_leftovers(server, *, pid):
    """Let every file that a crash left name this process."""
    for path in leftovers(server):
        path.write_text("\n".join([str(pid), *path.read_text().splitlines()[1:]]) + "\n")


def leftovers(server):
    sockets = server.placement.socket_dir
    return server.placement.cluster_dir / "postmaster.pid", sockets / ".s.PGSQL.5432.lock"


@pytest.fixture
def crashed(folder):
    """A server whose every process was killed at once, with a table and all its leftovers."""
    server = EmbeddedPostgres(folder)
    server.start()
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("create table kept as select 42 as answer")
    crash(server)
    assert server._users is not None
    os.close(server._users)
    assert all(path.exists() for path in leftovers(server))
    return server


def test_leftovers_that_name_a_living_stranger_are_no_obstacle(crashed):
    claim_leftovers(crashed, pid=os.getpid())

    with EmbeddedPostgres(crashed.data_dir) as again:
        assert ask(again, "select answer from kept") == 42


def test_leftovers_that_name_somebody_who_reads_the_log_are_no_obstacle(crashed):
    log = crashed.placement.cluster_dir / "postgres.log"
    log.touch()
    reader = subprocess.Popen(["tail", "-f", str(log)], stdout=subprocess.DEVNULL)
    try:
        claim_leftovers(crashed, pid=reader.pid)
        with EmbeddedPostgres(crashed.data_dir) as again:
            assert ask(again, "select answer from kept") == 42
    finally:
        reader.kill()
        reader.wait()


def test_leftovers_that_name_a_dead_process_nobody_reaped_are_no_obstacle(crashed):
    dead = subprocess.Popen(["true"])
    os.waitid(os.P_PID, dead.pid, os.WEXITED | os.WNOWAIT)
    claim_leftovers(crashed, pid=dead.pid)

    with EmbeddedPostgres(crashed.data_dir) as again:
        assert ask(again, "select answer from kept") == 42
    dead.wait()


def test_leftovers_that_were_cut_off_half_written_are_no_obstacle(crashed):
    for path in leftovers(crashed):
        path.write_text("")

    with EmbeddedPostgres(crashed.data_dir) as again:
        assert ask(again, "select answer from kept") == 42


def test_a_server_whose_process_cannot_be_seen_is_shared_and_loses_no_file(folder):
    with EmbeddedPostgres(folder) as server:
        pid, files = server_pid(server), leftovers(server)
        written = [path.read_text() for path in files]
        claim_leftovers(server, pid=os.getpid())
        before = [path.read_text() for path in files]

        with EmbeddedPostgres(folder) as second:
            assert ask(second, "select 1") == 1
            assert second._process is None
            assert [path.read_text() for path in files] == before

        assert is_alive(pid)
        for path, text in zip(files, written, strict=True):
            path.write_text(text)


def test_a_server_that_still_recovers_is_waited_for(folder):
    """A start that was itself killed leaves a server that takes nobody yet."""
    with EmbeddedPostgres(folder) as server:
        postmaster = psutil.Process(server_pid(server))
        second = EmbeddedPostgres(folder)
        starting = threading.Thread(target=second.start)
        postmaster.suspend()
        starting.start()
        starting.join(1)
        assert starting.is_alive()
        postmaster.resume()
        starting.join()
        assert ask(second, "select 1") == 1
        second.stop()


@pytest.mark.skipif(
    subprocess.run(["unshare", "--pid", "--fork", "true"], check=False).returncode != 0,
    reason="needs the right to make process namespaces",
)
def test_it_starts_in_a_fresh_process_namespace_again_and_again(folder):
    """As a container does whose every start numbers its processes from 1."""
    script = (
        "import sys; from pathlib import Path; from crossdock.db.embedded import EmbeddedPostgres\n"
        "EmbeddedPostgres(Path(sys.argv[1])).start(); print('up', flush=True); sys.stdin.read()"
    )
    for _ in range(3):
        contained = subprocess.Popen(
            ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child",
             sys.executable, "-c", script, str(folder)],
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        with contained:
            assert contained.stdout is not None
            assert contained.stdout.readline() == b"up\n"
            contained.kill()  # the first process of the namespace, so the kernel kills them all


def test_an_interrupted_first_start_is_done_again(folder):
    half_made = folder / "postgres.new"
    half_made.mkdir(parents=True)
    (half_made / "PG_VERSION").write_text("18\n")

    with EmbeddedPostgres(folder) as server:
        assert ask(server, "select 1") == 1


def test_data_of_another_major_version_is_refused_in_plain_words(folder):
    with EmbeddedPostgres(folder) as server:
        version_file = server.placement.cluster_dir / "PG_VERSION"
    version_file.write_text("12\n")

    with pytest.raises(CrossdockError, match="was created by PostgreSQL 12"):
        EmbeddedPostgres(folder).start()
    version_file.write_text("18\n")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may not run PostgreSQL itself")
def test_root_runs_it_as_another_user_and_opens_no_closed_folder(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with EmbeddedPostgres(closed / "data", temporary=True) as server:
        assert Path(f"/proc/{server_pid(server)}").stat().st_uid == server.placement.uid != 0
        assert (closed / "data" / "postgres").is_symlink()
        assert closed.stat().st_mode & 0o077 == 0
    assert not (closed / "data" / "postgres").is_symlink()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may not run PostgreSQL itself")
def test_program_files_that_the_other_user_cannot_reach_are_copied(tmp_path, monkeypatch):
    from crossdock.db import placement

    package = placement._package_dir()
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    for name in (package.name, f"{package.name}.libs"):
        (closed / name).symlink_to(package.with_name(name))
    monkeypatch.setattr(placement, "_package_dir", lambda: closed / package.name)
    monkeypatch.setattr(placement, "SHARED_ROOT", Path("/var/tmp/crossdock-test"))
    try:
        with EmbeddedPostgres(tmp_path / "data", temporary=True) as server:
            assert server.placement.bin_dir.is_relative_to("/var/tmp/crossdock-test")
            assert ask(server, "select 1") == 1
    finally:
        subprocess.run(["rm", "-rf", "/var/tmp/crossdock-test"], check=True)


def test_a_named_database_is_used_as_it_is(tmp_path):
    settings = Settings().having(
        database_url="postgresql://elsewhere/shop", data_dir=str(tmp_path / "data")
    )

    with running_database(settings) as running:
        assert running == settings
    assert not (tmp_path / "data").exists()
