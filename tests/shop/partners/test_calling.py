"""A partner whose servers are called..."""

from typing import Any

import msgspec
import pytest

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid, NotFound
from crossdock.kit.crypto import SecretBox
from crossdock.shop.partners import (
    Terms,
    list_called,
    read_called,
    read_partners_with,
    set_terms,
)
from crossdock.shop.partners.calling import PartnerSight
from tests.support.factories import ShopFixture, box, make_partner, make_shop

CHANNEL = "toy_tokens"


@pytest.fixture
async def shop(tx: Transaction) -> ShopFixture:
    return await make_shop(tx)


async def make(tx: Transaction, shop: ShopFixture, **values: Any) -> int:
    """A partner's id."""
    return (await make_partner(tx, shop=shop, **{"channel": CHANNEL} | values)).id


async def with_secrets(tx: Transaction, shop: ShopFixture, **secrets: str | None) -> int:
    partner_id = await make(tx, shop, settings={"url": "https://a.example"})
    await set_terms(tx, partner_id=partner_id, terms=Terms(secrets=secrets), box=box())
    return partner_id


async def test_is_read_with_its_secrets_in_its_shop_alone(tx, shop):
    partner_id = await with_secrets(tx, shop, hook="first secret", other="second secret")
    await with_secrets(tx, shop, hook="theirs")

    called = await read_called(tx, shop_id=shop.id, partner_id=partner_id, box=box())

    assert called.secrets == {"hook": "first secret", "other": "second secret"}
    assert (called.id, called.channel, called.active) == (partner_id, CHANNEL, True)
    assert called.settings == {"url": "https://a.example"}
    assert repr(called) == f"Called(id={partner_id})"
    other = await make_shop(tx)
    for wrong in ((other.id, partner_id), (shop.id, 10**12)):
        with pytest.raises(NotFound, match="not_found"):
            await read_called(tx, shop_id=wrong[0], partner_id=wrong[1], box=box())


async def test_without_secrets_has_none(tx, shop):
    partner_id = await make(tx, shop)
    called = await read_called(tx, shop_id=shop.id, partner_id=partner_id, box=box())
    assert called.secrets == {}


async def test_whose_secret_no_master_key_opens_is_refused(tx, shop):
    partner_id = await with_secrets(tx, shop, hook="first secret")
    with pytest.raises(Invalid, match="A secret of the partner"):
        await read_called(
            tx,
            shop_id=shop.id,
            partner_id=partner_id,
            box=SecretBox(bytes(32)),
        )


async def test_is_listed_by_channel_setting_and_number(tx, shop):
    first = await make(tx, shop, settings={"url": "x"}, visible_merchants=[7])
    second = await make(tx, shop, settings={"other": "x"})
    await make(tx, shop, channel="another", settings={"url": "x"})
    await make(tx, await make_shop(tx), settings={"url": "x"})

    async def listed(**values: Any) -> list[int]:
        found = await list_called(tx, **{"shop_id": shop.id, "channel": CHANNEL} | values)
        return [each.id for each in found]

    assert await listed() == [first, second]
    assert await listed(setting="url") == [first]
    assert await listed(partner_ids=[second, 10**12]) == [second]
    assert await listed(partner_ids=[second], setting="url") == []
    assert await listed(partner_ids=[]) == []
    found = await list_called(tx, shop_id=shop.id, channel=CHANNEL)
    assert [each.visible_merchants for each in found] == [[7], None]


async def test_sees_its_merchants_or_all():
    sights = [PartnerSight(1, True, visible) for visible in (None, [], [7])]
    assert [each.sees(7) for each in sights] == [True, False, True]
    assert [each.sees(8) for each in sights] == [True, False, False]


async def test_is_found_by_any_of_these_settings_while_it_is_active(tx, shop):
    first = await make(tx, shop, settings={"url": "x"})
    second = await make(tx, shop, settings={"other": "x", "more": 1})
    await make(tx, shop, settings={"third": "x"})
    await make(tx, shop, settings={"url": "x"}, channel="another")
    await make(tx, await make_shop(tx), settings={"url": "x"})
    idle = await make(tx, shop, settings={"url": "x"})
    await set_terms(tx, partner_id=idle, terms=Terms(active=False))

    async def found(*settings: str) -> list[int]:
        partners = await read_partners_with(tx, shop_id=shop.id, channel=CHANNEL, settings=settings)
        return [partner.id for partner in partners]

    assert await found("url", "other") == [first, second]
    assert await found("url") == [first]
    assert await found("nothing") == []
    [partner] = await read_partners_with(tx, shop_id=shop.id, channel=CHANNEL, settings=["url"])
    assert msgspec.structs.asdict(partner)["time_zone"] == "Europe/Brussels"
