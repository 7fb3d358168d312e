"""Act on a ticket: the only way to change its state and to add a comment."""

from datetime import datetime, timedelta

import psycopg

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.db.walking import walk_due
from crossdock.errors import NotFound, Refused
from crossdock.settings import TicketsSection
from crossdock.shop.alerts import isolated
from crossdock.shop.people import Person, find_person
from crossdock.shop.tickets.model import TEXT_MAX, Moved
from crossdock.shop.tickets.states import Action
from crossdock.shop.tickets.wording import checked_text

NO_ARROW = "CD031"
NO_TICKET = "CD032"
CLOSED = "CD033"


async def reply(
    tx: Transaction, *, shop_id: int, partner_id: int, ticket_id: int, content: str, now: datetime
) -> Moved:
    """The requester's comment, through the partner; a ticket that waited for it is open again.

    Raises NotFound `not_found` for a ticket that is not the partner's, Refused `ticket_closed`,
    Invalid `invalid_input` for an empty or long text.
    """
    return await _move(
        tx,
        shop_id=shop_id,
        ticket_id=ticket_id,
        partner_id=partner_id,
        action="reply",
        content=content,
        now=now,
    )


async def act(
    tx: Transaction,
    *,
    shop_id: int,
    ticket_id: int,
    action: Action,
    now: datetime,
    by: Person | None = None,
    content: str | None = None,
) -> Moved:
    """An agent's action: assign (to `by`), answer, ask, hold or solve; see states.py.

    Raises NotFound `not_found`, Refused `ticket_closed`, Refused `ticket_state` for an action that
    the ticket's state does not allow, Invalid `invalid_input` for an empty or long text.
    """
    return await _move(
        tx,
        shop_id=shop_id,
        ticket_id=ticket_id,
        person_id=by.id if by else None,
        action=action,
        content=content,
        now=now,
    )


async def find_agent(tx: Transaction, *, shop_id: int, email: str) -> Person:
    """The active person of the shop's staff who may answer tickets.

    Raises NotFound `not_found`, Refused `permission_denied`.
    """
    person = await find_person(tx, email=email)
    if person.shop_id != shop_id:
        raise NotFound("not_found", f"There is no person with the e-mail {email.strip()}.")
    if not person.active or not person.may("tickets.answer"):
        raise Refused("permission_denied", f"{person.email} may not answer tickets.")
    return person


def silence_of(section: TicketsSection) -> timedelta:
    """How long a solved ticket is without a comment before it is closed."""
    return timedelta(days=section.close_after_days)


async def close_solved(db: Database, *, silence: timedelta, now: datetime) -> int:
    """Close what was solved and had no comment for so long, each in a transaction of its own; returns how many.

    One that somebody works on is left for the next run; one that fails raises an alert.
    """
    before, count = now - silence, 0
    async for _, shop_id, ticket_id in walk_due(db, _SOLVED, values={"before": before}):
        async with (
            isolated(
                db, job="close_tickets", shop_id=shop_id, about=f"ticket {ticket_id}", now=now
            ),
            db.begin() as tx,
        ):
            if await tx.one(_LOCK_SOLVED, (shop_id, ticket_id, before)):
                await _move(tx, shop_id=shop_id, ticket_id=ticket_id, action="close", now=now)
                count += 1
    return count


async def _move(
    tx: Transaction,
    *,
    shop_id: int,
    ticket_id: int,
    action: Action,
    now: datetime,
    partner_id: int | None = None,
    person_id: int | None = None,
    content: str | None = None,
) -> Moved:
    if content is not None:
        content = checked_text(content, field="content", most=TEXT_MAX)
    try:
        row = await tx.one(
            "select from_state, to_state, comment_number from move_ticket(%s, %s, %s, %s, %s, %s, %s)",
            (shop_id, ticket_id, partner_id, action, person_id, content, now),
        )
    except psycopg.Error as error:
        raise _refusal(error, ticket_id=ticket_id, action=action) from error
    assert row
    return Moved(before=row[0], after=row[1], comment=row[2])


def _refusal(error: psycopg.Error, *, ticket_id: int, action: str) -> Exception:
    if error.sqlstate == NO_TICKET:
        return NotFound("not_found", f"There is no ticket {ticket_id}.")
    if error.sqlstate == CLOSED:
        return Refused("ticket_closed")
    if error.sqlstate == NO_ARROW:
        words = error.diag.message_primary or ""
        hint = "; assign it first" if " new " in words and action != "close" else ""
        return Refused("ticket_state", f"{words.capitalize()}{hint}.")
    return error


_SOLVED = """
    select t.updated_at, t.shop_id, t.id from tickets t
    where t.state = 'solved' and t.updated_at < %(before)s
      and t.updated_at >= %(at)s and (t.updated_at, t.shop_id, t.id) > (%(at)s, %(shop)s, %(id)s)
    order by t.updated_at, t.shop_id, t.id limit %(limit)s
"""
_LOCK_SOLVED = """
    select 1 from tickets where shop_id = %s and id = %s and state = 'solved' and updated_at < %s
    for no key update skip locked
"""
