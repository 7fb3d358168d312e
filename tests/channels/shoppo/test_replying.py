"""An agent's comment..."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from crossdock.channels.shoppo.calling import WAITS_S
from crossdock.channels.shoppo.ids import Kind
from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.kit.ids import SeededIds
from crossdock.kit.opaque import OpaqueIds
from crossdock.kit.webhooks import new_secret
from crossdock.settings import Settings
from crossdock.shop.deliveries import resend_delivery
from crossdock.shop.shops import read_id_key
from tests.support.notified import TOKEN, Notified, notified
from tests.support.simulators.http import Drop, Outcome, Reply
from tests.support.simulators.partner_server import PartnerServer, is_signed
from tests.support.ticketing import Helpdesk

SLOW = Reply(200, {"error": "try later"})


class Answering:
    """A ticket of a partner whose server is called, open and with an agent."""

    def __init__(self, desk: Helpdesk, worker: Notified, server: PartnerServer) -> None:
        self.desk = desk
        self.worker = worker
        self.server = server
        self.partner_id = 0
        self.ticket_id = 0

    async def open(self) -> int:
        """A further ticket's id; the partner is made for the first one."""
        if not self.partner_id:
            self.partner_id = await self.worker.partner(reply_url=f"{self.server.url}/reply")
        self.ticket_id = await self.desk.ticket(partner_id=self.partner_id)
        await self.desk.act(self.ticket_id, "assign")
        return self.ticket_id

    async def say(self, *words: str, ticket_id: int = 0) -> None:
        for word in words:
            await self.desk.act(ticket_id or self.ticket_id, "answer", word)

    async def wire_id(self, ticket_id: int = 0) -> str:
        async with self.desk.db.statement() as tx:
            key = await read_id_key(tx, shop_id=self.desk.shop.id)
        return OpaqueIds(key).encode(Kind.TICKET, ticket_id or self.ticket_id)


@pytest.fixture
async def server() -> AsyncIterator[PartnerServer]:
    async with PartnerServer() as running:
        yield running


@pytest.fixture
async def answering(
    database: Database, clock: FrozenClock, settings: Settings, server: PartnerServer
) -> AsyncIterator[Answering]:
    desk = await Helpdesk.open(database, clock)
    allowed = settings.having(allowed_outbound_hosts=("127.0.0.1",))
    async with notified(database, clock, shop=desk.shop, settings=allowed) as worker:
        made = Answering(desk, worker, server)
        await made.open()
        yield made


async def test_is_posted_as_it_is_printed_with_the_partner_s_token(answering: Answering) -> None:
    await answering.say("This is a reply to ticket.")

    assert await answering.worker.work() == ["sent"]
    assert await answering.worker.work() == []

    [request] = answering.server.requests
    assert (request.method, request.path) == ("POST", "/reply")
    assert request.json() == {
        "ticketId": await answering.wire_id(),
        "content": "This is a reply to ticket.",
    }
    assert request.headers["content-type"] == "application/json"
    assert request.headers["accesstoken"] == TOKEN
    assert request.headers["x-event-type"] == "ticket.reply"
    assert "webhook-signature" not in request.headers


async def test_is_told_alone_what_the_requester_and_others_write_is_not(
    answering: Answering,
) -> None:
    desk = answering.desk
    other = await desk.ticket()
    await desk.act(other, "assign")
    await answering.say("To a partner of another channel", ticket_id=other)
    await desk.act(answering.ticket_id, "ask", "Which size?")
    await desk.act(answering.ticket_id, "solve", "Done.")
    await desk.reply(other, "The requester's own words")

    assert await answering.worker.work() == ["sent"]
    assert await answering.worker.work() == ["sent"]
    assert await answering.worker.work() == []

    assert [body["content"] for body in answering.server.bodies] == ["Which size?", "Done."]


@pytest.mark.parametrize(
    ("mood", "error"),
    [
        (Reply(200, {"error": "No such\nticket here."}), "the partner says: No such ticket here."),
        (Reply(200, {}), 'the partner\'s server answered 200, but not {"error": ""}'),
        (Reply(200, {"error": None}), 'the partner\'s server answered 200, but not {"error": ""}'),
        (Reply(200, b"OK"), 'the partner\'s server answered 200, but not {"error": ""}'),
        (Reply(200, [1]), 'the partner\'s server answered 200, but not {"error": ""}'),
        (Reply(201, {"error": ""}), 'the partner\'s server answered 201: {"error": ""}'),
        (Reply(204, b""), "the partner's server answered 204: "),
        (Reply(500, b"oops"), "the partner's server answered 500: oops"),
        (Reply(404, b"nope"), "the partner's server answered 404: nope"),
        (
            Reply(302, b"", {"location": "https://elsewhere.example/"}),
            "the partner's server answered 302: ",
        ),
    ],
)
async def test_is_sent_again_unless_the_partner_took_it(
    answering: Answering, mood: Outcome, error: str
) -> None:
    answering.server.moods = [mood]
    await answering.say("Hello")

    assert await answering.worker.work() == ["queued"]
    [delivery] = await answering.worker.deliveries()
    assert delivery.last_error == error
    assert delivery.next_attempt_at == answering.desk.clock.now() + timedelta(seconds=10)
    answering.desk.clock.move(timedelta(seconds=9))
    assert await answering.worker.deliver() == []
    answering.desk.clock.move(timedelta(seconds=1))
    assert await answering.worker.deliver() == ["sent"]

    assert [body["content"] for body in answering.server.bodies] == ["Hello", "Hello"]
    ids = {request.headers["x-event-id"] for request in answering.server.requests}
    assert len(ids) == 1
    assert [line.outcome for line in await answering.worker.log(delivery.id)] == ["queued", "sent"]


async def test_that_got_no_answer_is_sent_again(answering: Answering) -> None:
    answering.server.moods = [Drop()]
    await answering.say("Hello")

    assert await answering.worker.work() == ["queued"]
    answering.desk.clock.move(timedelta(seconds=10))
    assert await answering.worker.deliver() == ["sent"]


async def test_is_tried_for_two_days_then_there_is_an_alert_and_it_can_be_resent(
    answering: Answering,
) -> None:
    answering.server.moods = [Reply(200, {"error": "unknown ticket"})] * 9
    await answering.say("Hello")
    clock, waits = answering.desk.clock, []

    statuses = await answering.worker.work()
    while statuses == ["queued"]:
        [delivery] = await answering.worker.deliveries()
        assert delivery.next_attempt_at
        waits.append((delivery.next_attempt_at - clock.now()).total_seconds())
        clock.move(delivery.next_attempt_at - clock.now())
        statuses = await answering.worker.deliver()

    assert statuses == ["failed"]
    assert tuple(waits) == WAITS_S == (10, 60, 300, 1800, 7200, 21600, 43200, 86400)
    [alert] = await answering.worker.alerts()
    assert alert.kind == "shoppo_reply_failed"
    [comment] = await answering.desk.comments(answering.ticket_id)
    async with answering.desk.db.statement() as tx:
        name = await tx.value("select name from partners where id = %s", (answering.partner_id,))
    assert name
    assert alert.message == (
        f"Reply {comment.id} of ticket {answering.ticket_id} was not sent to"
        f" {name} (partner {answering.partner_id}): the partner says: unknown ticket"
        f" (delivery {delivery.id})"
    )
    async with answering.desk.db.begin() as tx:
        await resend_delivery(
            tx, shop_id=answering.desk.shop.id, delivery_id=delivery.id, now=clock.now()
        )
    assert await answering.worker.deliver() == ["sent"]


async def test_waits_for_earlier_ones_of_its_ticket_and_for_no_other_s(
    answering: Answering,
) -> None:
    first = answering.ticket_id
    second = await answering.open()
    answering.server.moods = [SLOW]
    await answering.say("1.1", ticket_id=first)
    assert await answering.worker.work() == ["queued"]
    await answering.say("1.2", "1.3", ticket_id=first)
    await answering.say("2.1", ticket_id=second)

    assert await answering.worker.work() == ["sent"]
    answering.desk.clock.move(timedelta(seconds=10))
    for _ in range(3):
        assert await answering.worker.deliver() == ["sent"]

    said = [(body["ticketId"], body["content"]) for body in answering.server.bodies]
    one, two = await answering.wire_id(first), await answering.wire_id(second)
    assert said == [(one, "1.1"), (two, "2.1"), (one, "1.1"), (one, "1.2"), (one, "1.3")]


async def test_is_signed_too_where_the_partner_has_a_secret_for_that(answering: Answering) -> None:
    secret = new_secret(SeededIds(1))
    await answering.worker.set(answering.partner_id, secrets={"signing_secret": secret})
    await answering.say("Hällo")

    assert await answering.worker.work() == ["sent"]

    [request] = answering.server.requests
    assert is_signed(request, secret=secret)
    assert request.headers["webhook-id"] == request.headers["x-event-id"]
    at = int(answering.desk.clock.now().timestamp())
    assert request.headers["webhook-timestamp"] == str(at)
    assert request.headers["accesstoken"] == TOKEN


@pytest.mark.parametrize(
    ("terms", "error"),
    [
        ({"settings": {"reply_url": None}}, "partner {} has no reply_url"),
        ({"settings": {"reply_url": "https://10.0.0.1/in"}}, "10.0.0.1 is at 10.0.0.1, which is"),
        ({"active": False}, "partner {} is disabled"),
    ],
)
async def test_that_cannot_be_sent_is_told_at_once(
    answering: Answering, terms: dict, error: str
) -> None:
    await answering.worker.set(answering.partner_id, **terms)
    await answering.say("Hello")

    assert await answering.worker.work() == ["failed"]

    [alert] = await answering.worker.alerts()
    assert error.format(answering.partner_id) in alert.message
    assert answering.server.requests == []


async def test_leaves_the_partner_s_token_nowhere(answering: Answering) -> None:
    echo = Reply(200, {"error": f"bad accesstoken {TOKEN}"})
    answering.server.moods = [echo, Reply(500, f"got {TOKEN}".encode())]
    await answering.say("Hello")

    assert await answering.worker.work() == ["queued"]
    answering.desk.clock.move(timedelta(seconds=10))
    assert await answering.worker.deliver() == ["queued"]
    answering.desk.clock.move(timedelta(seconds=60))
    assert await answering.worker.deliver() == ["sent"]

    async with answering.desk.db.statement() as tx:
        kept = await tx.all(
            "select d::text, a::text, e::text from deliveries d join delivery_attempts a"
            " on a.delivery_id = d.id left join events e on e.shop_id = d.shop_id where d.shop_id = %s",
            (answering.desk.shop.id,),
        )
    assert len(kept) > 3
    assert TOKEN not in str(kept)
    assert "[hidden]" in str(kept)
