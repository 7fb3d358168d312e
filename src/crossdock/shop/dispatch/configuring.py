"""Add, list and change a shop's connectors; secrets are sealed and never read back out."""

from typing import Any

import msgspec
from psycopg.types.json import Jsonb

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Conflict, Invalid, NotFound
from crossdock.kit.crypto import SecretBox
from crossdock.kit.outbound import Outbound
from crossdock.kit.texts import visible
from crossdock.shop.dispatch.connecting import check_secret, check_settings, secret_place


class ConnectorView(msgspec.Struct, frozen=True, kw_only=True):
    """A connector as an operator sees it; it holds no secret."""

    name: str
    kind: str
    settings: dict[str, Any]
    has_secret: bool
    is_default: bool
    enabled: bool


class Configuring(msgspec.Struct, frozen=True, kw_only=True):
    """The dependencies of checking and sealing a connector's settings."""

    outbound: Outbound
    box: SecretBox


async def add_connector(
    tx: Transaction,
    *,
    service: Configuring,
    shop_id: int,
    name: str,
    kind: str,
    settings: dict[str, Any],
    secret: str = "",
    is_default: bool | None = None,
) -> None:
    """Add a connector; the shop's first one becomes its default, through which orders are dispatched.

    Raises Invalid `invalid_input` for no name, settings or a secret that the kind cannot use, Conflict
    `exists` for a name in use.
    """
    if not visible(name):
        raise Invalid("invalid_input", "A connector needs a name.", {"field": "name"})
    check_secret(kind, secret)
    settings = check_settings(kind, settings, outbound=service.outbound)
    if is_default is None:
        is_default = not await tx.value(
            "select exists (select 1 from connectors where shop_id = %s and is_default)",
            (shop_id,),
        )
    if is_default:
        await _clear_default(tx, shop_id=shop_id)
    added = await tx.run(
        "insert into connectors (shop_id, name, kind, settings, sealed_secret, is_default)"
        " values (%s, %s, %s, %s, %s, %s) on conflict (shop_id, name) do nothing",
        (
            shop_id,
            name,
            kind,
            Jsonb(settings),
            _sealed(service, shop_id=shop_id, name=name, secret=secret),
            is_default,
        ),
    )
    if not added:
        raise Conflict("exists", f"There is a connector {name!r} already.")


async def set_connector(
    tx: Transaction,
    *,
    service: Configuring,
    shop_id: int,
    name: str,
    settings: dict[str, Any] | None = None,
    secret: str | None = None,
    is_default: bool | None = None,
    enabled: bool | None = None,
) -> None:
    """Apply the changes; `settings` are merged into the old ones, None removes one.

    Raises NotFound `not_found`, Invalid `invalid_input`.
    """
    row = await tx.one(
        "select kind, settings, sealed_secret from connectors"
        " where shop_id = %s and name = %s for no key update",
        (shop_id, name),
    )
    if row is None:
        raise NotFound("not_found", f"There is no connector {name!r}.")
    kind, old, sealed = row
    merged = {key: value for key, value in (old | (settings or {})).items() if value is not None}
    place = secret_place(shop_id, name)
    plain = secret if secret is not None else _opened(service, sealed=sealed, place=place)
    check_secret(kind, plain)
    merged = check_settings(kind, merged, outbound=service.outbound)
    if is_default:
        await _clear_default(tx, shop_id=shop_id)
    await tx.run(
        "update connectors set settings = %s, sealed_secret = %s,"
        " is_default = coalesce(%s, is_default), enabled = coalesce(%s, enabled)"
        " where shop_id = %s and name = %s",
        (
            Jsonb(merged),
            _sealed(service, shop_id=shop_id, name=name, secret=plain),
            is_default,
            enabled,
            shop_id,
            name,
        ),
    )


async def list_connectors(tx: Transaction, *, shop_id: int) -> list[ConnectorView]:
    """The shop's connectors by name."""
    rows = await tx.all(
        "select name, kind, settings, sealed_secret is not null, is_default, enabled"
        " from connectors where shop_id = %s order by name",
        (shop_id,),
    )
    names = ConnectorView.__struct_fields__
    return [ConnectorView(**dict(zip(names, row, strict=True))) for row in rows]


def _sealed(service: Configuring, *, shop_id: int, name: str, secret: str) -> bytes | None:
    if not secret:
        return None
    return service.box.seal(secret.encode(), place=secret_place(shop_id, name))


def _opened(service: Configuring, *, sealed: bytes | None, place: str) -> str:
    return service.box.open(sealed, place=place).decode() if sealed else ""


async def _clear_default(tx: Transaction, *, shop_id: int) -> None:
    await tx.run(
        "update connectors set is_default = false where shop_id = %s and is_default",
        (shop_id,),
    )
