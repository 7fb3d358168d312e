"""A door of the server that takes no key..."""

from datetime import timedelta

import httpx2
import pytest

from crossdock.channels.shoppex_reseller.building import create_routes
from crossdock.channels.shoppex_reseller.oauth import AUTHORIZE, REVOKE, TOKEN
from crossdock.kit.clock import FrozenClock
from crossdock.shop.shops import resume_shop, suspend_shop
from tests.channels.shoppex_reseller.test_oauth import consent, made, owner, program
from tests.channels.shoppex_reseller.test_payouts import goods, reseller, selling
from tests.conftest import NOON
from tests.support.clocked import clocked
from tests.support.earning import campaign
from tests.support.people import PASSWORD, PlainBrowser
from tests.support.portal import PORTAL, invitation, joined
from tests.support.reseller_client import CHANNEL, KeyHolder
from tests.support.reselling import Reselling

__all__ = ["goods", "made", "owner", "program", "reseller", "selling"]

KEYED = "is proved by a key: see test_suspended_shops"
STAFF = "is for signed-in staff, who go on working for a shop that is suspended"
NOBODY = "tells nothing of a shop"
PAST = "tells what was ordered, or is open to a reseller's session for what is owed"
REFUSED = "is refused while its shop is suspended: a test here or in tests/web/test_tracking.py"

# Every door, and what it is about. A new one is named here, with its test where it is REFUSED.
DOORS = {
    "shoppex_partner /wp-json": KEYED, "shoppex_partner /order-detail": PAST,
    "shoppex_partner /docs/shoppex_partner/explain": NOBODY,
    "shopwedo /api": KEYED, "shopwedo /admin/api": KEYED, "shopwedo /shipper/add": KEYED,
    "shopwedo /admin/shipper/add": KEYED, "shopwedo /admin/shipper/label": STAFF,
    "shoppable /v3": KEYED, "shoppable /api/v3/token": KEYED, "shoppable /auth": KEYED,
    "shoppable /checkout": KEYED,
    "shoppo /api/graphql/partner": KEYED, "shoppo /console/partner": KEYED,
    "shoppex_reseller /dev/v1": KEYED, "shoppex_reseller /reseller/v1": KEYED,
    f"oauth {AUTHORIZE}": REFUSED, f"oauth {TOKEN}": REFUSED, f"oauth {REVOKE}": NOBODY,
    "shoppex_reseller /portal": PAST, "shoppex_reseller /embed/v1": REFUSED,
    "guest previewInvitation": PAST, "guest acceptInvitation": REFUSED, "guest signIn": NOBODY,
    "site /pay/{token}": REFUSED, "site /track/{number}": REFUSED,
    "site /console": STAFF,
    **dict.fromkeys(
        (
            *("site /", "site /docs", "site /docs/", "site /docs/{name:path}"),
            *("site /docs/search", "site /docs/api/{channel}", "site /docs/api/{channel}/openapi.json"),
            *("site /static/{name}", "site /favicon.svg", "site /favicon.ico", "site /robots.txt"),
            *("site /demo-media/{name}", "site /images/{name}", "site /videos/{path:path}"),
        ),
        NOBODY,
    ),
}  # fmt: skip
OPEN = {"shoppable /checkout", *(door for door, about in DOORS.items() if about in {REFUSED, PAST})}
"""The doors whose calls are counted by address, because no key is."""


async def test_is_known_with_what_it_does_for_a_suspended_shop(desk_server):
    app = desk_server.app
    found = {f"{channel.name} {path}" for channel in app.channels for path in channel.paths}
    found |= {f"guest {each.name}" for each in create_routes(app.services) if each.for_guests}
    found |= {f"oauth {path}" for path in (AUTHORIZE, TOKEN, REVOKE)}
    for route in app._site()._routes():
        is_console = route.path.partition("/console")[0] == ""
        found.add("site /console" if is_console else f"site {route.path}")
    assert found == set(DOORS)


async def test_has_its_calls_counted_by_address(desk_server):
    guests = desk_server.app._edge._guests
    paths = {each.name: each.path for each in create_routes(desk_server.app.services)}
    for door in OPEN:
        kind, _, path = door.partition(" ")
        assert guests.covers(paths[path] if kind == "guest" else path), door
    assert not guests.covers("/dev/v1/orders")
    assert not guests.covers("/payments")


async def suspend(db, shop_id: int, *, ends: bool = False) -> None:
    async with db.begin() as tx:
        if ends:
            await resume_shop(tx, shop_id=shop_id)
        else:
            await suspend_shop(tx, shop_id=shop_id, now=NOON)


async def count(db, table: str) -> int:
    async with db.statement() as tx:
        return int(await tx.value(f"select count(*) from {table}"))


async def test_lets_no_app_in_at_a_suspended_shop(desk_database, desk, program, owner):
    code = await consent(owner, program)
    tokens = (await program.exchange(code)).json()
    other = await consent(owner, program)
    await suspend(desk_database, desk.id)
    codes = await count(desk_database, "app_grants")
    page = await owner.get(program.page())
    assert (page.status_code, "Your shop has been suspended." in page.text) == (403, True)
    asked = {"client_id": program.client_id, "decision": "allow"}
    reply = await owner.client.post(AUTHORIZE, data=asked)
    assert reply.status_code == 403
    for refused in (await program.exchange(other), await program.refresh(tokens["refresh_token"])):
        assert (refused.status_code, refused.json()) == (
            400,
            {"error": "unauthorized_client", "error_description": "Your shop has been suspended."},
        )
    assert await count(desk_database, "app_grants") == codes
    await suspend(desk_database, desk.id, ends=True)
    assert (await program.exchange(other)).status_code == 200
    renewed = await program.refresh(tokens["refresh_token"])  # the refusal did not use it up
    assert renewed.status_code == 200


async def test_takes_no_payment_for_a_suspended_shop(desk_database, desk, merchant):
    asked = {"title": "Setup", "email": "ada@example.com", "value": 5, "currency": "USD"}
    made = await merchant.data("POST", "/dev/v1/payments", status=201, json=asked)
    path = made["checkout_url"].removeprefix(merchant.base_url)
    async with PlainBrowser(merchant.base_url) as buyer:
        assert (await buyer.get(path)).status_code == 200
        await suspend(desk_database, desk.id)
        payments = await count(desk_database, "payments")
        for reply in (await buyer.get(path), await buyer.client.post(path, data={"x": "1"})):
            assert reply.status_code == 403
            assert "This shop takes no payments now" in reply.text
        assert await count(desk_database, "payments") == payments
        await suspend(desk_database, desk.id, ends=True)
        assert (await buyer.get(path)).status_code == 200


async def test_begins_no_relationship_with_a_suspended_shop(desk_database, desk_server):
    selling = await Reselling.open(desk_database, desk_server.clock, channel=CHANNEL)
    _, token = await invitation(selling)
    async with joined(selling, desk_server.url) as ada, KeyHolder(desk_server.url, key="") as guest:
        await suspend(desk_database, selling.shop.id)
        known = await count(desk_database, "people"), await count(desk_database, "resellers")
        body = {"token": token, "name": "Bob", "password": PASSWORD}
        error = await guest.refusal("POST", f"{PORTAL}/invitations/accept", status=403, json=body)
        assert (error["code"], error["message"]) == ("FORBIDDEN", "Your shop has been suspended.")
        async with PlainBrowser(desk_server.url) as browser:
            page = await browser.get(f"/portal/invite/token/{token}")
            assert (page.status_code, "is suspended now" in page.text) == (403, True)
        assert known == (
            await count(desk_database, "people"),
            await count(desk_database, "resellers"),
        )
        assert (await ada.data("GET", f"{PORTAL}/balance"))["balance"] == "0.00"
        await ada.refusal("POST", f"{PORTAL}/api-keys", status=403)


async def test_shows_no_campaign_of_a_suspended_shop(selling, goods, reseller, merchant):
    running = await campaign(selling, reseller, product_ids=(goods.product_id,))
    path = f"/embed/v1/campaigns/{running.public_token}"
    async with httpx2.AsyncClient(base_url=merchant.base_url, trust_env=False) as page:
        assert (await page.get(path)).status_code == 200
        await suspend(selling.database, selling.shop.id)
        reply = await page.get(path)
        assert (reply.status_code, reply.json()["error"]["code"]) == (404, "NOT_FOUND")


@pytest.fixture
async def paced(database_url, tmp_path):
    """A server where an address may call three times a minute, a campaign and a person twice."""
    clock = FrozenClock(NOON)
    async with clocked(
        database_url=database_url, data_dir=str(tmp_path), clock=clock,
        guest_calls_per_minute=6, shoppex_reseller_calls_per_minute=3,
        shoppex_reseller_embed_calls_per_minute=2, trusted_proxies=["127.0.0.1/32"],
    ) as server:  # fmt: skip
        yield server


def told(reply: httpx2.Response) -> tuple[int, int, int]:
    """(status, limit, what is left)."""
    limit, left = (reply.headers[f"x-ratelimit-{name}"] for name in ("limit", "remaining"))
    return reply.status_code, int(limit), int(left)


@pytest.mark.parametrize(
    "path",
    ["/pay/x", "/track/x", "/portal/", "/portal/v1/me", "/embed/v1/widget.js", TOKEN,
     "/checkout", "/order-detail", "/console/sign-in", "/console/welcome/token/x"],
)  # fmt: skip
async def test_is_closed_to_an_address_that_calls_too_often(paced, path):
    one, other = {"x-forwarded-for": "198.51.100.1"}, {"x-forwarded-for": "198.51.100.2"}
    async with httpx2.AsyncClient(base_url=paced.url, trust_env=False) as http:
        for left in range(5, -1, -1):
            reply = await http.get(path, headers=one)
            assert reply.status_code != 429
            assert told(reply)[1:] == (6, left)
        refused = await http.get(path, headers=one)
        assert (told(refused), refused.headers["retry-after"]) == ((429, 6, 0), "10")
        page = await http.get(path, headers={**one, "accept": "text/html"})
        assert page.status_code == 429
        assert "Wait 10 seconds" in page.text
        assert (await http.get(path, headers=other)).status_code != 429
        forged = {"x-forwarded-for": "203.0.113.9, 198.51.100.1"}
        assert (await http.get(path, headers=forged)).status_code == 429
        paced.clock.move(timedelta(seconds=10))
        assert (await http.get(path, headers=one)).status_code != 429


async def test_is_closed_to_a_campaign_that_everybody_asks_for(paced, selling, goods, reseller):
    running = await campaign(selling, reseller, product_ids=(goods.product_id,))
    path = f"/embed/v1/campaigns/{running.public_token}"
    async with httpx2.AsyncClient(base_url=paced.url, trust_env=False) as http:
        for number in range(2):
            headers = {"x-forwarded-for": f"198.51.100.{number}"}
            assert (await http.get(path, headers=headers)).status_code == 200
        for method, more in (("GET", ""), ("POST", "/views")):
            refused = await http.request(
                method, path + more, headers={"x-forwarded-for": "198.51.100.9"}
            )
            assert (refused.status_code, refused.headers["retry-after"]) == (429, "30")
            assert refused.headers["access-control-allow-origin"] == "*"
            assert refused.json()["error"]["code"] == "RATE_LIMITED"


async def test_is_closed_to_a_person_who_calls_too_often_by_whatever_session(paced, desk_database):
    selling = await Reselling.open(desk_database, paced.clock, channel=CHANNEL)
    async with joined(selling, paced.url) as ada:
        paced.clock.move(timedelta(minutes=2))
        login = {"email": ada.email, "password": PASSWORD}
        async with KeyHolder(paced.url, key="") as guest:
            second = await guest.data("POST", f"{PORTAL}/sessions", json=login, status=201)
        async with KeyHolder(paced.url, key=second["session"]["token"]) as elsewhere:
            replies = [
                await ada.send("GET", f"{PORTAL}/me"),
                await elsewhere.send("GET", f"{PORTAL}/balance"),
                await ada.send("GET", f"{PORTAL}/balance"),
                await elsewhere.send("GET", f"{PORTAL}/me"),
            ]
    assert [told(reply) for reply in replies] == [
        (200, 3, 2),
        (200, 3, 1),
        (200, 3, 0),
        (429, 3, 0),
    ]
    assert replies[-1].json()["error"]["code"] == "RATE_LIMITED"
    assert replies[-1].headers["retry-after"] == "20"
