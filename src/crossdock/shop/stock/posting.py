"""Change levels by entries: the only way to change them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import msgspec
import psycopg

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid, Refused

SHORT = "CD001"


class Posting(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One entry: a level and the changes of its quantities. `floor` refuses to take more than is available."""

    variant_id: int
    pool: str
    kind: str
    on_hand: int = 0
    held: int = 0
    committed: int = 0
    floor: bool = False
    hold_id: int | None = None


async def post_stock(
    tx: Transaction,
    *,
    shop_id: int,
    postings: Sequence[Posting],
    reason: str,
    now: datetime,
    order_id: int | None = None,
) -> None:
    """Write the entries, change their levels and write one event.

    Levels are locked in a fixed order, so that postings cannot deadlock. Raises Refused
    `stock_limit_exceeded` if a `floor` is violated, `stock_insufficient` if a level would go
    below zero; the transaction must then be rolled back.
    """
    if not postings:
        return
    with refusing_shortage():
        await tx.run(
            "select post_stock(%s, %s::jsonb, %s, %s, %s)",
            (shop_id, msgspec.json.encode(postings).decode(), reason, order_id, now),
        )


@contextmanager
def refusing_shortage() -> Iterator[None]:
    """Translate the SQL functions' errors into Refused."""
    try:
        yield
    except psycopg.errors.CheckViolation as error:
        raise Refused("stock_insufficient") from error
    except psycopg.Error as error:
        if error.sqlstate != SHORT:
            raise
        shortages = msgspec.json.decode(error.diag.message_detail or "[]")
        ids = sorted({int(row["variant_id"]) for row in shortages})
        raise Refused("stock_limit_exceeded", data={"variant_ids": ids}) from error


async def receive_stock(
    tx: Transaction,
    *,
    shop_id: int,
    variant_id: int,
    quantity: int,
    now: datetime,
    pool: str = "own",
    reason: str = "receipt",
) -> None:
    """Receive stock. Raises Invalid `invalid_input` for a variant that is counted by its serials."""
    await _refuse_serials(tx, shop_id=shop_id, variant_id=variant_id, pool=pool)
    posting = Posting(variant_id=variant_id, pool=pool, kind="receive", on_hand=quantity)
    await post_stock(tx, shop_id=shop_id, postings=[posting], reason=reason, now=now)


async def adjust_stock(
    tx: Transaction,
    *,
    shop_id: int,
    variant_id: int,
    difference: int,
    now: datetime,
    pool: str = "own",
    reason: str = "counted",
) -> None:
    """Correct on hand by `difference`, positive or negative.

    Raises Refused `stock_insufficient` below zero on hand, Invalid `invalid_input` for a variant that is
    counted by its serials.
    """
    await _refuse_serials(tx, shop_id=shop_id, variant_id=variant_id, pool=pool)
    posting = Posting(variant_id=variant_id, pool=pool, kind="adjust", on_hand=difference)
    await post_stock(tx, shop_id=shop_id, postings=[posting], reason=reason, now=now)


async def move_stock(
    tx: Transaction,
    *,
    shop_id: int,
    variant_id: int,
    quantity: int,
    source: str,
    target: str,
    reason: str,
    now: datetime,
) -> None:
    """Move units that can be sold from one pool to another.

    Raises Refused `stock_limit_exceeded` for more than is available there, Invalid `invalid_input` for a variant that
    is counted by its serials.
    """
    for pool in (source, target):
        await _refuse_serials(tx, shop_id=shop_id, variant_id=variant_id, pool=pool)
    postings = [
        Posting(variant_id=variant_id, pool=pool, kind="transfer", on_hand=units, floor=units < 0)
        for pool, units in ((source, -quantity), (target, quantity))
    ]
    await post_stock(tx, shop_id=shop_id, postings=postings, reason=reason, now=now)


async def _refuse_serials(tx: Transaction, *, shop_id: int, variant_id: int, pool: str) -> None:
    """The level of a variant with serials is the number unsold; it changes only with them."""
    found = await tx.value(
        "select exists (select 1 from serials where shop_id = %s and variant_id = %s)",
        (shop_id, variant_id),
    )
    if found and pool == "own":
        raise Invalid("invalid_input", "This variant is counted by its serials; add those instead.")
