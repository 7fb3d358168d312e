"""An action on a ticket..."""

import asyncio
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crossdock.db.unit_of_work import Database
from crossdock.errors import Invalid, NotFound, Refused
from crossdock.kit.clock import FrozenClock
from crossdock.settings import TicketsSection
from crossdock.shop.alerts import list_alerts
from crossdock.shop.events import KINDS
from crossdock.shop.people import disable_person
from crossdock.shop.tickets import TEXT_MAX, act, close_solved, find_agent, reply, silence_of
from crossdock.shop.tickets.states import ACTIONS, MOVES, STATES, Action, TicketState
from tests.support.breaking import refusing
from tests.support.factories import make_partner, make_shop
from tests.support.locks import waiting_for_a_lock
from tests.support.people import make_person
from tests.support.ticketing import Helpdesk

# Section 11 of the spec as it is printed, and what leaves a state as it is.
PRINTED: dict[tuple[str, str], str] = {
    ("new", "assign"): "open",
    ("open", "ask"): "pending",
    ("open", "hold"): "hold",
    ("pending", "hold"): "hold",
    ("pending", "reply"): "open",
    ("hold", "reply"): "open",
    ("solved", "reply"): "open",
    ("new", "solve"): "solved",
    ("open", "solve"): "solved",
    ("pending", "solve"): "solved",
    ("hold", "solve"): "solved",
    ("solved", "close"): "closed",
}
STAYING = {
    *(("new", "reply"), ("open", "reply"), ("pending", "ask")),
    *((state, "assign") for state in ("open", "pending", "hold")),
    *((state, "answer") for state in ("open", "pending", "hold", "solved")),
}
WAYS: dict[str, tuple[Action, ...]] = {
    "new": (),
    "open": ("assign",),
    "pending": ("assign", "ask"),
    "hold": ("assign", "hold"),
    "solved": ("solve",),
    "closed": ("solve", "close"),
}
KIND_OF = {
    "assign": "ticket.assigned",
    "ask": "ticket.asked",
    "hold": "ticket.held",
    "solve": "ticket.solved",
    "reply": "ticket.reopened",
    "close": "ticket.closed",
}


def after(state: str, action: str) -> str | None:
    """The state that the spec leads to, None where it has no arrow."""
    return state if (state, action) in STAYING else PRINTED.get((state, action))


async def _do(desk: Helpdesk, ticket_id: int, action: Action) -> None:
    if action == "reply":
        await desk.reply(ticket_id, "a word")
    else:
        await desk.act(ticket_id, action, "a word" if action in ("answer", "ask") else None)


async def _in_state(desk: Helpdesk, state: str) -> int:
    ticket_id = await desk.ticket()
    for action in WAYS[state]:
        await _do(desk, ticket_id, action)
    assert (await desk.read(ticket_id)).state == state
    return ticket_id


def test_has_the_arrows_that_are_printed_and_no_other():
    listed = {
        (before, action): to for action, arrows in MOVES.items() for before, to in arrows.items()
    }

    assert listed == PRINTED | {(state, action): state for state, action in STAYING}
    assert set(MOVES) == set(ACTIONS)


async def test_has_the_same_arrows_in_the_database(desk: Helpdesk) -> None:
    async with desk.db.statement() as tx:
        rows = await tx.all("select action, from_state, to_state from ticket_moves")

    assert sorted(rows) == sorted(
        (action, before, to) for action, arrows in MOVES.items() for before, to in arrows.items()
    )


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("state", STATES)
async def test_follows_the_table_is_in_the_feed_or_is_refused_and_writes_nothing(
    desk: Helpdesk, state: TicketState, action: Action
) -> None:
    ticket_id = await _in_state(desk, state)
    before, known = await desk.read(ticket_id), await desk.events(ticket_id)
    to = after(state, action)

    if to is None:
        with pytest.raises(Refused) as refused:
            await _do(desk, ticket_id, action)
        assert refused.value.code == ("ticket_closed" if state == "closed" else "ticket_state")
        assert await desk.read(ticket_id) == before
        assert await desk.events(ticket_id) == known
        return

    await _do(desk, ticket_id, action)
    told = (await desk.events(ticket_id))[len(known) :]
    assert (await desk.read(ticket_id)).state == to
    assert {kind for kind, _ in told} <= set(KINDS)
    moves = [(kind, payload) for kind, payload in told if kind != "ticket.commented"]
    if action == "answer" or (action == "reply" and to == state):
        assert moves == []
    else:
        person = {"person_id": desk.agent.id} if action == "assign" else {}
        assert moves == [(KIND_OF[action], {"from": state, "to": to, **person})]
    assert len(told) - len(moves) == (action in ("reply", "answer", "ask"))


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(actions=st.lists(st.sampled_from(ACTIONS), max_size=12))
async def test_after_any_others_ends_where_the_table_leads(
    desk: Helpdesk, actions: list[Action]
) -> None:
    ticket_id = await desk.ticket()
    state, words, seen = "new", 0, ["new"]
    for action in actions:
        to = after(state, action)
        if to is None:
            with pytest.raises(Refused):
                await _do(desk, ticket_id, action)
            continue
        await _do(desk, ticket_id, action)
        words += action in ("reply", "answer", "ask")
        seen += [to] if to != state else []
        state = to

    ticket, comments = await desk.read(ticket_id), await desk.comments(ticket_id)
    moves = [
        payload["to"]
        for kind, payload in await desk.events(ticket_id)
        if kind not in {"ticket.opened", "ticket.commented"} and payload["from"] != payload["to"]
    ]
    assert (ticket.state, ticket.comment_count) == (state, words)
    assert [comment.number for comment in comments] == list(range(1, words + 1))
    assert ["new", *moves] == seen
    assert "new" not in moves
    assert moves.count("closed") == (state == "closed")


async def test_keeps_what_both_sides_wrote_in_order_with_the_agent_s_name(desk: Helpdesk) -> None:
    ticket_id = await desk.ticket()
    await desk.act(ticket_id, "assign")
    asked = await desk.act(ticket_id, "ask", "Which colour?")
    desk.clock.move(timedelta(seconds=5))
    replied = await desk.reply(ticket_id, " Blue,\n of course ")

    first, second = await desk.comments(ticket_id)

    assert (asked.before, asked.after, asked.comment) == ("open", "pending", 1)
    assert (replied.before, replied.after, replied.comment) == ("pending", "open", 2)
    assert (first.author, first.person, first.content) == (
        "agent",
        desk.agent.email,
        "Which colour?",
    )
    assert (second.author, second.person, second.content) == (
        "requester",
        "",
        " Blue,\n of course ",
    )
    assert second.created_at - first.created_at == timedelta(seconds=5)
    commented = [
        payload for kind, payload in await desk.events(ticket_id) if kind == "ticket.commented"
    ]
    assert commented == [
        {
            "partner_id": desk.partner.id,
            "comment_id": comment.id,
            "number": comment.number,
            "author": comment.author,
        }
        for comment in (first, second)
    ]
    assert (await desk.read(ticket_id)).updated_at == desk.clock.now()


async def test_of_an_empty_or_too_long_text_is_refused(desk: Helpdesk) -> None:
    ticket_id = await _in_state(desk, "open")

    for text in ("", " \n", "x" * (TEXT_MAX + 1), "a\x00"):
        with pytest.raises(Invalid) as refused:
            await desk.reply(ticket_id, text)
        assert refused.value.data == {"field": "content"}
    await desk.reply(ticket_id, "x" * TEXT_MAX)

    assert (await desk.read(ticket_id)).comment_count == 1


async def test_on_a_foreign_ticket_is_one_on_none(desk: Helpdesk) -> None:
    ticket_id = await desk.ticket()
    async with desk.db.begin() as tx:
        other = await make_partner(tx, shop=desk.shop)
        elsewhere = await make_shop(tx)

    refused = []
    for shop_id, partner_id, number in [
        (desk.shop.id, other.id, ticket_id),
        (desk.shop.id, desk.partner.id, ticket_id + 1_000_000),
        (elsewhere.id, desk.partner.id, ticket_id),
    ]:
        with pytest.raises(NotFound) as error:
            async with desk.db.begin() as tx:
                await reply(
                    tx,
                    shop_id=shop_id,
                    partner_id=partner_id,
                    ticket_id=number,
                    content="?",
                    now=desk.clock.now(),
                )
        refused.append(error.value.code)
    async with desk.db.statement() as tx:
        with pytest.raises(NotFound):
            await act(
                tx, shop_id=elsewhere.id, ticket_id=ticket_id, action="solve", now=desk.clock.now()
            )

    assert refused == ["not_found"] * 3
    assert (await desk.read(ticket_id)).comment_count == 0


async def test_by_two_at_once_numbers_both_comments(desk: Helpdesk, database: Database) -> None:
    ticket_id = await _in_state(desk, "open")

    async with database.begin() as first:
        await act(
            first,
            shop_id=desk.shop.id,
            ticket_id=ticket_id,
            action="solve",
            by=desk.agent,
            content="Done.",
            now=desk.clock.now(),
        )
        second = asyncio.create_task(desk.reply(ticket_id, "Not yet."))
        await waiting_for_a_lock(database, behind=first)
    moved = await second

    assert (moved.before, moved.after, moved.comment) == ("solved", "open", 2)
    assert [comment.content for comment in await desk.comments(ticket_id)] == ["Done.", "Not yet."]


async def test_off_the_table_is_refused_by_the_database_too(desk: Helpdesk) -> None:
    ticket_id = await _in_state(desk, "closed")
    for statement in (
        "update tickets set state = 'open' where id = %s",
        "update tickets set state = 'new' where id = %s",
    ):
        with pytest.raises(psycopg.Error) as refused:
            async with desk.db.begin() as tx:
                await tx.run(statement, (ticket_id,))
        assert refused.value.sqlstate == "CD031"


@pytest.mark.parametrize(
    "statement",
    [
        "update ticket_comments set content = 'another' where ticket_id = %s",
        "delete from ticket_comments where ticket_id = %s",
    ],
)
async def test_cannot_alter_a_comment(desk: Helpdesk, statement: str) -> None:
    ticket_id = await _in_state(desk, "pending")

    with pytest.raises(psycopg.Error) as refused:
        async with desk.db.begin() as tx:
            await tx.run(statement, (ticket_id,))
    assert refused.value.sqlstate == "CD011"

    assert [each.content for each in await desk.comments(ticket_id)] == ["a word"]


async def _break_off(desk: Helpdesk, ticket_id: int) -> None:
    async with desk.db.begin() as tx:
        await tx.run("select set_config('crossdock.fail_point', 'move_ticket:moved', true)")
        await act(
            tx,
            shop_id=desk.shop.id,
            ticket_id=ticket_id,
            action="answer",
            by=desk.agent,
            content="Hello",
            now=desk.clock.now(),
        )


async def test_that_breaks_off_in_the_middle_leaves_nothing(desk: Helpdesk) -> None:
    ticket_id = await _in_state(desk, "open")
    before, known = await desk.read(ticket_id), await desk.events(ticket_id)

    with pytest.raises(psycopg.Error):
        await _break_off(desk, ticket_id)

    assert await desk.read(ticket_id) == before
    assert await desk.events(ticket_id) == known


async def _agent(desk: Helpdesk, email: str) -> str:
    async with desk.db.statement() as tx:
        return (await find_agent(tx, shop_id=desk.shop.id, email=email)).email


@pytest.mark.parametrize(
    ("role", "may"), [("owner", True), ("warehouse", False), ("viewer", False)]
)
async def test_is_an_agent_s_who_has_the_right(desk: Helpdesk, role: str, may: bool) -> None:
    async with desk.db.begin() as tx:
        person = await make_person(tx, shop_id=desk.shop.id, role=role)

    if may:
        assert await _agent(desk, person.email.upper()) == person.email
        return
    with pytest.raises(Refused) as refused:
        await _agent(desk, person.email)
    assert refused.value.code == "permission_denied"


async def test_is_nobody_s_who_left_or_is_of_another_shop(desk: Helpdesk) -> None:
    async with desk.db.begin() as tx:
        stranger = await make_person(tx, role="owner")
        await make_person(tx, shop_id=desk.shop.id, role="owner")
        await disable_person(tx, person_id=desk.agent.id)

    with pytest.raises(Refused):
        await _agent(desk, desk.agent.email)
    with pytest.raises(NotFound):
        await _agent(desk, stranger.email)


async def _close(desk: Helpdesk, clock: FrozenClock) -> int:
    return await close_solved(desk.db, silence=silence_of(TicketsSection()), now=clock.now())


async def test_one_that_cannot_be_closed_keeps_no_other_and_is_told_of(
    desk: Helpdesk, clock: FrozenClock
) -> None:
    clock.move(timedelta(days=-40))  # long before what other tests solve
    broken, other = [await desk.ticket() for _ in range(2)]
    for ticket_id in (broken, other):
        await desk.act(ticket_id, "solve")
    clock.move(timedelta(days=4, seconds=1))

    async with refusing(desk.db, "tickets", row_id=broken):
        assert await _close(desk, clock) == 1

    assert ((await desk.read(broken)).state, (await desk.read(other)).state) == ("solved", "closed")
    async with desk.db.statement() as tx:
        (alert,) = await list_alerts(tx, shop_id=desk.shop.id)
    assert (alert.kind, alert.subject) == ("job_failed", f"close_tickets ticket {broken}")
    assert await _close(desk, clock) == 1


async def test_closes_what_was_solved_and_silent_for_the_days_and_nothing_else(
    desk: Helpdesk, clock: FrozenClock
) -> None:
    clock.move(timedelta(days=-30))  # long before what other tests solve
    solved, answered, opened = [await desk.ticket() for _ in range(3)]
    await desk.act(solved, "solve")
    await desk.act(answered, "solve")
    clock.move(timedelta(days=2))
    await desk.act(answered, "answer", "One more thing.")
    clock.move(timedelta(days=2))
    assert await _close(desk, clock) == 0
    clock.move(timedelta(seconds=1))

    closed = await _close(desk, clock)

    states: dict[str, Any] = {}
    for name, ticket_id in {"solved": solved, "answered": answered, "opened": opened}.items():
        states[name] = (await desk.read(ticket_id)).state
    assert closed == 1
    assert states == {"solved": "closed", "answered": "solved", "opened": "new"}
    assert (await desk.events(solved))[-1] == (
        "ticket.closed",
        {"from": "solved", "to": "closed"},
    )
