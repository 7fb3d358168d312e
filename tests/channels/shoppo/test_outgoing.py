"""What the worker runs for the channel..."""

import subprocess
import sys

LOADED = """
import sys
import crossdock.serving.jobs
import crossdock.channels.shoppo.outgoing
print(*sorted({"fastapi", "graphql", "starlette"} & set(sys.modules)))
"""


def test_loads_neither_graphql_nor_a_web_framework():
    """Else each start of a server pays for them once more."""
    ended = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, check=True
    )
    assert ended.stdout.split() == []
