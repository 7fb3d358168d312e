"""Code of the supervisor's child processes: report readiness and heartbeats, and end with the parent."""

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Callable

READY_FD_VARIABLE = "CROSSDOCK_READY_FD"
PARENT_VARIABLE = "CROSSDOCK_PARENT_PID"
BEAT_S = 1.0
_PR_SET_PDEATHSIG = 1


def begin() -> None:
    """End with the parent, and set a umask that hides new files from other users."""
    os.umask(0o077)
    leave_with_parent()


def leave_with_parent() -> None:
    """Have the kernel send SIGTERM when the supervisor dies, for whatever reason."""
    parent = int(os.environ.get(PARENT_VARIABLE, "0"))
    if not parent:
        return
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it died before the call
        os.kill(os.getpid(), signal.SIGTERM)


def announce_ready() -> None:
    """Report to the supervisor that this process serves."""
    if descriptor := _ready_descriptor():
        os.write(descriptor, b"ready\n")
        os.close(descriptor)


async def show_life() -> None:
    """Report that this process serves, then send a heartbeat from its event loop once a second.

    The supervisor replaces a process whose heartbeats stop.
    """
    descriptor = _ready_descriptor()
    if not descriptor:
        return
    os.set_blocking(descriptor, False)
    os.write(descriptor, b"ready\n")
    while True:
        await asyncio.sleep(BEAT_S)
        with contextlib.suppress(
            BlockingIOError
        ):  # the pipe is full, so the supervisor has heartbeats to read
            os.write(descriptor, b"\n")


def _ready_descriptor() -> int:
    return int(os.environ.pop(READY_FD_VARIABLE, "0"))


def on_stop_signal(stop: Callable[[], None]) -> None:
    """Call `stop` once for SIGTERM or SIGINT on the running loop."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
