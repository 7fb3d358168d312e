"""A ticket from the buyer's complaint to its end, over the wire: the partner, the real server, the agent."""

import asyncio

from crossdock.db.unit_of_work import Database
from crossdock.shop.partners import Terms, set_terms
from crossdock.shop.tickets import Action, Span, act, list_tickets
from tests.support.factories import box, make_shop, moment
from tests.support.people import make_person
from tests.support.processes import ServerProcess
from tests.support.shoppo_client import DropShipper, add_drop_shipper
from tests.support.simulators.partner_server import PartnerServer

OPEN = """
mutation {
  createOrderQuestionTicket(firstName: "Ada", lastName: "Test", email: "ada@a.example",
    itemDeliveryStatus: NOT_RECEIVED, imageIds: []) { ticket { id } }
}"""
REPLY = """
mutation reply($id: ID!, $text: String!) {
  replyCustomerServiceTicket(ticketId: $id, replyContent: $text) { success }
}"""
READ = """
query read($id: ID!) {
  orderQuestionTicket(ticketId: $id) {
    zendeskStatus
    comments { edges { node { content } } }
  }
}"""


async def _until(server: PartnerServer, *, calls: int) -> None:
    for _ in range(400):
        if len(server.requests) >= calls:
            return
        await asyncio.sleep(0.05)
    raise TimeoutError(f"{len(server.requests)} of {calls} calls came")


async def test_is_answered_by_both_sides_in_turn(
    server: ServerProcess, server_database: Database
) -> None:
    async with server_database.begin() as tx:
        shop = await make_shop(tx)
        agent = (await make_person(tx, shop_id=shop.id)).person
    partner_id, viewer, token = await add_drop_shipper(server_database, shop_id=shop.id)

    async def say(action: Action, text: str | None = None) -> None:
        async with server_database.begin() as tx:
            page = await list_tickets(tx, shop_id=shop.id, span=Span(limit=1))
            await act(
                tx,
                shop_id=shop.id,
                ticket_id=page.tickets[0].id,
                action=action,
                by=agent,
                content=text,
                now=moment("2026-03-02T12:00:00+00:00"),
            )

    async with (
        PartnerServer() as theirs,
        DropShipper(server.url, token=token, viewer=viewer) as shipper,
    ):
        terms = Terms(
            settings={"reply_url": f"{theirs.url}/reply"}, secrets={"call_token": "their-token"}
        )
        async with server_database.begin() as tx:
            await set_terms(tx, partner_id=partner_id, terms=terms, box=box())
        ticket = (await shipper.ask(OPEN))["createOrderQuestionTicket"]["ticket"]["id"]
        await say("assign")
        await say("ask", "When did you order?")
        await _until(theirs, calls=1)
        await shipper.ask(REPLY, id=ticket, text="Last week.")
        await say("solve", "It is on its way.")
        await _until(theirs, calls=2)
        read = (await shipper.ask(READ, id=ticket))["orderQuestionTicket"]

    assert theirs.bodies == [
        {"ticketId": ticket, "content": "When did you order?"},
        {"ticketId": ticket, "content": "It is on its way."},
    ]
    assert {request.headers["accesstoken"] for request in theirs.requests} == {"their-token"}
    assert read == {
        "zendeskStatus": "SOLVED",
        "comments": {
            "edges": [
                {"node": {"content": text}}
                for text in ("When did you order?", "Last week.", "It is on its way.")
            ]
        },
    }
