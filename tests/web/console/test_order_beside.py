"""What stands beside an order: its stock and tickets, who ordered, and what its channel keeps."""

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from tests.support.factories import moment
from tests.support.ticketing import Helpdesk, line


@pytest.fixture
async def desk(server_database: Database) -> Helpdesk:
    return await Helpdesk.open(server_database, FrozenClock(moment("2026-03-02T12:00:00+00:00")))


@pytest.fixture
def staff(person, browser, desk):
    """A browser of somebody of the shop with this role."""

    async def sign_in(role: str = "manager"):
        return await browser(await person(role=role, shop_id=desk.shop.id))

    return sign_in


async def test_tickets_about_an_order_stand_on_its_page_and_no_others(desk, staff):
    order, other = await desk.order(), await desk.order()
    ticket, elsewhere = [await desk.ticket(lines=(line(each),)) for each in (order, other)]

    page = (await (await staff()).get(f"/console/orders/{order}")).text

    assert f'href="/console/tickets/{ticket}"' in page
    assert f'href="/console/tickets/{elsewhere}"' not in page


async def test_the_partner_is_a_link_for_those_who_may_open_it(desk, staff):
    order = await desk.order()
    link = f'href="/console/partners/{desk.partner.id}"'

    manager, viewer = [
        (await (await staff(role)).get(f"/console/orders/{order}")).text
        for role in ("manager", "viewer")
    ]

    assert link in manager
    assert link not in viewer
    assert "Ordered by" in viewer


async def test_the_stock_of_each_line_is_a_link_to_its_history(desk, staff):
    order = await desk.order(lines=2)
    async with desk.db.begin() as tx:
        rows = await tx.all("select variant_id from order_lines where order_id = %s", (order,))
        await tx.run(
            "update stock_levels set on_hand = on_hand + 4321 where variant_id = %s", (rows[0][0],)
        )
        available = await tx.value(
            "select available from stock_levels where variant_id = %s and pool = 'own'",
            (rows[0][0],),
        )

    page = (await (await staff("viewer")).get(f"/console/orders/{order}")).text

    assert f'<a href="/console/stock/{rows[0][0]}">{available}</a>' in page
    assert f'<a href="/console/stock/{rows[1][0]}">' in page


async def test_what_the_channel_keeps_is_shown_as_text(desk, staff):
    order = await desk.order()
    opened, here = await staff("viewer"), f"/console/orders/{order}"
    assert "Kept by the channel" not in (await opened.get(here)).text
    async with desk.db.begin() as tx:
        await tx.run(
            "update orders set channel_data = %s::jsonb where id = %s",
            ('{"campaign": "<b>spring</b>", "opt_in": false, "cart_id": ""}', order),
        )
        await tx.run(
            "update order_lines set channel_data = %s::jsonb where order_id = %s",
            ('{"external_line_id": 7}', order),
        )

    page = (await opened.get(here)).text

    assert "<dd>&lt;b&gt;spring&lt;/b&gt;</dd>" in page
    assert "<code>opt_in</code></dt><dd>false</dd>" in page
    assert "<code>external_line_id</code>, line 1</dt><dd>7</dd>" in page
    assert "cart_id" not in page
