"""A partner's last requests and test calls, on its page: real calls over the wire, kept without what is nobody's."""

import asyncio
import re
from html import unescape

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.shop.partners import list_partners
from tests.support.factories import PartnerFixture, ShopFixture, make_partner, make_shop
from tests.support.partner_client import PREFIX, PRODUCTS, PartnerClient
from tests.support.shopwedo_client import ShopClient

PARTNERS = "/console/partners"


@pytest.fixture
async def shop(server_database: Database) -> ShopFixture:
    async with server_database.begin() as tx:
        return await make_shop(tx)


@pytest.fixture
async def partner(server_database: Database, shop: ShopFixture) -> PartnerFixture:
    async with server_database.begin() as tx:
        return await make_partner(tx, shop=shop)


@pytest.fixture
def staff(person, browser, shop):
    async def sign_in(role: str = "manager"):
        return await browser(await person(role=role, shop_id=shop.id))

    return sign_in


async def watched(opened, partner) -> str:
    here = f"{PARTNERS}/{partner.id}"
    reply = await opened.submit(here, {"hours": "1"}, to=f"{here}/watch")
    assert reply.headers["location"] == f"{here}?done=watched#requests"
    return here


async def until(opened, here: str, text: str, again=None) -> str:
    """The partner's page once it shows the text; it is written just after the answer."""
    async with asyncio.timeout(20):
        while text not in (page := unescape((await opened.get(here)).text)):
            if again:
                await again()
    return page


async def test_requests_are_kept_only_while_staff_ask_for_it(partner, staff, server):
    opened = await staff()
    here = f"{PARTNERS}/{partner.id}"
    async with PartnerClient.of(server.url, partner) as client:
        await client.products()
        assert "Requests are not kept." in (await opened.get(here)).text
        await watched(opened, partner)
        await client.products()

        page = await until(opened, here, f"GET {PREFIX}{PRODUCTS}")

        assert page.count(f"GET {PREFIX}{PRODUCTS}") == 1
        (link,) = re.findall(rf"{here}/requests/\d+", page)
        shown = unescape((await opened.get(link)).text)
        assert "The signature or token is right." in shown
        assert "x-shoppex-signature: [hidden]" in shown
        off = await opened.submit(here, {"hours": "0"}, to=f"{here}/watch")
        assert off.headers["location"].startswith(f"{here}?done=unwatched")
        await client.products(method="HEAD")
        assert "HEAD" not in (await opened.get(here)).text


async def test_a_refused_request_tells_which_part_of_its_signature_differs(partner, staff, server):
    opened = await staff()
    here = await watched(opened, partner)
    async with PartnerClient.of(server.url, partner) as client:

        async def wrong_route() -> None:
            reply = await client.products(route="/wp-json" + PRODUCTS)
            assert reply.status_code == 401

        await until(opened, here, "The signed route begins with /wp-json.", wrong_route)
        await client.products(secret="sk_another")
        await until(opened, here, "the secret is another one, or another text was signed")
        await client.products(timestamp="1000000000")
        await until(opened, here, "The timestamp is too far from the server's time")
        await client.create(
            raw=b'{"billing": {"first_name": "Jan", "email": "jan@buyer.example"}}',
            signature="00" * 32,
        )
        page = await until(opened, here, "POST")

    (link,) = re.findall(rf'({here}/requests/\d+)"><code class="long">POST', page)
    shown = unescape((await opened.get(link)).text)
    assert '"first_name": "[hidden]"' in shown
    assert "Jan" not in shown
    assert "partner_auth_invalid_signature" in shown


async def test_hours_that_are_not_offered_are_refused(partner, staff, server_database):
    opened = await staff()
    here = f"{PARTNERS}/{partner.id}"

    for hours in ("", "2", "-1", "x", "9" * 30):
        reply = await opened.submit(here, {"hours": hours}, to=f"{here}/watch")
        assert reply.status_code == 400
    async with server_database.statement() as tx:
        (found,) = await list_partners(tx, partner_id=partner.id)
    assert found.watched_until is None


async def test_only_who_manages_the_shops_partners_sees_requests_and_sends_calls(
    partner, staff, person, browser
):
    here = f"{PARTNERS}/{partner.id}"
    packer, stranger = await staff("warehouse"), await browser(await person(role="owner"))

    for path in (f"{here}/requests/1", f"{here}/try"):
        assert (await packer.get(path)).status_code == 403
        assert (await stranger.get(path)).status_code == 404
    for path in (f"{here}/watch", f"{here}/try"):
        fields = {"hours": "1", "operation": "listProducts", "path": PREFIX + PRODUCTS}
        for who, status in ((packer, 403), (stranger, 404)):
            assert (await who.submit("/console/account", fields, to=path)).status_code == status
    assert (await (await staff()).get(f"{here}/requests/0")).status_code == 404


@pytest.mark.parametrize(
    ("channel", "operation", "status"),
    [
        ("shoppex_partner", "listProducts", 200),
        ("shopwedo", "authTest", 202),
        ("shoppable", "browseCatalog", 200),
        ("shoppo", "runOperation", 200),
        ("shoppex_reseller", "getMe", 200),
    ],
)
async def test_a_test_call_is_answered_by_every_channel_and_leaves_no_key(
    staff, shop, server_database, channel, operation, status
):
    opened = await staff()
    page = await opened.get(f"{PARTNERS}/new?channel={channel}")
    given = re.findall(r'name="(permission:[^"]+)" value="yes" checked', page.text)
    fields = {"name": "Tried", "merchants": "all", "channel": channel}
    if "permissions" in page.text and not given:
        fields["permissions"] = "*"
    added = await opened.submit(
        f"{PARTNERS}/new?channel={channel}",
        {**fields, **dict.fromkeys(given, "yes")},
        to=f"{PARTNERS}/new",
    )
    assert added.status_code == 200, added.text
    async with server_database.statement() as tx:
        (before,) = await list_partners(tx, shop=shop.slug, channel=channel)
    here = f"{PARTNERS}/{before.id}/try"
    form = (await opened.get(f"{here}?operation={operation}")).text
    (path,) = re.findall(r'name="path" value="([^"]+)"', form)
    body = re.search(r"<textarea[^>]*>([^<]*)</textarea>", form)

    async def send():
        return await opened.submit(
            f"{here}?operation={operation}",
            {"operation": operation, "path": path, "body": unescape(body[1]) if body else ""},
            to=here,
        )

    sent = await send()
    if operation == "browseCatalog":  # the worker builds a new shop's index among those of others
        async with asyncio.timeout(90):
            while "HTTP 503 " in sent.text:
                await asyncio.sleep(0.2)
                sent = await send()

    assert f"HTTP {status} " in sent.text, sent.text
    async with server_database.statement() as tx:
        (after,) = await list_partners(tx, shop=shop.slug, channel=channel)
        left = await tx.value(
            "select count(*) from credentials where partner_id = %s and lent_until is not null",
            (before.id,),
        )
    assert (after.credentials, left) == (before.credentials, 0)


async def test_a_call_elsewhere_than_to_its_operation_is_not_sent(partner, staff):
    opened = await staff()
    here = f"{PARTNERS}/{partner.id}/try"

    for path in (
        "/console/people",
        "/health",
        "",
        f"{PREFIX}{PRODUCTS} x",
        f"{PREFIX}{PRODUCTS}/{{id}}",
    ):
        reply = await opened.submit(here, {"operation": "listProducts", "path": path})
        assert reply.status_code == 422, path
    unknown = await opened.submit(here, {"operation": "dropTables", "path": "/"})
    assert unknown.status_code == 400


async def test_an_orders_test_call_is_a_test_and_no_act_of_the_persons(
    partner, staff, server_database, shop
):
    opened = await staff()
    here = f"{PARTNERS}/{partner.id}/try"

    reply = await opened.submit(
        f"{here}?operation=createOrder",
        {
            "operation": "createOrder",
            "path": f"{PREFIX}/shoppex-integrations/v1/create-order",
            "body": "{",
        },
        to=here,
    )

    assert "HTTP 400 " in reply.text
    async with server_database.statement() as tx:
        acts = await tx.all("select act, shop_id from acts where subject = %s", (here,))
    assert acts == [("/console/partners/*/try", shop.id)]


async def test_a_shops_wrong_token_is_explained(staff, shop, server_database, server):
    async with server_database.begin() as tx:
        partner = await make_partner(
            tx,
            shop=shop,
            channel="shopwedo",
            key=await tx.value("select nextval('caller_numbers')::text"),
        )
    opened = await staff()
    here = await watched(opened, partner)
    async with ShopClient(server.url, shop_id=partner.key, key="sk_another") as client:

        async def call() -> None:
            assert (await client.call("authTest")).status_code == 401

        await until(opened, here, "the secret is another one, or another text was signed", call)
