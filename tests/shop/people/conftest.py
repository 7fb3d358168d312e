"""The sign-in service over the worker's database, with a clock to move."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from crossdock.db.runtime import Runtime
from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.kit.ids import RandomIds
from crossdock.settings import Settings
from crossdock.shop.people import People, create_means
from tests.support.factories import box
from tests.support.people import PASSWORD, PersonFixture, make_person

MakePerson = Callable[..., Awaitable[PersonFixture]]


@pytest.fixture
def people(database: Database, clock: FrozenClock, settings: Settings) -> People:
    """The service with the default settings."""
    runtime = Runtime(settings=settings, clock=clock, database=database)
    return People(create_means(runtime, box=box(), ids=RandomIds()))


@pytest.fixture
def person(database: Database) -> MakePerson:
    """Make somebody: `await person(role="viewer", with_totp=True)`."""

    async def make(**options: Any) -> PersonFixture:
        async with database.begin() as tx:
            return await make_person(tx, **options)

    return make


@pytest.fixture
def source(request: pytest.FixtureRequest) -> str:
    """A network address that no other test calls from."""
    return f"198.51.100.1 {request.node.nodeid}"


@pytest.fixture
def sign_in(people: People, source: str) -> Callable[..., Awaitable[str]]:
    """Sign somebody in; the token they hold afterwards."""

    async def run(who: PersonFixture, *, password: str = PASSWORD) -> str:
        made = await people.sign_in(email=who.email, password=password, source=source)
        assert made is not None
        return made.token

    return run
