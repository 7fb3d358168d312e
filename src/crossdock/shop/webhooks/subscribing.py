"""Subscriptions: who is told of what, under which secret.

A secret is shown when it is made and never again; it is stored encrypted. A rotation ends the old one at
once. A subscription is deleted by its owner alone: where its receiver fails for long, it is paused.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid, NotFound, Refused
from crossdock.kit.crypto import SecretBox
from crossdock.kit.ids import Ids
from crossdock.kit.outbound import Outbound
from crossdock.kit.outbound import Refused as NotCalled
from crossdock.kit.webhooks import SECRET_PREFIX
from crossdock.shop.webhooks.dialect import Dialect, unknown_names

SUBSCRIPTIONS_MAX = 100
NAMES_MAX = 100
URL_CHARS = 2_000
_SECRET_CHARS = 32


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription without its secret. It is told of nothing while `paused_at` is set.

    One with an `invoice_id` hears of that invoice alone.
    """

    id: int
    url: str
    names: list[str]
    invoice_id: int | None
    paused_at: datetime | None
    failing_since: datetime | None
    created_at: datetime
    updated_at: datetime


class Subscribing(msgspec.Struct, frozen=True, kw_only=True):
    """The dependencies of making subscriptions."""

    outbound: Outbound
    box: SecretBox
    ids: Ids


async def subscribe(
    tx: Transaction,
    *,
    service: Subscribing,
    dialect: Dialect,
    shop_id: int,
    url: str,
    names: Sequence[str],
    now: datetime,
    invoice_id: int | None = None,
) -> tuple[Subscription, str]:
    """Add a subscription; it and its secret, which is shown once.

    One with an `invoice_id` hears of that invoice alone, is listed only while it is paused, and counts for no limit.
    Raises Invalid `invalid_input` with the field for a URL that is not called or names that there are not,
    Refused `order_state` for more than SUBSCRIPTIONS_MAX.
    """
    _check_url(service, url)
    _check_names(dialect, names)
    if invoice_id is None:
        await _require_room(tx, shop_id=shop_id, channel=dialect.channel)
    subscription_id = await tx.value(
        "insert into webhook_subscriptions (shop_id, channel, url, names, sealed_secret, invoice_id, created_at,"
        " updated_at) values (%s, %s, %s, %s, '', %s, %s, %s) returning id",
        (shop_id, dialect.channel, url, list(names), invoice_id, now, now),
    )
    secret = await _renew(tx, service=service, shop_id=shop_id, subscription_id=subscription_id)
    made = await read_subscription(
        tx, dialect=dialect, shop_id=shop_id, subscription_id=subscription_id
    )
    return made, secret


async def list_subscriptions(
    tx: Transaction,
    *,
    dialect: Dialect,
    shop_id: int,
    before: int | None = None,
    limit: int = SUBSCRIPTIONS_MAX,
) -> list[Subscription]:
    """The shop's subscriptions, newest first; those older than `before`. Of a single invoice's, those paused."""
    return await _read(
        tx,
        chosen=" and (invoice_id is null or paused_at is not null) and (%(before)s::bigint is null or id < %(before)s)"
        " order by id desc limit %(limit)s",
        values={"shop": shop_id, "channel": dialect.channel, "before": before, "limit": limit},
    )


async def read_subscription(
    tx: Transaction, *, dialect: Dialect, shop_id: int, subscription_id: int
) -> Subscription:
    """One subscription. Raises NotFound `not_found`."""
    found = await _read(
        tx,
        chosen=" and id = %(id)s",
        values={"shop": shop_id, "channel": dialect.channel, "id": subscription_id},
    )
    if not found:
        raise NotFound("not_found", f"There is no webhook {subscription_id}.")
    return found[0]


async def change_subscription(
    tx: Transaction,
    *,
    service: Subscribing,
    dialect: Dialect,
    shop_id: int,
    subscription_id: int,
    url: str | None = None,
    names: Sequence[str] | None = None,
    now: datetime,
) -> Subscription:
    """Change what is given. What waits to be sent goes to the new URL.

    Raises as `subscribe` does, and NotFound `not_found`.
    """
    if url is not None:
        _check_url(service, url)
    if names is not None:
        _check_names(dialect, names)
    await tx.run(
        "update webhook_subscriptions set url = coalesce(%s, url), names = coalesce(%s, names),"
        " updated_at = %s where shop_id = %s and channel = %s and id = %s and deleted_at is null",
        (url, None if names is None else list(names), now, shop_id, dialect.channel,
         subscription_id),
    )  # fmt: skip
    return await read_subscription(
        tx, dialect=dialect, shop_id=shop_id, subscription_id=subscription_id
    )


async def unsubscribe(
    tx: Transaction, *, dialect: Dialect, shop_id: int, subscription_id: int, now: datetime
) -> None:
    """Delete a subscription with its secret; what waits to be sent is withdrawn when its turn comes.

    Raises NotFound `not_found`.
    """
    changed = await tx.run(
        "update webhook_subscriptions set deleted_at = %s, updated_at = %s, sealed_secret = null"
        " where shop_id = %s and channel = %s and id = %s and deleted_at is null",
        (now, now, shop_id, dialect.channel, subscription_id),
    )
    if not changed:
        raise NotFound("not_found", f"There is no webhook {subscription_id}.")


async def rotate_webhook_secret(
    tx: Transaction,
    *,
    service: Subscribing,
    dialect: Dialect,
    shop_id: int,
    subscription_id: int,
    now: datetime,
) -> tuple[Subscription, str]:
    """Give the subscription another secret, shown once; no call is signed with the old one from now on.

    Raises NotFound `not_found`.
    """
    await read_subscription(tx, dialect=dialect, shop_id=shop_id, subscription_id=subscription_id)
    secret = await _renew(tx, service=service, shop_id=shop_id, subscription_id=subscription_id)
    await tx.run(
        "update webhook_subscriptions set updated_at = %s where shop_id = %s and id = %s",
        (now, shop_id, subscription_id),
    )
    found = await read_subscription(
        tx, dialect=dialect, shop_id=shop_id, subscription_id=subscription_id
    )
    return found, secret


def webhook_secret_place(shop_id: int, subscription_id: int) -> str:
    """Where the secret is stored, for the seal."""
    return f"webhook:{shop_id}:{subscription_id}"


async def _require_room(tx: Transaction, *, shop_id: int, channel: str) -> None:
    await tx.run("select 1 from shops where id = %s for no key update", (shop_id,))
    count = await tx.value(
        "select count(*) from webhook_subscriptions where shop_id = %s and channel = %s"
        " and deleted_at is null and invoice_id is null",
        (shop_id, channel),
    )
    if count >= SUBSCRIPTIONS_MAX:
        raise Refused("order_state", f"A shop has at most {SUBSCRIPTIONS_MAX} webhooks.")


async def _renew(
    tx: Transaction, *, service: Subscribing, shop_id: int, subscription_id: int
) -> str:
    secret = SECRET_PREFIX + service.ids.random_token(_SECRET_CHARS)
    place = webhook_secret_place(shop_id, subscription_id)
    await tx.run(
        "update webhook_subscriptions set sealed_secret = %s"
        " where shop_id = %s and id = %s and deleted_at is null",
        (service.box.seal(secret.encode(), place=place), shop_id, subscription_id),
    )
    return secret


def _check_url(service: Subscribing, url: str) -> None:
    facts = {"field": "url"}
    if not 1 <= len(url) <= URL_CHARS or not url.isascii():
        raise Invalid(
            "invalid_input", "the URL is too long or has letters that a URL has not", facts
        )
    try:
        service.outbound.check(url, needs_tls=True)
    except NotCalled as error:
        raise Invalid("invalid_input", str(error), facts) from error


def _check_names(dialect: Dialect, names: Sequence[str]) -> None:
    facts = {"field": "events"}
    if not 1 <= len(names) <= NAMES_MAX or len(set(names)) != len(names):
        raise Invalid("invalid_input", f"a webhook has 1 to {NAMES_MAX} different events", facts)
    if unknown := unknown_names(dialect, names):
        raise Invalid("invalid_input", f"there is no event {unknown[0]!r}", facts)


async def _read(tx: Transaction, *, chosen: str, values: dict[str, Any]) -> list[Subscription]:
    rows = await tx.all(_SUBSCRIPTION + chosen, values)
    names = Subscription.__struct_fields__
    return [Subscription(**dict(zip(names, row, strict=True))) for row in rows]


_SUBSCRIPTION = """
    select id, url, names, invoice_id, paused_at, failing_since, created_at, updated_at from webhook_subscriptions
    where shop_id = %(shop)s and channel = %(channel)s and deleted_at is null
"""
