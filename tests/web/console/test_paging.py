"""A list of the console ..."""

import re
from datetime import timedelta

import pytest
from starlette.datastructures import QueryParams
from starlette.requests import Request

from crossdock.db.unit_of_work import Database
from crossdock.errors import NotFound
from crossdock.kit.clock import SystemClock
from crossdock.shop.deliveries import queue_delivery
from crossdock.shop.mailing import Mailing
from crossdock.web.console.paging import (
    PAGE_SIZE,
    paging,
    path_number,
    place_text,
    read_before,
    read_place,
)
from tests.support.factories import box, moment

MANY = PAGE_SIZE * 2 + 3


async def _pages(opened, path):
    """The links of every page of a list, from its first to its last."""
    seen, address = [], path
    while address:
        text = (await opened.get(address)).text
        seen.append(re.findall(rf'href="{path}/([0-9]+)"', text))
        older = re.search(r'<a rel="next" href="([^"]+)">', text)
        address = older and older[1].replace("&amp;", "&")
    return seen


async def test_of_mails_and_of_deliveries_is_read_to_its_end(
    browser, person, server_database: Database
):
    noor = await person(role="owner")
    now, shop_id = SystemClock().now(), noor.person.shop_id
    mailing = Mailing(box=box(), mailer=None, host="shop.example")
    async with server_database.begin() as tx:
        for number in range(MANY):
            await mailing.queue_mail(
                tx, shop_id=shop_id, template="item_delivery", to="ada@buyer.example",
                values={"product": "Mug", "serials": ["KEY"]}, key=str(number), now=now,
            )  # fmt: skip
            await queue_delivery(
                tx, shop_id=shop_id, kind="nobody_sends_this", target=str(number), subject_id=None,
                now=now,
            )  # fmt: skip
    opened = await browser(noor)

    for path in ("/console/mail", "/console/deliveries"):
        pages = await _pages(opened, path)
        numbers = [int(number) for page in pages for number in page]
        assert [len(page) for page in pages] == [PAGE_SIZE, PAGE_SIZE, 3]
        assert numbers == sorted(set(numbers), reverse=True)


def _request(path: str, query: str = "", **parts: str) -> Request:
    scope = {
        "type": "http",
        "path": path,
        "query_string": query.encode(),
        "headers": [(b"host", b"test")],
        "path_params": parts,
    }
    return Request(scope)


def test_keeps_its_filters_and_drops_what_was_said_once():
    found = paging(_request("/console/mail", "to=a%40b.example&before=7&done=sent"), older=3)
    assert found.newest == "/console/mail?to=a%40b.example"
    assert found.older == "/console/mail?to=a%40b.example&before=3"
    several = paging(_request("/console/products", "cols=sku&cols=price&before=7"), older=3)
    assert several.newest == "/console/products?cols=sku&cols=price"
    assert several.older == "/console/products?cols=sku&cols=price&before=3"
    said = _request("/console/alerts", "before=7&resent=2&closed=1")
    assert paging(said, older=None).newest == "/console/alerts"


def test_has_no_links_where_it_fits_on_a_page():
    found = paging(_request("/console/mail", "to=x"), older=None)
    assert (found.newest, found.older) == ("", "")


def test_continues_after_the_place_that_its_address_names():
    place = (moment("2026-03-02T12:00:00.123456+00:00") + timedelta(hours=1), 12)
    assert read_place(QueryParams({"before": place_text(place)})) == place
    assert read_before(QueryParams("before=12")) == 12


@pytest.mark.parametrize(
    "text", ["", "x", "-1", "1" * 19, "٣", "2026-03-02T12:00:00~1", "~", "1~x"]
)
def test_begins_anew_where_its_address_names_no_place(text):
    assert read_before(QueryParams({"before": text})) is None
    assert read_place(QueryParams({"before": text})) is None


@pytest.mark.parametrize("text", ["", "x", "-1", "1" * 19, "٣", "1.5", "%00"])
def test_has_no_page_for_what_is_no_number(text):
    with pytest.raises(NotFound):
        path_number(_request("/console/mail/x", mail=text), "mail")
