"""Partners with tokens and with passwords, and the toy channels that they call over a real socket."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.kit.ids import RandomIds
from crossdock.shop.partners import NewCredential, Terms, add_credential, add_partner
from tests.support.clocked import ClockedServer, clocked
from tests.support.factories import box, make_shop
from tests.support.toy_doors import tokens, viewers
from tests.support.toy_doors.calling import Caller

AddCaller = Callable[..., Awaitable[NewCredential]]


@pytest.fixture
def add_caller(database: Database) -> AddCaller:
    """Add a partner of a fresh shop: `await add_caller("toy_tokens", proof="bearer", prefix="toy_")`."""

    async def add(channel: str, *, settings: dict[str, Any] | None = None, **options: Any) -> Any:
        async with database.begin() as tx:
            shop = await make_shop(tx)
            name = RandomIds().random_token(8)
            terms = Terms(settings=settings or {})
            partner_id = await add_partner(
                tx, shop_id=shop.id, channel=channel, name=name, terms=terms
            )
            return await add_credential(
                tx, partner_id=partner_id, ids=RandomIds(), box=box(), **options
            )

    return add


@pytest.fixture
async def holder(add_caller: AddCaller) -> NewCredential:
    """A partner with a token of the toy channel."""
    return await add_caller("toy_tokens", proof="bearer", prefix="toy_")


@pytest.fixture
async def user(add_caller: AddCaller) -> NewCredential:
    """A partner with name and password of the same channel."""
    return await add_caller("toy_tokens", proof="password")


@pytest.fixture
async def toys(
    database_url: str, tmp_path: Any, clock: FrozenClock
) -> AsyncIterator[ClockedServer]:
    """The toy channels, served on this worker's database."""
    async with clocked(
        database_url=database_url, data_dir=str(tmp_path), clock=clock, doors=(tokens, viewers)
    ) as served:
        yield served


@pytest.fixture
async def caller(toys: ClockedServer) -> AsyncIterator[Caller]:
    """A client of the served toy channels."""
    made = Caller(toys)
    yield made
    await made.client.aclose()
