"""Pay an order with a charge of its partner's, who has collected the money from its own customer."""

from datetime import datetime

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Conflict, NotFound, Refused
from crossdock.shop.payments import refusing_payment


async def charge_order(
    tx: Transaction, *, shop_id: int, partner_id: int, order_id: int, charge: str, now: datetime
) -> bool:
    """Pay all that is owed for the partner's order with its charge; False, and nothing written, for a repetition.

    A charge pays one order for ever (spec shoppo 8). Raises NotFound `order_not_found`, Conflict
    `charge_used` if it paid another order, Refused `order_expired` for an order that was not paid in time,
    even before it is cancelled for that, `order_state` for one that is paid otherwise or closed, and
    `payment_state` if a payment with the charge's reference was recorded by somebody else.
    """
    with refusing_payment():
        outcome = await tx.value(
            "select charge_order(%s, %s, %s, %s, %s)", (shop_id, partner_id, order_id, charge, now)
        )
    if outcome == "unknown":
        raise NotFound("order_not_found")
    if outcome == "used":
        raise Conflict("charge_used")
    if outcome == "expired":
        raise Refused("order_expired")
    if outcome == "closed":
        raise Refused("order_state", "The order is not one that can be paid.")
    return bool(outcome == "paid")
