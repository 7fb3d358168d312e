"""A PgBouncer of the test's own in front of a database."""

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg.conninfo import conninfo_to_dict

from crossdock.db.placement import SYSTEM_USER
from tests.support.processes import free_port

READY_S = 20.0
PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


@contextlib.contextmanager
def pooler(folder: Path, url: str, *, mode: str) -> Iterator[str]:
    """The URL of the database through a pooler in `session` or `transaction` mode."""
    assert PROGRAM
    parts = conninfo_to_dict(url)
    port = free_port()
    target = " ".join(f"{name}={parts[name]}" for name in ("host", "port", "user") if name in parts)
    (folder / "users.txt").write_text(f'"{parts["user"]}" ""\n')
    config = folder / "pgbouncer.ini"
    config.write_text(
        f"[databases]\n{parts['dbname']} = {target} dbname={parts['dbname']}\n[pgbouncer]\n"
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n"
        f"auth_file = {folder / 'users.txt'}\npool_mode = {mode}\ndefault_pool_size = 10\n"
    )
    as_user: dict[str, Any] = {"user": SYSTEM_USER} if os.geteuid() == 0 else {}
    with (folder / "pgbouncer.log").open("wb") as log:
        process = subprocess.Popen([PROGRAM, str(config)], stdout=log, stderr=log, **as_user)
    pooled = f"postgresql://{quote(str(parts['user']))}@127.0.0.1:{port}/{parts['dbname']}"
    try:
        _wait(pooled, process=process, log=folder / "pgbouncer.log")
        yield pooled
    finally:
        process.terminate()
        process.wait(READY_S)


def _wait(url: str, *, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_S
    while True:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        else:
            return
