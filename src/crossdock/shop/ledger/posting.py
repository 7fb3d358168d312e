"""Post transfers, the only way to change a balance."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import msgspec
import psycopg

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Refused
from crossdock.shop.ledger.chart import AccountKind

BELOW_FLOOR = "CD002"


class Account(msgspec.Struct, frozen=True, order=True):
    """An account: its kind in the chart, and its owner, such as 'customer:17'; '' is the shop."""

    kind: AccountKind
    owner: str = ""


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """An amount in minor units from the debited to the credited account; 0 is skipped.

    `kind` is the fact that is posted, such as 'capture'; `reason` is for people.
    """

    debit: Account
    credit: Account
    amount_minor: int
    currency: str
    kind: str
    reason: str = ""
    payment_id: int | None = None


async def post_transfers(
    tx: Transaction,
    *,
    shop_id: int,
    transfers: Sequence[Transfer],
    now: datetime,
    order_id: int | None = None,
) -> None:
    """Write a row per transfer, change the balances and write one `ledger.posted` event.

    Accounts are locked in a fixed order, so postings cannot deadlock; callers lock orders and levels
    before. Raises Refused `balance_insufficient` if a balance would end below its floor; the
    transaction must then be rolled back.
    """
    if not transfers:
        return
    with refusing_overdraft():
        await tx.run(
            "select post_transfers(%s, %s::jsonb, %s, %s)",
            (shop_id, msgspec.json.encode(transfers).decode(), order_id, now),
        )


@contextmanager
def refusing_overdraft() -> Iterator[None]:
    """Translate the SQL function's error to Refused `balance_insufficient`."""
    try:
        yield
    except psycopg.Error as error:
        if error.sqlstate != BELOW_FLOOR:
            raise
        accounts = msgspec.json.decode(error.diag.message_detail or "[]")
        raise Refused("balance_insufficient", data={"accounts": accounts}) from error
