"""What a crash leaves beside a cluster, and how it is told from a server that runs.

`postmaster.pid` in the cluster and the lock of the socket each name a process. PostgreSQL refuses to
start while a process of that number lives, whoever it is, and numbers are given again: after a restart
of the machine, in a container from the first process on. So a number proves nothing here. A server runs
if the named process is PostgreSQL with this cluster, or if somebody listens on the socket: the kernel
closes that with its process, and it answers from another process namespace too.
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
    """Whether a server of this cluster runs, here or in another process namespace."""
    return server_pid(placement) is not None or _is_listening(placement)


def is_ready(placement: Placement) -> bool:
    """Whether the server says in its pid file that it takes connections."""
    lines = _pid_lines(placement)
    return len(lines) > READY_LINE and lines[READY_LINE].strip() == "ready"


def server_pid(placement: Placement) -> int | None:
    """The server's process, if the pid file tells of one that lives and is ours."""
    lines = _pid_lines(placement)
    if not lines or not lines[0].strip().isdigit():
        return None
    pid = int(lines[0])
    return pid if is_server(pid, cluster_dir=placement.cluster_dir) else None


def is_server(pid: int, *, cluster_dir: Path) -> bool:
    """Whether the process is a living PostgreSQL for this folder, not a stranger with its number."""
    program, *arguments = _command(pid) or [""]
    return Path(program).name == "postgres" and str(cluster_dir) in arguments


def forget_leftovers(placement: Placement) -> None:
    """Remove what would keep PostgreSQL from starting. Only for who holds the folder's lock.

    Nothing is touched while a server runs.
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
        probe.setblocking(False)  # a full queue of waiting connections is an answer too
        try:
            probe.connect(str(placement.socket_dir / SOCKET_NAME))
        except OSError as error:
            return error.errno not in _NOBODY
    return True


def _command(pid: int) -> list[str]:
    """The words of a process's command line; none of one that is gone, or dead and not yet reaped."""
    with contextlib.suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        return [word.decode(errors="replace") for word in words if word]
    if Path("/proc/self").exists():
        return []
    listed = subprocess.run(
        ["/bin/ps", "-p", str(pid), "-o", "command="], check=False, capture_output=True, text=True
    )
    return listed.stdout.split()
