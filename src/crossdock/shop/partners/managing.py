"""Add partners, change their terms, rotate and disable their credentials."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
from psycopg.types.json import Jsonb

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Conflict, NotFound
from crossdock.kit.crypto import SecretBox
from crossdock.kit.ids import Ids
from crossdock.shop.partners.reading import secret_place

LIVE_SECRETS_MAX = 2


class Terms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a partner may do; UNSET fields stay as they are. Amounts are minor units."""

    active: bool | msgspec.UnsetType = msgspec.UNSET
    permissions: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    backorder: bool | msgspec.UnsetType = msgspec.UNSET
    min_amount_minor: int | msgspec.UnsetType | None = msgspec.UNSET
    max_amount_minor: int | msgspec.UnsetType | None = msgspec.UNSET
    visible_merchants: tuple[int, ...] | msgspec.UnsetType | None = msgspec.UNSET
    price_list_id: int | msgspec.UnsetType | None = msgspec.UNSET
    customer_id: int | msgspec.UnsetType | None = msgspec.UNSET
    settings: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


class NewCredential(msgspec.Struct, frozen=True, kw_only=True):
    """A credential at the one moment when its secret is shown."""

    partner_id: int
    key: str
    secret: str


class PartnerView(msgspec.Struct, frozen=True, kw_only=True):
    """A partner as an operator sees it; it holds no secret."""

    id: int
    shop: str
    channel: str
    name: str
    active: bool
    permissions: tuple[str, ...]
    backorder: bool
    min_amount_minor: int | None
    max_amount_minor: int | None
    visible_merchants: tuple[int, ...] | None
    price_list_id: int | None
    customer_id: int | None
    settings: dict[str, Any]
    credentials: tuple[dict[str, Any], ...]


async def add_partner(
    tx: Transaction, *, shop_id: int, channel: str, name: str, terms: Terms
) -> int:
    """The new partner's id. Raises Conflict `exists` when the shop's channel knows the name."""
    partner_id = await tx.value(
        "insert into partners (shop_id, channel, name) values (%s, %s, %s) on conflict do nothing returning id",
        (shop_id, channel, name),
    )
    if partner_id is None:
        raise Conflict("exists", f"There is a {channel} partner called {name!r} already.")
    await set_terms(tx, partner_id=partner_id, terms=terms)
    return int(partner_id)


async def set_terms(tx: Transaction, *, partner_id: int, terms: Terms) -> None:
    """Change the given terms; `settings` are merged, a null takes a setting away."""
    changes = {
        field: value
        for field in terms.__struct_fields__
        if (value := getattr(terms, field)) is not msgspec.UNSET
    }
    settings = changes.pop("settings", {})
    columns = "".join(f", {name} = %({name})s" for name in changes)
    for name in ("permissions", "visible_merchants"):
        if changes.get(name) is not None:
            changes[name] = list(changes[name])
    found = await tx.run(
        "update partners set settings = jsonb_strip_nulls(settings || %(merged)s)"  # nosec B608
        + columns
        + " where id = %(id)s",
        {**changes, "merged": Jsonb(settings), "id": partner_id},
    )
    if not found:
        raise NotFound("not_found", f"There is no partner {partner_id}.")


async def add_credential(
    tx: Transaction,
    *,
    partner_id: int,
    ids: Ids,
    box: SecretBox,
    is_test: bool = False,
    is_number: bool = False,
    key: str = "",
    secret: str = "",
) -> NewCredential:
    """A key with its first secret, which is not readable again. Give both to carry over an old pair.

    `is_number` draws the key from the caller numbers, for channels that know callers by a number.
    """
    if is_number and not key:
        key = str(await tx.value("select nextval('caller_numbers')"))
    key, secret = key or ids.partner_key(), secret or ids.partner_secret()
    credential_id = await tx.value(
        "insert into credentials (shop_id, partner_id, channel, public_key, is_test)"
        " select shop_id, id, channel, %s, %s from partners where id = %s"
        " on conflict do nothing returning id",
        (key, is_test, partner_id),
    )
    if credential_id is None:
        raise Conflict("exists", "This key is in use on the channel already.")
    await _add_secret(tx, credential_id=credential_id, key=key, secret=secret, box=box)
    return NewCredential(partner_id=partner_id, key=key, secret=secret)


async def rotate_secret(
    tx: Transaction, *, key: str, ids: Ids, box: SecretBox, now: datetime, overlap_s: int
) -> NewCredential:
    """A second secret; the first lives on for `overlap_s` seconds. Raises Conflict when two are live."""
    row = await tx.one(
        "select c.id, c.partner_id from credentials c where c.public_key = %s and c.disabled_at is null"
        " for no key update",
        (key,),
    )
    if row is None:
        raise NotFound("not_found", "There is no live credential with this key.")
    live = await tx.value(
        "select count(*) from credential_secrets where credential_id = %s and revoked_at is null"
        " and (expires_at is null or expires_at > %s)",
        (row[0], now),
    )
    if live >= LIVE_SECRETS_MAX:
        raise Conflict(
            "exists", "Two secrets are live already; wait for the older one to end, or revoke it."
        )
    await tx.run(
        "update credential_secrets set expires_at = %s"
        " where credential_id = %s and revoked_at is null and expires_at is null",
        (now + timedelta(seconds=overlap_s), row[0]),
    )
    secret = ids.partner_secret()
    await _add_secret(tx, credential_id=row[0], key=key, secret=secret, box=box)
    await _touch(tx, partner_id=row[1])
    return NewCredential(partner_id=row[1], key=key, secret=secret)


async def revoke_old_secrets(tx: Transaction, *, key: str, now: datetime) -> int:
    """End every secret but the newest at once, and tell how many."""
    row = await tx.one("select id, partner_id from credentials where public_key = %s", (key,))
    if row is None:
        raise NotFound("not_found", "There is no credential with this key.")
    count = await tx.run(
        "update credential_secrets set revoked_at = %s where credential_id = %s and revoked_at is null"
        " and id < (select max(id) from credential_secrets where credential_id = %s and revoked_at is null)",
        (now, row[0], row[0]),
    )
    await _touch(tx, partner_id=row[1])
    return count


async def disable_credential(tx: Transaction, *, key: str, now: datetime) -> None:
    """Refuse the key from now on. Disabling twice is no error."""
    partner_id = await tx.value(
        "update credentials set disabled_at = coalesce(disabled_at, %s) where public_key = %s returning partner_id",
        (now, key),
    )
    if partner_id is None:
        raise NotFound("not_found", "There is no credential with this key.")
    await _touch(tx, partner_id=partner_id)


async def enable_credential(tx: Transaction, *, key: str) -> None:
    """Let the key be used again, with the secrets it had. Raises NotFound `not_found`."""
    partner_id = await tx.value(
        "update credentials set disabled_at = null where public_key = %s returning partner_id",
        (key,),
    )
    if partner_id is None:
        raise NotFound("not_found", "There is no credential with this key.")
    await _touch(tx, partner_id=partner_id)


async def list_partners(
    tx: Transaction,
    *,
    shop: str | None = None,
    channel: str | None = None,
    partner_id: int | None = None,
) -> list[PartnerView]:
    """Partners with their credentials, by id; no secret is read."""
    rows = await tx.all(_VIEWS, {"shop": shop, "channel": channel, "id": partner_id})
    return [
        PartnerView(**dict(zip(PartnerView.__struct_fields__, _tupled(row), strict=True)))
        for row in rows
    ]


_VIEWS = """
    select p.id, s.slug, p.channel, p.name, p.active, p.permissions, p.backorder, p.min_amount_minor,
           p.max_amount_minor, p.visible_merchants, p.price_list_id, p.customer_id, p.settings,
           coalesce((select jsonb_agg(jsonb_build_object(
               'key', c.public_key, 'is_test', c.is_test, 'disabled', c.disabled_at is not null,
               'secrets', (select jsonb_agg(jsonb_build_object(
                    'id', k.id, 'created_at', k.created_at, 'expires_at', k.expires_at,
                    'revoked_at', k.revoked_at, 'last_used_at', k.last_used_at) order by k.id)
                  from credential_secrets k where k.credential_id = c.id)) order by c.id)
             from credentials c where c.shop_id = p.shop_id and c.partner_id = p.id), '[]'::jsonb)
    from partners p join shops s on s.id = p.shop_id
    where (%(shop)s::text is null or s.slug = %(shop)s)
      and (%(channel)s::text is null or p.channel = %(channel)s)
      and (%(id)s::bigint is null or p.id = %(id)s)
    order by p.id
"""


def _tupled(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(tuple(value) if isinstance(value, list) else value for value in row)


async def _add_secret(
    tx: Transaction, *, credential_id: int, key: str, secret: str, box: SecretBox
) -> None:
    await tx.run(
        "insert into credential_secrets (credential_id, sealed) values (%s, %s)",
        (credential_id, box.seal(secret.encode(), place=secret_place(key))),
    )


async def _touch(tx: Transaction, *, partner_id: int) -> None:
    """Raise the revision, so that no worker believes what it has cached."""
    await tx.run("update partners set active = active where id = %s", (partner_id,))
