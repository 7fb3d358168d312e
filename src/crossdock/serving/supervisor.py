"""The parent of all server processes: starts, restarts and stops them.

A process that ends is restarted: at once if it ran for a while, else after an increasing backoff,
without limit. Only a process that fails three times in a row before it was ever ready ends the
server, because a restart cannot help then.
"""

import asyncio
import contextlib
import errno
import os
import signal
import socket
import sys
import time
from collections.abc import Callable

import structlog

from crossdock.edge.metrics_folder import (
    FOLDER_VARIABLE,
    forget_process,
    make_folder,
    remove_folder,
)
from crossdock.errors import CrossdockError
from crossdock.serving.child import BEAT_S, PARENT_VARIABLE, READY_FD_VARIABLE
from crossdock.settings import ENVIRONMENT_PREFIX, Settings

log = structlog.get_logger("crossdock.supervisor")

SETTLED_S = 5.0
PAUSE_MAX_S = 5.0
FAILED_STARTS_MAX = 3
PORT_WAIT_S = 2.0
KILL_AFTER_GRACE_S = 3.0
_PIPE_BYTES = 4096

WEB = "crossdock.serving.web"
JOBS = "crossdock.serving.jobs"


class Supervisor:
    """Runs `settings.server.worker_count` web processes and, unless told otherwise, one job worker."""

    def __init__(
        self, settings: Settings, *, with_jobs: bool, on_ready: Callable[[], None] | None = None
    ) -> None:
        self._settings = settings
        self._modules = [WEB] * settings.server.worker_count + ([JOBS] if with_jobs else [])
        self._on_ready = on_ready
        self._stopping = asyncio.Event()
        self._ready: set[int] = set()
        self._failure: CrossdockError | None = None

    async def run(self) -> None:
        """Serve until a stop signal. Raises CrossdockError when a process cannot start at all."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, self._stopping.set)
        await claim_port(self._settings)
        os.environ.pop(FOLDER_VARIABLE, None)
        if folder := make_folder(self._settings.server.data_path, port=self._settings.server.port):
            os.environ[FOLDER_VARIABLE] = str(folder)
        try:
            async with asyncio.TaskGroup() as group:
                for slot, module in enumerate(self._modules):
                    group.create_task(self._keep_alive(slot, module), name=module)
        finally:
            remove_folder()
        if self._failure:
            raise self._failure
        log.info("stopped")

    def stop(self) -> None:
        """The handler of stop signals."""
        self._stopping.set()

    async def _keep_alive(self, slot: int, module: str) -> None:
        failed_starts, pause_s = 0, 0.0
        while not self._stopping.is_set():
            started = time.monotonic()
            code, was_ready = await self._one_life(slot, module)
            if self._stopping.is_set():
                return
            failed_starts = 0 if was_ready or code < 0 else failed_starts + 1
            if failed_starts >= FAILED_STARTS_MAX:
                self._give_up(module, code)
                return
            lived_s = time.monotonic() - started
            pause_s = 0.0 if lived_s > SETTLED_S else min(PAUSE_MAX_S, pause_s * 2 or 0.05)
            log.warning("process ended, restarting it", process=module, code=code, pause_s=pause_s)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause_s)

    async def _one_life(self, slot: int, module: str) -> tuple[int, bool]:
        """Start the process and wait for its end; returns (exit code, whether it became ready)."""
        reading, writing = os.pipe()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", module,
            env=self._environment(writing), pass_fds=(writing,), start_new_session=True,
            stdin=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        os.close(writing)
        ready = asyncio.create_task(self._watch(reading, slot, process, beats=module == WEB))
        ended = asyncio.create_task(process.wait())
        stopping = asyncio.create_task(self._stopping.wait())
        await asyncio.wait({ended, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            await self._end(process)
        code = await ended
        stopping.cancel()
        forget_process(process.pid)
        return code, await ready

    async def _watch(
        self, descriptor: int, slot: int, process: asyncio.subprocess.Process, *, beats: bool
    ) -> bool:
        """Wait for the process's readiness line, then for its end, and kill it if its heartbeats stop.

        End of file without that line means that it never was ready.
        """
        reader = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        with os.fdopen(descriptor, "rb") as pipe:
            transport, _ = await loop.connect_read_pipe(
                lambda: asyncio.StreamReaderProtocol(reader), pipe
            )
            was_ready = bool(await reader.readline())
            if was_ready:
                self._note_ready(slot)
            if was_ready and beats and not await self._beats(reader):
                log.error("process does not answer, killing it", pid=process.pid)
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
            transport.close()
        return was_ready

    async def _beats(self, reader: asyncio.StreamReader) -> bool:
        """Read a process's heartbeats: True when it ended, False when they stopped.

        The time is counted in turns of this loop, so that a suspended machine is harmless.
        """
        silent_max = max(1, round(self._settings.http.hung_after_s / BEAT_S))
        silent = 0
        while silent < silent_max:
            try:
                async with asyncio.timeout(BEAT_S):
                    if not await reader.read(_PIPE_BYTES):
                        return True
                silent = 0
            except TimeoutError:
                silent += 1
        return False

    def _note_ready(self, slot: int) -> None:
        was_complete = len(self._ready) == len(self._modules)
        self._ready.add(slot)
        if not was_complete and len(self._ready) == len(self._modules):
            log.info("ready", url=self._settings.server.public_url, processes=len(self._modules))
            if self._on_ready:
                self._on_ready()

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        """Terminate; kill after the grace period."""
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(self._settings.server.shutdown_grace_s + KILL_AFTER_GRACE_S):
                await process.wait()
        except TimeoutError:
            log.warning("process did not end in time, killing it", pid=process.pid)
            with contextlib.suppress(ProcessLookupError):
                process.kill()

    def _give_up(self, module: str, code: int) -> None:
        self._failure = CrossdockError(
            "internal", f"{module} ended with code {code} before it was ready, see the log above."
        )
        self._stopping.set()

    def _environment(self, ready_descriptor: int) -> dict[str, str]:
        return {
            **os.environ,
            **settings_environment(self._settings),
            READY_FD_VARIABLE: str(ready_descriptor),
            PARENT_VARIABLE: str(os.getpid()),
        }


def settings_environment(settings: Settings) -> dict[str, str]:
    """The settings from the command line and the embedded database, as environment of the processes."""
    server = settings.server
    values = {
        "database_url": settings.database.url,
        "server_data_dir": server.data_dir,
        "server_host": server.host,
        "server_port": server.port,
        "server_workers": server.workers,
        "server_public_url": server.public_url,
    }
    return {f"{ENVIRONMENT_PREFIX}{name.upper()}": str(value) for name, value in values.items()}


async def claim_port(settings: Settings) -> None:
    """Refuse a port that is in use: the web processes share theirs and would not notice.

    A server that was just killed may hold the port for a moment, so this retries for two seconds.
    """
    deadline = time.monotonic() + PORT_WAIT_S
    while error := _try_port(settings):
        if time.monotonic() > deadline or error.errno != errno.EADDRINUSE:
            raise CrossdockError(
                "internal",
                f"Cannot listen on {settings.server.host}:{settings.server.port}: {error.strerror}. "
                "Stop the process that listens there, or choose another port with --port.",
            )
        await asyncio.sleep(0.1)


def _try_port(settings: Settings) -> OSError | None:
    family = socket.AF_INET6 if ":" in settings.server.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.server.host, settings.server.port))
        except OSError as error:
            return error
    return None
