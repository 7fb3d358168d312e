"""A variant's unsold serials as its shop handles them: shown, removed, replaced, claimed for itself."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid, Refused
from crossdock.kit.crypto import SecretBox
from crossdock.shop.stock.posting import Posting, post_stock, refusing_shortage
from crossdock.shop.stock.serials import SERIALS_MAX, add_serials, stocked_serial_place

CLAIM_MAX: Final = 500


class PooledSerial(msgspec.Struct, frozen=True, kw_only=True):
    """An unsold serial with its text, which only the shop may see. Its repr hides it."""

    id: int
    serial: str
    added_at: datetime

    def __repr__(self) -> str:
        return f"PooledSerial(id={self.id})"


async def count_pooled(tx: Transaction, *, shop_id: int, variant_id: int) -> int:
    """How many serials of a variant are unsold."""
    return int(
        await tx.value(
            "select count(*) from serials where shop_id = %s and variant_id = %s and sold_at is null",
            (shop_id, variant_id),
        )
    )


async def count_pooled_by_sku(
    tx: Transaction, *, shop_id: int, skus: Sequence[str]
) -> list[tuple[int, str, int]]:
    """The variants of these SKUs by their ids, each with its SKU and how many of its serials are unsold."""
    rows = await tx.all(
        "select v.id, v.sku, (select count(*) from serials s"
        " where s.shop_id = v.shop_id and s.variant_id = v.id and s.sold_at is null)"
        " from variants v where v.shop_id = %s and v.sku = any(%s) order by v.id",
        (shop_id, list(skus)),
    )
    return [(variant_id, sku, count) for variant_id, sku, count in rows]


async def list_pooled(
    tx: Transaction, *, shop_id: int, variant_id: int, limit: int, offset: int, box: SecretBox
) -> list[PooledSerial]:
    """Unsold serials, the oldest first, which is the order in which they are sold."""
    rows = await tx.all(
        "select id, sealed, added_at from serials where shop_id = %s and variant_id = %s and sold_at is null"
        " order by id limit %s offset %s",
        (shop_id, variant_id, limit, offset),
    )
    place = stocked_serial_place(shop_id, variant_id)
    return [
        PooledSerial(
            id=row[0], serial=box.open(bytes(row[1]), place=place).decode(), added_at=row[2]
        )
        for row in rows
    ]


async def remove_serials(
    tx: Transaction, *, shop_id: int, variant_id: int, serial_ids: Collection[int], now: datetime
) -> int:
    """Remove unsold serials for good; returns how many of the ids were such.

    Raises Refused `stock_limit_exceeded` if orders or holds were promised them; the transaction must
    then be rolled back.
    """
    await _lock(tx, shop_id=shop_id, variant_id=variant_id)
    removed = await tx.run(
        "delete from serials where shop_id = %s and variant_id = %s and sold_at is null and id = any(%s)",
        (shop_id, variant_id, list(serial_ids)),
    )
    if removed:
        await _take(
            tx,
            shop_id=shop_id,
            variant_id=variant_id,
            count=removed,
            reason="serials removed",
            now=now,
        )
    return removed


async def replace_serials(
    tx: Transaction,
    *,
    shop_id: int,
    variant_id: int,
    serials: Sequence[str],
    box: SecretBox,
    now: datetime,
) -> None:
    """Make the unsold serials of a variant these; one that is among them already keeps its place.

    Raises as `add_serials` and `remove_serials` do, Invalid `invalid_input` for too many.
    """
    await _lock(tx, shop_id=shop_id, variant_id=variant_id)
    pooled = await list_pooled(
        tx, shop_id=shop_id, variant_id=variant_id, limit=SERIALS_MAX + 1, offset=0, box=box
    )
    if len(pooled) > SERIALS_MAX:
        raise Invalid(
            "invalid_input", f"More than {SERIALS_MAX} serials cannot be replaced at once."
        )
    wanted = dict.fromkeys(text.strip() for text in serials)
    left_out = [each.id for each in pooled if each.serial not in wanted]
    had = {each.serial for each in pooled}
    added = [text for text in wanted if text not in had]
    if left_out:
        await remove_serials(
            tx, shop_id=shop_id, variant_id=variant_id, serial_ids=left_out, now=now
        )
    if added:
        await add_serials(
            tx, shop_id=shop_id, variant_id=variant_id, serials=added, box=box, now=now
        )


async def claim_serials(
    tx: Transaction,
    *,
    shop_id: int,
    variant_id: int,
    quantity: int,
    box: SecretBox,
    now: datetime,
) -> list[PooledSerial]:
    """Take the oldest serials out for the shop itself, all or none; nobody is ever sold them.

    Raises Refused `stock_limit_exceeded` where fewer are available; the transaction must then be
    rolled back. Invalid `invalid_input` for another quantity than 1 to CLAIM_MAX.
    """
    if not 1 <= quantity <= CLAIM_MAX:
        raise Invalid("invalid_input", f"must be from 1 to {CLAIM_MAX}", {"field": "quantity"})
    await _lock(tx, shop_id=shop_id, variant_id=variant_id)
    with refusing_shortage():
        rows = await tx.all(_CLAIM, {
            "shop": shop_id, "variant": variant_id, "quantity": quantity, "now": now,
        })  # fmt: skip
    if len(rows) < quantity:
        raise Refused("stock_limit_exceeded", data={"variant_ids": [variant_id]})
    await _take(
        tx,
        shop_id=shop_id,
        variant_id=variant_id,
        count=quantity,
        reason="serials claimed",
        now=now,
    )
    place = stocked_serial_place(shop_id, variant_id)
    return [
        PooledSerial(
            id=row[0], serial=box.open(bytes(row[1]), place=place).decode(), added_at=row[2]
        )
        for row in sorted(rows)
    ]


async def _lock(tx: Transaction, *, shop_id: int, variant_id: int) -> None:
    """Lock the level, as everybody does who takes serials."""
    await tx.run("select lock_levels(%s, %s, %s)", (shop_id, variant_id, ["own"]))


async def _take(
    tx: Transaction, *, shop_id: int, variant_id: int, count: int, reason: str, now: datetime
) -> None:
    posting = Posting(variant_id=variant_id, pool="own", kind="adjust", on_hand=-count, floor=True)
    await post_stock(tx, shop_id=shop_id, postings=[posting], reason=reason, now=now)


_CLAIM = """
with oldest as (
    select s.id from serials s
    where s.shop_id = %(shop)s and s.variant_id = %(variant)s and s.sold_at is null
    order by s.id limit %(quantity)s for update
)
update serials s set sold_at = %(now)s, claimed_at = %(now)s from oldest o
where s.shop_id = %(shop)s and s.id = o.id returning s.id, s.sealed, s.added_at
"""
