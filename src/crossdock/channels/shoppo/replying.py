"""Agents' comments on their way to the partner: the webhook that replies to a ticket (spec section 11).

The body is `{"ticketId", "content"}`; the partner took it if it answers 200 and `{"error": ""}`. Another
error is for the agent to read, and the call is repeated. The comments of a ticket go out in order.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from crossdock.channels.shoppo import NAME
from crossdock.channels.shoppo.calling import Calling, Notice, one_address
from crossdock.channels.shoppo.ids import Kind
from crossdock.db.unit_of_work import Transaction
from crossdock.kit.opaque import OpaqueIds
from crossdock.kit.outbound import Answer
from crossdock.shop.deliveries import Claim, DeliveryKind
from crossdock.shop.events import Batch, Consumer, TicketCommented
from crossdock.shop.partners import list_called
from crossdock.shop.shops import read_id_key
from crossdock.shop.tickets import queue_comment, read_comment

REPLY_URL: Final = "reply_url"
REPLY: Final = "shoppo_reply"
_NO_ERROR_FIELD = 'the partner\'s server answered 200, but not {"error": ""}'


def reply_kind(calling: Calling) -> DeliveryKind:
    """The kind of delivery of agents' comments."""
    return calling.kind(
        Notice(
            name=REPLY,
            subject="Reply",
            compose=one_address(REPLY_URL, "ticket.reply", _read),
            judge=complaint_of,
        )
    )


def reply_consumer() -> Consumer:
    """Queues the comments of agents for partners of this channel."""
    return Consumer(name=REPLY, topics=("tickets",), take=_take)


def complaint_of(answer: Answer) -> str:
    """What the partner says is wrong, '' for nothing."""
    found = answer.json()
    error = found.get("error") if isinstance(found, dict) else None
    if not isinstance(error, str):
        return _NO_ERROR_FIELD
    return f"the partner says: {' '.join(error.split())}" if error else ""


async def _take(tx: Transaction, *, batch: Batch, now: datetime) -> None:
    found = [
        (event.subject_id, payload)
        for event in batch.events
        if event.subject_id is not None
        and isinstance(payload := event.decode(), TicketCommented)
        and payload.author == "agent"
    ]
    partners = await list_called(
        tx,
        shop_id=batch.shop_id,
        channel=NAME,
        partner_ids={payload.partner_id for _, payload in found},
    )
    ours = {partner.id for partner in partners}
    for ticket_id, commented in found:
        if commented.partner_id in ours:
            await queue_comment(
                tx,
                shop_id=batch.shop_id,
                kind=REPLY,
                ticket_id=ticket_id,
                commented=commented,
                now=now,
            )


async def _read(tx: Transaction, *, claim: Claim) -> Mapping[str, Any] | None:
    ticket_id, number = int(claim.payload["ticket_id"]), int(claim.payload["number"])
    comment = await read_comment(tx, shop_id=claim.shop_id, ticket_id=ticket_id, number=number)
    if comment is None:
        return None
    ids = OpaqueIds(await read_id_key(tx, shop_id=claim.shop_id))
    return {"ticketId": ids.encode(Kind.TICKET, ticket_id), "content": comment.content}
