"""The composition root: builds the runtime once per process, mounts the doors, opens the pool."""

import asyncio
import contextlib

import structlog
from starlette.types import Receive, Scope, Send

from crossdock.channels.contract import Channel
from crossdock.channels.registry import create_channels
from crossdock.db.runtime import Runtime, create_runtime
from crossdock.serving.edge import Edge
from crossdock.serving.metrics import Metrics
from crossdock.serving.operating import Operating
from crossdock.settings import Settings, load_settings

log = structlog.get_logger("crossdock.app")
POOL_WATCH_S = 5.0


class Application:
    """One ASGI application: all channels and the operator's pages behind one edge."""

    def __init__(self, runtime: Runtime, channels: list[Channel]) -> None:
        self.runtime = runtime
        self.channels = channels
        self.started = asyncio.Event()
        self._metrics = Metrics()
        self._edge = Edge(
            channels=channels,
            operating=Operating(runtime),
            metrics=self._metrics,
            body_limit_bytes=runtime.settings.body_limit_bytes,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._edge(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self.start()
        except Exception as error:
            log.exception("start failed")
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        self.started.set()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.stop()
        await send({"type": "lifespan.shutdown.complete"})

    async def start(self) -> None:
        """Open the pool, then what the channels opened for themselves."""
        await self.runtime.database.open()
        for channel in self.channels:
            if channel.start:
                await channel.start()
        self._watch = asyncio.create_task(self._watch_pool(), name="watch pool")

    async def stop(self) -> None:
        """Close in the opposite order; requests have ended by now."""
        self._watch.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._watch
        for channel in reversed(self.channels):
            if channel.stop:
                await channel.stop()
        await self.runtime.database.close()

    async def _watch_pool(self) -> None:
        while True:
            self._metrics.note_pool(self.runtime.database)
            await asyncio.sleep(POOL_WATCH_S)


def create_app(settings: Settings | None = None) -> Application:
    """The application of one process."""
    runtime = create_runtime(settings or load_settings())
    return Application(runtime, create_channels(runtime))
