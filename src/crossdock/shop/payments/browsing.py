"""All payments of a shop, the newest first."""

from datetime import datetime
from typing import Any, Final

import msgspec

from crossdock.db.unit_of_work import Transaction

PAYMENT_STATES: Final = (
    *("asked", "authorised", "captured", "partially_refunded", "refunded"),
    *("voided", "declined", "abandoned"),
)


class PaymentRow(msgspec.Struct, frozen=True, kw_only=True):
    """A payment in a list; `refunded_minor` is of what was captured, `refunding_minor` is being given back."""

    id: int
    provider: str
    state: str
    currency: str
    amount_minor: int
    captured_minor: int
    refunding_minor: int
    refunded_minor: int
    card_brand: str
    card_last4: str
    reason: str
    order_id: int | None
    invoice_id: int | None
    created_at: datetime


async def browse_payments(
    tx: Transaction,
    *,
    shop_id: int,
    state: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[PaymentRow]:
    """Payments with a number below `before`, of one state or of all."""
    values: dict[str, Any] = {"shop": shop_id, "state": state, "before": before, "limit": limit}
    rows = await tx.all(_BROWSE, values)
    names = PaymentRow.__struct_fields__
    return [PaymentRow(**dict(zip(names, row, strict=True))) for row in rows]


_COLUMNS: Final = ", ".join(PaymentRow.__struct_fields__)
_BROWSE: Final = f"""
    select {_COLUMNS} from payments
    where shop_id = %(shop)s and (%(state)s::text is null or state = %(state)s)
      and (%(before)s::bigint is null or id < %(before)s)
    order by id desc limit %(limit)s
"""
