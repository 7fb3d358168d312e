"""Tickets in tests: a partner with an order, an agent, and what both write."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.kit.clock import FrozenClock
from crossdock.shop.orders import place
from crossdock.shop.people import Person
from crossdock.shop.tickets import (
    Action,
    Comment,
    CommentSpan,
    Moved,
    NewTicket,
    Ticket,
    TicketLine,
    act,
    list_comments,
    open_ticket,
    read_ticket,
    reply,
)
from tests.support.drafts import draft_of, line_of
from tests.support.factories import (
    PartnerFixture,
    ShopFixture,
    make_partner,
    make_shop,
    make_variant,
)
from tests.support.people import make_person

IMAGES = frozenset({7, 8, 9})
"""The images that every partner of a test has."""


async def known_images(
    tx: Transaction, *, shop_id: int, partner_id: int, image_ids: Sequence[int]
) -> frozenset[int]:
    """Which of the images are IMAGES."""
    return IMAGES.intersection(image_ids)


def new_ticket(**changes: Any) -> NewTicket:
    """What a partner fills in; a refund's unless told otherwise."""
    values: dict[str, Any] = {
        "kind": "refund",
        "first_name": "Ada",
        "last_name": "Moreno",
        "email": "ada@moreno.example",
        "reason": "It is broken.",
        "problem_type": "refund",
        "item_delivery": "received",
    }
    return NewTicket(**(values | changes))


@dataclass
class Helpdesk:
    """One shop's tickets, of one partner unless told otherwise."""

    db: Database
    clock: FrozenClock
    shop: ShopFixture
    partner: PartnerFixture
    agent: Person

    @classmethod
    async def open(cls, db: Database, clock: FrozenClock) -> "Helpdesk":
        """A fresh one."""
        async with db.begin() as tx:
            shop = await make_shop(tx)
            partner = await make_partner(tx, shop=shop)
            agent = (await make_person(tx, shop_id=shop.id, role="manager")).person
        return cls(db=db, clock=clock, shop=shop, partner=partner, agent=agent)

    async def order(self, *, partner_id: int | None = None, lines: int = 1) -> int:
        """The id of a new order of the partner."""
        async with self.db.begin() as tx:
            made = [
                line_of(await make_variant(tx, shop=self.shop), shop=self.shop)
                for _ in range(lines)
            ]
            draft = draft_of(*made, shop=self.shop, partner_id=partner_id or self.partner.id)
            return (await place(tx, draft=draft, now=self.clock.now())).id

    async def ticket(self, *, partner_id: int | None = None, **changes: Any) -> int:
        """The id of a new ticket."""
        async with self.db.begin() as tx:
            return await open_ticket(
                tx,
                shop_id=self.shop.id,
                partner_id=partner_id or self.partner.id,
                ticket=new_ticket(**changes),
                images=known_images,
                now=self.clock.now(),
            )

    async def act(self, ticket_id: int, action: Action, content: str | None = None) -> Moved:
        """The agent's action."""
        async with self.db.begin() as tx:
            return await act(
                tx,
                shop_id=self.shop.id,
                ticket_id=ticket_id,
                action=action,
                by=self.agent,
                content=content,
                now=self.clock.now(),
            )

    async def reply(self, ticket_id: int, content: str) -> Moved:
        """The requester's comment."""
        async with self.db.begin() as tx:
            return await reply(
                tx,
                shop_id=self.shop.id,
                partner_id=self.partner.id,
                ticket_id=ticket_id,
                content=content,
                now=self.clock.now(),
            )

    async def read(self, ticket_id: int) -> Ticket:
        """The ticket as it is now."""
        async with self.db.statement() as tx:
            return await read_ticket(tx, shop_id=self.shop.id, ticket_id=ticket_id)

    async def comments(self, ticket_id: int) -> tuple[Comment, ...]:
        """The ticket's comments, oldest first."""
        async with self.db.statement() as tx:
            pages = await list_comments(
                tx, shop_id=self.shop.id, ticket_ids=[ticket_id], span=CommentSpan()
            )
        return pages[ticket_id].comments

    async def events(self, ticket_id: int) -> list[tuple[str, dict[str, Any]]]:
        """The events of the ticket, oldest first."""
        async with self.db.statement() as tx:
            rows = await tx.all(
                "select kind, payload from events where shop_id = %s and subject_id = %s"
                " and topic = 'tickets' order by id",
                (self.shop.id, ticket_id),
            )
        return [(kind, payload) for kind, payload in rows]


def line(order_id: int, number: int = 1) -> TicketLine:
    """A line of an order."""
    return TicketLine(order_id, number)
