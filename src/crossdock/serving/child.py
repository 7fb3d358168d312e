"""What every child process of the supervisor does: report readiness, and end with its parent."""

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
    """Leave with the parent, and keep what is written from other users of the machine."""
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
    """Report that this process serves, then once a second that its event loop still runs.

    The supervisor replaces a process that falls silent.
    """
    descriptor = _ready_descriptor()
    if not descriptor:
        return
    os.set_blocking(descriptor, False)
    os.write(descriptor, b"ready\n")
    while True:
        await asyncio.sleep(BEAT_S)
        with contextlib.suppress(BlockingIOError):  # what is in the pipe is sign enough
            os.write(descriptor, b"\n")


def _ready_descriptor() -> int:
    return int(os.environ.pop(READY_FD_VARIABLE, "0"))


def on_stop_signal(stop: Callable[[], None]) -> None:
    """Call `stop` once for SIGTERM or SIGINT on the running loop."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
