"""The kinds of events about tickets; the subject is the ticket."""

from crossdock.shop.events.payloads import Moved, Payload


class TicketOpened(Payload, frozen=True, kw_only=True):
    """A partner opened a ticket."""

    kind = "ticket.opened"
    topic = "tickets"
    partner_id: int
    ticket_kind: str


class TicketCommented(Payload, frozen=True, kw_only=True):
    """The requester or an agent, `author`, wrote a comment."""

    kind = "ticket.commented"
    topic = "tickets"
    partner_id: int
    comment_id: int
    number: int
    author: str


class TicketAssigned(Moved, frozen=True, kw_only=True):
    """A ticket was assigned to an agent, perhaps another one."""

    kind = "ticket.assigned"
    topic = "tickets"
    person_id: int


class TicketAsked(Moved, frozen=True, kw_only=True):
    """A ticket waits for its requester."""

    kind = "ticket.asked"
    topic = "tickets"


class TicketHeld(Moved, frozen=True, kw_only=True):
    """A ticket waits for a third party."""

    kind = "ticket.held"
    topic = "tickets"


class TicketSolved(Moved, frozen=True, kw_only=True):
    """A ticket was solved."""

    kind = "ticket.solved"
    topic = "tickets"


class TicketReopened(Moved, frozen=True, kw_only=True):
    """The requester replied to a ticket that waited or was solved."""

    kind = "ticket.reopened"
    topic = "tickets"


class TicketClosed(Moved, frozen=True, kw_only=True):
    """A solved ticket was closed for good."""

    kind = "ticket.closed"
    topic = "tickets"


TICKET_KINDS: tuple[type[Payload], ...] = (
    TicketOpened,
    TicketCommented,
    TicketAssigned,
    TicketAsked,
    TicketHeld,
    TicketSolved,
    TicketReopened,
    TicketClosed,
)
