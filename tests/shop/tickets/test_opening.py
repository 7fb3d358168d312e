"""A ticket that a partner opens..."""

from typing import Any

import psycopg
import pytest

from crossdock.errors import Invalid, NotFound
from crossdock.shop.tickets import (
    IMAGES_MAX,
    LINES_MAX,
    NAME_MAX,
    REASON_MAX,
    TEXT_MAX,
    TicketLine,
    open_ticket,
)
from tests.support.factories import make_partner
from tests.support.ticketing import Helpdesk, known_images, line, new_ticket


async def _written(desk: Helpdesk) -> list[int]:
    async with desk.db.statement() as tx:
        return [
            await tx.value("select count(*) from tickets where shop_id = %s", (desk.shop.id,)),
            await tx.value("select count(*) from ticket_lines where shop_id = %s", (desk.shop.id,)),
            await tx.value(
                "select count(*) from events where shop_id = %s and topic = 'tickets'",
                (desk.shop.id,),
            ),
        ]


async def test_is_new_nobody_s_and_in_the_feed(desk: Helpdesk) -> None:
    order = await desk.order(lines=2)

    ticket_id = await desk.ticket(
        lines=(line(order, 2), line(order, 1), line(order, 2)),
        image_ids=(9, 7, 9),
        remark="  as it is\n",
    )

    ticket = await desk.read(ticket_id)
    assert (ticket.state, ticket.assignee, ticket.comment_count) == ("new", "", 0)
    assert (ticket.kind, ticket.problem_type, ticket.item_delivery) == (
        "refund",
        "refund",
        "received",
    )
    assert (ticket.first_name, ticket.last_name, ticket.email) == (
        "Ada",
        "Moreno",
        "ada@moreno.example",
    )
    assert (ticket.reason, ticket.remark) == ("It is broken.", "  as it is\n")
    assert ticket.lines == (TicketLine(order, 2), TicketLine(order, 1))
    assert ticket.image_ids == (9, 7)
    assert ticket.created_at == ticket.updated_at == desk.clock.now()
    assert await desk.events(ticket_id) == [
        ("ticket.opened", {"partner_id": desk.partner.id, "ticket_kind": "refund"})
    ]


@pytest.mark.parametrize("kind", ["exchange", "question"])
async def test_may_leave_out_what_its_kind_does_not_ask_for(desk: Helpdesk, kind: str) -> None:
    ticket = await desk.read(
        await desk.ticket(
            kind=kind,
            reason="" if kind == "question" else "wrong size",
            problem_type=None,
            item_delivery=None,
        )
    )

    assert (ticket.kind, ticket.problem_type, ticket.item_delivery) == (kind, None, None)
    assert (ticket.remark, ticket.lines, ticket.image_ids) == ("", (), ())


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("email", {"email": "ada"}),
        ("email", {"email": "Ada <ada@moreno.example>"}),
        ("first_name", {"first_name": " "}),
        ("first_name", {"first_name": "A" * (NAME_MAX + 1)}),
        ("last_name", {"last_name": "\u2800"}),
        ("reason", {"reason": ""}),
        ("reason", {"reason": "r" * (REASON_MAX + 1)}),
        ("remark", {"remark": "r" * (TEXT_MAX + 1)}),
        ("remark", {"remark": "a\x00b"}),
        ("remark", {"remark": "\ud800"}),
        ("lines", {"lines": tuple(TicketLine(1, n) for n in range(LINES_MAX + 1))}),
        ("image_ids", {"image_ids": tuple(range(IMAGES_MAX + 1))}),
    ],
)
async def test_is_refused_with_the_field_that_is_wrong(
    desk: Helpdesk, field: str, changes: dict[str, Any]
) -> None:
    with pytest.raises(Invalid) as refused:
        await desk.ticket(**changes)

    assert refused.value.data == {"field": field}
    assert await _written(desk) == [0, 0, 0]


async def test_takes_the_longest_texts(desk: Helpdesk) -> None:
    longest: dict[str, Any] = {
        "first_name": "ü" * NAME_MAX,
        "reason": "r" * REASON_MAX,
        "remark": "\U0001f41f" * TEXT_MAX,
    }

    ticket = await desk.read(await desk.ticket(**longest))

    assert (ticket.first_name, ticket.reason, ticket.remark) == tuple(longest.values())


async def test_is_about_the_partner_s_own_order_lines_alone(desk: Helpdesk) -> None:
    async with desk.db.begin() as tx:
        other = await make_partner(tx, shop=desk.shop)
    own, foreign = await desk.order(), await desk.order(partner_id=other.id)

    for lines in [(line(own), line(foreign)), (line(own, 2),), (line(0),), (line(2**62),)]:
        with pytest.raises(NotFound) as refused:
            await desk.ticket(lines=lines)
        assert refused.value.data == {"field": "lines"}

    assert await _written(desk) == [0, 0, 0]


async def test_shows_images_that_the_partner_has_alone(desk: Helpdesk) -> None:
    with pytest.raises(NotFound) as refused:
        await desk.ticket(image_ids=(7, 10))

    assert refused.value.data == {"field": "image_ids"}
    assert await _written(desk) == [0, 0, 0]


async def _break_off(desk: Helpdesk) -> None:
    async with desk.db.begin() as tx:
        await tx.run("select set_config('crossdock.fail_point', 'open_ticket:lines', true)")
        await open_ticket(
            tx,
            shop_id=desk.shop.id,
            partner_id=desk.partner.id,
            ticket=new_ticket(),
            images=known_images,
            now=desk.clock.now(),
        )


async def test_is_there_as_a_whole_or_not_at_all(desk: Helpdesk) -> None:
    with pytest.raises(psycopg.Error):
        await _break_off(desk)

    assert await _written(desk) == [0, 0, 0]


async def test_begins_nowhere_but_new(desk: Helpdesk) -> None:
    with pytest.raises(psycopg.Error) as refused:
        async with desk.db.begin() as tx:
            await tx.run(
                "insert into tickets (shop_id, partner_id, kind, state, first_name, last_name, email,"
                " created_at, updated_at) values (%s, 1, 'question', 'open', 'A', 'B', 'a@b.c', now(), now())",
                (desk.shop.id,),
            )
    assert refused.value.sqlstate == "CD031"
