"""Apps: programs of others that may act for a shop once a person of its staff agrees (RFC 6749, 2)."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid, NotFound
from crossdock.kit.crypto import constant_time_equal, hash_key
from crossdock.kit.ids import Ids
from crossdock.kit.texts import visible
from crossdock.shop.partners.keeping import TOKEN_LENGTH
from crossdock.shop.partners.managing import Terms, add_partner, set_terms

URIS_MAX: Final = 10
URI_LENGTH_MAX: Final = 500
NAME_LENGTH_MAX: Final = 80
_URI: Final = re.compile(r"[!-~]+", re.ASCII)
_PRIVATE: Final = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+", re.ASCII)
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


class Prefixes(msgspec.Struct, frozen=True, kw_only=True):
    """How a channel's ids, secrets, codes and tokens of apps begin."""

    client: str
    secret: str
    code: str
    access: str
    refresh: str


class App(msgspec.Struct, frozen=True, kw_only=True):
    """An app of a shop; `scopes` is the most that it may ask for, `grants` are the consents that are good now."""

    id: int
    shop_id: int
    partner_id: int
    client_id: str
    name: str
    return_addresses: tuple[str, ...]
    scopes: tuple[str, ...]
    created_at: datetime
    revoked_at: datetime | None
    grants: int


class NewSecret(msgspec.Struct, frozen=True, kw_only=True):
    """An app with a new secret, which is shown only now. Its repr hides it."""

    app: App
    secret: str

    def __repr__(self) -> str:
        return f"NewSecret(app={self.app.client_id!r})"


async def add_app(
    tx: Transaction,
    *,
    shop_id: int,
    channel: str,
    name: str,
    return_addresses: Sequence[str],
    scopes: Sequence[str],
    known_scopes: Sequence[str],
    prefixes: Prefixes,
    ids: Ids,
    now: datetime,
) -> NewSecret:
    """Register an app, with a partner of the channel whose permissions are its scopes.

    A return address is https, http on a loopback address, or of a private scheme with a dot, without a
    fragment (RFC 8252, 7). Raises Invalid `invalid_input` with the `field`.
    """
    uris, wanted = tuple(dict.fromkeys(return_addresses)), tuple(sorted(set(scopes)))
    _check(name, uris=uris, scopes=wanted, known=known_scopes)
    client_id = prefixes.client + ids.random_token(TOKEN_LENGTH)
    secret = prefixes.secret + ids.random_token(TOKEN_LENGTH)
    partner_id = await add_partner(
        tx,
        shop_id=shop_id,
        channel=channel,
        name=f"App {name.strip()} ({client_id})",
        terms=Terms(permissions=wanted),
    )
    await tx.run(
        "insert into apps (shop_id, partner_id, client_id, name, secret_hash, return_addresses, scopes, created_at)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s)",
        (
            shop_id,
            partner_id,
            client_id,
            name.strip(),
            hash_key(secret),
            list(uris),
            list(wanted),
            now,
        ),
    )
    return NewSecret(app=await read_app(tx, client_id=client_id), secret=secret)


async def list_apps(tx: Transaction, *, shop_id: int) -> list[App]:
    """The shop's apps, the oldest first, revoked ones as well."""
    return [
        _app(row) for row in await tx.all(f"{_APP} where a.shop_id = %s order by a.id", (shop_id,))
    ]


async def read_app(tx: Transaction, *, client_id: str, shop_id: int | None = None) -> App:
    """The app, of this shop if one is given. Raises NotFound `not_found`."""
    row = await tx.one(
        f"{_APP} where a.client_id = %s and (%s::bigint is null or a.shop_id = %s::bigint)",
        (client_id, shop_id, shop_id),
    )
    if row is None:
        raise NotFound("not_found", "There is no such app.")
    return _app(row)


async def rotate_app_secret(
    tx: Transaction,
    *,
    client_id: str,
    shop_id: int | None = None,
    prefixes: Prefixes,
    ids: Ids,
    now: datetime,
    overlap_s: int,
) -> NewSecret:
    """Give the app a new secret; the one before is good for `overlap_s` seconds more, one before that no longer.

    Its tokens stay. Raises NotFound `not_found`, also for a revoked app.
    """
    app = await read_app(tx, client_id=client_id, shop_id=shop_id)
    secret = prefixes.secret + ids.random_token(TOKEN_LENGTH)
    changed = await tx.run(
        "update apps set former_hash = secret_hash, former_until = %s, secret_hash = %s"
        " where shop_id = %s and id = %s and revoked_at is null",
        (now + timedelta(seconds=overlap_s), hash_key(secret), app.shop_id, app.id),
    )
    if not changed:
        raise NotFound("not_found", "The app is revoked.")
    return NewSecret(app=app, secret=secret)


async def revoke_app(
    tx: Transaction, *, client_id: str, shop_id: int | None = None, now: datetime
) -> App:
    """End the app: its secrets, codes and every token, with the next call; idempotent. Raises NotFound."""
    app = await read_app(tx, client_id=client_id, shop_id=shop_id)
    await tx.run(
        "update apps set revoked_at = coalesce(revoked_at, %s) where shop_id = %s and id = %s",
        (now, app.shop_id, app.id),
    )
    await tx.run(
        "update app_grants set revoked_at = coalesce(revoked_at, %s) where shop_id = %s and app_id = %s",
        (now, app.shop_id, app.id),
    )
    await tx.run(
        "update credentials set disabled_at = coalesce(disabled_at, %s) where partner_id = %s",
        (now, app.partner_id),
    )
    await set_terms(tx, partner_id=app.partner_id, terms=Terms(active=False))
    return await read_app(tx, client_id=client_id)


async def prove_app(
    tx: Transaction, *, channel: str, client_id: str, secret: str, now: datetime
) -> App | None:
    """The live app with this id and secret, or None; the same work either way."""
    row = await tx.one(
        "select a.secret_hash, a.former_hash, a.former_until from apps a"
        " join partners p on p.shop_id = a.shop_id and p.id = a.partner_id and p.active"
        " where a.client_id = %s and a.revoked_at is null and p.channel = %s",
        (client_id, channel),
    )
    given = hash_key(secret)
    current, former, until = row or (b"", None, None)
    is_current = constant_time_equal(bytes(current), given)
    is_former = constant_time_equal(bytes(former or b""), given)
    if not is_current and not (is_former and until is not None and now < until):
        return None
    return await read_app(tx, client_id=client_id)


def _check(name: str, *, uris: Sequence[str], scopes: Sequence[str], known: Sequence[str]) -> None:
    strange = [scope for scope in scopes if scope not in known]
    wrong = {
        "name": ""
        if visible(name.strip()) and len(name.strip()) <= NAME_LENGTH_MAX
        else f"A name has 1 to {NAME_LENGTH_MAX} characters.",
        "return_address": ""
        if 1 <= len(uris) <= URIS_MAX and all(map(_is_address, uris))
        else f"An app has 1 to {URIS_MAX} return addresses: https://, http:// on a loopback address, or of a "
        "private scheme such as com.example.app:/, without a fragment.",
        "scope": f"There is no scope {strange[0]!r:.60}."
        if strange
        else ("" if scopes else "Name at least one scope."),
    }
    for field, message in wrong.items():
        if message:
            raise Invalid("invalid_input", message, {"field": field})


def _is_address(uri: str) -> bool:
    if not _URI.fullmatch(uri) or len(uri) > URI_LENGTH_MAX or "#" in uri:
        return False
    try:
        parts = urlsplit(uri)
        host = parts.hostname or ""
    except ValueError:
        return False
    if "@" in parts.netloc or any(mark in uri for mark in "\\\"'<>;,"):
        return False
    if parts.scheme == "https":
        return bool(host)
    return host in _LOOPBACK if parts.scheme == "http" else bool(_PRIVATE.fullmatch(parts.scheme))


def _app(row: tuple[Any, ...]) -> App:
    values = dict(zip(App.__struct_fields__, row, strict=True))
    for name in ("return_addresses", "scopes"):
        values[name] = tuple(values[name])
    return App(**values)


_APP: Final = """
    select a.id, a.shop_id, a.partner_id, a.client_id, a.name, a.return_addresses, a.scopes, a.created_at,
           a.revoked_at, (select count(*) from app_grants g
                          where g.shop_id = a.shop_id and g.app_id = a.id and g.revoked_at is null)
    from apps a
"""
