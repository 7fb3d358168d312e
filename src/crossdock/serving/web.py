"""One web process: granian on a port shared with its siblings, stopped by SIGTERM."""

import asyncio
import gc
import sys

import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

import crossdock.kit.importing  # noqa: F401  before what takes long to import
from crossdock.app import Application, create_app
from crossdock.channels.registry import load_settings
from crossdock.kit.importing import collect_again
from crossdock.kit.logging import configure_logging
from crossdock.serving.child import begin, on_stop_signal, show_life
from crossdock.serving.connections import BURST, Connections, make_room_for
from crossdock.settings import Settings

collect_again()

BACKLOG = 1024
# Limits of unanswered input and unsent output, which bound pipelining.
BUFFER_BYTES = 64 * 1024
GARBAGE_THRESHOLD = 10_000


def main() -> None:
    """Run until stopped; the settings come from the environment that the supervisor made."""
    settings = load_settings()
    configure_logging(level=settings.log.level, format=settings.log.format)
    begin()
    uvloop.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    make_room_for(settings.http.connections_max)
    gc.disable()
    app = create_app(settings)
    collect_again()
    server = _server(settings, app=app)
    connections = Connections(settings, room=app.room)
    on_stop_signal(server.stop)
    announcing = asyncio.create_task(_announce(app, connections))
    await server.serve()
    announcing.cancel()
    connections.stop()
    if not app.started.is_set():
        sys.exit(1)


async def _announce(app: Application, connections: Connections) -> None:
    """Report readiness, then heartbeats; the socket is open once the application has started."""
    await app.started.wait()
    await asyncio.sleep(0.01)
    _spare_collections()
    connections.start()
    await show_life()


def _spare_collections() -> None:
    """Leave what the start has made out of garbage collections, and collect less often.

    With the default threshold they take a twentieth of an order's processor time and find nothing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD)


def _server(settings: Settings, *, app: Application) -> Server:
    return Server(
        app,
        address=settings.server.host,
        port=settings.server.port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=False,
        backlog=BACKLOG,
        backpressure=BURST * settings.http.connections_max,
        http1_settings=HTTP1Settings(
            header_read_timeout=int(settings.http.idle_s * 1000), max_buffer_size=BUFFER_BYTES
        ),
        log_enabled=False,
        log_access=False,
    )


if __name__ == "__main__":
    main()
