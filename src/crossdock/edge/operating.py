"""The operator's endpoints /health, /ready and /metrics; everything else is passed on."""

import hmac
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from starlette.types import ASGIApp, Receive, Scope, Send

from crossdock.db.generations import STATE_SQL, Standing, parse_state, standing_of, wanted_state
from crossdock.db.runtime import Runtime
from crossdock.db.unit_of_work import Database
from crossdock.edge import metrics
from crossdock.errors import CrossdockError, NotFound, Unavailable
from crossdock.kit.storage import MEGABYTE, Space, least_space
from crossdock.shop.search import Searching

_LOOPBACK = ("127.", "::1", "::ffff:127.")
_FORWARDED = {b"x-forwarded-for", b"forwarded", b"x-real-ip"}


class Operating:
    """An ASGI application that answers three paths and passes the others to another application."""

    def __init__(self, runtime: Runtime, *, searching: Searching, otherwise: ASGIApp) -> None:
        self._runtime = runtime
        self._searching = searching
        self._otherwise = otherwise
        self._pages: dict[str, Callable[[Scope], Awaitable[tuple[str, bytes]]]] = {
            "/health": self._health,
            "/ready": self._ready,
            "/metrics": self._metrics,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        page = self._pages.get(scope["path"])
        if page is None or scope["method"] not in {"GET", "HEAD"}:
            await self._otherwise(scope, receive, send)
            return
        scope["crossdock.route"] = scope["path"]
        content_type, body = await page(scope)
        headers = [
            (b"content-type", content_type.encode()),
            (b"cache-control", b"no-store"),
            (b"content-length", str(len(body)).encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send(
            {"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body}
        )

    async def _health(self, _scope: Scope) -> tuple[str, bytes]:
        """200 while the process runs; the database is not queried."""
        return "application/json", b'{"status":"ok"}'

    async def _ready(self, _scope: Scope) -> tuple[str, bytes]:
        """200 if the database answers and its schema serves this version."""
        await check_ready(self._runtime.database)
        wanted, space = wanted_state(), self._space()
        body: dict[str, Any] = {
            "status": "ready",
            "revision": wanted.revision,
            "generation": wanted.generation,
        }
        if space:
            low_mb = self._runtime.settings.server.disk_low_mb
            body["disk"] = "low" if space.free_bytes < low_mb * MEGABYTE else "ok"
            body["disk_free_mb"] = space.free_bytes // MEGABYTE
        return "application/json", orjson.dumps(body)

    async def _metrics(self, scope: Scope) -> tuple[str, bytes]:
        if not _may_scrape(scope, token=self._runtime.settings.edge.metrics_token):
            raise NotFound("not_found")
        return metrics.CONTENT_TYPE, await metrics.render(
            self._runtime.database,
            searching=self._searching,
            space=self._space(),
            now=self._runtime.clock.now(),
        )

    def _space(self) -> Space | None:
        return least_space(self._runtime.settings.server.written_folders)


async def check_ready(database: Database) -> None:
    """Raise Unavailable `database_unavailable` unless the database serves this version.

    It answers within three seconds, even if all connections of the pool are waiting.
    """
    try:
        row = await database.probe.one(STATE_SQL)
    except CrossdockError:
        raise
    except Exception as error:
        raise Unavailable("database_unavailable", "The database is not migrated.") from error
    if row is None:
        raise Unavailable("database_unavailable", "The database is not migrated.")
    standing = standing_of(parse_state((row[0], row[1], row[2], row[3], row[4])))
    if standing not in {Standing.CURRENT, Standing.NEWER_AND_SERVES}:
        raise Unavailable("database_unavailable", f"The database is {standing.value}.")


def _may_scrape(scope: Scope, *, token: str) -> bool:
    headers = dict(scope["headers"])
    if token:
        expected = f"Bearer {token}".encode()
        return hmac.compare_digest(headers.get(b"authorization", b""), expected)
    client = scope.get("client") or ("",)
    return client[0].startswith(_LOOPBACK) and not _FORWARDED & headers.keys()
