"""The site without a server around it: one request in, one answer out."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote

import pytest

from crossdock.compose import Services
from crossdock.db.runtime import create_runtime
from crossdock.gate import Gate
from crossdock.kit.ids import RandomIds
from crossdock.settings import Settings
from crossdock.shop.media import Media
from crossdock.shop.people import People, create_means
from crossdock.web import Door, Site
from tests.support.factories import box

DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Toys <API>", "version": "3", "description": "Toys for all."},
    "paths": {},
}


class Reply:
    """An answer."""

    def __init__(self, messages: list[dict[str, Any]]) -> None:
        self.status = messages[0]["status"]
        self.headers = {name.decode(): value.decode() for name, value in messages[0]["headers"]}
        self.body = b"".join(message.get("body", b"") for message in messages[1:])

    @property
    def text(self) -> str:
        return self.body.decode()


Ask = Callable[..., Awaitable[Reply]]


@pytest.fixture(scope="session")
def made() -> list[str]:
    """Names of the documents that the site had made, in order."""
    return []


@pytest.fixture(scope="session")
def kept_media() -> list[Media]:
    """The last one is what the site answers images from."""
    return []


async def nothing(scope: Any, receive: Any, send: Any) -> None:
    """An application that answers nothing: no test here sends it a call."""


@pytest.fixture(scope="session")
def site(made: list[str], kept_media: list[Media]) -> Site:
    def document() -> dict[str, Any]:
        made.append("toys")
        return DOCUMENT

    async def is_ready() -> bool:
        return False

    runtime = create_runtime(Settings().having(database_url="postgresql:///nobody-asks"))
    people = People(create_means(runtime, box=box(), ids=RandomIds()))
    gate = Gate(people, clock=runtime.clock, public_url=runtime.settings.server.public_url)
    toys = Door(name="toys", paths=("/toys",), openapi=document)
    bare = Door(name="bare", paths=("/bare",))
    return Site(
        [toys, bare],
        is_ready=is_ready,
        sends=nothing,
        services=Services(runtime),
        gate=gate,
        media=lambda: kept_media[-1],
    )


@pytest.fixture
def ask(site: Site) -> Ask:
    """Send one request; headers are written with underscores."""

    async def send_one(path: str, *, method: str = "GET", **headers: str) -> Reply:
        messages: list[dict[str, Any]] = []

        body = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> dict[str, Any]:
            return body.pop() if body else await asyncio.Future()

        async def send(message: Any) -> None:
            messages.append(message)

        encoded = [(n.replace("_", "-").encode(), v.encode()) for n, v in headers.items()]
        scope = {
            "type": "http",
            "method": method,
            "path": unquote(path.partition("?")[0]),
            "raw_path": path.partition("?")[0].encode(),
            "query_string": path.partition("?")[2].encode(),
            "root_path": "",
            "headers": [(b"host", b"test"), *encoded],
            "scheme": "http",
            "server": ("test", 80),
            "client": ("127.0.0.1", 1),
        }
        await site(scope, receive, send)
        assert scope["crossdock.route"]
        return Reply(messages)

    return send_one
