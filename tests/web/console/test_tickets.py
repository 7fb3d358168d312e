"""The pages of tickets: read by staff, answered by those who may."""

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from tests.support.factories import moment
from tests.support.ticketing import Helpdesk, line

TICKETS = "/console/tickets"


@pytest.fixture
async def desk(server_database: Database) -> Helpdesk:
    return await Helpdesk.open(server_database, FrozenClock(moment("2026-03-02T12:00:00+00:00")))


@pytest.fixture
def staff(person, browser, desk):
    """A browser of somebody of the shop with this role."""

    async def sign_in(role: str = "manager"):
        return await browser(await person(role=role, shop_id=desk.shop.id))

    return sign_in


async def test_a_ticket_is_taken_answered_asked_and_solved(desk, staff):
    order = await desk.order()
    ticket = await desk.ticket(lines=(line(order),), reason="<b>broken</b>")
    here, opened = f"{TICKETS}/{ticket}", await staff()
    inbox = (await opened.get(TICKETS)).text
    assert f'href="{here}"' in inbox

    states = []
    for action, text in (
        ("assign", ""), ("answer", "We look."), ("ask", "Which <i>size</i>?"), ("solve", ""),
    ):  # fmt: skip
        done = await opened.submit(here, {"action": action, "text": text})
        assert done.headers["location"] == f"{here}?done={action}"
        states.append((await desk.read(ticket)).state)

    assert states == ["open", "open", "pending", "solved"]
    assert [each.content for each in await desk.comments(ticket)] == [
        "We look.", "Which <i>size</i>?",
    ]  # fmt: skip
    page = (await opened.get(f"{here}?done=solve")).text
    assert "Which &lt;i&gt;size&lt;/i&gt;?" in page
    assert "&lt;b&gt;broken&lt;/b&gt;" in page
    assert f'href="/console/orders/{order}"' in page
    assert "The ticket is solved." in page
    assert 'value="hold"' not in page
    assert f'href="{here}"' not in (await opened.get(TICKETS)).text
    assert f'href="{here}"' in (await opened.get(f"{TICKETS}?view=solved")).text


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"action": "answer", "text": " "}, 400),
        ({"action": "close", "text": "x"}, 400),
        ({"text": "x"}, 400),
        ({"action": "answer", "text": "x"}, 409),
        ({"action": "solve", "text": "x" * 70_000}, 400),
    ],
)
async def test_what_is_not_possible_changes_nothing(desk, staff, fields, status):
    ticket = await desk.ticket()
    opened = await staff()

    reply = await opened.submit(f"{TICKETS}/{ticket}", fields)

    assert reply.status_code == status
    assert (await desk.read(ticket)).state == "new"
    assert await desk.comments(ticket) == ()


async def test_roles_tokens_and_other_shops_keep_their_bounds(desk, staff, person, browser):
    ticket = await desk.ticket()
    here = f"{TICKETS}/{ticket}"
    packer, stranger = await staff("warehouse"), await browser(await person(role="owner"))
    partner = await browser(await person(role="partner"))
    fields = {"action": "solve", "text": "x"}

    assert (await packer.get(here)).status_code == 200
    assert 'name="action"' not in (await packer.get(here)).text
    assert (await stranger.get(here)).status_code == 404
    assert (await partner.get(TICKETS)).status_code == 403
    for who, status in ((packer, 403), (stranger, 404), (partner, 403)):
        reply = await who.submit("/console/account", fields, to=here)
        assert reply.status_code == status
    assert (await (await staff()).post(here, fields)).status_code == 403
    for odd in ("0", "x", "9" * 30):
        assert (await stranger.get(f"{TICKETS}/{odd}")).status_code == 404
    assert (await desk.read(ticket)).state == "new"
    assert (await stranger.get(f"{TICKETS}?view=nothing")).status_code == 200
