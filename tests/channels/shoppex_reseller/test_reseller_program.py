"""The reseller programme, as a merchant's back office manages it..."""

from decimal import Decimal
from typing import Any

import pytest

from crossdock.kit.ids import RandomIds
from crossdock.shop.mailing import SECRETS, list_mails, read_mail
from crossdock.shop.resellers import accept_invitation
from tests.support.factories import box, make_shop
from tests.support.reseller_client import CHANNEL, KeyHolder

PROGRAM = "/dev/v1/reseller-program"
SEED = {
    "is_enabled": True,
    "default_mode": "BOTH",
    "default_commission_percent": 25,
    "default_wholesale_discount_percent": 35,
    "min_payout_threshold": 50,
}


@pytest.fixture
async def enabled(merchant: KeyHolder) -> KeyHolder:
    await merchant.data("PATCH", PROGRAM, json=SEED)
    return merchant


@pytest.fixture
async def product(desk_database, desk, merchant) -> str:
    """The id of a product of the shop."""
    from tests.support.factories import make_variant

    async with desk_database.begin() as tx:
        variant = await make_variant(tx, shop=desk)
        number = await tx.value("select product_id from variants where id = %s", (variant,))
    return await wire_id(desk_database, desk.id, "PRODUCT", number)


async def wire_id(db: Any, shop_id: int, kind: str, number: int) -> str:
    from crossdock.channels.shoppex_reseller.ids import Kind, ShopIds

    return (await ShopIds(db).of(shop_id)).write(Kind[kind], number)


async def accepted(db: Any, server: Any, merchant: KeyHolder, **invited: Any) -> str:
    """The id of a relationship from an invitation."""
    body = {"email": "partner@example.com"} | invited
    made = await merchant.data("POST", "/dev/v1/resellers/invite", json=body, status=201)
    async with db.begin() as tx:
        await accept_invitation(
            tx,
            token=made["invitation"]["token"],
            channel=CHANNEL,
            ids=RandomIds(),
            now=server.clock.now(),
        )
    listed = await merchant.data("GET", f"/dev/v1/resellers?email={body['email']}&status=ACTIVE")
    return str(listed[0]["id"])


async def test_is_off_with_defaults_before_it_is_set(merchant):
    told = await merchant.data("GET", PROGRAM)
    assert told.pop("id") != told.pop("shop_id")
    assert told == {
        "is_enabled": False, "default_mode": "AFFILIATE", "default_commission_percent": None,
        "default_wholesale_discount_percent": None, "min_payout_threshold": None,
        "require_verification": False, "terms_url": None, "created_at": None, "updated_at": None,
    }  # fmt: skip


async def test_keeps_what_is_absent_and_clears_what_is_null(merchant):
    first = await merchant.data("PATCH", PROGRAM, json=SEED, once="reseller-program-setup-1")
    then = await merchant.data("PATCH", PROGRAM, json={"default_commission_percent": None})
    assert (first["default_commission_percent"], first["min_payout_threshold"]) == (25, 50)
    assert first["updated_at"].endswith("Z")
    assert then["default_commission_percent"] is None
    assert (then["default_wholesale_discount_percent"], then["is_enabled"]) == (35, True)
    told = await merchant.data(
        "PATCH", PROGRAM, json={"default_mode": "WHOLESALE", "default_commission_percent": 12.5}
    )
    assert (told["default_mode"], told["default_commission_percent"]) == (
        "STOCK",
        Decimal("12.5"),
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("is_enabled", None),
        ("is_enabled", "yes"),
        ("default_mode", None),
        ("default_mode", "ALL"),
        ("default_commission_percent", 101),
        ("default_commission_percent", -1),
        ("default_wholesale_discount_percent", "much"),
        ("min_payout_threshold", -0.01),
        ("terms_url", "ftp://example.com"),
        ("terms_url", "example.com"),
    ],
)
async def test_refuses_what_it_cannot_be(merchant, field, value):
    wrong = await merchant.fields_refused("PATCH", PROGRAM, json={field: value})
    assert list(wrong) == [field]
    assert (await merchant.data("GET", PROGRAM))["created_at"] is None


async def test_invites_as_the_seed_does_by_mail(enabled, product, desk, desk_database):
    body = {
        "email": " Partner@Example.com ",
        "mode": "BOTH",
        "custom_commission_percent": 30,
        "purchase_limit_daily": 50,
        "product_access": [
            {"product_id": product, "commission_percent_override": 30, "max_quantity": 100}
        ],
    }
    once = "reseller-invite-partner-example"
    made = await enabled.data("POST", "/dev/v1/resellers/invite", json=body, status=201, once=once)
    again = await enabled.data("POST", "/dev/v1/resellers/invite", json=body, status=201, once=once)
    assert again["invitation"]["id"] == made["invitation"]["id"]
    invitation = made["invitation"]
    assert invitation["accept_url"].endswith(invitation["token"])
    assert (invitation["email"], invitation["invite_type"], invitation["accepted_at"]) == (
        "partner@example.com",
        "RESELLER",
        None,
    )
    assert (made["email_delivery"]["status"], made["email_delivery"]["error"]) == ("queued", None)
    async with desk_database.statement() as tx:
        [mail] = await list_mails(tx, shop_id=desk.id)
        content = await read_mail(tx, shop_id=desk.id, mail_id=mail.id, box=box(), reveals=SECRETS)
    assert mail.to == "partner@example.com"
    told = invitation["accept_url"].removesuffix(invitation["token"])
    [mailed] = {each for each in content.text.split() if each.startswith(told)}
    assert mailed != invitation["accept_url"]


async def test_shows_a_reseller_whose_invitation_was_accepted(
    enabled, product, desk_database, desk_server
):
    access = {"product_id": product, "wholesale_price_override": 7.77, "min_quantity": 2}
    reseller_id = await accepted(
        desk_database, desk_server, enabled, product_access=[access], product_ids=[product]
    )
    told = await enabled.data("GET", f"/dev/v1/resellers/{reseller_id}")
    assert (told["status"], told["mode"], told["email"]) == (
        "ACTIVE",
        "BOTH",
        "partner@example.com",
    )
    assert told["product_access"] == [
        {
            "product_id": product, "commission_percent_override": None,
            "wholesale_price_override": Decimal("7.77"), "min_quantity": 2, "max_quantity": None,
            "auto_fulfilled_enabled": True, "min_resale_price": None, "max_resale_price": None,
        }
    ]  # fmt: skip
    changed = await enabled.data(
        "PATCH", f"/dev/v1/resellers/{reseller_id}", json={"product_access": None, "mode": "stock"}
    )
    assert (changed["product_access"], changed["mode"]) == (None, "STOCK")
    none = await enabled.data("PATCH", f"/dev/v1/resellers/{reseller_id}", json={"product_ids": []})
    assert none["product_access"] == []


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["email"]),
        ({"email": "nobody"}, ["email"]),
        ({"email": "a@b.example", "expires_in_days": 91}, ["expires_in_days"]),
        ({"email": "a@b.example", "mode": "ALL"}, ["mode"]),
        ({"email": "a@b.example", "purchase_limit_daily": -1}, ["purchase_limit_daily"]),
        ({"email": "a@b.example", "product_ids": ["x"]}, ["product_ids[0]"]),
        ({"email": "a@b.example", "product_access": [{}]}, ["product_access[0].product_id"]),
        (
            {"email": "a@b.example", "product_access": [{"product_id": "x"}]},
            ["product_access[0].product_id"],
        ),
    ],
)
async def test_invites_nobody_with_wrong_fields(enabled, body, fields):
    wrong = await enabled.fields_refused("POST", "/dev/v1/resellers/invite", json=body)
    assert list(wrong) == fields


async def test_names_the_place_of_a_product_with_wrong_terms(enabled, product):
    path, email = "/dev/v1/resellers/invite", {"email": "a@b.example"}
    crossed = {"product_id": product, "min_quantity": 3, "max_quantity": 2}
    resale = {"product_id": product, "min_resale_price": 3, "max_resale_price": 2}
    for entry, field in ((crossed, "max_quantity"), (resale, "max_resale_price")):
        wrong = await enabled.fields_refused("POST", path, json=email | {"product_access": [entry]})
        assert list(wrong) == [f"product_access[0].{field}"]
    twice = [{"product_id": product}] * 2
    wrong = await enabled.fields_refused("POST", path, json=email | {"product_access": twice})
    assert list(wrong) == ["product_access[1].product_id"]


async def test_names_the_place_of_a_product_that_was_removed(enabled, product, desk, desk_database):
    async with desk_database.begin() as tx:
        await tx.run("delete from products where shop_id = %s", (desk.id,))
    wrong = await enabled.fields_refused(
        "POST",
        "/dev/v1/resellers/invite",
        json={"email": "a@b.example", "product_ids": [product]},
    )
    assert list(wrong) == ["product_ids[0]"]


async def test_invites_nobody_while_it_is_off_or_who_is_a_reseller(
    merchant, desk_database, desk_server
):
    path, body = "/dev/v1/resellers/invite", {"email": "partner@example.com"}
    error = await merchant.refusal("POST", path, json=body, status=400)
    assert error["code"] == "RESELLER_PROGRAM_DISABLED"
    await merchant.data("PATCH", PROGRAM, json=SEED)
    await accepted(desk_database, desk_server, merchant)
    error = await merchant.refusal("POST", path, json=body, status=409)
    assert error["code"] == "CONFLICT"


async def test_lists_resellers_by_pages_of_one(enabled, desk_database, desk_server):
    assert await enabled.ask("GET", "/dev/v1/resellers") == {
        "data": [],
        "pagination": {"next_cursor": None, "has_more": False},
    }
    made = [
        await accepted(desk_database, desk_server, enabled, email=f"r{n}@example.com")
        for n in range(5)
    ]
    found, cursor = [], ""
    while True:
        page = await enabled.ask("GET", f"/dev/v1/resellers?limit=1{cursor}")
        found += [each["id"] for each in page["data"]]
        if not page["pagination"]["has_more"]:
            break
        cursor = f"&cursor={page['pagination']['next_cursor']}"
    assert found == made[::-1]
    await enabled.data("POST", f"/dev/v1/resellers/{made[0]}/suspend")
    told = await enabled.data("GET", "/dev/v1/resellers?status=SUSPENDED&mode=BOTH")
    assert [each["id"] for each in told] == [made[0]]
    wrong = await enabled.fields_refused("GET", "/dev/v1/resellers?status=GONE&limit=0")
    assert "limit" in wrong or "status" in wrong


async def test_suspends_and_terminates_without_a_body(enabled, desk_database, desk_server):
    path = f"/dev/v1/resellers/{await accepted(desk_database, desk_server, enabled)}"
    told = await enabled.data("POST", f"{path}/suspend")
    assert (told["status"], told["suspended_at"] is None) == ("SUSPENDED", False)
    assert await enabled.data("POST", f"{path}/suspend") == told
    told = await enabled.data("POST", f"{path}/terminate", json={})
    assert (told["status"], told["terminated_at"] is None) == ("TERMINATED", False)
    assert await enabled.data("POST", f"{path}/terminate") == told
    for method, route, body in (("POST", f"{path}/suspend", {}), ("PATCH", path, {"mode": "BOTH"})):
        error = await enabled.refusal(method, route, json=body, status=409)
        assert error["code"] == "INVALID_STATE"


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", PROGRAM, "reseller_programs.read"),
        ("PATCH", PROGRAM, "reseller_programs.write"),
        ("GET", "/dev/v1/resellers", "resellers.read"),
        ("GET", "/dev/v1/resellers/x", "resellers.read"),
        ("POST", "/dev/v1/resellers/invite", "resellers.write"),
        ("PATCH", "/dev/v1/resellers/x", "resellers.write"),
        ("POST", "/dev/v1/resellers/x/suspend", "resellers.write"),
        ("POST", "/dev/v1/resellers/x/terminate", "resellers.write"),
    ],
)
async def test_asks_for_the_scope_of_each_route(keys, method, path, scope):
    others = {
        *("reseller_programs.read", "reseller_programs.write"),
        *("resellers.read", "resellers.write"),
    } - {scope}
    without, with_it = await keys(*sorted(others)), await keys(scope)
    body: dict[str, str] | None = {} if method != "GET" else None
    error = await without.refusal(method, path, json=body, status=403)
    assert error["code"] == "FORBIDDEN"
    assert (await with_it.send(method, path, json=body)).status_code != 403


async def test_of_another_shop_is_not_found(enabled, keys, desk_database, desk_server):
    reseller_id = await accepted(desk_database, desk_server, enabled)
    made = await enabled.data(
        "POST", "/dev/v1/resellers/invite", json={"email": "b@example.com"}, status=201
    )
    async with desk_database.begin() as tx:
        other = await make_shop(tx)
    foreign = await keys(shop_id=other.id)
    for holder, shown in ((foreign, reseller_id), (enabled, made["invitation"]["id"])):
        path = f"/dev/v1/resellers/{shown}"
        for method, route in (
            ("GET", path),
            ("PATCH", path),
            ("POST", f"{path}/suspend"),
            ("POST", f"{path}/terminate"),
        ):
            body: dict[str, str] | None = None if method == "GET" else {}
            error = await holder.refusal(method, route, json=body, status=404)
            assert error["code"] == "NOT_FOUND"


async def test_refuses_texts_that_no_database_holds(enabled):
    for email in ("a\x00@b.example", "a@b@c.example", "a@-b.example", "a..b@c.example"):
        invite = {"email": email}
        wrong = await enabled.fields_refused("POST", "/dev/v1/resellers/invite", json=invite)
        assert list(wrong) == ["email"]
    for number in ("%00", "x" * 3_000):
        path = f"/dev/v1/resellers/{number}/suspend"
        headers = {"Idempotency-Key": "odd-1"}
        error = await enabled.refusal("POST", path, headers=headers, status=404)
        assert error["code"] == "NOT_FOUND"
