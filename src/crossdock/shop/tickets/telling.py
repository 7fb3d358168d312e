"""The deliveries that tell a partner of agents' comments; the kind of delivery is the channel's."""

from datetime import datetime

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.deliveries import Delivery, list_deliveries, queue_delivery
from crossdock.shop.events import TicketCommented

_DELIVERIES_MAX = 10_000


async def queue_comment(
    tx: Transaction,
    *,
    shop_id: int,
    kind: str,
    ticket_id: int,
    commented: TicketCommented,
    now: datetime,
) -> int | None:
    """Queue a comment for its partner, after earlier ones of the ticket; None if it was queued before.

    The target is the partner's number, the subject the comment's id, and the payload has the numbers
    of the ticket and the comment.
    """
    return await queue_delivery(
        tx,
        shop_id=shop_id,
        kind=kind,
        target=str(commented.partner_id),
        subject_id=commented.comment_id,
        object_key=_object_key(ticket_id),
        payload={"ticket_id": ticket_id, "number": commented.number},
        now=now,
    )


async def list_told(tx: Transaction, *, shop_id: int, ticket_id: int) -> dict[int, Delivery]:
    """The delivery of each comment that was queued for the partner, by the comment's id."""
    found = await list_deliveries(
        tx, shop_id=shop_id, object_key=_object_key(ticket_id), limit=_DELIVERIES_MAX
    )
    return {each.subject_id: each for each in found if each.subject_id is not None}


def _object_key(ticket_id: int) -> str:
    return f"ticket {ticket_id}"
