"""An app that acts for a shop..."""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx2
import pytest

from crossdock.channels.shoppex_reseller import NAME
from crossdock.channels.shoppex_reseller.auth import SCOPES
from crossdock.channels.shoppex_reseller.oauth import PREFIXES
from crossdock.db.unit_of_work import Database
from crossdock.kit.ids import RandomIds
from crossdock.shop.partners import NewSecret, add_app, revoke_app, rotate_app_secret
from crossdock.shop.people import Person
from tests.conftest import NOON
from tests.support.clocked import ClockedServer
from tests.support.factories import ShopFixture, make_shop
from tests.support.people import PlainBrowser, make_person
from tests.support.reseller_client import KeyHolder

BACK = "https://app.example/back?from=shop"
AUTHORIZE, TOKEN, REVOKE = (f"/dev/v1/oauth/{each}" for each in ("authorize", "token", "revoke"))
VERIFIER = "a-verifier-of-the-app-that-nobody-guesses-0123456789"
CHALLENGE = (
    base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
)


class Program:
    """The app's own server: it asks for consents and changes codes for tokens."""

    def __init__(self, url: str, made: NewSecret) -> None:
        self.client_id, self.secret = made.app.client_id, made.secret
        self._http = httpx2.AsyncClient(base_url=url, timeout=60, trust_env=False, verify=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    def page(self, **fields: str) -> str:
        """Where a person is sent."""
        asked = {
            "response_type": "code", "client_id": self.client_id, "redirect_uri": BACK,
            "scope": "coupons.write coupons.read", "state": "s-1", **fields,
        }  # fmt: skip
        return f"{AUTHORIZE}?{urlencode({name: text for name, text in asked.items() if text})}"

    async def post(self, path: str, *, auth: Any = None, **fields: str) -> httpx2.Response:
        """A form, with the app's id and secret unless they are given."""
        pair = {} if auth else {"client_id": self.client_id, "client_secret": self.secret}
        sent = {name: text for name, text in {**pair, **fields}.items() if text}
        return await self._http.post(path, data=sent, auth=auth)

    async def exchange(self, code: str, **fields: str) -> httpx2.Response:
        sent = {"redirect_uri": BACK, **fields}
        return await self.post(TOKEN, grant_type="authorization_code", code=code, **sent)

    async def refresh(self, token: str, **fields: str) -> httpx2.Response:
        return await self.post(TOKEN, grant_type="refresh_token", refresh_token=token, **fields)

    async def call(self, token: str, path: str = "/dev/v1/coupons/") -> int:
        """The status of a call with an access token."""
        reply = await self._http.get(path, headers={"Authorization": f"Bearer {token}"})
        return reply.status_code


@pytest.fixture
async def made(desk_database: Database, desk: ShopFixture) -> NewSecret:
    async with desk_database.begin() as tx:
        return await add_app(
            tx, shop_id=desk.id, channel=NAME, name="Ledger <b>Live</b>", return_addresses=[BACK],
            scopes=["coupons.read", "coupons.write", "orders.read"], known_scopes=SCOPES,
            prefixes=PREFIXES, ids=RandomIds(), now=NOON,
        )  # fmt: skip


@pytest.fixture
async def program(desk_server: ClockedServer, made: NewSecret) -> AsyncIterator[Program]:
    async with Program(desk_server.url, made) as opened:
        yield opened


async def signed_in(
    server: ClockedServer, db: Database, *, shop_id: int, role: str = "manager"
) -> tuple[PlainBrowser, Person]:
    async with db.begin() as tx:
        person = await make_person(tx, role=role, shop_id=shop_id)
    browser = PlainBrowser(server.url)
    assert (await browser.sign_in(person.email)).status_code == 303
    return browser, person.person


@pytest.fixture
async def owner(desk_server, desk_database, desk) -> AsyncIterator[PlainBrowser]:
    """A browser in which somebody is signed in who may let apps in."""
    browser, _ = await signed_in(desk_server, desk_database, shop_id=desk.id)
    async with browser:
        yield browser


def told(reply: httpx2.Response) -> dict[str, str]:
    """What an app is told at its address."""
    assert reply.status_code == 303, reply.text
    address = reply.headers["location"]
    assert address.startswith(BACK)
    return dict(parse_qsl(urlsplit(address).query))


async def consent(owner: PlainBrowser, program: Program, **fields: str) -> str:
    return told(await owner.submit(program.page(**fields), {"decision": "allow"}))["code"]


async def tokens(owner: PlainBrowser, program: Program) -> dict[str, Any]:
    reply = await program.exchange(await consent(owner, program))
    assert reply.status_code == 200, reply.text
    return dict(reply.json())


def error_of(reply: httpx2.Response) -> tuple[int, str]:
    body = reply.json()
    assert set(body) == {"error", "error_description"}
    assert reply.headers["cache-control"] == "no-store"
    return reply.status_code, body["error"]


async def test_gets_tokens_for_a_consent_and_calls_with_their_scopes(owner, program, keys, desk):
    shown = await owner.get(program.page())
    assert "Ledger &lt;b&gt;Live&lt;/b&gt; asks for access" in shown.text
    assert "<li>Read and change coupons</li>" in shown.text
    policy = shown.headers["content-security-policy"]
    assert "form-action 'self' https://app.example;" in policy
    assert "frame-ancestors 'none'" in policy
    found = told(await owner.submit(program.page(), {"decision": "allow"}))
    assert (found["from"], found["state"], found["code"][:5]) == ("shop", "s-1", "shoa_")

    reply = await program.exchange(found["code"])

    given = reply.json()
    access, refresh = given.pop("access_token"), given.pop("refresh_token")
    assert given == {
        "token_type": "Bearer",
        "expires_in": 3600,
        "scope": "coupons.read coupons.write",
    }
    assert (access[:6], refresh[:6]) == ("shpat_", "shprt_")
    async with KeyHolder(owner.client.base_url, key=access) as caller:
        told_of = await caller.data("GET", "/dev/v1/me/capabilities")
        assert told_of == {
            "auth_type": "oauth", "scopes": ["coupons.read", "coupons.write"],
            "shop_id": (await caller.data("GET", "/dev/v1/me"))["id"],
        }  # fmt: skip
        await caller.data(
            "POST", "/dev/v1/coupons/", status=201, json={"code": "a", "discount_value": 5}
        )
        error = await caller.refusal("GET", "/dev/v1/webhooks", status=403)
        assert error["code"] == "FORBIDDEN"
    async with KeyHolder(owner.client.base_url, key=refresh) as caller:
        await caller.refusal("GET", "/dev/v1/me", status=401)
    assert await program.call(access, "/reseller/v1/balance") == 401


async def test_keeps_nothing_that_could_be_used_if_it_were_read(owner, program, desk_database):
    given = await tokens(owner, program)
    async with desk_database.statement() as tx:
        stored = [
            str(row)
            for table in ("apps", "app_codes", "app_refresh_tokens", "credential_secrets")
            for row in await tx.all(f"select t::text from {table} t")
        ]
    for secret in (given["access_token"], given["refresh_token"], program.secret):
        assert not any(secret in row for row in stored)


async def test_has_an_access_token_for_an_hour_and_then_the_next(owner, program, desk_server):
    given = await tokens(owner, program)
    desk_server.clock.move(timedelta(seconds=3599))
    assert await program.call(given["access_token"]) == 200
    desk_server.clock.move(timedelta(seconds=1))
    try:
        assert await program.call(given["access_token"]) == 401
        following = (await program.refresh(given["refresh_token"])).json()
        assert await program.call(following["access_token"]) == 200
        assert following["refresh_token"] != given["refresh_token"]
    finally:
        desk_server.clock.move(timedelta(hours=-1))


async def test_that_uses_a_refresh_token_twice_loses_all_of_them(owner, program):
    first = await tokens(owner, program)
    other = await tokens(owner, program)
    second = (await program.refresh(first["refresh_token"])).json()
    assert await program.call(second["access_token"]) == 200

    assert error_of(await program.refresh(first["refresh_token"])) == (400, "invalid_grant")

    assert await program.call(first["access_token"]) == 401
    assert await program.call(second["access_token"]) == 401
    assert error_of(await program.refresh(second["refresh_token"])) == (400, "invalid_grant")
    assert await program.call(other["access_token"]) == 200  # another consent


async def test_that_renews_twice_at_once_is_given_one_answer(owner, program):
    given = await tokens(owner, program)
    replies = await asyncio.gather(*(program.refresh(given["refresh_token"]) for _ in range(2)))
    assert sorted(reply.status_code for reply in replies) == [200, 400]


async def test_has_a_code_that_is_good_once(owner, program):
    code = await consent(owner, program)
    given = (await program.exchange(code)).json()
    assert await program.call(given["access_token"]) == 200
    assert error_of(await program.exchange(code)) == (400, "invalid_grant")
    assert await program.call(given["access_token"]) == 401


async def test_has_a_code_that_is_good_for_five_minutes(owner, program, desk_server):
    code = await consent(owner, program)
    desk_server.clock.move(timedelta(seconds=300))
    try:
        assert error_of(await program.exchange(code)) == (400, "invalid_grant")
    finally:
        desk_server.clock.move(timedelta(seconds=-300))
    assert (await program.exchange(code)).status_code == 200


async def test_has_a_code_for_its_address_its_verifier_and_itself(
    owner, program, desk, desk_database, desk_server
):
    code = await consent(owner, program, code_challenge=CHALLENGE, code_challenge_method="S256")
    async with desk_database.begin() as tx:
        foreign = await add_app(
            tx, shop_id=desk.id, channel=NAME, name="Other", return_addresses=[BACK],
            scopes=["orders.read"], known_scopes=SCOPES, prefixes=PREFIXES, ids=RandomIds(), now=NOON,
        )  # fmt: skip
    good = {"code_verifier": VERIFIER}
    async with Program(desk_server.url, foreign) as other:
        assert error_of(await other.exchange(code, **good)) == (400, "invalid_grant")
    for wrong in (
        {**good, "redirect_uri": "https://app.example/back"},
        {"code_verifier": VERIFIER[:-1]},
        {},
    ):
        assert error_of(await program.exchange(code, **wrong)) == (400, "invalid_grant")
    assert (await program.exchange(code, **good)).status_code == 200


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "coupons.read products.read"}, "invalid_scope"),
        ({"code_challenge": CHALLENGE}, "invalid_request"),
        ({"code_challenge": "short", "code_challenge_method": "S256"}, "invalid_request"),
    ],
)
async def test_that_asks_for_what_it_may_not_is_told_so(owner, program, fields, error):
    found = told(await owner.get(program.page(**fields)))
    assert (found["error"], found["state"]) == (error, "s-1")
    assert "code" not in found


@pytest.mark.parametrize(
    "address", ["", BACK + "/", "https://evil.example/", "https://app.example/back"]
)
async def test_sends_nobody_to_an_address_that_it_did_not_register(owner, program, address):
    reply = await owner.get(program.page(redirect_uri=address))
    assert (reply.status_code, "location" in reply.headers) == (400, False)


async def test_is_refused_where_the_person_refuses(owner, program, desk_database, made):
    found = told(await owner.submit(program.page(), {"decision": "deny"}))
    assert found["error"] == "access_denied"
    async with desk_database.statement() as tx:
        codes = await tx.value("select count(*) from app_codes where app_id = %s", (made.app.id,))
    assert codes == 0


async def test_is_let_in_by_nobody_but_staff_with_the_right(
    program, desk, desk_server, desk_database
):
    async with PlainBrowser(desk_server.url) as stranger:
        reply = await stranger.get(program.page())
        assert reply.status_code == 303
        assert reply.headers["location"].startswith("/console/sign-in?next=%2Fdev%2Fv1%2Foauth")
    viewer, _ = await signed_in(desk_server, desk_database, shop_id=desk.id, role="viewer")
    async with viewer:
        assert (await viewer.get(program.page())).status_code == 403
    async with desk_database.begin() as tx:
        other_shop = await make_shop(tx)
    foreign, _ = await signed_in(desk_server, desk_database, shop_id=other_shop.id)
    async with foreign:
        reply = await foreign.get(program.page())
        assert (reply.status_code, "location" in reply.headers) == (400, False)


async def test_is_let_in_by_the_page_s_own_form_alone(owner, program):
    fields = dict(parse_qsl(urlsplit(program.page()).query))
    reply = await owner.post(AUTHORIZE, {**fields, "decision": "allow"})
    assert (reply.status_code, "location" in reply.headers) == (403, False)
    reply = await owner.submit(
        program.page(), {"decision": "allow"}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert (reply.status_code, "location" in reply.headers) == (403, False)


async def test_is_let_in_by_json_as_well(owner, program, desk_database, made):
    shown = await owner.get(program.page())
    token = shown.text.partition('name="form_token" value="')[2].partition('"')[0]
    fields = dict(parse_qsl(urlsplit(program.page()).query))
    without = await owner.client.post(AUTHORIZE, json=fields)
    assert (without.status_code, without.json()["error"]["code"]) == (403, "FORBIDDEN")
    reply = await owner.client.post(AUTHORIZE, json=fields, headers={"X-CSRF-Token": token})
    address = reply.json().pop("redirect_url")
    found = dict(parse_qsl(urlsplit(address).query))
    assert (reply.status_code, found["state"]) == (200, "s-1")
    assert (await program.exchange(found["code"])).status_code == 200
    assert await acts_of(desk_database, made) == [{"scope": fields["scope"]}]


async def test_is_let_in_with_a_note_in_the_log_and_refused_without(
    owner, program, desk_database, made
):
    await owner.submit(program.page(), {"decision": "deny"})
    assert await acts_of(desk_database, made) == []

    await consent(owner, program)

    (noted,) = await acts_of(desk_database, made)
    assert noted["decision"] == "allow"


async def acts_of(db, made) -> list[dict[str, str]]:
    """What was noted of consents to this app, without its number."""
    async with db.statement() as tx:
        rows = await tx.all(
            "select details - 'client_id' from acts where act = %s and details ->> 'client_id' = %s"
            " order by id",
            (AUTHORIZE, made.app.client_id),
        )
    return [details for (details,) in rows]


@pytest.mark.parametrize(
    ("fields", "status", "error"),
    [
        ({"client_secret": "shcs_wrong"}, 401, "invalid_client"),
        ({"client_id": "shoc_none"}, 401, "invalid_client"),
        ({"client_id": ""}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": ""}, 400, "invalid_request"),
        ({"code": ""}, 400, "invalid_request"),
        ({"code": "shoa_unknown"}, 400, "invalid_grant"),
    ],
)
async def test_that_asks_wrongly_for_tokens_gets_the_errors_of_the_rfc(
    program, fields, status, error
):
    sent = {"grant_type": "authorization_code", "code": "shoa_x", "redirect_uri": BACK, **fields}
    assert error_of(await program.post(TOKEN, **sent)) == (status, error)


async def test_authenticates_by_http_basic_as_well(owner, program):
    code = await consent(owner, program)
    pair = (program.client_id, program.secret)
    twice = await program.post(
        TOKEN, auth=pair, client_secret=program.secret, grant_type="authorization_code", code=code
    )
    assert error_of(twice) == (400, "invalid_request")
    wrong = await program.post(TOKEN, auth=(program.client_id, "x"), grant_type="refresh_token")
    assert error_of(wrong) == (401, "invalid_client")
    assert wrong.headers["www-authenticate"].startswith("Basic")
    reply = await program.post(
        TOKEN, auth=pair, grant_type="authorization_code", code=code, redirect_uri=BACK
    )
    assert reply.status_code == 200


async def test_ends_its_tokens_by_itself(owner, program):
    by_access, by_refresh = await tokens(owner, program), await tokens(owner, program)
    for given, named in ((by_access, "access_token"), (by_refresh, "refresh_token")):
        assert await program.call(given["access_token"]) == 200
        assert (await program.post(REVOKE, token=given[named])).status_code == 200
        assert await program.call(given["access_token"]) == 401
        assert error_of(await program.refresh(given["refresh_token"])) == (400, "invalid_grant")
    assert (await program.post(REVOKE, token="shpat_unknown")).status_code == 200
    assert error_of(await program.post(REVOKE)) == (400, "invalid_request")


async def test_that_is_revoked_has_no_tokens_any_more(owner, program, desk_database):
    given = await tokens(owner, program)
    code = await consent(owner, program)
    assert await program.call(given["access_token"]) == 200
    async with desk_database.begin() as tx:
        revoked = await revoke_app(tx, client_id=program.client_id, now=NOON)
    assert (revoked.revoked_at, revoked.grants) == (NOON, 0)
    assert await program.call(given["access_token"]) == 401
    assert error_of(await program.exchange(code)) == (401, "invalid_client")
    assert (await owner.get(program.page())).status_code == 400


async def test_has_two_secrets_while_one_replaces_the_other(
    owner, program, desk_database, desk_server
):
    async with desk_database.begin() as tx:
        following = await rotate_app_secret(
            tx,
            client_id=program.client_id,
            prefixes=PREFIXES,
            ids=RandomIds(),
            now=NOON,
            overlap_s=60,
        )
    given = await tokens(owner, program)
    desk_server.clock.move(timedelta(seconds=60))
    try:
        assert error_of(await program.refresh(given["refresh_token"])) == (401, "invalid_client")
        program.secret = following.secret
        assert (await program.refresh(given["refresh_token"])).status_code == 200
    finally:
        desk_server.clock.move(timedelta(seconds=-60))


async def test_is_answered_at_the_right_methods_alone(program, owner):
    reply = await owner.get(TOKEN)
    assert (reply.status_code, reply.headers["allow"]) == (405, "POST")
    reply = await owner.client.request("DELETE", AUTHORIZE)
    assert (reply.status_code, reply.headers["allow"]) == (405, "GET, POST")
