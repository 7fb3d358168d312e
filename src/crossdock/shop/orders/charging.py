"""Pay an order with a charge of its partner's, who has collected the money from its own customer."""

from datetime import datetime

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Conflict, NotFound, Refused
from crossdock.shop.payments import record_transfer


async def charge_order(
    tx: Transaction, *, shop_id: int, partner_id: int, order_id: int, charge: str, now: datetime
) -> bool:
    """Pay all that is owed for the partner's order with its charge; False, and nothing written, for a repetition.

    A charge pays one order for ever (spec shoppo 8). Raises NotFound `order_not_found`, Conflict
    `charge_used` if it paid another order, Refused `order_expired` for an order that was not paid in time,
    even before it is cancelled for that, and `order_state` for one that is paid otherwise or closed.
    """
    values = (shop_id, partner_id, order_id, f"charge:{partner_id}", charge, now)
    outcome = await tx.value("select charge_order(%s, %s, %s, %s, %s, %s)", values)
    if outcome == "unknown":
        raise NotFound("order_not_found")
    if outcome == "used":
        raise Conflict("charge_used")
    if outcome == "expired":
        raise Refused("order_expired")
    if outcome == "closed":
        raise Refused("order_state", "The order is not one that can be paid.")
    if outcome == "replayed":
        return False
    row = await tx.one(
        "select order_payer(o), o.total_minor - cancelled_total(o.shop_id, o.id), o.currency from orders o"
        " where o.shop_id = %s and o.id = %s",
        (shop_id, order_id),
    )
    assert row is not None  # its row is locked
    if row[1]:
        await record_transfer(
            tx,
            shop_id=shop_id,
            order_id=order_id,
            payer=row[0],
            amount_minor=row[1],
            currency=row[2],
            reference=f"partner:{partner_id}:{charge}",
            provider="partner",
            now=now,
        )
    return True
