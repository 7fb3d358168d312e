"""Merchants: the sellers of record of a shop, identified by the slugs of their names."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec
from psycopg.types.json import Jsonb

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.catalogue.changes import tell_changed
from crossdock.shop.catalogue.records import MerchantRecord
from crossdock.shop.catalogue.texts import slug_of
from crossdock.shop.events import MerchantChanged, write_event


class Merchant(msgspec.Struct, frozen=True):
    """The part of a merchant that writing a product needs."""

    id: int
    enabled: bool


async def ensure_merchants(
    tx: Transaction, *, shop_id: int, names: Iterable[str]
) -> dict[str, Merchant]:
    """The merchants with these names; missing ones are created."""
    slugs = {name: slug_of(name) for name in names}
    found = await _by_slug(tx, shop_id=shop_id, slugs=sorted(set(slugs.values())))
    missing = {slug: name for name, slug in slugs.items() if slug not in found}
    if missing:
        await tx.run(
            """insert into merchants (shop_id, slug, name)
               select %s, x.slug, x.name from unnest(%s::text[], %s::text[]) as x (slug, name)
               on conflict (shop_id, slug) do nothing""",
            (shop_id, list(missing), list(missing.values())),
        )
        found |= await _by_slug(tx, shop_id=shop_id, slugs=sorted(missing))
    return {name: found[slug] for name, slug in slugs.items()}


async def upsert_merchants(
    tx: Transaction, *, shop_id: int, records: Sequence[MerchantRecord], now: datetime
) -> int:
    """Write whole merchants and update `listed` of their variants; returns how many changed.

    Writes one `merchant.changed` event with those that changed.
    """
    rows = {slug_of(record.name): record for record in records}
    values = [[getattr(record, name) for record in rows.values()] for name in _VALUES]
    changed = await tx.all(
        _UPSERT,
        (
            shop_id,
            list(rows),
            shop_id,
            list(rows),
            *values,
            [Jsonb(record.terms) for record in rows.values()],
        ),
    )
    if changed:
        merchant_ids = sorted(row[0] for row in changed)
        toggled_ids = sorted(merchant_id for merchant_id, is_toggled in changed if is_toggled)
        event = MerchantChanged(merchant_ids=merchant_ids, toggled_ids=tuple(toggled_ids))
        await write_event(tx, shop_id=shop_id, event=event, now=now)
        await refresh_listed(tx, shop_id=shop_id, merchant_ids=merchant_ids, now=now)
    return len(changed)


async def insert_merchant(
    tx: Transaction, *, shop_id: int, record: MerchantRecord, now: datetime
) -> bool:
    """Write a new merchant, and its `merchant.changed` event; False where there is one of its slug."""
    values = [[getattr(record, name)] for name in _VALUES]
    merchant_id = await tx.value(
        _INSERT, (shop_id, [slug_of(record.name)], *values, [Jsonb(record.terms)])
    )
    if merchant_id is None:
        return False
    event = MerchantChanged(merchant_ids=[merchant_id])
    await write_event(tx, shop_id=shop_id, event=event, now=now)
    return True


async def refresh_listed(
    tx: Transaction, *, shop_id: int, merchant_ids: Sequence[int], now: datetime
) -> int:
    """Recompute `variants.listed` of these merchants; returns how many variants changed.

    Writes one `catalogue.changed` event, which invalidates cached listings.
    """
    changed = await tx.all(
        """update variants v set listed = not v.listed
           from products p, merchants m
           where v.shop_id = %(shop)s and v.merchant_id = any(%(merchants)s)
             and p.shop_id = v.shop_id and p.id = v.product_id
             and m.shop_id = v.shop_id and m.id = v.merchant_id
             and v.listed <> (p.enabled and m.enabled and v.enabled and v.retail_minor is not null)
           returning v.product_id""",
        {"shop": shop_id, "merchants": list(merchant_ids)},
    )
    product_ids = sorted({product_id for (product_id,) in changed})
    await tell_changed(tx, shop_id=shop_id, product_ids=product_ids, now=now)
    return len(changed)


async def _by_slug(tx: Transaction, *, shop_id: int, slugs: Sequence[str]) -> dict[str, Merchant]:
    rows = await tx.all(
        "select slug, id, enabled from merchants where shop_id = %s and slug = any(%s)",
        (shop_id, list(slugs)),
    )
    return {slug: Merchant(merchant_id, enabled) for slug, merchant_id, enabled in rows}


_VALUES = (
    "name",
    "email",
    "country",
    "shipping_flat_minor",
    "free_shipping_from_minor",
    "commission_bp",
    "customer_service_url",
    "return_policy_url",
    "connector",
    "enabled",
)
_COLUMNS = ", ".join((*_VALUES, "terms"))
_ROW = ", ".join(f"m.{name}" for name in (*_VALUES, "terms"))
_GIVEN = ", ".join(f"excluded.{name}" for name in (*_VALUES, "terms"))
_ROWS = f"""
    insert into merchants as m (shop_id, slug, {_COLUMNS})
    select %s, x.* from unnest(
        %s::text[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::integer[], %s::text[],
        %s::text[], %s::text[], %s::boolean[], %s::jsonb[]) as x
    on conflict (shop_id, slug)
"""
_INSERT = f"{_ROWS} do nothing returning m.id"
_UPSERT = f"""
    with before as (
        select id, enabled from merchants where shop_id = %s and slug = any(%s)
    ), written as (
        {_ROWS} do update set ({_COLUMNS}) = row({_GIVEN})
        where ({_ROW}) is distinct from ({_GIVEN})
        returning m.id, m.enabled
    )
    select w.id, b.enabled <> w.enabled from written w left join before b on b.id = w.id
"""
