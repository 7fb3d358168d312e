"""A subscription..."""

from typing import Any

import pytest

from crossdock.errors import Invalid, NotFound, Refused
from crossdock.shop import webhooks
from crossdock.shop.webhooks import (
    change_subscription,
    list_subscriptions,
    read_subscription,
    send_test,
    subscribing,
    unsubscribe,
)
from tests.support.factories import make_shop
from tests.support.hooked import ALERTED, DIALECT, OTHER


async def test_shows_its_secret_once_and_stores_it_encrypted(hook):
    made, secret = await hook.add(ALERTED, OTHER)

    assert secret.startswith("whsec_")
    assert len(secret) == len("whsec_") + 32
    assert (made.names, made.paused_at) == ([ALERTED, OTHER], None)
    async with hook.db.statement() as tx:
        row = await tx.value(
            "select w::text from webhook_subscriptions w where id = %s", (made.id,)
        )
        sealed = await tx.value(
            "select sealed_secret from webhook_subscriptions where id = %s", (made.id,)
        )
    assert secret not in row
    assert secret.encode() not in bytes(sealed)


@pytest.mark.parametrize(
    ("url", "names", "field"),
    [
        ("http://shop.example/in", (ALERTED,), "url"),
        ("ftp://shop.example/in", (ALERTED,), "url"),
        ("https://10.0.0.1/in", (ALERTED,), "url"),
        ("https://user:pass@shop.example/", (ALERTED,), "url"),
        ("https://shop.example:8022/", (ALERTED,), "url"),
        ("https://shop.example/" + "x" * 2_000, (ALERTED,), "url"),
        ("https://shop.example/in", ("alert:*",), "events"),
        ("https://shop.example/in", (ALERTED, ALERTED), "events"),
    ],
)
async def test_is_refused_with_the_field_that_is_wrong(hook, url, names, field):
    with pytest.raises(Invalid) as refusal:
        await hook.add(*names, url=url)
    assert refusal.value.data == {"field": field}
    async with hook.db.statement() as tx:
        assert await list_subscriptions(tx, dialect=DIALECT, shop_id=hook.shop.id) == []


async def test_is_changed_listed_and_deleted_within_its_shop(hook):
    made, _ = await hook.add()
    second, _ = await hook.add()
    of: dict[str, Any] = {"dialect": DIALECT, "shop_id": hook.shop.id}
    async with hook.db.begin() as tx:
        other: dict[str, Any] = {"dialect": DIALECT, "shop_id": (await make_shop(tx)).id}
        changed = await change_subscription(
            tx, service=hook.service, names=[OTHER], subscription_id=made.id,
            now=hook.clock.now(), **of,
        )  # fmt: skip
        assert (changed.names, changed.url) == ([OTHER], made.url)
        listed = await list_subscriptions(tx, limit=1, **of)
        assert [each.id for each in listed] == [second.id]
        listed = await list_subscriptions(tx, before=second.id, **of)
        assert [each.id for each in listed] == [made.id]
        with pytest.raises(NotFound):
            await read_subscription(tx, subscription_id=made.id, **other)
        with pytest.raises(NotFound):
            await send_test(tx, subscription_id=made.id, now=hook.clock.now(), **other)
        with pytest.raises(NotFound):
            await unsubscribe(tx, subscription_id=made.id, now=hook.clock.now(), **other)
        await unsubscribe(tx, subscription_id=made.id, now=hook.clock.now(), **of)
        with pytest.raises(NotFound):
            await read_subscription(tx, subscription_id=made.id, **of)


async def test_is_one_of_so_many(hook, monkeypatch):
    monkeypatch.setattr(subscribing, "SUBSCRIPTIONS_MAX", 1)
    await hook.add()
    with pytest.raises(Refused, match="at most 1"):
        await hook.add()
    assert webhooks.SUBSCRIPTIONS_MAX == 100
