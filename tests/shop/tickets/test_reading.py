"""A list of tickets..."""

from datetime import datetime, timedelta

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.errors import Invalid, NotFound
from crossdock.shop.tickets import (
    PAGE_MAX,
    CommentSpan,
    Span,
    Ticket,
    TicketPage,
    list_comments,
    list_tickets,
    read_comment,
    read_ticket,
    read_tickets,
)
from tests.support.factories import make_partner
from tests.support.ticketing import Helpdesk, line


async def _page(desk: Helpdesk, span: Span, **chosen: object) -> TicketPage:
    async with desk.db.statement() as tx:
        return await list_tickets(tx, shop_id=desk.shop.id, span=span, **chosen)  # type: ignore[arg-type]


def _ids(page: TicketPage) -> list[int]:
    return [ticket.id for ticket in page.tickets]


def _place(ticket: Ticket) -> tuple[datetime, int]:
    return ticket.created_at, ticket.id


async def _seven(desk: Helpdesk) -> list[int]:
    """Newest first; pairs were opened at the same moment."""
    made = []
    for number in range(7):
        desk.clock.move(timedelta(seconds=number % 2))
        made.append(await desk.ticket())
    return made[::-1]


async def test_is_newest_first_and_walks_both_ways_while_tickets_are_opened(desk: Helpdesk) -> None:
    newest = await _seven(desk)
    forth: list[int] = []
    after = None
    while True:
        page = await _page(desk, Span(limit=3, after=after))
        assert page.has_previous is (after is not None)
        forth += _ids(page)
        await desk.ticket()
        if not page.has_next:
            break
        after = _place(page.tickets[-1])
    assert forth == newest

    everything = _ids(await _page(desk, Span(limit=100)))
    back: list[int] = []
    before = None
    while True:
        page = await _page(desk, Span(limit=4, before=before, from_end=True))
        assert page.has_next is (before is not None)
        back = _ids(page) + back
        if not page.has_previous:
            break
        before = _place(page.tickets[0])
    assert back == everything
    assert everything[-7:] == newest


async def test_lies_between_two_places(desk: Helpdesk) -> None:
    newest = await _seven(desk)
    async with desk.db.statement() as tx:
        known = await read_tickets(tx, shop_id=desk.shop.id, ticket_ids=newest)
    place = {ticket.id: _place(ticket) for ticket in known}

    page = await _page(desk, Span(limit=9, after=place[newest[1]], before=place[newest[5]]))
    end = await _page(
        desk, Span(limit=2, after=place[newest[1]], before=place[newest[5]], from_end=True)
    )

    assert (_ids(page), page.has_previous, page.has_next) == (newest[2:5], True, True)
    assert (_ids(end), end.has_previous, end.has_next) == (newest[3:5], True, True)


async def test_counts_when_asked_whatever_the_page(desk: Helpdesk) -> None:
    await _seven(desk)

    assert (await _page(desk, Span(limit=2))).total is None
    counted = await _page(desk, Span(limit=0), counts=True)
    assert (counted.tickets, counted.total, counted.has_next) == ((), 7, True)


async def test_is_of_one_kind_partner_state_and_time(desk: Helpdesk) -> None:
    async with desk.db.begin() as tx:
        other = await make_partner(tx, shop=desk.shop)
    start = desk.clock.now()
    refund, question = await desk.ticket(), await desk.ticket(kind="question", reason="")
    desk.clock.move(timedelta(seconds=1))
    later, foreign = await desk.ticket(), await desk.ticket(partner_id=other.id)
    await desk.act(later, "assign")

    chosen = {"partner_id": desk.partner.id, "counts": True}
    refunds = await _page(desk, Span(limit=9), kind="refund", **chosen)
    first = await _page(
        desk, Span(limit=9), since=start, until=start + timedelta(seconds=1), **chosen
    )
    second = await _page(desk, Span(limit=9), since=start + timedelta(seconds=1), **chosen)
    opened = await _page(desk, Span(limit=9), states=["open", "hold"], **chosen)
    none = await _page(desk, Span(limit=9), states=[], **chosen)

    assert (_ids(refunds), refunds.total) == ([later, refund], 2)
    assert (_ids(first), first.total) == ([question, refund], 2)
    assert (_ids(second), second.total) == ([later], 1)
    assert (_ids(opened), opened.total) == ([later], 1)
    assert (_ids(none), none.total) == ([], 0)
    assert _ids(await _page(desk, Span(limit=9)))[0] == foreign


@pytest.mark.parametrize("limit", [-1, PAGE_MAX + 1])
async def test_has_pages_of_a_bounded_size(desk: Helpdesk, limit: int) -> None:
    with pytest.raises(Invalid):
        await _page(desk, Span(limit=limit))
    with pytest.raises(Invalid):
        async with desk.db.statement() as tx:
            await list_comments(tx, shop_id=1, ticket_ids=[1], span=CommentSpan(limit=limit))


async def test_takes_as_many_statements_for_one_as_for_many(
    desk: Helpdesk, database_url: str
) -> None:
    statements: list[str] = []

    async def note(query: str) -> None:
        statements.append(query)

    watched = Database(database_url, hook=note)
    await watched.open()
    order = await desk.order(lines=3)
    counts = []
    for _ in range(2):
        ticket_id = await desk.ticket(
            lines=tuple(line(order, number) for number in (1, 2, 3)), image_ids=(7, 8)
        )
        await desk.reply(ticket_id, "Hello?")
        statements.clear()
        async with watched.statement() as tx:
            page = await list_tickets(tx, shop_id=desk.shop.id, span=Span(limit=50), counts=True)
            await list_comments(
                tx, shop_id=desk.shop.id, ticket_ids=_ids(page), span=CommentSpan(limit=5)
            )
        counts.append(len(statements))
    await watched.close()

    assert counts == [3, 3]


async def test_has_one_ticket_of_the_partner_and_kind_that_are_asked_for(desk: Helpdesk) -> None:
    async with desk.db.begin() as tx:
        other = await make_partner(tx, shop=desk.shop)
    ticket_id = await desk.ticket()

    async with desk.db.statement() as tx:
        found = await read_ticket(
            tx,
            shop_id=desk.shop.id,
            ticket_id=ticket_id,
            partner_id=desk.partner.id,
            kind="refund",
        )
        for chosen in (
            {"partner_id": other.id},
            {"kind": "question"},
        ):
            with pytest.raises(NotFound):
                await read_ticket(tx, shop_id=desk.shop.id, ticket_id=ticket_id, **chosen)

    assert found.id == ticket_id


async def test_has_comments_oldest_first_in_pages_both_ways(desk: Helpdesk) -> None:
    talked, silent = await desk.ticket(), await desk.ticket()
    for number in range(5):
        await desk.reply(talked, f"{number}")

    async def words(span: CommentSpan) -> tuple[list[str], bool, bool, int]:
        async with desk.db.statement() as tx:
            pages = await list_comments(
                tx, shop_id=desk.shop.id, ticket_ids=[talked, silent, 1], span=span
            )
        assert set(pages) == {talked, silent}
        assert (pages[silent].comments, pages[silent].total) == ((), 0)
        page = pages[talked]
        said = [comment.content for comment in page.comments]
        return said, page.has_previous, page.has_next, page.total

    assert await words(CommentSpan()) == (["0", "1", "2", "3", "4"], False, False, 5)
    assert await words(CommentSpan(limit=2)) == (["0", "1"], False, True, 5)
    assert await words(CommentSpan(limit=2, after=2)) == (["2", "3"], True, True, 5)
    assert await words(CommentSpan(limit=2, after=3)) == (["3", "4"], True, False, 5)
    assert await words(CommentSpan(limit=2, from_end=True)) == (["3", "4"], True, False, 5)
    assert await words(CommentSpan(limit=2, before=3, from_end=True)) == (
        ["0", "1"],
        False,
        True,
        5,
    )
    async with desk.db.statement() as tx:
        third = await read_comment(tx, shop_id=desk.shop.id, ticket_id=talked, number=3)
        none = await read_comment(tx, shop_id=desk.shop.id, ticket_id=talked, number=6)
    assert third is not None
    assert (third.number, third.content) == (3, "2")
    assert none is None
