"""One web process: granian on a port shared with its siblings, stopped by SIGTERM."""

import asyncio
import sys

import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server

from crossdock.app import Application, create_app
from crossdock.channels.registry import load_settings
from crossdock.kit.logging import configure_logging
from crossdock.serving.child import leave_with_parent, on_stop_signal, show_life
from crossdock.settings import Settings

BACKLOG = 1024
REQUESTS_AT_ONCE = 512


def main() -> None:
    """Run until stopped; the settings come from the environment that the supervisor made."""
    settings = load_settings()
    configure_logging(level=settings.log.level, format=settings.log.format)
    leave_with_parent()
    uvloop.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    app = create_app(settings)
    server = _server(settings, app=app)
    on_stop_signal(server.stop)
    announcing = asyncio.create_task(_announce(app))
    await server.serve()
    announcing.cancel()
    if not app.started.is_set():
        sys.exit(1)


async def _announce(app: Application) -> None:
    """Report readiness, then signs of life; the socket is open once the application has started."""
    await app.started.wait()
    await asyncio.sleep(0.01)
    await show_life()


def _server(settings: Settings, *, app: Application) -> Server:
    return Server(
        app,
        address=settings.server.host,
        port=settings.server.port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=False,
        backlog=BACKLOG,
        backpressure=REQUESTS_AT_ONCE,
        log_enabled=False,
        log_access=False,
    )


if __name__ == "__main__":
    main()
