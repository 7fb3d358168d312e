"""The whole application inside the test's own process, on a real socket, with a clock to turn.

Time-dependent rules (window, nonce life, sales, secrets that end) are tested on it without waiting.
"""

import asyncio
import base64
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import ModuleType

from prometheus_client import REGISTRY

from crossdock.app import Application
from crossdock.channels.registry import create_channels, default_settings
from crossdock.compose import Services
from crossdock.db.runtime import Runtime, create_runtime
from crossdock.kit.clock import FrozenClock
from crossdock.serving.web import _server
from tests.support.factories import MASTER_KEY
from tests.support.processes import READY_TIMEOUT_S, free_port


@dataclass(frozen=True)
class ClockedServer:
    """A running application; move `clock` and it believes it."""

    port: int
    clock: FrozenClock
    app: Application

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def clocked(
    *,
    database_url: str,
    data_dir: str,
    clock: FrozenClock,
    doors: Sequence[ModuleType] = (),
    **settings: object,
) -> AsyncIterator[ClockedServer]:
    """Serve until the block ends; `doors` are mounted beside the channels that are built in."""
    port = free_port()
    values = {
        "database_url": database_url,
        "data_dir": data_dir,
        "master_key": base64.b64encode(MASTER_KEY).decode(),
        "port": port,
        "public_url": f"http://127.0.0.1:{port}",
        "rate_limit_per_minute": 0,
        "failed_calls_per_minute": 0,
        "guest_calls_per_minute": 0,
        "shoppo_rate_limit_per_second": 0,
        "pool_max": 6,
        **settings,
    }
    made = create_runtime(default_settings().having(**values))
    runtime = Runtime(settings=made.settings, clock=clock, database=made.database)
    _forget_metrics()  # a process counts for one application only
    services = Services(runtime)
    channels = create_channels(services) + [door.create_channel(services) for door in doors]
    app = Application(services, channels)
    server = _server(runtime.settings, app=app)
    serving = asyncio.create_task(server.serve())
    try:
        await asyncio.wait_for(app.started.wait(), READY_TIMEOUT_S)
        await _reachable(port)
        async with (
            made.database.statement() as tx
        ):  # another file's failures at this standing clock
            await tx.run("delete from sign_in_attempts")
        yield ClockedServer(port=port, clock=clock, app=app)
    finally:
        server.stop()
        await asyncio.wait_for(serving, 20)
        _forget_metrics()


def _forget_metrics() -> None:
    for collector, names in list(REGISTRY._collector_to_names.items()):
        if any(name.startswith("crossdock") for name in names):
            REGISTRY.unregister(collector)


async def _reachable(port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.01)
        else:
            writer.close()
            return
