"""Connectors: checked when they are made, secrets sealed and never shown."""

import pytest

from crossdock.errors import Conflict, Invalid, NotFound
from crossdock.kit.ids import SeededIds
from crossdock.kit.webhooks import new_secret
from crossdock.shop.dispatch import add_connector, list_connectors, set_connector
from tests.support.factories import make_shop

SECRET = new_secret(SeededIds(3))
SELLERCLOUD = {"base_url": "https://x.api.sellercloud.com", "username": "u", "company_id": 1}


async def test_the_first_connector_is_the_default_and_another_can_take_over(tx, configuring):
    shop = await make_shop(tx)
    await add_connector(
        tx, service=configuring, shop_id=shop.id, name="a", kind="manual", settings={}
    )
    await add_connector(
        tx,
        service=configuring,
        shop_id=shop.id,
        name="b",
        kind="sellercloud",
        settings=SELLERCLOUD,
        secret="pw",
    )
    assert [(c.name, c.is_default) for c in await list_connectors(tx, shop_id=shop.id)] == [
        ("a", True),
        ("b", False),
    ]
    await set_connector(tx, service=configuring, shop_id=shop.id, name="b", is_default=True)
    assert [(c.name, c.is_default) for c in await list_connectors(tx, shop_id=shop.id)] == [
        ("a", False),
        ("b", True),
    ]


async def test_the_secret_is_sealed_and_not_listed(tx, configuring):
    shop = await make_shop(tx)
    await add_connector(
        tx,
        service=configuring,
        shop_id=shop.id,
        name="hook",
        kind="webhook",
        settings={"url": "https://example.com/in"},
        secret=SECRET,
    )
    [view] = await list_connectors(tx, shop_id=shop.id)
    assert (view.has_secret, view.settings) == (True, {"url": "https://example.com/in"})
    sealed = await tx.value("select sealed_secret from connectors where shop_id = %s", (shop.id,))
    assert SECRET.encode() not in sealed


@pytest.mark.parametrize(
    ("kind", "settings", "secret"),
    [
        ("webhook", {}, SECRET),
        ("webhook", {"url": "https://example.com", "x": 1}, SECRET),
        ("webhook", {"url": "https://example.com"}, ""),
        ("sellercloud", SELLERCLOUD, ""),
        ("sellercloud", {**SELLERCLOUD, "company_id": "one"}, "pw"),
        ("sellercloud", {"base_url": "https://x"}, "pw"),
        ("pigeon", {}, ""),
        ("manual", {"url": "https://example.com"}, ""),
        ("webhook", {"url": "http://192.168.0.1/"}, SECRET),
        ("webhook", {"url": "ftp://example.com/"}, SECRET),
        ("sellercloud", SELLERCLOUD | {"base_url": "https://x.example:22"}, "pw"),
    ],
)
async def test_settings_that_cannot_work_are_refused_and_not_stored(
    tx, configuring, kind, settings, secret
):
    shop = await make_shop(tx)
    with pytest.raises(Invalid):
        await add_connector(
            tx,
            service=configuring,
            shop_id=shop.id,
            name="a",
            kind=kind,
            settings=settings,
            secret=secret,
        )
    assert await list_connectors(tx, shop_id=shop.id) == []


async def test_a_name_is_used_once_in_a_shop(tx, configuring):
    shop = await make_shop(tx)
    await add_connector(
        tx, service=configuring, shop_id=shop.id, name="a", kind="manual", settings={}
    )
    with pytest.raises(Conflict):
        await add_connector(
            tx, service=configuring, shop_id=shop.id, name="a", kind="manual", settings={}
        )


async def test_a_change_lays_settings_over_the_old_ones_and_none_takes_one_away(tx, configuring):
    shop = await make_shop(tx)
    await add_connector(
        tx,
        service=configuring,
        shop_id=shop.id,
        name="sc",
        kind="sellercloud",
        settings=SELLERCLOUD | {"warehouse_id": 3},
        secret="pw",
    )
    await set_connector(
        tx,
        service=configuring,
        shop_id=shop.id,
        name="sc",
        settings={"company_id": 2, "warehouse_id": None},
    )
    [view] = await list_connectors(tx, shop_id=shop.id)
    assert (view.settings, view.has_secret) == (SELLERCLOUD | {"company_id": 2}, True)


async def test_another_shop_s_connector_is_unknown(tx, configuring):
    shop, other = await make_shop(tx), await make_shop(tx)
    await add_connector(
        tx, service=configuring, shop_id=shop.id, name="a", kind="manual", settings={}
    )
    with pytest.raises(NotFound):
        await set_connector(tx, service=configuring, shop_id=other.id, name="a", enabled=False)


async def test_settings_typed_at_a_terminal_become_what_they_are(tx, configuring):
    shop = await make_shop(tx)
    typed = SELLERCLOUD | {"company_id": "7", "channel": "21"}
    await add_connector(
        tx,
        service=configuring,
        shop_id=shop.id,
        name="sc",
        kind="sellercloud",
        settings=typed,
        secret="pw",
    )
    [view] = await list_connectors(tx, shop_id=shop.id)
    assert view.settings == SELLERCLOUD | {"company_id": 7}
