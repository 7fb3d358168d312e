"""A process that imports `crossdock` once and forks for each command, most of a second saved a command.

Each command is still a process of its own, with its own environment, folder, pipes and exit code.
"""

import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[2]
# What most commands import when they are called.
IMPORTED = (
    "typer._adapters",
    "crossdock.compose",
    "crossdock.imports.running",
    "crossdock.demo.loading",
)
LENGTH = struct.Struct("!I")
STARTED = b"\n"


def run_forked(
    arguments: tuple[str, ...],
    *,
    env: Mapping[str, str],
    cwd: str,
    timeout_s: float,
    stdin: str | None,
    doors: tuple[str, ...] = (),
) -> subprocess.CompletedProcess[str]:
    """Run `python -m crossdock` with these arguments to its end; `doors` are lines more in its registry.

    Raises TimeoutError after killing a command that takes longer than `timeout_s`.
    """
    with contextlib.ExitStack() as stack:
        given, out, err = (stack.enter_context(tempfile.TemporaryFile()) for _ in range(3))
        given.write((stdin or "").encode())
        given.seek(0)
        server = stack.enter_context(socket.socket(socket.AF_UNIX))
        server.settimeout(timeout_s)
        server.connect(_server(doors))
        asked = json.dumps([arguments, dict(env), cwd]).encode()
        socket.send_fds(
            server, [LENGTH.pack(len(asked))], [given.fileno(), out.fileno(), err.fileno()]
        )
        server.sendall(asked)
        answer = server.recv(LENGTH.size)
        texts = [_text(each) for each in (out, err)]
    assert answer, f"the command was not run: {texts}"
    return subprocess.CompletedProcess(arguments, struct.unpack("!i", answer)[0], *texts)


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode().replace("\r\n", "\n")


@functools.cache
def _server(doors: tuple[str, ...]) -> str:
    """The path of this test process's command server with these doors, started with the first command."""
    folder = tempfile.TemporaryDirectory(prefix="crossdock-commands-")
    path = f"{folder.name}/socket"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.forking", path, *doors],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"},
    )  # fmt: skip
    assert process.stdout
    assert process.stdout.read(1) == STARTED
    atexit.register(_end, process, folder)
    return path


def _end(process: "subprocess.Popen[bytes]", folder: "tempfile.TemporaryDirectory[str]") -> None:
    process.communicate()
    folder.cleanup()


def _serve(path: str, *doors: str) -> None:
    """Answer every connection with a forked command, until standard input ends."""
    import typer.main

    from crossdock.channels import registry

    registry.CHANNELS += doors  # type: ignore[assignment]
    import crossdock.cli

    for name in IMPORTED:
        importlib.import_module(name)
    tree = typer.main.get_command(crossdock.cli.app)
    typer.main.get_command = lambda typer_instance: tree
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(64)
    os.write(1, STARTED)
    while True:
        ready, _, _ = select.select([listener.fileno(), sys.stdin.fileno()], [], [])
        if sys.stdin.fileno() in ready:
            return
        connection, _ = listener.accept()
        if not os.fork():
            listener.close()
            os._exit(_answer(connection))
        connection.close()


def _answer(connection: socket.socket) -> int:
    """Run the command of one connection in a process below this one, and send its exit code."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    head, files, _, _ = socket.recv_fds(connection, LENGTH.size, 3)
    size = LENGTH.unpack(head)[0]
    asked = b""
    while len(asked) < size:
        asked += connection.recv(size - len(asked))
    arguments, environment, folder = json.loads(asked)
    if not (command := os.fork()):
        connection.close()
        _run(arguments, environment=environment, folder=folder, files=files)
    watched = os.pidfd_open(command)
    ready, _, _ = select.select([watched, connection.fileno()], [], [])
    if watched not in ready:
        os.kill(command, signal.SIGKILL)
    _, status = os.waitpid(command, 0)
    with contextlib.suppress(OSError):
        connection.sendall(struct.pack("!i", os.waitstatus_to_exitcode(status)))
    return 0


def _run(
    arguments: list[str], *, environment: dict[str, str], folder: str, files: list[int]
) -> None:
    """Become the command, with its environment, folder and pipes; ends the process as it does."""
    for standard, given in enumerate(files):
        os.dup2(given, standard)
        os.close(given)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    os.chdir(folder)
    sys.argv[1:] = arguments
    code: object = 0
    try:
        runpy.run_module("crossdock", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code or 0
    _end_command(code)


def _end_command(code: object) -> None:
    """End this process with the code, without taking the interpreter apart if nothing depends on that."""
    if not isinstance(code, int) or threading.active_count() > 1:
        sys.exit(code)  # type: ignore[arg-type]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code & 0xFF)


if __name__ == "__main__":
    _serve(*sys.argv[1:])
