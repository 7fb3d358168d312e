"""The web application of one process: mounts channels and pages over its services, opens the pool."""

import asyncio
import contextlib

import structlog
from starlette.types import Receive, Scope, Send

from crossdock.channels.contract import Channel
from crossdock.channels.registry import (
    channel_facts,
    channel_guides,
    create_channels,
    load_settings,
)
from crossdock.compose import Services
from crossdock.db.runtime import create_runtime
from crossdock.edge.guests import SITE_PATHS, Guests
from crossdock.edge.metrics import Metrics
from crossdock.edge.operating import Operating, check_ready
from crossdock.edge.requests import Edge
from crossdock.edge.room import Room
from crossdock.errors import CrossdockError
from crossdock.gate import create_gate
from crossdock.settings import Settings, tell_settings
from crossdock.shop.partners import Calls
from crossdock.web import PICTURES, UPLOADS, Door, Site

log = structlog.get_logger("crossdock.app")
POOL_WATCH_S = 5.0
FORM_BYTES = 131_072  # what a form has besides its file


class Application:
    """One ASGI application: all channels, the pages and the operator's endpoints behind the middleware."""

    def __init__(self, services: Services, channels: list[Channel]) -> None:
        self.services = services
        self.runtime = runtime = services.runtime
        self.channels = channels
        self.started = asyncio.Event()
        self._metrics = Metrics()
        settings = runtime.settings
        self.room = Room(
            requests_max=settings.http.requests_max,
            per_address_max=settings.http.requests_per_address,
            proxies=settings.gate.trusted_proxies,
        )
        self._edge = Edge(
            channels=channels,
            operating=Operating(runtime, searching=services.searching, otherwise=self._site()),
            metrics=self._metrics,
            room=self.room,
            guests=Guests(
                [*SITE_PATHS, *(path for channel in channels for path in channel.guests)],
                clock=runtime.clock,
                per_minute=settings.http.guest_calls_per_minute,
                proxies=settings.gate.trusted_proxies,
            ),
            calls=Calls(runtime.database),
            clock=runtime.clock,
            body_limit_bytes=settings.edge.body_limit_bytes,
            uploads={
                UPLOADS: settings.imports.upload_max_bytes + FORM_BYTES,
                PICTURES: settings.media.upload_max_bytes + FORM_BYTES,
            },
        )

    def _site(self) -> Site:
        return Site(
            [
                Door(
                    name=c.name,
                    paths=c.paths,
                    openapi=c.openapi,
                    signing_script=c.signing_script,
                    trials=c.trials,
                )
                for c in self.channels
            ],
            is_ready=self._is_ready,
            sends=self,
            services=self.services,
            gate=create_gate(self.services),
            media=lambda: self.services.media,
            guides=channel_guides(),
            facts=channel_facts(),
            tell_settings=lambda: tell_settings(self.services.settings),
            staff_pages=[page for c in self.channels for page in c.staff_pages],
            accept_url=next((c.accept_url for c in self.channels if c.accept_url), None),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._edge(self._plain(scope), receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)

    def _plain(self, scope: Scope) -> Scope:
        """For a request to `/`, the path that a channel takes from the query string, if any."""
        if scope["path"] != "/" or not scope["query_string"]:
            return scope
        for channel in self.channels:
            path = channel.path_in_query and channel.path_in_query(scope["query_string"])
            if path:
                return {**scope, "path": path, "raw_path": path.encode()}
        return scope

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
        """Open the pool, then run the channels' start-up."""
        await self.runtime.database.open()
        for channel in self.channels:
            if channel.start:
                await channel.start()
        self._watch = asyncio.create_task(self._watch_pool(), name="watch pool")

    async def stop(self) -> None:
        """Close everything in reverse order; requests have ended by now."""
        self._watch.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._watch
        for channel in reversed(self.channels):
            if channel.stop:
                await channel.stop()
        await self.services.close()
        await self.runtime.database.close()

    async def _is_ready(self) -> bool:
        try:
            await check_ready(self.runtime.database)
        except CrossdockError:
            return False
        return True

    async def _watch_pool(self) -> None:
        while True:
            self._metrics.note(self.runtime.database, in_flight=len(self.room.busy))
            await asyncio.sleep(POOL_WATCH_S)


def create_app(settings: Settings | None = None) -> Application:
    """The application of one process."""
    services = Services(create_runtime(settings or load_settings()))
    return Application(services, create_channels(services))
