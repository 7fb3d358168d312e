"""The rows of tickets, and the readings of their types (spec section 11)."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crossdock.channels.shoppo.connections import (
    Connection,
    Edge,
    connection_types,
    read_paging,
)
from crossdock.channels.shoppo.ids import Kind
from crossdock.channels.shoppo.order_rows import ItemRow
from crossdock.channels.shoppo.rows import ImageRow
from crossdock.channels.shoppo.subjects import Call, Read, Taking
from crossdock.channels.shoppo.wire import seconds
from crossdock.db.unit_of_work import Database
from crossdock.shop.tickets import CommentPage, CommentSpan, Ticket, list_comments

_COMMENTS = "comment"


class Comments:
    """The comments of the tickets of one answer: each span of them is read once for all tickets."""

    def __init__(self, db: Database, *, shop_id: int, ticket_ids: Sequence[int]) -> None:
        self._db = db
        self._shop_id = shop_id
        self._ticket_ids = ticket_ids
        self._pages: dict[CommentSpan, dict[int, CommentPage]] = {}
        self._one_at_a_time = asyncio.Lock()

    async def page(self, ticket_id: int, span: CommentSpan) -> CommentPage:
        """The span of one of the tickets."""
        async with self._one_at_a_time:
            if span not in self._pages:
                async with self._db.statement() as tx:
                    self._pages[span] = await list_comments(
                        tx, shop_id=self._shop_id, ticket_ids=self._ticket_ids, span=span
                    )
        return self._pages[span][ticket_id]


@dataclass(frozen=True, slots=True)
class TicketRow:
    """A ticket; items and images are empty where nobody asked for them."""

    ticket: Ticket
    items: list[ItemRow]
    images: list[ImageRow]
    comments: Comments


class ExchangeRow(TicketRow):
    """A ticket about items to exchange."""


class RefundRow(TicketRow):
    """A ticket about a refund."""


class QuestionRow(TicketRow):
    """A ticket with a question about an order."""


@dataclass(frozen=True, slots=True)
class TicketPayload:
    """What opening a ticket answers."""

    ticket: TicketRow


@dataclass(frozen=True, slots=True)
class ReplyPayload:
    """What a reply answers."""

    success: bool


ROWS: Mapping[str, type[TicketRow]] = {
    "exchange": ExchangeRow,
    "refund": RefundRow,
    "question": QuestionRow,
}
TYPES: Mapping[str, str] = {
    "exchange": "ExchangeItemTicket",
    "refund": "RefundTicket",
    "question": "OrderQuestionTicket",
}
"""The types of the schema by the kind of a ticket."""


async def _comments(row: TicketRow, _call: Call, arguments: Mapping[str, Any]) -> Connection:
    paging = read_paging(arguments, listed=_COMMENTS)
    page = await row.comments.page(
        row.ticket.id,
        CommentSpan(
            limit=paging.size,
            after=None if paging.after is None else paging.after[1],
            before=None if paging.before is None else paging.before[1],
            from_end=paging.is_last,
        ),
    )
    return Connection(
        edges=[Edge(each, _COMMENTS, (each.created_at, each.number)) for each in page.comments],
        has_next=page.has_next,
        has_previous=page.has_previous,
        length=page.total,
    )


def _id(row: TicketRow, call: Call) -> str:
    return call.ids.encode(Kind.TICKET, row.ticket.id)


def _upper(text: str | None) -> str | None:
    return None if text is None else text.upper()


_TICKET: dict[str, Read | Taking] = {
    "id": _id,
    "ticketId": _id,
    "status": lambda row, _: "CLOSED" if row.ticket.state == "closed" else "OPEN",
    "zendeskStatus": lambda row, _: row.ticket.state.upper(),
    "firstName": lambda row, _: row.ticket.first_name,
    "lastName": lambda row, _: row.ticket.last_name,
    "email": lambda row, _: row.ticket.email,
    "remark": lambda row, _: row.ticket.remark,
    "orderItems": lambda row, _: row.items,
    "images": lambda row, _: row.images,
    "timeCreated": lambda row, _: seconds(row.ticket.created_at),
    "comments": Taking(_comments),
}
_REASON: dict[str, Read] = {"reason": lambda row, _: row.ticket.reason}
_PROBLEM: dict[str, Read] = {"problemType": lambda row, _: _upper(row.ticket.problem_type)}
_DELIVERY: dict[str, Read] = {"itemDeliveryStatus": lambda row, _: _upper(row.ticket.item_delivery)}
_PAYLOAD: dict[str, Read] = {"ticket": lambda row, _: row.ticket}

TICKET_TYPES: Mapping[str, Mapping[str, Read | Taking]] = {
    "ExchangeItemTicket": _TICKET | _REASON,
    "RefundTicket": _TICKET | _REASON | _PROBLEM | _DELIVERY,
    "OrderQuestionTicket": _TICKET | _DELIVERY,
    "Comment": {
        "content": lambda comment, _: comment.content,
        "timeCreated": lambda comment, _: seconds(comment.created_at),
    },
    "CreateExchangeItemTicketPayload": _PAYLOAD,
    "CreateRefundTicketPayload": _PAYLOAD,
    "CreateOrderQuestionTicketPayload": _PAYLOAD,
    "ReplyCustomerServiceTicketPayload": {"success": lambda row, _: row.success},
    **connection_types("ExchangeItemTicket"),
    **connection_types("RefundTicket"),
    **connection_types("OrderQuestionTicket"),
    **connection_types("Comment"),
}
