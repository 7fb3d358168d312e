"""What apps are granted: a code for a consent, tokens for a code, and further tokens (RFC 6749, RFC 7636)."""

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Literal

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.kit.crypto import constant_time_equal, hash_key
from crossdock.kit.ids import Ids
from crossdock.shop.partners.apps import App, Prefixes
from crossdock.shop.partners.keeping import HINT_LENGTH, TOKEN_LENGTH
from crossdock.shop.partners.managing import touch_partner

CODE_S: Final = 300
ACCESS_S: Final = 3600
LIVE_MAX: Final = 10
"""How many access tokens of one grant are good at once; a further one ends the oldest."""

GRANT_KEY: Final = "grant_"
"""How the keys of credentials begin that apps were granted."""

Refusal = Literal["unknown", "scope"]


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """An access token that is good for `expires_s`, and what the next one is asked with. Its repr hides both."""

    access: str
    refresh: str
    expires_s: int
    scopes: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Tokens(scopes={self.scopes})"


class Granting(msgspec.Struct, frozen=True, kw_only=True):
    """What granting needs; a refresh token that is not used for `refresh_days` ends."""

    prefixes: Prefixes
    ids: Ids
    refresh_days: int


async def give_code(
    tx: Transaction,
    *,
    granting: Granting,
    app: App,
    person_id: int,
    return_address: str,
    scopes: Sequence[str],
    challenge: str,
    now: datetime,
) -> str:
    """The code of a consent: good once, for CODE_S seconds, for this app and this return address."""
    code = granting.prefixes.code + granting.ids.random_token(TOKEN_LENGTH)
    await tx.run(
        "insert into app_codes (code_hash, shop_id, app_id, person_id, return_address, scopes, challenge, expires_at)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s)",
        (
            hash_key(code),
            app.shop_id,
            app.id,
            person_id,
            return_address,
            list(scopes),
            challenge,
            now + timedelta(seconds=CODE_S),
        ),
    )
    return code


async def exchange_code(
    tx: Transaction,
    *,
    granting: Granting,
    app: App,
    code: str,
    return_address: str,
    verifier: str,
    now: datetime,
) -> Tokens | Refusal:
    """The first tokens for a code. A refusal is no error: what it ends is to be committed.

    A code that comes a second time ends what the first exchange gave (RFC 6749, 4.1.2); a wrong address or
    verifier, or another app's code, spends nothing.
    """
    row = await tx.one(_CODE, {"hash": hash_key(code), "shop": app.shop_id, "app": app.id})
    if row is None:
        return "unknown"
    person_id, known_uri, scopes, challenge, expires_at, used_at, grant_id = row
    if used_at is not None:
        if grant_id is not None:
            await end_grant(tx, shop_id=app.shop_id, grant_id=grant_id, now=now)
        return "unknown"
    is_right = known_uri == return_address and _proves(verifier, challenge)
    if not is_right or now >= expires_at:
        return "unknown"
    credential_id, grant_id = await _grant(
        tx, granting=granting, app=app, person_id=person_id, scopes=scopes, now=now
    )
    await tx.run(
        "update app_codes set used_at = %s, grant_id = %s where code_hash = %s",
        (now, grant_id, hash_key(code)),
    )
    return await _issue(
        tx,
        granting=granting,
        app=app,
        grant_id=grant_id,
        credential_id=credential_id,
        scopes=scopes,
        now=now,
    )


async def refresh_tokens(
    tx: Transaction,
    *,
    granting: Granting,
    app: App,
    token: str,
    scopes: Sequence[str] | None,
    now: datetime,
) -> Tokens | Refusal:
    """New tokens for a refresh token, which is spent. A refusal is no error: what it ends is to be committed.

    One that was spent before ends its grant with all tokens: either of the two who have it may have stolen it.
    `scopes`, if given, must be those of the grant.
    """
    values = {"hash": hash_key(token), "shop": app.shop_id, "app": app.id}
    row = await tx.one(_REFRESH, values)
    if row is None:
        return "unknown"
    grant_id, credential_id, granted, expires_at, used_at, revoked_at = row
    if used_at is not None:
        await end_grant(tx, shop_id=app.shop_id, grant_id=grant_id, now=now)
        return "unknown"
    if revoked_at is not None or now >= expires_at:
        return "unknown"
    if scopes is not None and set(scopes) != set(granted):
        return "scope"
    await tx.run(
        "update app_refresh_tokens set used_at = %s where token_hash = %s", (now, hash_key(token))
    )
    return await _issue(
        tx,
        granting=granting,
        app=app,
        grant_id=grant_id,
        credential_id=credential_id,
        scopes=granted,
        now=now,
    )


async def revoke_token(tx: Transaction, *, app: App, token: str, now: datetime) -> bool:
    """End the grant that an access or refresh token of this app belongs to (RFC 7009); whether there was one."""
    grant_id = await tx.value(
        _GRANT_OF, {"hash": hash_key(token), "shop": app.shop_id, "app": app.id}
    )
    if grant_id is None:
        return False
    await end_grant(tx, shop_id=app.shop_id, grant_id=grant_id, now=now)
    return True


async def end_grant(tx: Transaction, *, shop_id: int, grant_id: int, now: datetime) -> None:
    """Every token of a grant ends with the next call; idempotent."""
    row = await tx.one(
        "update app_grants g set revoked_at = coalesce(g.revoked_at, %s)"
        " from credentials c where g.shop_id = %s and g.id = %s and c.id = g.credential_id"
        " returning c.id, c.partner_id",
        (now, shop_id, grant_id),
    )
    if row is None:
        return
    credential_id, partner_id = row
    await tx.run(
        "update credentials set disabled_at = coalesce(disabled_at, %s) where id = %s",
        (now, credential_id),
    )
    await tx.run("delete from credential_secrets where credential_id = %s", (credential_id,))
    await touch_partner(tx, partner_id=partner_id)


async def _grant(
    tx: Transaction,
    *,
    granting: Granting,
    app: App,
    person_id: int,
    scopes: Sequence[str],
    now: datetime,
) -> tuple[int, int]:
    """(credential, grant): a key of the app's partner with these scopes."""
    credential_id = await tx.value(
        "insert into credentials (shop_id, partner_id, channel, public_key, proof, token_prefix, scopes)"
        " select shop_id, id, channel, %s, 'bearer', %s, %s from partners where id = %s returning id",
        (
            GRANT_KEY + granting.ids.random_token(TOKEN_LENGTH),
            granting.prefixes.access,
            list(scopes),
            app.partner_id,
        ),
    )
    grant_id = await tx.value(
        "insert into app_grants (shop_id, app_id, credential_id, person_id, created_at)"
        " values (%s, %s, %s, %s, %s) returning id",
        (app.shop_id, app.id, credential_id, person_id, now),
    )
    return credential_id, grant_id


async def _issue(
    tx: Transaction,
    *,
    granting: Granting,
    app: App,
    grant_id: int,
    credential_id: int,
    scopes: Sequence[str],
    now: datetime,
) -> Tokens:
    prefixes, ids = granting.prefixes, granting.ids
    access = prefixes.access + ids.random_token(TOKEN_LENGTH)
    refresh = prefixes.refresh + ids.random_token(TOKEN_LENGTH)
    values = {"credential": credential_id, "now": now, "most": LIVE_MAX - 1}
    if await tx.run(_END_OLD, values):  # no process takes them from its cache any more
        await touch_partner(tx, partner_id=app.partner_id)
    await tx.run(
        "insert into credential_secrets (credential_id, token_hash, hint, created_at, expires_at)"
        " values (%s, %s, %s, %s, %s)",
        (
            credential_id,
            hash_key(access),
            access[: len(prefixes.access) + HINT_LENGTH],
            now,
            now + timedelta(seconds=ACCESS_S),
        ),
    )
    await tx.run(
        "insert into app_refresh_tokens (token_hash, shop_id, grant_id, expires_at) values (%s, %s, %s, %s)",
        (hash_key(refresh), app.shop_id, grant_id, now + timedelta(days=granting.refresh_days)),
    )
    return Tokens(access=access, refresh=refresh, expires_s=ACCESS_S, scopes=tuple(scopes))


def _proves(verifier: str, challenge: str) -> bool:
    """Whether the verifier is the one of the challenge, by S256; without a challenge there is none."""
    if not challenge or not verifier:
        return not challenge and not verifier
    digest = hashlib.sha256(verifier.encode("utf-8", "replace")).digest()
    made = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    return constant_time_equal(made, challenge)


_CODE: Final = """
    select person_id, return_address, scopes, challenge, expires_at, used_at, grant_id from app_codes
    where code_hash = %(hash)s and shop_id = %(shop)s and app_id = %(app)s for no key update
"""
_REFRESH: Final = """
    select g.id, g.credential_id, c.scopes, t.expires_at, t.used_at, g.revoked_at
    from app_refresh_tokens t
    join app_grants g on g.shop_id = t.shop_id and g.id = t.grant_id
    join credentials c on c.id = g.credential_id
    where t.token_hash = %(hash)s and g.shop_id = %(shop)s and g.app_id = %(app)s for no key update of t
"""
_GRANT_OF: Final = """
    select g.id from app_grants g where g.shop_id = %(shop)s and g.app_id = %(app)s and (
        g.credential_id = (select k.credential_id from credential_secrets k where k.token_hash = %(hash)s)
        or g.id = (select t.grant_id from app_refresh_tokens t
                   where t.token_hash = %(hash)s and t.shop_id = %(shop)s))
"""
_END_OLD: Final = """
    delete from credential_secrets where id in (
        select id from credential_secrets where credential_id = %(credential)s and expires_at > %(now)s
        order by created_at desc, id desc offset %(most)s)
        or (credential_id = %(credential)s and expires_at <= %(now)s)
"""
