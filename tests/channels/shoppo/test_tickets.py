"""A ticket of a drop shipper..."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from crossdock.channels.shoppo.ids import Kind
from crossdock.db.unit_of_work import Database
from crossdock.kit.opaque import OpaqueIds
from crossdock.shop.people import Person
from crossdock.shop.shops import read_id_key
from crossdock.shop.tickets import Action, act, close_solved
from tests.channels.shoppo.conftest import OpenShipper
from tests.channels.shoppo.ordering import Stand, goods
from tests.channels.shoppo.test_uploading import upload
from tests.support.clocked import ClockedServer
from tests.support.people import make_person
from tests.support.pictures import photo

# As the seed prints them.
LIST = """
query exchangeItemTicketList(
    $first: Int,
    $last: Int,
    $after: String,
    $before: String,
    $filters: TicketFilterInput,
) {
  exchangeItemTicketList(
    first: $first,
    last: $last,
    after: $after,
    before: $before,
    filters: $filters,
  ) {
    edges {
      node {
        id
      }
    }
    length
  }
}
"""
CREATE = """
mutation CreateExchangeItemTicket(
  $firstName: String!,
  $lastName: String!,
  $email: String!,
  $reason: ExchangeItemReason!,
  $orderItemIds: [ID]!,
  $imageIds: [ID]!,
  $remark: String,
) {
  createExchangeItemTicket(
    firstName: $firstName,
    lastName: $lastName,
    email: $email,
    reason: $reason,
    orderItemIds: $orderItemIds,
    imageIds: $imageIds,
    remark: $remark,
  ){
    ticket{
      reason
      id
      firstName
      lastName
      email
   }
  }
}
"""
READ = """
query exchangeItemTicket($ticketId: ID!) {
  exchangeItemTicket(ticketId: $ticketId) {
    id
    reason
    ticketId
    firstName
    lastName
    email
    status
    zendeskStatus
    remark
    comments{
      length
      edges {
        node {
          content
        }
      }
    }
  }
}
"""
REPLY = """
mutation ReplyCustomerServiceTicket(
    $ticketId: ID!,
    $replyContent: String!
) {
  replyCustomerServiceTicket(
    ticketId: $ticketId,
    replyContent: $replyContent
  ) {
    success
  }
}
"""
REFUND = """
mutation refund($problem: TicketProblemType!, $delivery: ItemDeliveryStatus!, $items: [ID], $images: [ID]!) {
  createRefundTicket(firstName: "Ada", lastName: "Test", email: "ada@a.example", reason: "Broken",
      problemType: $problem, itemDeliveryStatus: $delivery, orderItemIds: $items, imageIds: $images) {
    ticket { __typename id reason problemType itemDeliveryStatus remark orderItems { id } images { id } }
  }
}
"""
QUESTION = """
mutation question($delivery: ItemDeliveryStatus!) {
  createOrderQuestionTicket(firstName: "Ada", lastName: "Test", email: "ada@a.example",
      itemDeliveryStatus: $delivery, imageIds: []) {
    ticket { __typename id itemDeliveryStatus orderItems { id } }
  }
}
"""
NODE = """
query ticket($id: ID!) {
  node(id: $id) {
    __typename id
    ... on Ticket {
      status zendeskStatus timeCreated
      orderItems { id quantity sku { identifier } order { partnerOrderCode } }
      images { id checksum }
    }
  }
}
"""
AUTHOR = {"firstName": "Ada", "lastName": "Test", "email": "ada@a.example", "imageIds": []}


@pytest.fixture
async def stand(
    hall_database: Database, hall_server: ClockedServer, shippers: OpenShipper
) -> Stand:
    shop = await Stand.shop_of(hall_database)
    made = Stand(hall_database, hall_server.clock, shop, await shippers(shop_id=shop.id))
    await made.stock(goods("SKU_A", 1999), goods("SKU_B", 500))
    return made


Doing = Callable[..., Awaitable[None]]


@pytest.fixture
async def agent(stand: Stand) -> Doing:
    """Do what an agent of the shop does, to a ticket by its id on the wire."""
    people: list[Person] = []

    async def do(wire_id: str, action: Action, content: str | None = None) -> None:
        async with stand.db.begin() as tx:
            if not people:
                people.append((await make_person(tx, shop_id=stand.shop.id)).person)
            ids = OpaqueIds(await read_id_key(tx, shop_id=stand.shop.id))
            found = ids.decode(wire_id)
            assert found is not None
            assert found[0] == Kind.TICKET
            await act(
                tx,
                shop_id=stand.shop.id,
                ticket_id=found[1],
                action=action,
                by=people[0],
                content=content,
                now=stand.clock.now(),
            )

    return do


async def exchange(stand: Stand, **changes: Any) -> dict[str, Any]:
    """A new ticket about an item to exchange."""
    given = {**AUTHOR, "reason": "WRONG_SIZE", "orderItemIds": [], **changes}
    found = await stand.shipper.ask(CREATE, **given)
    return dict(found["createExchangeItemTicket"]["ticket"])


async def refused(stand: Stand, document: str, **variables: Any) -> tuple[str, str | None]:
    """(code, field) of what is refused."""
    error = await stand.shipper.refusal(document, **variables)
    return error["extensions"]["code"], error["extensions"].get("field")


async def test_is_opened_and_read_as_the_seed_prints_it(stand: Stand) -> None:
    order = await stand.create("A-1", SKU_A=1)
    [item] = order["orderItems"]

    made = await exchange(stand, orderItemIds=[item["id"]], remark="The blue one")
    read = (await stand.shipper.ask(READ, ticketId=made["id"]))["exchangeItemTicket"]

    assert {name: made[name] for name in ("reason", "firstName", "lastName", "email")} == {
        "reason": "WRONG_SIZE",
        "firstName": "Ada",
        "lastName": "Test",
        "email": "ada@a.example",
    }
    assert read == {
        **made,
        "ticketId": made["id"],
        "status": "OPEN",
        "zendeskStatus": "NEW",
        "remark": "The blue one",
        "comments": {"length": 0, "edges": []},
    }
    listed = (await stand.shipper.ask(LIST))["exchangeItemTicketList"]
    assert listed == {"edges": [{"node": {"id": made["id"]}}], "length": 1}


async def test_has_its_items_and_images_in_every_way_it_is_read(stand: Stand) -> None:
    order = await stand.create("A-1", SKU_A=2, SKU_B=1)
    first, second = order["orderItems"]
    image = await upload(stand.shipper, photo(40, 30))

    made = (
        await stand.shipper.ask(
            REFUND,
            problem="NOT_ARRIVED",
            delivery="NOT_RECEIVED",
            items=[second["id"], first["id"], second["id"]],
            images=[image["id"]],
        )
    )["createRefundTicket"]["ticket"]
    node = (await stand.shipper.ask(NODE, id=made["id"]))["node"]

    assert made["__typename"] == "RefundTicket"
    assert made["orderItems"] == [{"id": second["id"]}, {"id": first["id"]}]
    assert made["images"] == [{"id": image["id"]}]
    assert (made["reason"], made["problemType"], made["itemDeliveryStatus"], made["remark"]) == (
        "Broken",
        "NOT_ARRIVED",
        "NOT_RECEIVED",
        "",
    )
    assert node == {
        "__typename": "RefundTicket",
        "id": made["id"],
        "status": "OPEN",
        "zendeskStatus": "NEW",
        "timeCreated": int(stand.clock.now().timestamp()),
        "orderItems": [
            {
                "id": each["id"],
                "quantity": each["quantity"],
                "sku": {"identifier": name},
                "order": {"partnerOrderCode": "A-1"},
            }
            for each, name in ((second, "SKU_B"), (first, "SKU_A"))
        ],
        "images": [{"id": image["id"], "checksum": image["checksum"]}],
    }


async def test_is_in_the_list_of_its_kind_alone(stand: Stand) -> None:
    swap = await exchange(stand)
    given: dict[str, Any] = {
        "problem": "OTHER",
        "delivery": "RECEIVED",
        "items": None,
        "images": [],
    }
    refund = (await stand.shipper.ask(REFUND, **given))["createRefundTicket"]["ticket"]
    question = (await stand.shipper.ask(QUESTION, delivery="RECEIVED"))[
        "createOrderQuestionTicket"
    ]["ticket"]

    assert question["orderItems"] == []
    for name, made in (
        ("exchangeItemTicket", swap),
        ("refundTicket", refund),
        ("orderQuestionTicket", question),
    ):
        found = await stand.shipper.ask(
            f"query t($id: ID!) {{ {name}List {{ length edges {{ node {{ id }} }} }}"
            f" {name}(ticketId: $id) {{ __typename id }} }}",
            id=made["id"],
        )
        assert found[f"{name}List"] == {"length": 1, "edges": [{"node": {"id": made["id"]}}]}
        assert found[name]["id"] == made["id"]
        for other in {"exchangeItemTicket", "refundTicket", "orderQuestionTicket"} - {name}:
            query = f"query t($id: ID!) {{ {other}(ticketId: $id) {{ id }} }}"
            assert await stand.shipper.ask(query, id=made["id"]) == {other: None}


async def test_is_walked_both_ways_with_comments_in_pages(stand: Stand, agent: Doing) -> None:
    made = []
    for number in range(5):
        stand.clock.move(timedelta(seconds=1))
        made.append((await exchange(stand, firstName=f"Ada {number}"))["id"])
    for number in range(3):
        await stand.shipper.ask(REPLY, ticketId=made[0], replyContent=f"word {number}")
    walking = """
query walk($first: Int, $after: String, $last: Int, $before: String, $filters: TicketFilterInput) {
  exchangeItemTicketList(first: $first, after: $after, last: $last, before: $before, filters: $filters) {
    length
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    edges { node { id
      a: comments(first: 2) { length pageInfo { hasNextPage endCursor } edges { node { content } } }
      b: comments(last: 1) { edges { node { content timeCreated } } } } }
  }
}"""

    async def page(**variables: Any) -> dict[str, Any]:
        return dict((await stand.shipper.ask(walking, **variables))["exchangeItemTicketList"])

    seen: list[str] = []
    after = ""
    while True:
        found = await page(first=2, after=after)
        seen += [edge["node"]["id"] for edge in found["edges"]]
        assert found["length"] == 5
        if not found["pageInfo"]["hasNextPage"]:
            break
        after = found["pageInfo"]["endCursor"]
    assert seen == made[::-1]
    back = await page(last=2, before=after)
    assert [edge["node"]["id"] for edge in back["edges"]] == [made[3], made[2]]
    assert (back["pageInfo"]["hasPreviousPage"], back["pageInfo"]["hasNextPage"]) == (True, True)
    now = int(stand.clock.now().timestamp())
    ranged = await page(filters={"timeCreatedRange": [now - 2, now - 1]})
    assert [edge["node"]["id"] for edge in ranged["edges"]] == [made[3], made[2]]

    talked = found["edges"][-1]["node"]
    assert [edge["node"]["content"] for edge in talked["a"]["edges"]] == ["word 0", "word 1"]
    assert (talked["a"]["length"], talked["a"]["pageInfo"]["hasNextPage"]) == (3, True)
    assert talked["b"]["edges"] == [{"node": {"content": "word 2", "timeCreated": now}}]
    rest = await stand.shipper.ask(
        "query c($id: ID!, $after: String) { exchangeItemTicket(ticketId: $id)"
        " { comments(after: $after) { edges { node { content } } } } }",
        id=made[0],
        after=talked["a"]["pageInfo"]["endCursor"],
    )
    assert rest["exchangeItemTicket"]["comments"]["edges"] == [{"node": {"content": "word 2"}}]


async def test_goes_through_its_states_until_it_is_closed(stand: Stand, agent: Doing) -> None:
    ticket_id = (await exchange(stand))["id"]

    async def state() -> tuple[str, str]:
        found = (await stand.shipper.ask(READ, ticketId=ticket_id))["exchangeItemTicket"]
        return found["zendeskStatus"], found["status"]

    async def reply(content: str) -> None:
        found = await stand.shipper.ask(REPLY, ticketId=ticket_id, replyContent=content)
        assert found == {"replyCustomerServiceTicket": {"success": True}}

    await agent(ticket_id, "assign")
    assert await state() == ("OPEN", "OPEN")
    await agent(ticket_id, "ask", "Which size?")
    assert await state() == ("PENDING", "OPEN")
    await reply("Large")
    assert await state() == ("OPEN", "OPEN")
    await agent(ticket_id, "hold")
    assert await state() == ("HOLD", "OPEN")
    await agent(ticket_id, "solve", "It is on its way.")
    assert await state() == ("SOLVED", "OPEN")
    await reply("Not yet here")
    await agent(ticket_id, "solve")
    stand.clock.move(timedelta(days=4, seconds=1))
    while await close_solved(stand.db, silence=timedelta(days=4), now=stand.clock.now()):
        pass
    assert await state() == ("CLOSED", "CLOSED")
    assert await refused(stand, REPLY, ticketId=ticket_id, replyContent="Hello?") == (
        "TICKET_CLOSED",
        None,
    )
    read = (await stand.shipper.ask(READ, ticketId=ticket_id))["exchangeItemTicket"]
    assert [edge["node"]["content"] for edge in read["comments"]["edges"]] == [
        "Which size?",
        "Large",
        "It is on its way.",
        "Not yet here",
    ]
    assert read["comments"]["length"] == 4


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"email": "ada"}, "email"),
        ({"firstName": " "}, "firstName"),
        ({"lastName": ""}, "lastName"),
        ({"remark": "x" * 10_001}, "remark"),
        ({"orderItemIds": [None]}, "orderItemIds"),
        ({"imageIds": [None]}, "imageIds"),
    ],
)
async def test_is_refused_with_the_argument_that_is_wrong(
    stand: Stand, changes: dict[str, Any], field: str
) -> None:
    given = {**AUTHOR, "reason": "OTHER", "orderItemIds": [], **changes}

    assert await refused(stand, CREATE, **given) == ("BAD_USER_INPUT", field)
    assert (await stand.shipper.ask(LIST))["exchangeItemTicketList"]["length"] == 0


async def test_is_about_the_shipper_s_own_items_and_images_and_seen_by_it_alone(
    stand: Stand, shippers: OpenShipper, agent: Doing
) -> None:
    order = await stand.create("A-1", SKU_A=1)
    [item] = order["orderItems"]
    image = await upload(stand.shipper, photo(40, 30))
    ticket_id = (await exchange(stand))["id"]
    other = Stand(stand.db, stand.clock, stand.shop, await shippers(shop_id=stand.shop.id))
    given = {**AUTHOR, "reason": "OTHER", "orderItemIds": []}

    for changes, field in (
        ({"orderItemIds": [item["id"]]}, "orderItemIds"),
        ({"orderItemIds": [order["id"]]}, "orderItemIds"),
        ({"orderItemIds": ["nothing"]}, "orderItemIds"),
        ({"imageIds": [image["id"]]}, "imageIds"),
        ({"imageIds": [item["id"]]}, "imageIds"),
    ):
        assert await refused(other, CREATE, **{**given, **changes}) == ("NOT_FOUND", field)
    for unknown in (ticket_id, item["id"], "nothing"):
        assert await refused(other, REPLY, ticketId=unknown, replyContent="?") == (
            "NOT_FOUND",
            "ticketId",
        )
        assert await other.shipper.ask(READ, ticketId=unknown) == {"exchangeItemTicket": None}
    assert await other.shipper.ask(NODE, id=ticket_id) == {"node": None}
    assert (await other.shipper.ask(LIST))["exchangeItemTicketList"]["length"] == 0
    read = (await stand.shipper.ask(READ, ticketId=ticket_id))["exchangeItemTicket"]
    assert read["comments"]["length"] == 0


@pytest.mark.parametrize("content", ["", " \n", "x" * 10_001])
async def test_takes_no_reply_that_is_empty_or_too_long(stand: Stand, content: str) -> None:
    ticket_id = (await exchange(stand))["id"]

    found = await refused(stand, REPLY, ticketId=ticket_id, replyContent=content)

    assert found == ("BAD_USER_INPUT", "replyContent")


@pytest.mark.parametrize(
    "variables",
    [
        {"first": -1},
        {"first": 201},
        {"first": 1, "last": 1},
        {"after": "nothing"},
        {"filters": {"timeCreatedRange": [1]}},
        {"filters": {"timeCreatedRange": [2, 1]}},
    ],
)
async def test_is_in_no_list_that_is_asked_for_wrongly(
    stand: Stand, variables: dict[str, Any]
) -> None:
    assert (await refused(stand, LIST, **variables))[0] == "BAD_USER_INPUT"
