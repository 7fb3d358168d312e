"""The embedded PostgreSQL server, shared by all processes of one data folder.

The first process that needs the server starts it; the last one to leave stops it. Two lock files
coordinate this: `postgres.lock` is held while the server is started or stopped, `postgres.users` is
held (shared) by every process that uses it. The kernel drops both when a process dies, so a `kill -9`
leaves at worst a server without users, which the next process takes over, or files of a server that
is gone, which it removes (leftovers.py).
"""

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self
from urllib.parse import quote

import psycopg
import structlog
from psycopg import sql

from crossdock.db.leftovers import forget_leftovers, is_ready, is_running, is_server, server_pid
from crossdock.db.placement import Placement, discard, give, place
from crossdock.errors import CrossdockError
from crossdock.settings import Settings

_log = structlog.get_logger("crossdock.database")

ROLE = "crossdock"
DATABASE = "crossdock"
START_TIMEOUT_S = 60.0  # crash recovery of a large database takes a while
STOP_TIMEOUT_S = 60.0
CONNECT_TIMEOUT_S = 5
WATCH_EVERY_S = 1.0
LOG_BYTES_MAX = 5_000_000

# For two cores and a few gigabytes. fsync and synchronous_commit stay on.
OPTIONS = {
    "listen_addresses": "",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "128MB",
    "effective_cache_size": "1GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "wal_compression": "on",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
    "cluster_name": "crossdock",
}
# For tests: a server without durability.
VOLATILE_OPTIONS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "128MB",
    "max_wal_size": "256MB",
}


@contextlib.contextmanager
def running_database(settings: Settings) -> Iterator[Settings]:
    """Settings with a `database_url` that answers; starts the embedded server if none is configured."""
    if not settings.database.is_embedded:
        yield settings
        return
    with EmbeddedPostgres(settings.server.data_path) as server, _watched(server):
        yield settings.having(database_url=server.url())


@contextlib.contextmanager
def _watched(server: "EmbeddedPostgres") -> Iterator[None]:
    """Watch the server from a thread during the block, and restart it if it was killed."""
    is_over = threading.Event()

    def watch() -> None:
        while not is_over.wait(WATCH_EVERY_S):
            try:
                if server.revive():
                    _log.error("the embedded database had died and was restarted")
            except (CrossdockError, OSError) as error:
                _log.error("the embedded database died and does not start", error=str(error))

    watcher = threading.Thread(target=watch, name="watch embedded database", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        is_over.set()
        watcher.join()


class EmbeddedPostgres:
    """A handle on the server of one data folder; the server runs while the handle is entered.

    A `temporary` one (for tests) has no durability and is deleted with its last user.
    """

    def __init__(self, data_dir: Path, *, temporary: bool = False) -> None:
        self.data_dir = data_dir.expanduser().absolute()
        self._temporary = temporary
        self._placement: Placement | None = None
        self._users: int | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def placement(self) -> Placement:
        """Folders and user of the server."""
        if self._placement is None:
            self._placement = place(self.data_dir)
        return self._placement

    def url(self, database: str = DATABASE) -> str:
        """A connection URL over the server's unix socket."""
        return f"postgresql://{ROLE}@/{database}?host={quote(str(self.placement.socket_dir), safe='/')}"

    def start(self) -> None:
        """Start the server if needed and register as one of its users.

        Raises CrossdockError `internal` with the end of the server's log if it cannot start.
        """
        if self._users is not None:
            return
        self.data_dir.mkdir(parents=True, exist_ok=True)
        with _locked(self.data_dir / "postgres.lock"):
            self._have_database()
            self._users = _open_lock(self.data_dir / "postgres.users")
            fcntl.flock(self._users, fcntl.LOCK_SH)

    def stop(self) -> None:
        """Unregister; the last user stops the server and waits for its end."""
        if self._users is None:
            return
        with _locked(self.data_dir / "postgres.lock"):
            try:
                fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pass  # another process still uses it
            else:
                self._halt()
                if self._temporary:
                    discard(self.placement, data_dir=self.data_dir)
            finally:
                os.close(self._users)
                self._users = None

    def revive(self) -> bool:
        """Restart the server if it died; returns whether it had.

        Raises CrossdockError `internal` if it cannot start.
        """
        if self._process is not None and self._process.poll() is not None:
            self._process = None  # reaped
        if is_running(self.placement):
            return False
        with _locked(self.data_dir / "postgres.lock"):
            if is_running(self.placement):
                return False
            self._launch()
        return True

    def _initialise(self) -> None:
        """Create the cluster in a temporary folder and rename it: an interrupted start leaves none."""
        cluster_dir = self.placement.cluster_dir
        if (cluster_dir / "PG_VERSION").exists():
            self._check_cluster()
            return
        draft = cluster_dir.with_name("postgres.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700, parents=True)
        give(draft, placement=self.placement)
        options = ["--no-sync"] if self._temporary else []
        self._run("initdb", "-D", str(draft), "-U", ROLE, *options, "--auth-local=trust",
                  "--auth-host=scram-sha-256", "--encoding=UTF8", "--locale-provider=builtin",
                  "--builtin-locale=C.UTF-8", "--locale=C", "--no-instructions")  # fmt: skip
        draft.rename(cluster_dir)

    def _check_cluster(self) -> None:
        cluster_dir = self.placement.cluster_dir
        made_by = (cluster_dir / "PG_VERSION").read_text().strip()
        shipped = self._run("postgres", "--version").split()[2].split(".")[0]
        if made_by != shipped:
            raise CrossdockError(
                "internal",
                f"{cluster_dir} was created by PostgreSQL {made_by}, this Crossdock comes with {shipped}. "
                "Dump it with the Crossdock that created it and restore it into a new data folder.",
            )
        owner = cluster_dir.stat().st_uid
        runs_as = os.geteuid() if self.placement.uid is None else self.placement.uid
        if owner != runs_as:
            raise CrossdockError(
                "internal",
                f"{cluster_dir} belongs to user {owner}, the server would run as {runs_as}. "
                "Start Crossdock as the user who created the data folder.",
            )

    def _launch(self) -> None:
        options = OPTIONS | VOLATILE_OPTIONS if self._temporary else OPTIONS
        arguments = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._try_launch(arguments, deadline=deadline):
            # Children of a killed server may hold its shared memory for a moment.
            if time.monotonic() > deadline:
                raise CrossdockError("internal", f"PostgreSQL did not start:\n{self._last_words()}")
            time.sleep(0.2)

    def _try_launch(self, arguments: list[str], *, deadline: float) -> bool:
        placement = self.placement
        forget_leftovers(placement)
        with _opened_for_the_owner(self._log_path()) as log:
            if log.tell() > LOG_BYTES_MAX:
                log.truncate(0)
            self._process = subprocess.Popen(
                [placement.bin_dir / "postgres", "-D", placement.cluster_dir,
                 "-k", placement.socket_dir, *arguments],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                **self._how(),
            )  # fmt: skip
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                if "is still in use" in self._last_words():
                    return False
                raise CrossdockError("internal", f"PostgreSQL did not start:\n{self._last_words()}")
            if is_ready(placement):
                return True
            time.sleep(0.01)
        return False

    def _have_database(self) -> None:
        """Start the server if needed, wait until it accepts connections, create the database."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            if not is_running(self.placement):
                self._initialise()
                self._launch()
            try:
                psycopg.connect(self.url(), connect_timeout=CONNECT_TIMEOUT_S).close()
            except psycopg.OperationalError as error:
                if "does not exist" in str(error):
                    self._create_database()
                elif _is_final(error) or time.monotonic() > deadline:
                    raise CrossdockError("internal", f"PostgreSQL refuses: {error}") from error
                time.sleep(0.02)
            else:
                return

    def _create_database(self) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(DATABASE)))

    def _halt(self) -> None:
        """Fast shutdown: running transactions are rolled back, committed data is kept."""
        pid = server_pid(self.placement)
        if pid is not None:
            os.kill(pid, signal.SIGINT)
            _wait_for_end(pid, process=self._process, cluster_dir=self.placement.cluster_dir)
        self._process = None

    def _run(self, program: str, *arguments: str) -> str:
        result: subprocess.CompletedProcess[str] = subprocess.run(
            [self.placement.bin_dir / program, *arguments],
            check=False, capture_output=True, text=True, **self._how(),
        )  # fmt: skip
        if result.returncode:
            raise CrossdockError("internal", f"{program} failed:\n{result.stderr.strip()}")
        return result.stdout

    def _how(self) -> dict[str, Any]:
        """The user and folder for PostgreSQL's programs."""
        placement = self.placement
        how: dict[str, Any] = {"cwd": "/", "env": _ENVIRONMENT, "umask": 0o077}
        if placement.uid is not None:
            how |= {"user": placement.uid, "group": placement.gid, "extra_groups": []}
        return how

    def _log_path(self) -> Path:
        return self.data_dir / "postgres.log"

    def _last_words(self) -> str:
        try:
            return "\n".join(self._log_path().read_text(errors="replace").splitlines()[-5:])
        except FileNotFoundError:
            return ""


_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def _opened_for_the_owner(path: Path) -> IO[bytes]:
    """A log to append to that its owner alone reads: it has values of statements that failed."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    os.fchmod(descriptor, 0o600)
    return os.fdopen(descriptor, "ab")


def _open_lock(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    descriptor = _open_lock(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _is_final(error: psycopg.OperationalError) -> bool:
    """Whether retrying is pointless: all refusals except while the server starts, stops or recovers."""
    return "FATAL" in str(error) and "the database system is" not in str(error)


def _wait_for_end(pid: int, *, process: subprocess.Popen[bytes] | None, cluster_dir: Path) -> None:
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while is_server(pid, cluster_dir=cluster_dir):
        if process is not None and process.pid == pid and process.poll() is not None:
            return
        if time.monotonic() > deadline:
            raise CrossdockError("internal", f"PostgreSQL (process {pid}) does not stop.")
        time.sleep(0.02)
