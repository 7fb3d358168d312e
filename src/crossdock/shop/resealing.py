"""Re-encrypt all sealed secrets with the newest master key, and report those that need an older one.

Tables are processed in batches with a transaction each. A row is written only if it is unchanged
since it was read, so the server may keep running, and an interrupted run can be repeated.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Protocol

import msgspec

from crossdock.db.unit_of_work import Database
from crossdock.errors import CrossdockError, SealBroken
from crossdock.kit.crypto import SecretBox
from crossdock.shop import (
    dispatch,
    mailing,
    orders,
    partners,
    people,
    stock,
    warehouse,
    webhooks,
)

BATCH = 500
NAMED_MAX = 20


class Fingerprints(Protocol):
    """The keyed hashes by which a sealed text is found, one per known master key, newest first."""

    def __call__(self, box: SecretBox, *, shop_id: int, serial: str) -> Sequence[bytes]: ...


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A table with sealed bytes; `read` returns (shop or partner, key, place, sealed, fingerprint)."""

    name: str
    count: str
    read: str
    write: str
    place: Callable[[int, Any, Any], str]
    key: Any = 0  # sorts before every key of the table
    fingerprints: Fingerprints | None = None


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of a table: re-encrypted, needing an older key, and opened by no known key."""

    name: str
    looked_at: int = 0
    sealed_again: int = 0
    needs_older: int = 0
    unreadable: int = 0
    unreadable_places: tuple[str, ...] = ()


_PARTNERS = Kept(
    name="partners' secrets",
    count="select count(*) from credential_secrets where revoked_at is null and sealed is not null",
    read="""
        select 0, k.id, c.public_key, k.sealed, null
        from credential_secrets k join credentials c on c.id = k.credential_id
        where k.revoked_at is null and k.sealed is not null and k.id > %(key)s order by k.id limit %(batch)s
    """,
    write="""
        update credential_secrets t set sealed = x.anew
        from unnest(%(keys)s::bigint[], %(old)s::bytea[], %(anew)s::bytea[]) as x (key, old, anew)
        where t.id = x.key and t.sealed = x.old
    """,
    place=lambda shop_id, key, name: partners.secret_place(name),
)
_CONNECTORS = Kept(
    name="connectors' secrets",
    count="select count(*) from connectors where sealed_secret is not null",
    read="""
        select shop_id, name, name, sealed_secret, null from connectors
        where sealed_secret is not null and (shop_id, name) > (%(shop)s, %(key)s)
        order by shop_id, name limit %(batch)s
    """,
    write="""
        update connectors t set sealed_secret = x.anew
        from unnest(%(shops)s::bigint[], %(keys)s::text[], %(old)s::bytea[], %(anew)s::bytea[])
          as x (shop_id, key, old, anew)
        where t.shop_id = x.shop_id and t.name = x.key and t.sealed_secret = x.old
    """,
    place=lambda shop_id, key, name: dispatch.secret_place(shop_id, name),
    key="",
)
_PEOPLE = Kept(
    name="second steps",
    count="select count(*) from people where totp_sealed is not null",
    read="""
        select 0, id, null, totp_sealed, null from people
        where totp_sealed is not null and id > %(key)s order by id limit %(batch)s
    """,
    write="""
        update people t set totp_sealed = x.anew
        from unnest(%(keys)s::bigint[], %(old)s::bytea[], %(anew)s::bytea[]) as x (key, old, anew)
        where t.id = x.key and t.totp_sealed = x.old
    """,
    place=lambda shop_id, key, name: people.totp_place(key),
)
_SERIALS = Kept(
    name="serials",
    count="select count(*) from captured_serials",
    read="""
        select shop_id, id, order_id, sealed, fingerprint from captured_serials
        where (shop_id, id) > (%(shop)s, %(key)s) order by shop_id, id limit %(batch)s
    """,
    write="""
        update captured_serials t set sealed = x.anew, fingerprint = x.fingerprint
        from unnest(%(shops)s::bigint[], %(keys)s::bigint[], %(old)s::bytea[], %(anew)s::bytea[],
                    %(fingerprints)s::bytea[]) as x (shop_id, key, old, anew, fingerprint)
        where t.shop_id = x.shop_id and t.id = x.key and t.sealed = x.old
    """,
    place=lambda shop_id, key, order_id: warehouse.serial_place(shop_id, order_id),
    fingerprints=warehouse.serial_fingerprints,
)
_STOCKED_SERIALS = Kept(
    name="serials in stock",
    count="select count(*) from serials",
    read="""
        select shop_id, id, variant_id, sealed, fingerprint from serials
        where (shop_id, id) > (%(shop)s, %(key)s) order by shop_id, id limit %(batch)s
    """,
    write="""
        update serials t set sealed = x.anew, fingerprint = x.fingerprint
        from unnest(%(shops)s::bigint[], %(keys)s::bigint[], %(old)s::bytea[], %(anew)s::bytea[],
                    %(fingerprints)s::bytea[]) as x (shop_id, key, old, anew, fingerprint)
        where t.shop_id = x.shop_id and t.id = x.key and t.sealed = x.old
    """,
    place=lambda shop_id, key, variant_id: stock.stocked_serial_place(shop_id, variant_id),
    fingerprints=stock.stocked_serial_fingerprints,
)
_OWN_SECRETS = Kept(
    name="secrets of partners' servers",
    count="select count(*) from partner_secrets",
    read="""
        select partner_id, name, name, sealed, null from partner_secrets
        where (partner_id, name) > (%(shop)s, %(key)s) order by partner_id, name limit %(batch)s
    """,
    write="""
        update partner_secrets t set sealed = x.anew
        from unnest(%(shops)s::bigint[], %(keys)s::text[], %(old)s::bytea[], %(anew)s::bytea[])
          as x (partner_id, key, old, anew)
        where t.partner_id = x.partner_id and t.name = x.key and t.sealed = x.old
    """,
    place=lambda partner_id, key, name: partners.own_secret_place(partner_id, name),
    key="",
)
# The key is the namespace and the key of an identity, as the index of those with an answer has them.
_ANSWERS = Kept(
    name="answers kept for repeated calls",
    count="select count(*) from identities where sealed_answer is not null",
    read="""
        select shop_id, namespace || chr(31) || key, null, sealed_answer, null from identities
        where sealed_answer is not null and (shop_id, namespace || chr(31) || key) > (%(shop)s, %(key)s)
        order by shop_id, namespace || chr(31) || key limit %(batch)s
    """,
    write="""
        update identities t set sealed_answer = x.anew
        from unnest(%(shops)s::bigint[], %(keys)s::text[], %(old)s::bytea[], %(anew)s::bytea[])
          as x (shop_id, key, old, anew)
        where t.shop_id = x.shop_id and t.namespace || chr(31) || t.key = x.key and t.sealed_answer = x.old
    """,
    place=lambda shop_id, key, name: orders.answer_place(shop_id, *key.split("\x1f", 1)),
    key="",
)
_MAILS = Kept(
    name="mails",
    count="select count(*) from mails",
    read="""
        select shop_id, id, dedupe_key, sealed, null from mails
        where (shop_id, id) > (%(shop)s, %(key)s) order by shop_id, id limit %(batch)s
    """,
    write="""
        update mails t set sealed = x.anew
        from unnest(%(shops)s::bigint[], %(keys)s::bigint[], %(old)s::bytea[], %(anew)s::bytea[])
          as x (shop_id, key, old, anew)
        where t.shop_id = x.shop_id and t.id = x.key and t.sealed = x.old
    """,
    place=lambda shop_id, key, dedupe_key: mailing.mail_place(shop_id, dedupe_key),
)
_WEBHOOKS = Kept(
    name="webhooks' secrets",
    count="select count(*) from webhook_subscriptions where sealed_secret is not null",
    read="""
        select shop_id, id, null, sealed_secret, null from webhook_subscriptions
        where sealed_secret is not null and (shop_id, id) > (%(shop)s, %(key)s)
        order by shop_id, id limit %(batch)s
    """,
    write="""
        update webhook_subscriptions t set sealed_secret = x.anew
        from unnest(%(shops)s::bigint[], %(keys)s::bigint[], %(old)s::bytea[], %(anew)s::bytea[])
          as x (shop_id, key, old, anew)
        where t.shop_id = x.shop_id and t.id = x.key and t.sealed_secret = x.old
    """,
    place=lambda shop_id, key, name: webhooks.webhook_secret_place(shop_id, key),
)
KEPT = (
    _PARTNERS,
    _CONNECTORS,
    _PEOPLE,
    _SERIALS,
    _STOCKED_SERIALS,
    _OWN_SECRETS,
    _ANSWERS,
    _MAILS,
    _WEBHOOKS,
)

Row = tuple[Any, ...]
Moved = Callable[[int], None]


async def count_sealed(db: Database) -> int:
    """The number of rows with sealed bytes."""
    async with db.statement() as tx:
        return sum([await tx.value(kept.count) for kept in KEPT])


async def check_seals(
    db: Database, *, box: SecretBox, moved: Moved = lambda done: None
) -> list[Sealed]:
    """Open all sealed bytes and report those that the newest key does not open; read-only."""
    return [await _look(db, kept, box=box, moved=moved, writes=False) for kept in KEPT]


async def await_writers(db: Database) -> None:
    """Wait until all transactions that may have sealed something with an older key have ended.

    Raises Unavailable `busy` if one takes too long.
    """
    async with db.begin() as tx:
        await tx.run(
            "lock table credential_secrets, partner_secrets, connectors, people, captured_serials, serials,"
            " identities, mails, webhook_subscriptions in share mode"
        )


async def reseal(db: Database, *, box: SecretBox, moved: Moved = lambda done: None) -> list[Sealed]:
    """Re-encrypt what only an older key opens, then check everything.

    `moved` gets the progress, each row twice. Bytes that no known key opens are kept.
    """
    done = [await _look(db, kept, box=box, moved=moved, writes=True) for kept in KEPT]
    left = await check_seals(db, box=box, moved=moved)
    return [
        msgspec.structs.replace(after, sealed_again=before.sealed_again)
        for before, after in zip(done, left, strict=True)
    ]


async def require_key(db: Database, *, box: SecretBox) -> list[Sealed]:
    """Check the master key at start; returns what no known key opens, without serials, which may be many.

    Raises CrossdockError `internal` if nothing that is sealed can be opened: the key is lost or
    another installation's.
    """
    found = [
        await _look(db, kept, box=box, moved=lambda done: None, writes=False)
        for kept in (_PARTNERS, _CONNECTORS, _PEOPLE, _OWN_SECRETS, _WEBHOOKS)
    ]
    broken = sum(state.unreadable for state in found)
    if broken and broken == sum(state.looked_at for state in found):
        opens = "does not open the secret" if broken == 1 else f"opens none of the {broken} secrets"
        raise CrossdockError(
            "internal",
            f"The master key {opens} in this database. Give the key that "
            "they were sealed with as master_key, or in master_key_older; if it is lost, see "
            "docs/operating/master-key.md.",
        )
    return [state for state in found if state.unreadable]


async def _look(db: Database, kept: Kept, *, box: SecretBox, moved: Moved, writes: bool) -> Sealed:
    state = Sealed(name=kept.name)
    async for rows in _batches(db, kept):
        due, broken = _judge(rows, kept=kept, box=box)
        written = await _write(db, kept, rows=due, box=box) if writes and due else 0
        state = Sealed(
            name=kept.name,
            looked_at=state.looked_at + len(rows),
            sealed_again=state.sealed_again + written,
            needs_older=state.needs_older + len(due) - written,
            unreadable=state.unreadable + len(broken),
            unreadable_places=(state.unreadable_places + broken)[:NAMED_MAX],
        )
        moved(len(rows))
    return state


async def _batches(db: Database, kept: Kept) -> AsyncIterator[list[Row]]:
    shop_id, key = 0, kept.key
    while True:
        async with db.statement() as tx:
            rows = await tx.all(kept.read, {"shop": shop_id, "key": key, "batch": BATCH})
        if not rows:
            return
        yield rows
        shop_id, key = rows[-1][:2]


def _judge(
    rows: list[Row], *, kept: Kept, box: SecretBox
) -> tuple[list[tuple[Row, bytes]], tuple[str, ...]]:
    """The rows that an older key sealed, with their secrets, and the places that no key opens."""
    due, broken = [], []
    for row in rows:
        shop_id, key, name, sealed, fingerprint = row
        place = kept.place(shop_id, key, name)
        try:
            secret = box.open(sealed, place=place)
        except SealBroken:
            broken.append(place)
            continue
        is_found = fingerprint == _fingerprint(kept, box=box, shop_id=shop_id, secret=secret)
        if not is_found or not box.is_current(sealed, place=place):
            due.append((row, secret))
    return due, tuple(broken)


async def _write(db: Database, kept: Kept, *, rows: list[tuple[Row, bytes]], box: SecretBox) -> int:
    values: dict[str, list[Any]] = {
        "shops": [],
        "keys": [],
        "old": [],
        "anew": [],
        "fingerprints": [],
    }
    for (shop_id, key, name, sealed, _), secret in rows:
        values["shops"].append(shop_id)
        values["keys"].append(key)
        values["old"].append(sealed)
        values["anew"].append(box.seal(secret, place=kept.place(shop_id, key, name)))
        values["fingerprints"].append(_fingerprint(kept, box=box, shop_id=shop_id, secret=secret))
    async with db.begin() as tx:
        return await tx.run(kept.write, values)


def _fingerprint(kept: Kept, *, box: SecretBox, shop_id: int, secret: bytes) -> bytes | None:
    if kept.fingerprints is None:
        return None
    return kept.fingerprints(box, shop_id=shop_id, serial=secret.decode())[0]
