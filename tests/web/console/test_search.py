"""The search over everything ..."""

import re

from tests.support.ticketing import Helpdesk

SEARCH = "/console/search"


async def test_leads_to_what_it_finds(browser, person, server_database, clock):
    desk = await Helpdesk.open(server_database, clock)
    order = await desk.order()
    async with desk.db.statement() as tx:
        address = await tx.value(
            "select email from customers where id = %s", (desk.shop.customer_id,)
        )
    ticket = await desk.ticket(last_name="Quist", reason="<b>Broken</b>")
    ada = await browser(await person(shop_id=desk.shop.id, role="owner"))

    by_number = (await ada.get(SEARCH, params={"q": str(order)})).text
    by_name = (await ada.get(SEARCH, params={"q": "quist"})).text

    by_address = (await ada.get(SEARCH, params={"q": address})).text
    assert f'href="/console/customers/{desk.shop.customer_id}"' in by_address
    assert f'href="/console/orders/{order}"' in by_number
    assert f'href="/console/tickets/{ticket}"' in by_name
    assert "&lt;b&gt;Broken" in by_name
    assert "<b>Broken" not in by_name


async def test_says_so_when_nothing_is_found(browser, person):
    ada = await browser(await person())
    page = (await ada.get(SEARCH, params={"q": "<i>nobody"})).text
    assert re.search("Nothing is found for “&lt;i&gt;nobody”", page)
    assert "Nothing is found" not in (await ada.get(SEARCH)).text


async def test_is_for_staff_alone(browser, person):
    partner = await browser(await person(role="partner"))
    assert (await partner.get(SEARCH, params={"q": "1"})).status_code == 403
    assert 'id="palette"' not in (await partner.get("/console/")).text
    assert (await (await browser()).get(SEARCH)).status_code == 303
