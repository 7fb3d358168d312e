"""Idempotency of writes that place no order; orders have their identities from `place`."""

from datetime import datetime
from typing import Any

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.orders.draft import Identity


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """An identity that was used before: whether by the same request, and the stored answer."""

    is_same_request: bool
    answer: Any


async def claim_identity(
    tx: Transaction,
    *,
    shop_id: int,
    identity: Identity,
    now: datetime,
    expires_at: datetime | None = None,
) -> Known | None:
    """Claim the identity; None if it is new, and then the caller stores an answer before the commit.

    It waits for another transaction that is using the identity: after its commit the identity is
    known, after its rollback new. With `expires_at` it may be used again after that time.
    """
    claimed = await tx.run(
        "insert into identities as i (shop_id, namespace, key, request_hash, created_at, expires_at)"
        " values (%(shop)s, %(namespace)s, %(key)s, %(hash)s, %(now)s, %(expires)s)"
        " on conflict (shop_id, namespace, key) do update set request_hash = excluded.request_hash,"
        " answer = null, created_at = excluded.created_at, expires_at = excluded.expires_at"
        " where i.expires_at <= %(now)s",
        {**_values(shop_id, identity), "now": now, "expires": expires_at},
    )
    if claimed:
        return None
    row = await tx.one(
        "select request_hash, answer from identities"
        " where shop_id = %(shop)s and namespace = %(namespace)s and key = %(key)s",
        _values(shop_id, identity),
    )
    assert row is not None  # it was in the way, and is never deleted before its time
    is_same = row[0] is not None and bytes(row[0]) == identity.request_hash
    return Known(is_same_request=is_same, answer=row[1])


async def keep_answer(tx: Transaction, *, shop_id: int, identity: Identity, answer: Any) -> None:
    """Store the answer to a write, for replays; any JSON value."""
    await tx.run(
        "update identities set answer = %(answer)s::jsonb"
        " where shop_id = %(shop)s and namespace = %(namespace)s and key = %(key)s",
        {**_values(shop_id, identity), "answer": msgspec.json.encode(answer).decode()},
    )


async def purge_identities(tx: Transaction, *, now: datetime) -> int:
    """Delete identities that expired by both clocks, the database's too; those of orders never do."""
    return await tx.run(
        "delete from identities where expires_at <= least(%s, clock_timestamp())", (now,)
    )


def _values(shop_id: int, identity: Identity) -> dict[str, Any]:
    return {
        "shop": shop_id,
        "namespace": identity.namespace,
        "key": identity.key,
        "hash": identity.request_hash,
    }
