"""Read a partner by the key, token or name of its calls, or by its id."""

import contextlib
from collections.abc import Collection
from datetime import datetime
from typing import Any

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import SealBroken
from crossdock.kit.crypto import SecretBox
from crossdock.shop.partners.keeping import secret_place
from crossdock.shop.partners.model import Credential, Partner, Proof, Secret

_COLUMNS = """
    select c.id, c.is_test, p.shop_id, p.id, p.name, coalesce(c.scopes, p.permissions), p.backorder, s.currency,
           p.min_amount_minor, p.max_amount_minor, p.visible_merchants, p.price_list_id, p.customer_id,
           p.settings, p.revision, array_agg(k.id order by k.id),
           array_agg(coalesce(k.sealed, k.token_hash, convert_to(k.password_hash, 'UTF8')) order by k.id),
           array_agg(k.expires_at order by k.id), c.public_key, s.time_zone, s.suspended_at is not null,
           p.watched_until
    from credentials c
    join partners p on p.shop_id = c.shop_id and p.id = c.partner_id and p.active
    join shops s on s.id = p.shop_id
    join credential_secrets k on k.credential_id = c.id and k.revoked_at is null
"""
_GROUPED = "group by c.id, c.is_test, c.public_key, c.scopes, p.shop_id, p.id, s.currency, s.time_zone, s.suspended_at"
_BY_KEY = f"""
    {_COLUMNS} where c.channel = %s and c.public_key = %s and c.proof = %s and c.disabled_at is null {_GROUPED}
"""
_BY_TOKEN = f"""
    {_COLUMNS}
    where c.channel = %s and c.proof = 'bearer' and c.disabled_at is null
      and c.id = (select credential_id from credential_secrets where token_hash = %s and revoked_at is null)
    {_GROUPED}
"""


_IS_DISABLED = """
    select exists (
        select 1 from credential_secrets k
        join credentials c on c.id = k.credential_id and c.channel = %s and c.proof = 'bearer'
        join partners p on p.shop_id = c.shop_id and p.id = c.partner_id
        where k.token_hash = %s and k.revoked_at is null and (k.expires_at is null or k.expires_at > %s)
          and (c.disabled_at is not null or not p.active))
"""

# The token stands where a secret does: it is compared and expires like one.
_BY_ACCESS_TOKEN = """
    select c.id, c.is_test, p.shop_id, p.id, p.name, coalesce(c.scopes, p.permissions), p.backorder, s.currency,
           p.min_amount_minor, p.max_amount_minor, p.visible_merchants, p.price_list_id, p.customer_id,
           p.settings, p.revision, array[newest.id], array[t.token_hash], array[t.expires_at], c.public_key,
           s.time_zone, s.suspended_at is not null, p.watched_until
    from access_tokens t
    join credentials c on c.id = t.credential_id and c.disabled_at is null
    join partners p on p.shop_id = c.shop_id and p.id = c.partner_id and p.active
    join shops s on s.id = p.shop_id
    cross join lateral (
        select k.id from credential_secrets k where k.credential_id = c.id and k.revoked_at is null
        order by k.id desc limit 1
    ) newest
    where c.channel = %s and t.token_hash = %s
"""


async def read_credential(
    tx: Transaction, *, channel: str, public_key: str, box: SecretBox, proof: Proof = "signature"
) -> Credential | None:
    """The enabled credential of an active partner, or None. The caller checks the expiry of secrets.

    Only secrets of this kind of proof are returned. A secret that no master key opens is skipped
    if there is another one. Raises SealBroken if there is none.
    """
    row = await tx.one(_BY_KEY, (channel, public_key, proof))
    return _credential(row, channel=channel, proof=proof, box=box) if row else None


async def read_token_holder(
    tx: Transaction, *, channel: str, token_hash: bytes, box: SecretBox
) -> Credential | None:
    """`read_credential` for a token's hash."""
    row = await tx.one(_BY_TOKEN, (channel, token_hash))
    return _credential(row, channel=channel, proof="bearer", box=box) if row else None


async def read_access_holder(
    tx: Transaction, *, channel: str, token_hash: bytes, box: SecretBox
) -> Credential | None:
    """The credential with name and password that got the token with this hash; its one secret is the token."""
    row = await tx.one(_BY_ACCESS_TOKEN, (channel, token_hash))
    return _credential(row, channel=channel, proof="password", box=box) if row else None


async def is_token_disabled(
    tx: Transaction, *, channel: str, token_hash: bytes, now: datetime
) -> bool:
    """Whether a token is live but for its key, which is disabled, or its partner, who is inactive."""
    found: bool = await tx.value(_IS_DISABLED, (channel, token_hash, now))
    return found


_TERMS = """
    select p.channel, null, p.shop_id, p.id, p.name, p.permissions, p.backorder, s.currency,
           p.min_amount_minor, p.max_amount_minor, p.visible_merchants, p.price_list_id, p.customer_id,
           p.settings, p.revision, s.time_zone
    from partners p join shops s on s.id = p.shop_id
"""
_WITH_SETTINGS = f"""
    {_TERMS} where p.shop_id = %s and p.channel = %s and p.active and p.settings ?| %s::text[] order by p.id
"""


async def read_partner(tx: Transaction, *, partner_id: int) -> Partner | None:
    """The partner with its terms, active or not, or None."""
    row = await tx.one(f"{_TERMS} where p.id = %s", (partner_id,))
    return _partner(row[0], row, time_zone=row[15]) if row else None


async def read_partners_with(
    tx: Transaction, *, shop_id: int, channel: str, settings: Collection[str]
) -> list[Partner]:
    """The shop's active partners of this channel who have one of these settings, by id."""
    rows = await tx.all(_WITH_SETTINGS, (shop_id, channel, list(settings)))
    return [_partner(channel, row, time_zone=row[15]) for row in rows]


def _credential(row: tuple[Any, ...], *, channel: str, proof: Proof, box: SecretBox) -> Credential:
    return Credential(
        id=row[0],
        public_key=row[18],
        proof=proof,
        is_test=row[1],
        secrets=_opened(row, box=box) if proof == "signature" else _hashes(row),
        partner=_partner(channel, row, time_zone=row[19], watched_until=row[21]),
        is_shop_suspended=row[20],
    )


def _hashes(row: tuple[Any, ...]) -> tuple[Secret, ...]:
    return tuple(
        Secret(id=secret_id, value=kept, expires_at=expires_at)
        for secret_id, kept, expires_at in zip(row[15], row[16], row[17], strict=True)
    )


def _opened(row: tuple[Any, ...], *, box: SecretBox) -> tuple[Secret, ...]:
    found, place = [], secret_place(row[18])
    for secret in _hashes(row):
        with contextlib.suppress(SealBroken):
            value = box.open(secret.value, place=place)
            found.append(Secret(id=secret.id, value=value, expires_at=secret.expires_at))
    if not found:
        raise SealBroken(f"no known master key opens {place}")
    return tuple(found)


def _partner(
    channel: str, row: tuple[Any, ...], *, time_zone: str, watched_until: datetime | None = None
) -> Partner:
    return Partner(
        channel=channel,
        shop_id=row[2],
        id=row[3],
        name=row[4],
        permissions=frozenset(row[5]),
        backorder=row[6],
        currency=row[7],
        min_amount_minor=row[8],
        max_amount_minor=row[9],
        visible_merchants=None if row[10] is None else tuple(row[10]),
        price_list_id=row[11],
        customer_id=row[12],
        settings=row[13],
        revision=row[14],
        time_zone=time_zone,
        watched_until=watched_until,
    )


async def read_partner_bounds(tx: Transaction, *, partner_id: int) -> tuple[int | None, int | None]:
    """The least and the largest subtotal of the partner's orders, in minor units."""
    row = await tx.one(
        "select min_amount_minor, max_amount_minor from partners where id = %s", (partner_id,)
    )
    return (row[0], row[1]) if row else (None, None)
