"""The portal's calls..."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from crossdock.shop.partners import read_partner
from crossdock.shop.resellers import Action, move_reseller
from crossdock.shop.shops import suspend_shop
from tests.support.people import PASSWORD, code_at, make_person
from tests.support.portal import PORTAL, Member, invitation, joined
from tests.support.reseller_client import CHANNEL, KeyHolder
from tests.support.reselling import Reselling

ACCEPT = f"{PORTAL}/invitations/accept"
SESSIONS = f"{PORTAL}/sessions"


@pytest.fixture
async def selling(desk_database, desk_server) -> Reselling:
    return await Reselling.open(desk_database, desk_server.clock, channel=CHANNEL)


@pytest.fixture
async def guest(desk_server) -> AsyncIterator[KeyHolder]:
    async with KeyHolder(desk_server.url, key="") as caller:
        yield caller


@pytest.fixture
async def ada(selling, desk_server) -> AsyncIterator[Member]:
    async with joined(selling, desk_server.url) as member:
        yield member


async def written(selling: Reselling) -> tuple[int, ...]:
    """(relationships, people, those who act for one, accepted invitations) of the shop."""
    tables = ("resellers", "people", "reseller_people")
    counts = [f"(select count(*) from {name} where shop_id = %(shop)s)" for name in tables]
    accepted = "(select count(accepted_at) from reseller_invitations where shop_id = %(shop)s)"
    async with selling.database.statement() as tx:
        row = await tx.one(f"select {', '.join([*counts, accepted])}", {"shop": selling.shop.id})
    assert row is not None
    return row


async def test_shows_what_an_invitation_offers(selling, guest):
    email, token = await invitation(
        selling, mode="both", commission_bp=1250, limit_daily=50, products=()
    )
    told = await guest.data("POST", f"{PORTAL}/invitations/preview", json={"token": token})
    assert told.pop("expires_at").endswith("Z")
    assert told.pop("shop")
    assert {name: str(each) for name, each in told.items()} == {
        "email": email, "state": "PENDING", "mode": "BOTH", "commission_percent": "12.5",
        "wholesale_discount_percent": "None", "purchase_limit_daily": "50",
        "purchase_limit_monthly": "None", "products": "0", "terms_url": "None",
        "is_verified_first": "False",
    }  # fmt: skip
    await guest.refusal(
        "POST", f"{PORTAL}/invitations/preview", json={"token": "x" * 43}, status=404
    )


async def test_begins_a_relationship_and_a_session(selling, desk_server, guest):
    email, token = await invitation(selling)
    body = {"token": token, "name": "Ada", "password": f" {PASSWORD} "}
    told = await guest.data("POST", ACCEPT, json=body, status=201)
    assert told["person"] == {"email": email, "name": "Ada", "has_second_factor": False}
    assert (told["relationship"]["status"], told["relationship"]["balance"]) == ("ACTIVE", "0.00")
    async with KeyHolder(desk_server.url, key=told["session"]["token"]) as ada:
        me = await ada.data("GET", f"{PORTAL}/me")
    assert me == {"person": told["person"], "relationships": [told["relationship"]]}
    assert await written(selling) == (1, 1, 1, 1)
    assert (await guest.refusal("POST", ACCEPT, json=body, status=409))["code"] == "INVALID_STATE"
    login = {"email": email, "password": PASSWORD}
    await guest.refusal("POST", SESSIONS, json=login, status=401)
    await guest.data("POST", SESSIONS, json={**login, "password": f" {PASSWORD} "}, status=201)


@pytest.mark.parametrize("password", [None, "", "short", "password1234", "x" * 1_025])
async def test_takes_no_weak_password(selling, guest, password):
    _, token = await invitation(selling)
    body = {"token": token, "name": "Ada", "password": password}
    assert list(await guest.fields_refused("POST", ACCEPT, json=body)) == ["password"]
    assert await written(selling) == (0, 0, 0, 0)


async def test_waits_for_approval_with_a_session(selling, desk_server):
    await selling.set(requires_verification=True)
    async with joined(selling, desk_server.url) as ada:
        [mine] = await ada.data("GET", f"{PORTAL}/relationships")
        assert mine["status"] == "INVITED"
        await move(selling, ada, "approve")
        [mine] = await ada.data("GET", f"{PORTAL}/relationships")
    assert mine["status"] == "ACTIVE"


async def test_refuses_invitations_that_are_over(selling, desk_server, guest):
    email, revoked = await invitation(selling)
    _, expired = await invitation(selling, email=email, days=1)
    desk_server.clock.move(timedelta(days=1))
    try:
        for token in (revoked, expired):
            body = {"token": token, "name": "Ada", "password": PASSWORD}
            refused = await guest.refusal("POST", ACCEPT, json=body, status=409)
            assert refused["code"] == "INVALID_STATE"
        _, token = await invitation(selling, email=email)
        await selling.set(enabled=False)
        body = {"token": token, "name": "Ada", "password": PASSWORD}
        refused = await guest.refusal("POST", ACCEPT, json=body, status=400)
    finally:
        desk_server.clock.move(-timedelta(days=1))
    assert refused["code"] == "RESELLER_PROGRAM_DISABLED"
    assert await written(selling) == (0, 0, 0, 0)


async def test_begins_one_relationship_however_often_it_is_sent(selling, guest):
    _, token = await invitation(selling)
    body = {"token": token, "name": "Ada", "password": PASSWORD}
    answers = await asyncio.gather(*(guest.send("POST", ACCEPT, json=body) for _ in range(4)))
    assert sorted(each.status_code for each in answers) == [201, 409, 409, 409]
    assert await written(selling) == (1, 1, 1, 1)


async def test_adds_another_shop_to_an_account(selling, desk_server, guest, ada):
    other = await Reselling.open(selling.database, selling.clock, channel=CHANNEL)
    _, token = await invitation(other, email=ada.email.upper())
    body = {"token": token, "name": "Eve", "password": "another quiet harbour"}
    assert list(await guest.fields_refused("POST", ACCEPT, json=body)) == ["password"]
    assert await written(other) == (0, 0, 0, 0)
    told = await guest.data("POST", ACCEPT, json={**body, "password": PASSWORD}, status=201)
    assert told["person"]["name"] == "Ada"
    assert await written(other) == (1, 0, 1, 1)
    mine = await ada.data("GET", f"{PORTAL}/relationships")
    assert {each["id"] for each in mine} == {told["relationship"]["id"], ada.relationship_id}


async def test_asks_who_is_signed_in_for_nothing_more(selling, ada):
    other = await Reselling.open(selling.database, selling.clock, channel=CHANNEL)
    _, token = await invitation(other, email=ada.email)
    told = await ada.data("POST", ACCEPT, json={"token": token}, status=201)
    assert told["session"] is None
    assert await written(other) == (1, 0, 1, 1)


async def test_takes_no_invitation_of_another_address(selling, ada):
    _, token = await invitation(selling)
    assert "password" in await ada.fields_refused("POST", ACCEPT, json={"token": token})


async def test_asks_for_the_second_factor(selling, guest):
    async with selling.database.begin() as tx:
        person = await make_person(tx, role="owner", with_totp=True)
    code = code_at(selling.clock.now().timestamp())
    _, token = await invitation(selling, email=person.email)
    body = {"token": token, "password": PASSWORD}
    assert list(await guest.fields_refused("POST", ACCEPT, json=body)) == ["code"]
    wrong = await guest.fields_refused("POST", ACCEPT, json={**body, "code": "000000"})
    assert list(wrong) == ["code"]
    login = {"email": person.email, "password": PASSWORD}
    assert "code" in (await guest.refusal("POST", SESSIONS, json=login, status=401))["message"]
    async with selling.database.statement() as tx:
        assert (
            await tx.value("select count(*) from sessions where principal_id = %s", (person.id,))
            == 0
        )
    told = await guest.data("POST", ACCEPT, json={**body, "code": code}, status=201)
    assert told["person"]["has_second_factor"] is True


async def test_signs_in_and_out(desk_server, guest, ada):
    login = {"email": ada.email, "password": PASSWORD}
    told = await guest.data("POST", SESSIONS, json=login, status=201)
    async with KeyHolder(desk_server.url, key=told["session"]["token"]) as again:
        assert (await again.data("GET", f"{PORTAL}/me"))["person"]["email"] == ada.email
        await again.ask("DELETE", f"{SESSIONS}/current", status=204)
        refused = await again.refusal("GET", f"{PORTAL}/me", status=401)
    assert refused["code"] == "UNAUTHORIZED"
    await ada.data("GET", f"{PORTAL}/me")


async def test_holds_back_who_guesses(guest, ada):
    login = {"email": ada.email, "password": "quiet harbour, ten boats"}
    statuses = [(await guest.send("POST", SESSIONS, json=login)).status_code for _ in range(12)]
    assert set(statuses) == {401, 429}
    held = await guest.send("POST", SESSIONS, json={**login, "password": PASSWORD})
    assert (held.status_code, int(held.headers["retry-after"]) > 0) == (429, True)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "me"), ("GET", "relationships"), ("DELETE", "sessions/current")],
)
async def test_answers_nobody_without_a_session(guest, keys, desk_server, method, path):
    for caller in (guest, await keys()):
        refused = await caller.refusal(method, f"{PORTAL}/{path}", status=401)
        assert refused["code"] == "UNAUTHORIZED"
    async with KeyHolder(desk_server.url, key="x" * 43) as stranger:
        await stranger.refusal(method, f"{PORTAL}/{path}", status=401)


async def test_reads_no_cookie(guest, ada):
    headers = {"Cookie": f"crossdock={ada.key}"}
    await guest.refusal("GET", f"{PORTAL}/me", headers=headers, status=401)


async def test_is_no_door_for_other_families_of_tokens(ada):
    await ada.refusal("GET", "/dev/v1/me", status=401)
    await ada.refusal("GET", "/reseller/v1/me", status=401)


KEYS = f"{PORTAL}/api-keys"


async def test_makes_keys_that_work_until_they_are_revoked(desk_server, ada):
    made = await ada.data("POST", KEYS, status=201)
    assert made["api_key"].startswith("shr_")
    assert made["dynamic_url"] == (
        f"{desk_server.url}/reseller/v1/fulfillments/dynamic?api_key={made['api_key']}"
        "&external_order_id={external_order_id}&customer_email={customer_email}"
        "&product_id={product_id}&quantity={quantity}"
    )
    async with KeyHolder(desk_server.url, key=made["api_key"]) as store:
        assert (await store.data("GET", "/reseller/v1/me"))["api_key"]["id"] == made["id"]
        [listed] = await ada.data("GET", KEYS)
        assert (listed["id"], listed["revoked_at"]) == (made["id"], None)
        assert made["api_key"] not in str(listed)
        await ada.ask("DELETE", f"{KEYS}/{made['id']}", status=204)
        await ada.ask("DELETE", f"{KEYS}/{made['id']}", status=204)
        await store.refusal("GET", "/reseller/v1/me", status=401)
    [listed] = await ada.data("GET", KEYS)
    assert listed["revoked_at"] is not None


async def test_makes_no_more_keys_than_somebody_needs(selling, ada):
    answers = [await ada.send("POST", KEYS) for _ in range(21)]
    assert [each.status_code for each in answers] == [201] * 20 + [400]
    told = answers[-1].json()["error"]
    assert (told["code"], told["message"]) == (
        "QUANTITY_OUT_OF_RANGE",
        "A reseller has at most 20 keys; revoke one first.",
    )
    assert len(await ada.data("GET", KEYS)) == 20


async def test_makes_keys_of_active_relationships_alone(selling, desk_server, ada):
    made = await ada.data("POST", KEYS, status=201)
    other = await ada.data("POST", KEYS, status=201)
    async with KeyHolder(desk_server.url, key=made["api_key"]) as store:
        await move(selling, ada, "suspend")
        await store.refusal("GET", "/reseller/v1/me", status=401)
        refused = await ada.refusal("POST", KEYS, status=409)
        assert refused["code"] == "INVALID_STATE"
        await ada.ask("DELETE", f"{KEYS}/{other['id']}", status=204)
        assert (await ada.data("GET", f"{PORTAL}/balance"))["balance"] == "0.00"
        await move(selling, ada, "reactivate")
        await store.data("GET", "/reseller/v1/me")
        await move(selling, ada, "terminate")
        await store.refusal("GET", "/reseller/v1/me", status=401)
    keys = await ada.data("GET", KEYS)
    assert all(each["revoked_at"] for each in keys)
    await ada.refusal("POST", KEYS, status=409)
    assert (await ada.data("GET", f"{PORTAL}/me"))["relationships"][0]["status"] == "TERMINATED"


async def move(selling: Reselling, member: Member, action: Action) -> None:
    async with selling.database.begin() as tx:
        await move_reseller(
            tx,
            shop_id=selling.shop.id,
            reseller_id=member.reseller.id,
            action=action,
            now=selling.clock.now(),
        )


async def test_finds_nothing_of_another_reseller(selling, desk_server, ada):
    made = await ada.data("POST", KEYS, status=201)
    elsewhere = await Reselling.open(selling.database, selling.clock, channel=CHANNEL)
    async with joined(selling, desk_server.url) as eve, joined(elsewhere, desk_server.url) as bob:
        for stranger in (eve, bob):
            await stranger.refusal("DELETE", f"{KEYS}/{made['id']}", status=404)
            for path in ("api-keys", "balance", "statement", "products", "dynamic-url"):
                chosen = f"{PORTAL}/{path}?relationship_id={ada.relationship_id}"
                refused = await stranger.refusal("GET", chosen, status=404)
                assert refused["code"] == "NOT_FOUND"
            chosen = f"{KEYS}?relationship_id={ada.relationship_id}"
            await stranger.refusal("POST", chosen, status=404)
            assert await stranger.data("GET", KEYS) == []
        own = f"{PORTAL}/balance?relationship_id={eve.relationship_id}"
        await eve.data("GET", own)
    assert [each["revoked_at"] for each in await ada.data("GET", KEYS)] == [None]


async def test_asks_who_has_several_relationships_which_one(selling, ada):
    other = await Reselling.open(selling.database, selling.clock, channel=CHANNEL)
    _, token = await invitation(other, email=ada.email)
    told = await ada.data("POST", ACCEPT, json={"token": token}, status=201)
    wrong = await ada.fields_refused("GET", f"{PORTAL}/balance")
    assert list(wrong) == ["relationship_id"]
    for one in (ada.relationship_id, told["relationship"]["id"]):
        await ada.data("GET", f"{PORTAL}/balance?relationship_id={one}")


async def test_states_the_balance_in_three_formats(selling, ada):
    licence = await selling.licence("K-1", "K-2")
    async with selling.database.begin() as tx:
        await selling.credit(tx, ada.reseller, 5_000)
        partner = await read_partner(tx, partner_id=ada.reseller.partner_id)
    await selling.fulfil(partner, licence, external_order_id="order-7")
    selling.clock.move(timedelta(seconds=1))
    path = f"{PORTAL}/statement"
    told = await ada.ask("GET", f"{path}?limit=1")
    assert told["statement"] == {
        "currency": "USD", "opening_balance": "0.00", "closing_balance": "40.00", "lines": 2,
        "since": None, "until": told["statement"]["until"],
    }  # fmt: skip
    [first] = told["data"]
    assert (first["kind"], first["amount"], first["balance"]) == ("top_up", "50.00", "50.00")
    cursor = told["pagination"]["next_cursor"]
    rest = await ada.ask("GET", f"{path}?limit=1&cursor={cursor}")
    [second] = rest["data"]
    assert (second["kind"], second["amount"], second["balance"]) == (
        "fulfilment",
        "-10.00",
        "40.00",
    )
    assert second["external_order_id"] == "order-7"
    assert rest["pagination"] == {"next_cursor": None, "has_more": False}

    sheet = await ada.send("GET", f"{path}?format=csv&from=2020-01-01")
    assert sheet.headers["content-type"] == "text/csv; charset=utf-8"
    assert sheet.headers["content-disposition"].startswith('attachment; filename="statement-2020')
    rows = [line.split(",") for line in sheet.text.splitlines()]
    assert [row[2] for row in rows[1:]] == ["opening", "top_up", "fulfilment", "closing"]
    assert (rows[3][0], rows[3][6], rows[3][8]) == (
        second["id"],
        second["order_id"],
        second["fulfillment_id"],
    )
    paper = await ada.send("GET", f"{path}?format=pdf")
    assert (paper.headers["content-type"], paper.content[:5]) == ("application/pdf", b"%PDF-")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=yesterday", "from"),
        ("to=2026-13-01", "to"),
        ("from=2026-03-02&to=2026-03-02", "to"),
        ("format=xml", "format"),
        ("cursor=x", "cursor"),
        ("limit=0", "limit"),
    ],
)
async def test_refuses_a_statement_of_nothing(ada, query, field):
    wrong = await ada.fields_refused("GET", f"{PORTAL}/statement?{query}")
    assert list(wrong) == [field]


async def test_shows_the_address_for_tools(desk_server, ada):
    told = await ada.data("GET", f"{PORTAL}/dynamic-url")
    assert told["url_template"].startswith(f"{desk_server.url}/reseller/v1/fulfillments/dynamic?")
    for name in told["placeholders"]:
        assert f"{name}={{{name}}}" in told["url_template"]
    assert (await ada.ask("GET", f"{PORTAL}/products"))["data"] == []


async def test_of_a_suspended_shop_reads_and_writes_nothing(selling, ada):
    async with selling.database.begin() as tx:
        await suspend_shop(tx, shop_id=selling.shop.id, now=selling.clock.now())
    refused = await ada.refusal("POST", KEYS, status=403)
    assert refused["message"] == "Your shop has been suspended."
    assert await ada.data("GET", KEYS) == []


async def test_takes_no_token_out_of_the_address(ada, guest):
    token = ada.key
    refused = await guest.refusal("GET", f"{PORTAL}/me?={token}", status=401)
    assert refused["code"] == "UNAUTHORIZED"
