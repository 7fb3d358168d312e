"""Idempotency of writes that place no order; orders have their identities from `place`."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import msgspec
import psycopg

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import Conflict
from crossdock.kit.crypto import SecretBox
from crossdock.shop.orders.draft import Identity

Act = Callable[[Transaction], Awaitable[bytes]]
"""A write in a transaction; its answer, as it will be repeated."""

Keeps = Callable[[bytes], bytes]
"""Makes of an answer what a repeat is told: the same but for credentials, which are told once."""

_BUSY_S = 1


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """An identity that was used before: whether by the same request, and the stored answer."""

    is_same_request: bool
    answer: bytes


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a write, and whether it was made before and is only told again."""

    answer: bytes
    is_replayed: bool = False


async def write_once(
    db: Database,
    *,
    shop_id: int,
    identity: Identity | None,
    act: Act,
    box: SecretBox,
    now: datetime,
    expires_at: datetime | None = None,
    keeps: Keeps | None = None,
) -> Written:
    """Do `act` and keep its answer under the identity, in one transaction; a repeat gets that answer.

    With `keeps` what it makes of the answer is kept, and told to a repeat.

    | the identity | what happens |
    |---|---|
    | None | `act` is done |
    | new, or only used by writes that failed | `act` is done, its answer is kept |
    | used by the same request | nothing; the kept answer |
    | used by another request | nothing; Conflict `idempotency_key_used` |
    | being used just now | it waits; if that takes too long, Conflict `idempotency_key_busy` |
    """
    async with db.begin() as tx:
        if identity is None:
            return Written(answer=await act(tx))
        try:
            known = await claim_identity(
                tx, shop_id=shop_id, identity=identity, box=box, now=now, expires_at=expires_at
            )
        except psycopg.errors.LockNotAvailable as error:
            raise Conflict("idempotency_key_busy", data={"retry_after_s": _BUSY_S}) from error
        if known is None:
            answer = await act(tx)
            kept = keeps(answer) if keeps else answer
            await keep_answer(tx, shop_id=shop_id, identity=identity, answer=kept, box=box)
            return Written(answer=answer)
    if not known.is_same_request:
        raise Conflict("idempotency_key_used")
    return Written(answer=known.answer, is_replayed=True)


async def claim_identity(
    tx: Transaction,
    *,
    shop_id: int,
    identity: Identity,
    box: SecretBox,
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
        " sealed_answer = null, created_at = excluded.created_at, expires_at = excluded.expires_at"
        " where i.expires_at <= %(now)s",
        {**_values(shop_id, identity), "now": now, "expires": expires_at},
    )
    if claimed:
        return None
    row = await tx.one(
        "select request_hash, sealed_answer from identities"
        " where shop_id = %(shop)s and namespace = %(namespace)s and key = %(key)s",
        _values(shop_id, identity),
    )
    assert row is not None  # it was in the way, and is never deleted before its time
    is_same = row[0] is not None and bytes(row[0]) == identity.request_hash
    place = answer_place(shop_id, identity.namespace, identity.key)
    answer = b"" if row[1] is None else box.open(bytes(row[1]), place=place)
    return Known(is_same_request=is_same, answer=answer)


async def keep_answer(
    tx: Transaction, *, shop_id: int, identity: Identity, answer: bytes, box: SecretBox
) -> None:
    """Store the answer to a write, encrypted, for replays."""
    place = answer_place(shop_id, identity.namespace, identity.key)
    await tx.run(
        "update identities set sealed_answer = %(answer)s"
        " where shop_id = %(shop)s and namespace = %(namespace)s and key = %(key)s",
        {**_values(shop_id, identity), "answer": box.seal(answer, place=place)},
    )


def answer_place(shop_id: int, namespace: str, key: str) -> str:
    """What a kept answer is bound to."""
    return f"answer:{shop_id}:{namespace}\x1f{key}"


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
