"""`crossdock ticket`..."""

from pathlib import Path

import pytest

from crossdock.channels.shoppo.ids import Kind
from crossdock.db.unit_of_work import Database, Transaction
from crossdock.kit.clock import FrozenClock
from crossdock.kit.opaque import OpaqueIds
from crossdock.shop.events import TicketCommented
from crossdock.shop.shops import read_id_key
from crossdock.shop.tickets import list_told, queue_comment
from tests.support.command_line import CommandLine
from tests.support.people import make_person
from tests.support.ticketing import Helpdesk, line


@pytest.fixture
def crossdock(database_url: str, tmp_path: Path) -> CommandLine:
    return CommandLine(data_dir=tmp_path, database_url=database_url)


@pytest.fixture
async def desk(database: Database, clock: FrozenClock) -> Helpdesk:
    return await Helpdesk.open(database, clock)


async def test_takes_a_ticket_from_new_to_solved(crossdock: CommandLine, desk: Helpdesk) -> None:
    order = await desk.order()
    ticket_id = await desk.ticket(lines=(line(order),), image_ids=(7,), remark="Blue one")
    on = (ticket_id, "--shop", desk.shop.slug)

    assigned = crossdock.ask("ticket", "assign", *on, "--to", desk.agent.email)
    asked = crossdock.ask("ticket", "ask", *on, "--text", "Which size?")
    await desk.reply(ticket_id, "Large.\nSecond line")
    told = crossdock.ask("ticket", "reply", *on, "--text", "Sent.")
    held = crossdock.run("ticket", "hold", *on)
    solved = crossdock.run("ticket", "solve", *on, "--text", "Done.")
    shown = crossdock.ask("ticket", "show", *on)

    assert assigned == {
        "id": ticket_id,
        "by": desk.agent.email,
        "before": "new",
        "after": "open",
        "comment": None,
    }
    assert (asked["before"], asked["after"], asked["comment"]) == ("open", "pending", 1)
    assert (told["before"], told["after"], told["comment"]) == ("open", "open", 3)
    assert held.stdout == f"Ticket {ticket_id} is hold.\n"
    assert solved.stdout == f"Ticket {ticket_id} is solved; comment 4 is written.\n"
    assert shown["ticket"]["state"] == "solved"
    assert shown["ticket"]["lines"] == [{"order_id": order, "line_no": 1}]
    assert [each["content"] for each in shown["comments"]] == [
        "Which size?",
        "Large.\nSecond line",
        "Sent.",
        "Done.",
    ]
    text = crossdock.run("ticket", "show", *on).stdout
    for words in (
        f"order lines    {order}/1\n",
        "state          solved\n",
        "remark         Blue one\n",
        f"assigned to    {desk.agent.email}\n",
        "2. requester, 2026-03-02 12:00\n   Large.\n   Second line\n",
        f"4. {desk.agent.email}, ",
    ):
        assert words in text


async def test_takes_the_id_that_the_partner_sees(crossdock: CommandLine, desk: Helpdesk) -> None:
    ticket_id = await desk.ticket()
    async with desk.db.statement() as tx:
        ids = OpaqueIds(await read_id_key(tx, shop_id=desk.shop.id))
    on = (ids.encode(Kind.TICKET, ticket_id), "--shop", desk.shop.slug)

    assigned = crossdock.ask("ticket", "assign", *on, "--to", desk.agent.email)
    shown = crossdock.ask("ticket", "show", *on)
    refused = [
        crossdock.refuse("ticket", "show", name, "--shop", desk.shop.slug)
        for name in (ids.encode(Kind.ORDER, ticket_id), "none", "9" * 5000)
    ]

    assert assigned["id"] == shown["ticket"]["id"] == ticket_id
    assert shown["ticket"]["state"] == "open"
    assert all("There is no ticket" in words for words in refused)


async def test_lists_the_newest_by_state_kind_and_partner(
    crossdock: CommandLine, desk: Helpdesk
) -> None:
    first, second = await desk.ticket(), await desk.ticket(kind="question", reason="")
    await desk.act(first, "assign")
    listing = ("ticket", "list", "--shop", desk.shop.slug)

    def ids(*chosen: object) -> list[int]:
        return [each["id"] for each in crossdock.ask(*listing, *chosen)]

    assert ids() == [second, first]
    assert ids("--limit", 1) == [second]
    assert ids("--state", "open", "--state", "hold") == [first]
    assert ids("--kind", "question", "--partner", desk.partner.id) == [second]
    assert ids("--partner", 1) == []
    table = crossdock.run(*listing).stdout
    assert desk.agent.email.split("@")[0][:4] in table
    assert "must be one of new, open" in crossdock.refuse(*listing, "--state", "closing")
    assert "must be one of exchange" in crossdock.refuse(*listing, "--kind", "return")


async def test_refuses_what_the_state_the_agent_or_the_text_does_not_allow(
    crossdock: CommandLine, desk: Helpdesk
) -> None:
    async with desk.db.begin() as tx:
        packer = await make_person(tx, shop_id=desk.shop.id, role="warehouse")
    ticket_id = await desk.ticket()
    on = (ticket_id, "--shop", desk.shop.slug)

    new = crossdock.refuse("ticket", "reply", *on, "--text", "Hello")
    packing = crossdock.refuse("ticket", "assign", *on, "--to", packer.email)
    silent = crossdock.refuse("ticket", "ask", *on)
    missing = crossdock.refuse("ticket", "show", 1, "--shop", desk.shop.slug)
    await desk.act(ticket_id, "solve")
    solved = crossdock.refuse("ticket", "hold", *on)

    assert new == "crossdock: A ticket that is new has no answer; assign it first.\n"
    assert packing == f"crossdock: {packer.email} may not answer tickets.\n"
    assert silent == "crossdock: Say what to write with --text.\n"
    assert missing == "crossdock: There is no ticket 1.\n"
    assert solved == "crossdock: A ticket that is solved has no hold.\n"
    assert (await desk.read(ticket_id)).comment_count == 0


async def test_shows_what_became_of_telling_the_partner(
    crossdock: CommandLine, desk: Helpdesk
) -> None:
    ticket_id = await desk.ticket()
    await desk.act(ticket_id, "assign")
    for number in (1, 2):
        await desk.act(ticket_id, "answer", f"Word {number}")

    async def queue(tx: Transaction) -> list[int | None]:
        commented = [
            TicketCommented(**payload)
            for kind, payload in await desk.events(ticket_id)
            if kind == "ticket.commented"
        ]
        return [
            await queue_comment(
                tx,
                shop_id=desk.shop.id,
                kind="reply",
                ticket_id=ticket_id,
                commented=each,
                now=desk.clock.now(),
            )
            for each in commented
        ]

    async with desk.db.begin() as tx:
        first, second = await queue(tx)
        assert await queue(tx) == [None, None]
        await tx.run(
            "update deliveries set status = 'failed', next_attempt_at = null, attempts = 9,"
            " last_error = 'no such ticket here' where id = %s",
            (second,),
        )
        told = await list_told(tx, shop_id=desk.shop.id, ticket_id=ticket_id)
    shown = crossdock.ask("ticket", "show", ticket_id, "--shop", desk.shop.slug)
    text = crossdock.run("ticket", "show", ticket_id, "--shop", desk.shop.slug).stdout

    assert [each.id for each in told.values()] == [second, first]
    deliveries = [comment["delivery"] for comment in shown["comments"]]
    assert [(each["id"], each["status"]) for each in deliveries] == [
        (first, "queued"),
        (second, "failed"),
    ]
    assert f"   [delivery {first}: queued after 0 attempts, next at 2026-03-02 12:00:00]\n" in text
    assert f"   [delivery {second}: failed after 9 attempts: no such ticket here]\n" in text
