"""Which worker runs what: a file's tests stay together, so that what a file shares is made once.

A file that starts an application for its tests would else start it in every worker.
"""

from typing import Any

import pytest
from xdist.scheduler import LoadGroupScheduling  # type: ignore[import-untyped]


class FileScheduling(LoadGroupScheduling):  # type: ignore[misc]
    """A group goes to one worker, and so does every file without one, in the order of the folders."""

    def __init__(self, config: pytest.Config, log: Any = None) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        scope: str = super()._split_scope(nodeid)
        return nodeid.partition("::")[0] if scope == nodeid else scope
