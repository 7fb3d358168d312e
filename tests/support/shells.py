"""How a shell starts this checkout's `crossdock`."""

import shlex
import sys


def crossdock_command() -> str:
    """Words that run `crossdock` with the interpreter of the tests."""
    return f"{shlex.quote(sys.executable)} -m crossdock"
