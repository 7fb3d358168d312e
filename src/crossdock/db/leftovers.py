"""Files that a crash leaves beside a cluster, and how to tell them from those of a running server.

`postmaster.pid` and the socket's lock file each contain a process id. PostgreSQL refuses to start while
any process has that id, but ids are reused: after a reboot, and in containers at once. So an id alone
proves nothing. A server runs if that process is PostgreSQL with this cluster, or if a process listens on
the socket, which the kernel closes with its process and which works across process namespaces.
"""

import contextlib
import errno
import socket
import subprocess
from pathlib import Path

from crossdock.db.placement import SOCKET_NAME, Placement

PID_FILE = "postmaster.pid"
READY_LINE = 7  # counted from 0, of the pid file
_NOBODY = {errno.ECONNREFUSED, errno.ENOENT}


def is_running(placement: Placement) -> bool:
    """Whether a server of this cluster runs, in this or another process namespace."""
    return server_pid(placement) is not None or _is_listening(placement)


def is_ready(placement: Placement) -> bool:
    """Whether the server's pid file says that it accepts connections."""
    lines = _pid_lines(placement)
    return len(lines) > READY_LINE and lines[READY_LINE].strip() == "ready"


def server_pid(placement: Placement) -> int | None:
    """The server's process id, if the process in the pid file is alive and ours."""
    lines = _pid_lines(placement)
    if not lines or not lines[0].strip().isdigit():
        return None
    pid = int(lines[0])
    return pid if is_server(pid, cluster_dir=placement.cluster_dir) else None


def is_server(pid: int, *, cluster_dir: Path) -> bool:
    """Whether the process is a running PostgreSQL for this folder, not another process with the same id."""
    program, *arguments = _command(pid) or [""]
    return Path(program).name == "postgres" and str(cluster_dir) in arguments


def forget_leftovers(placement: Placement) -> None:
    """Remove files that would prevent PostgreSQL from starting. The caller holds the folder's lock.

    Does nothing while a server runs.
    """
    if is_running(placement):
        return
    for path in (
        placement.cluster_dir / PID_FILE,
        placement.socket_dir / SOCKET_NAME,
        placement.socket_dir / f"{SOCKET_NAME}.lock",
    ):
        path.unlink(missing_ok=True)


def _pid_lines(placement: Placement) -> list[str]:
    try:
        return (placement.cluster_dir / PID_FILE).read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return []


def _is_listening(placement: Placement) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)  # a full backlog means that a server is there too
        try:
            probe.connect(str(placement.socket_dir / SOCKET_NAME))
        except OSError as error:
            return error.errno not in _NOBODY
    return True


def _command(pid: int) -> list[str]:
    """The command line of a process; empty if it is gone or a zombie."""
    with contextlib.suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        return [word.decode(errors="replace") for word in words if word]
    if Path("/proc/self").exists():
        return []
    listed = subprocess.run(
        ["/bin/ps", "-p", str(pid), "-o", "command="], check=False, capture_output=True, text=True
    )
    return listed.stdout.split()
