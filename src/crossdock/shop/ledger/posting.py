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
    """Which account: its kind of the chart, and whose it is, such as 'customer:17'; '' is the shop."""

    kind: AccountKind
    owner: str = ""


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """So much from the debited account to the credited one, in minor units; 0 is left out.

    `kind` is the fact that it is posted for, such as 'capture'; `reason` is for people.
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
    """Write a row for each transfer, change the balances and tell of it in one `ledger.posted` event.

    Accounts are locked in one order, so postings never wait for each other in a circle; whoever locks
    orders or levels as well does so first. Raises Refused `balance_insufficient` where a balance would
    end below its floor; the transaction is lost then.
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
