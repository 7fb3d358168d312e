"""A suspended shop is refused by every channel in its own words, and served again once it is resumed."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import httpx2
import pytest

from crossdock.channels.registry import CHANNELS
from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.kit.ids import RandomIds
from crossdock.shop.partners import add_credential, touch_partners
from crossdock.shop.shops import resume_shop, suspend_shop
from tests.conftest import NOON
from tests.support.clocked import ClockedServer, clocked
from tests.support.factories import ShopFixture, box, make_partner, make_shop
from tests.support.partner_client import PartnerClient
from tests.support.reseller_client import KeyHolder, add_key_holder
from tests.support.shoppable_client import Publisher, add_publisher
from tests.support.shoppo_client import DropShipper, add_drop_shipper
from tests.support.shopwedo_client import ShopClient

Ask = Callable[[], Awaitable[httpx2.Response]]


@pytest.fixture(scope="module")
async def db(database_url: str) -> AsyncIterator[Database]:
    pool = Database(database_url, min_size=1, max_size=4)
    await pool.open()
    yield pool
    await pool.close()


@pytest.fixture(scope="module")
async def server(
    database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ClockedServer]:
    folder = tmp_path_factory.mktemp("suspended")
    async with clocked(
        database_url=database_url, data_dir=str(folder), clock=FrozenClock(NOON)
    ) as opened:
        yield opened


async def asked(
    channel: str, *, db: Database, server: ClockedServer, shop: ShopFixture, stack: AsyncExitStack
) -> Ask:
    """A call that the channel answers with 200 as long as the shop runs."""
    url, now = server.url, NOON.timestamp()
    client: Any
    if channel == "shoppex_reseller":
        _, _, key = await add_key_holder(db, shop_id=shop.id)
        client = await stack.enter_async_context(KeyHolder(url, key=key))
        return lambda: client.send("GET", "/dev/v1/me")
    if channel == "shoppable":
        _, token = await add_publisher(db, shop_id=shop.id, permissions=("carts.write",))
        client = await stack.enter_async_context(Publisher(url, token=token))
        return lambda: client.get("/v3/cart")
    if channel == "shoppo":
        _, viewer, token = await add_drop_shipper(db, shop_id=shop.id)
        client = await stack.enter_async_context(DropShipper(url, token=token, viewer=viewer))
        return lambda: client.post("{ __typename }")
    async with db.begin() as tx:
        partner = await make_partner(tx, shop=shop, channel=channel)
        if channel == "shoppex_partner":
            client = await stack.enter_async_context(PartnerClient.of(url, partner, now=int(now)))
            listed: Ask = client.products
            return listed
        made = await add_credential(
            tx, partner_id=partner.id, ids=RandomIds(), box=box(), is_number=True
        )
    client = await stack.enter_async_context(
        ShopClient(url, shop_id=made.key, key=made.secret, now=now)
    )
    return lambda: client.call("getCategories")


REFUSED = {
    "shoppex_partner": (403, "partner_permission_denied"),
    "shopwedo": (403, "forbidden"),
    "shoppable": (403, "Unauthorized access."),
    "shoppo": (403, "The shop is suspended."),
    "shoppex_reseller": (403, "Your shop has been suspended."),
}


@pytest.mark.parametrize("channel", [name.rpartition(".")[2] for name in CHANNELS])
async def test_is_refused_in_the_channel_s_words_until_it_is_resumed(channel, db, server):
    async with AsyncExitStack() as stack:
        async with db.begin() as tx:
            shop = await make_shop(tx)
        ask = await asked(channel, db=db, server=server, shop=shop, stack=stack)
        before = await ask()
        assert before.status_code == 200, before.text

        async with db.begin() as tx:
            assert await suspend_shop(tx, shop_id=shop.id, now=NOON)
            assert not await suspend_shop(tx, shop_id=shop.id, now=NOON)
            await touch_partners(tx, shop_id=shop.id)

        status, said = REFUSED[channel]
        for _ in range(2):  # as it was cached, and read again
            refused = await ask()
            assert (refused.status_code, said in refused.text) == (status, True), refused.text

        async with db.begin() as tx:
            assert await resume_shop(tx, shop_id=shop.id)
            await touch_partners(tx, shop_id=shop.id)
        assert (await ask()).status_code == 200
