"""Which relationship, or which of its campaigns, brought an order (spec shoppex_reseller 9.2, 14)."""

from datetime import datetime

import msgspec

from crossdock.db.unit_of_work import Transaction


class Attribution(msgspec.Struct, frozen=True, kw_only=True):
    """Who earns by an order; `campaign_id` None where the relationship's own code brought it."""

    reseller_id: int
    campaign_id: int | None


async def attribute(
    tx: Transaction, *, shop_id: int, order_id: int, code: str, now: datetime
) -> Attribution | None:
    """Record who brought the order, in the transaction that places it; see `attribute_order` in attributing.sql.

    `code` is a relationship's attribution code or a campaign's public token. One that earns nothing, such as an
    unknown or a paused one, changes nothing: the buyer's order is placed as any other. None then.
    """
    row = await tx.one(
        "select * from attribute_order(%s, %s, %s, %s)", (shop_id, order_id, code, now)
    )
    return None if row is None else Attribution(reseller_id=row[0], campaign_id=row[1])
