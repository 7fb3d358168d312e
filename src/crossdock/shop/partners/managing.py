"""Add partners and change their terms."""

from typing import Any

import msgspec
from psycopg.types.json import Jsonb

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Conflict, NotFound
from crossdock.kit.crypto import SecretBox
from crossdock.shop.partners.calling import own_secret_place


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
    secrets: dict[str, str | None] | msgspec.UnsetType = msgspec.UNSET

    def __repr__(self) -> str:
        given = [
            name for name in self.__struct_fields__ if getattr(self, name) is not msgspec.UNSET
        ]
        return f"Terms({', '.join(given)})"


async def add_partner(
    tx: Transaction,
    *,
    shop_id: int,
    channel: str,
    name: str,
    terms: Terms,
    box: SecretBox | None = None,
) -> int:
    """Add a partner; returns its id. `box` is needed for secrets.

    Raises Conflict `exists` if the channel has one with this name.
    """
    partner_id = await tx.value(
        "insert into partners (shop_id, channel, name) values (%s, %s, %s) on conflict do nothing returning id",
        (shop_id, channel, name),
    )
    if partner_id is None:
        raise Conflict("exists", f"There is a {channel} partner called {name!r} already.")
    await set_terms(tx, partner_id=partner_id, terms=terms, box=box)
    return int(partner_id)


async def set_terms(
    tx: Transaction, *, partner_id: int, terms: Terms, box: SecretBox | None = None
) -> None:
    """Change the given terms; `settings` and `secrets` are merged, and null removes one.

    `box` is needed for secrets.
    """
    changes = {
        field: value
        for field in terms.__struct_fields__
        if (value := getattr(terms, field)) is not msgspec.UNSET
    }
    settings = changes.pop("settings", {})
    sealed = changes.pop("secrets", {})
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
    for name, secret in sealed.items():
        assert box is not None
        await _set_secret(tx, partner_id=partner_id, name=name, secret=secret, box=box)


async def _set_secret(
    tx: Transaction, *, partner_id: int, name: str, secret: str | None, box: SecretBox
) -> None:
    if secret is None:
        await tx.run(
            "delete from partner_secrets where partner_id = %s and name = %s", (partner_id, name)
        )
        return
    await tx.run(
        "insert into partner_secrets (partner_id, name, sealed) values (%s, %s, %s)"
        " on conflict (partner_id, name) do update set sealed = excluded.sealed",
        (partner_id, name, box.seal(secret.encode(), place=own_secret_place(partner_id, name))),
    )


async def touch_partner(tx: Transaction, *, partner_id: int) -> None:
    """Increase the revision, which invalidates every worker's cache."""
    await tx.run("update partners set active = active where id = %s", (partner_id,))


async def touch_partners(tx: Transaction, *, shop_id: int) -> None:
    """`touch_partner` for all partners of a shop, after a change of the shop."""
    await tx.run("update partners set active = active where shop_id = %s", (shop_id,))
