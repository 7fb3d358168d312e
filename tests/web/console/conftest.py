"""People on the running server, and a plain browser for each of them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.ids import RandomIds
from tests.support.people import PersonFixture, PlainBrowser, make_person
from tests.support.processes import ServerProcess

MakePerson = Callable[..., Awaitable[PersonFixture]]
OpenBrowser = Callable[..., Awaitable[PlainBrowser]]


@pytest.fixture
def person(server_database: Database) -> MakePerson:
    """Make somebody on the server: `await person(role="viewer", with_totp=True)`."""

    async def make(**options: Any) -> PersonFixture:
        async with server_database.begin() as tx:
            return await make_person(tx, **options)

    return make


@pytest.fixture
async def browser(server: ServerProcess, server_database: Database) -> AsyncIterator[OpenBrowser]:
    """Open a browser that calls from an address of its own, where somebody is signed in."""
    async with AsyncExitStack() as stack:

        async def make(who: PersonFixture | None = None, *, url: str = "") -> PlainBrowser:
            octets = [str(ord(c) % 250 + 1) for c in RandomIds().random_token(3)]
            source = f"10.{'.'.join(octets)}"
            opened = await stack.enter_async_context(PlainBrowser(url or server.url, source=source))
            if who and who.recovery_codes:
                assert (await opened.sign_in(who.email)).status_code == 303
            elif who:
                async with server_database.begin() as tx:
                    await opened.hold_session(tx, who)
            return opened

        yield make
