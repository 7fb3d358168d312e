"""A primary and its synchronous standby: two real PostgreSQL servers, on the embedded wheel's files."""

import contextlib
import signal
import subprocess
import time
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import psutil
import psycopg

from crossdock.db.placement import discard, give, place

READY_S = 30.0
# No data need outlive a power cut, but a commit waits for its standby as in production.
OPTIONS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "synchronous_commit": "on",
    "wal_level": "replica",
    "max_wal_senders": "4",
    "hot_standby": "on",
}


class Node:
    """One server, which its test starts, stops, freezes and kills."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._folder = folder
        self._placement = place(folder)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def socket_dir(self) -> Path:
        """Where it listens."""
        return self._placement.socket_dir

    def url(self, database: str = "postgres") -> str:
        """A URL of this server alone, whatever it is just now."""
        return cluster_url(self, database=database) + "&target_session_attrs=any"

    def create(self) -> None:
        """Make an empty cluster."""
        self._make_folder()
        self._run("initdb", "-U", "crossdock", "--auth-local=trust", "--encoding=UTF8",
                  "--locale=C", "--no-sync", "-D", str(self._placement.cluster_dir))  # fmt: skip

    def copy(self, primary: Self) -> None:
        """Become a standby of a running primary."""
        self._make_folder()
        source = f"host={primary.socket_dir} user=crossdock application_name=standby"
        self._run("pg_basebackup", "-d", source, "-R", "-c", "fast", "--no-sync",
                  "-D", str(self._placement.cluster_dir))  # fmt: skip

    def start(self) -> None:
        """Run it, until it takes connections."""
        arguments = [f"--{name.replace('_', '-')}={value}" for name, value in OPTIONS.items()]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._placement.bin_dir / "postgres", "-D", self._placement.cluster_dir,
                 "-k", self.socket_dir, *arguments],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                **self._how(),
            )  # fmt: skip
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline:
            try:
                psycopg.connect(self.url()).close()
            except psycopg.OperationalError:
                assert self._process.poll() is None, (self._folder / "log").read_text()
                time.sleep(0.05)
            else:
                return
        raise AssertionError((self._folder / "log").read_text())

    def run(self, statement: str) -> Any:
        """Execute one statement as an operator would; the first column of what it returns."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            rows = connection.execute(statement.encode())
            return [row[0] for row in rows.fetchall()] if rows.description else None

    def freeze(self) -> None:
        """Stop all its processes where they are; connections stay open and nobody answers."""
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal_all(signal.SIGCONT)

    def shut_down(self) -> None:
        """Stop it in good order: what was committed reaches the standby first."""
        assert self._process
        self._process.send_signal(signal.SIGINT)
        self._process.wait(READY_S)

    def stop(self) -> None:
        """Stop it at once, as if it had crashed, and wait for the end."""
        if self._process and self._process.poll() is None:
            self._signal_all(signal.SIGCONT)
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(READY_S)

    def kill(self) -> None:
        """Kill all its processes."""
        assert self._process
        self._signal_all(signal.SIGKILL)
        self._process.wait(READY_S)

    def _signal_all(self, number: int) -> None:
        """Each backend has a process group of its own, so they are signalled one by one."""
        assert self._process
        server = psutil.Process(self._process.pid)
        for process in (server, *server.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def promote(self) -> None:
        """Make a standby the primary, and wait until it takes writes."""
        assert self.run("select pg_promote(true, 20)") == [True]

    def discard(self) -> None:
        """Stop it and delete its files."""
        self.stop()
        discard(self._placement, data_dir=self._folder)

    def _make_folder(self) -> None:
        self._placement.cluster_dir.mkdir(mode=0o700)
        give(self._placement.cluster_dir, placement=self._placement)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._placement.bin_dir / program, *arguments],
            check=True, capture_output=True, **self._how(),
        )  # fmt: skip

    def _how(self) -> dict[str, Any]:
        environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
        how: dict[str, Any] = {"cwd": "/", "env": environment, "umask": 0o077}
        if self._placement.uid is not None:
            how |= {"user": self._placement.uid, "group": self._placement.gid, "extra_groups": []}
        return how


class Replicas:
    """A primary and a standby without whose word no commit is acknowledged."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
        self.primary = Node(folder / "first")
        self.standby = Node(folder / "second")

    def __enter__(self) -> Self:
        self.primary.create()
        self.primary.start()
        self.primary.run("create database crossdock")
        self.standby.copy(self.primary)
        self.standby.start()
        self.primary.run("alter system set synchronous_standby_names = 'standby'")
        self.primary.run("select pg_reload_conf()")
        self.wait_in_step()
        return self

    def __exit__(self, *_: object) -> None:
        self.primary.discard()
        self.standby.discard()

    def url(self) -> str:
        """The URL of both: whichever takes writes."""
        return cluster_url(self.primary, self.standby, database="crossdock")

    def wait_in_step(self) -> None:
        """Until the standby's word counts, and what waited for it has ended."""
        asked = "select count(*) from pg_stat_replication where sync_state = 'sync'"
        self._wait_for(asked)
        asked = (
            "select (count(*) = 0)::int from pg_stat_activity where datname = 'crossdock'"
            " and backend_type = 'client backend' and state = 'active' and pid <> pg_backend_pid()"
        )
        self._wait_for(asked)

    def wait_for_commit(self, like: str) -> int:
        """Until a commit of such a statement waits for the standby; its backend."""
        asked = (
            "select pid from pg_stat_activity where wait_event = 'SyncRep'"
            f" and query like '{like}' and datname = 'crossdock'"
        )
        return self._wait_for(asked)

    def wait_for_lock(self) -> None:
        """Until somebody waits for a row that another holds."""
        asked = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
        self._wait_for(asked)

    def _wait_for(self, asked: str) -> int:
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline:
            if (found := self.primary.run(asked)) and found[0]:
                return int(found[0])
            time.sleep(0.02)
        raise AssertionError(f"never came true: {asked}")


def cluster_url(*nodes: Node, database: str) -> str:
    """A URL of one or several servers."""
    hosts = ",".join(quote(str(node.socket_dir), safe="/") for node in nodes)
    return f"postgresql://crossdock@/{database}?host={hosts}"
