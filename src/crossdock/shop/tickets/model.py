"""A ticket, its comments, and what a partner fills in."""

from datetime import datetime

import msgspec

from crossdock.shop.tickets.states import (
    ItemDelivery,
    ProblemType,
    TicketKind,
    TicketState,
)

NAME_MAX = 200
REASON_MAX = 2_000
TEXT_MAX = 10_000
LINES_MAX = 100
IMAGES_MAX = 20


class TicketLine(msgspec.Struct, frozen=True):
    """A line of one of the partner's orders."""

    order_id: int
    line_no: int


class NewTicket(msgspec.Struct, frozen=True, kw_only=True):
    """What a partner writes when it opens a ticket for a buyer, the requester."""

    kind: TicketKind
    first_name: str
    last_name: str
    email: str
    reason: str = ""
    problem_type: ProblemType | None = None
    item_delivery: ItemDelivery | None = None
    remark: str = ""
    lines: tuple[TicketLine, ...] = ()
    image_ids: tuple[int, ...] = ()


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket as it is now; `assignee` is the agent's e-mail, '' for none."""

    id: int
    partner_id: int
    kind: TicketKind
    state: TicketState
    reason: str
    problem_type: ProblemType | None
    item_delivery: ItemDelivery | None
    first_name: str
    last_name: str
    email: str
    remark: str
    image_ids: tuple[int, ...]
    lines: tuple[TicketLine, ...]
    assignee: str
    comment_count: int
    created_at: datetime
    updated_at: datetime


class Comment(msgspec.Struct, frozen=True, kw_only=True):
    """A comment of the requester or of an agent, whose e-mail is `person`; `number` counts from 1."""

    number: int
    id: int
    author: str
    person: str
    content: str
    created_at: datetime


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """What an action did; `comment` is the number of the comment that it added."""

    before: TicketState
    after: TicketState
    comment: int | None
