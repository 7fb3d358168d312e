"""Add partners and change their terms."""

from typing import Any

import msgspec
from psycopg.types.json import Jsonb

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Conflict, NotFound


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


async def add_partner(
    tx: Transaction, *, shop_id: int, channel: str, name: str, terms: Terms
) -> int:
    """Add a partner; returns its id. Raises Conflict `exists` if the channel has one with this name."""
    partner_id = await tx.value(
        "insert into partners (shop_id, channel, name) values (%s, %s, %s) on conflict do nothing returning id",
        (shop_id, channel, name),
    )
    if partner_id is None:
        raise Conflict("exists", f"There is a {channel} partner called {name!r} already.")
    await set_terms(tx, partner_id=partner_id, terms=terms)
    return int(partner_id)


async def set_terms(tx: Transaction, *, partner_id: int, terms: Terms) -> None:
    """Change the given terms; `settings` are merged, and null removes a setting."""
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


async def touch_partner(tx: Transaction, *, partner_id: int) -> None:
    """Increase the revision, which invalidates every worker's cache."""
    await tx.run("update partners set active = active where id = %s", (partner_id,))


async def touch_partners(tx: Transaction, *, shop_id: int) -> None:
    """`touch_partner` for all partners of a shop, after a change of the shop."""
    await tx.run("update partners set active = active where shop_id = %s", (shop_id,))
