"""`crossdock partner`: one partner's life, told by its commands and by the running server."""

import itertools
import sys

import pytest

from crossdock.channels.registry import channel_facts
from crossdock.kit.money import parse_amount
from tests.support.partner_client import PartnerClient

CHANNEL = ("--channel", "shoppex_partner", "--shop", "demo")
_names = itertools.count(1)


def add(demo, *words):
    sets = [argument for word in words for argument in ("--set", word)]
    return demo.ask("partner", "add", *CHANNEL, "--name", f"Acme {next(_names)}", *sets)


def client(server, created, **changes):
    return PartnerClient(
        server.url, key=created["key"], secret=changes.get("secret", created["secret"])
    )


async def test_adds_one_who_reads_at_once_and_orders_when_it_has_a_customer(demo, demo_server):
    created = add(demo, "customer=none")
    assert list(created) == ["partner_id", "shop", "channel", "name", "key", "secret"]
    assert (created["shop"], created["channel"]) == ("demo", "shoppex_partner")

    async with client(demo_server, created) as partner:
        listed = await partner.listed()
        product = next(i for i, row in listed.items() if (row["stock_quantity"] or 0) > 100)
        refused = await partner.order(product)
        demo.ask("partner", "set", created["partner_id"], "--set", "customer=demo")
        accepted = await partner.order(product)

    assert refused.json()["code"] == "partner_customer_not_configured"
    assert accepted.status_code == 201


async def test_sets_terms_that_the_server_keeps(demo, demo_server):
    created = add(
        demo,
        "customer=demo",
        "min_amount=100000.00",
        "visible_merchants=atelier-meridian",
        "backorder=yes",
    )
    shown = demo.ask("partner", "show", created["key"])
    assert shown["backorder"] is True
    assert shown["min_amount_minor"] == 10_000_000
    assert len(shown["visible_merchants"]) == 1

    async with client(demo_server, created) as partner:
        listed = await partner.listed()
        reply = await partner.order(next(iter(listed)))

    assert listed
    assert all(
        row["name"].split()[0] in {"Meridian", "Northquay", "Fil"} for row in listed.values()
    )
    assert reply.json()["code"] == "partner_order_amount_not_allowed"


async def test_rotates_a_secret_without_a_gap(demo, demo_server):
    created = add(demo)
    rotated = demo.ask("partner", "rotate", created["key"], "--overlap", "24h")
    assert rotated["key"] == created["key"]
    assert rotated["secret"] != created["secret"]

    async with client(demo_server, created) as old, client(demo_server, rotated) as new:
        assert (await old.products()).status_code == 200
        assert (await new.products()).status_code == 200
        assert "Two secrets are valid" in demo.refuse("partner", "rotate", created["key"])
        assert demo.ask("partner", "revoke-old", created["key"]) == {"revoked": 1}
        assert (await old.products()).status_code == 401
        assert (await new.products()).status_code == 200

    (credential,) = demo.ask("partner", "show", created["partner_id"])["credentials"]
    first, second = credential["secrets"]
    assert first["revoked_at"]
    assert first["last_used_at"]
    assert second["last_used_at"]


async def test_disables_and_enables_a_partner_and_a_key(demo, demo_server):
    created = add(demo)
    async with client(demo_server, created) as partner:
        for who in (created["partner_id"], created["key"]):
            assert (await partner.products()).status_code == 200
            demo.ask("partner", "disable", who)
            assert (await partner.products()).json()["code"] == "partner_auth_invalid_key"
            demo.ask("partner", "enable", who)
        assert (await partner.products()).status_code == 200


def test_knows_a_partner_by_its_number_where_a_web_shop_s_key_is_the_same(demo):
    web_shop = demo.ask("partner", "list", "--channel", "shopwedo")[0]
    key = web_shop["credentials"][0]["key"]
    assert str(web_shop["id"]) != key

    changed = demo.ask("partner", "set", key, "--set", "backorder=no")
    assert (str(changed["id"]), changed["channel"]) == (key, "shoppex_partner")
    assert demo.ask("partner", "disable", key)["active"] is False
    assert demo.ask("partner", "enable", key)["active"] is True
    assert demo.ask("partner", "show", web_shop["name"]) == web_shop


def test_gives_the_right_to_read_orders_only_where_it_is_named(demo):
    def rights(name, *more):
        words = ("--shop", "demo", "--name", name, *more)
        demo.ask("partner", "add", "--channel", "shoppable", *words)
        return set(demo.ask("partner", "show", name)["permissions"])

    usual = rights("Usual")

    assert "orders.feed" in usual
    assert "orders.read" not in usual
    assert rights("All", "--set", "permissions=all") == usual | {"orders.read"}


async def test_takes_a_permission_away(demo, demo_server):
    created = add(demo, "permissions=orders.create")
    async with client(demo_server, created) as partner:
        assert (await partner.products()).json()["code"] == "partner_permission_denied"


def test_never_shows_a_secret_again(demo):
    created = add(demo)
    for arguments in (("show", created["key"]), ("list",), ("list", "--json")):
        ended = demo.run("partner", *arguments)
        assert ended.returncode == 0
        assert created["secret"] not in ended.stdout + ended.stderr
        assert "sk_" not in ended.stdout


def test_tells_how_to_give_a_customer(demo):
    ended = demo.run("partner", "add", *CHANNEL, "--name", "Without customer", "--json")
    assert ended.returncode == 0
    assert "--set customer=demo" in ended.stderr


def test_asks_for_a_customer_only_where_orders_need_one(demo):
    ended = demo.run("partner", "add", "--channel", "shopwedo", "--shop", "demo", "--name", "Web 2")
    assert (ended.returncode, ended.stderr) == (0, "")


def test_shows_terms_as_set_takes_them(demo):
    created = add(demo, "customer=demo", "visible_merchants=atelier-meridian", "min_amount=50")
    rest = demo.run("partner", "set", created["partner_id"], "--set", "rate_limit_per_minute=9")
    shown = demo.run("partner", "show", created["partner_id"])
    assert rest.stdout == shown.stdout

    lines = [line.split(maxsplit=1) for line in shown.stdout.splitlines()]
    terms = dict(lines[4 : [name for name, _ in lines].index("key")])
    assert {"customer", "price_list", "rate_limit_per_minute"} <= set(terms)
    words = [word for name, text in terms.items() for word in ("--set", f"{name}={text}")]
    again = demo.run("partner", "set", created["partner_id"], *words)
    assert again.stdout == shown.stdout


def test_shows_all_merchants_as_all(demo):
    created = add(demo, "visible_merchants=atelier-meridian")
    changed = demo.run("partner", "set", created["partner_id"], "--set", "visible_merchants=all")
    assert ["visible_merchants", "all"] in [line.split() for line in changed.stdout.splitlines()]


def test_help_names_every_setting_of_every_channel(demo):
    for command in ("add", "set"):
        told = " ".join(demo.run("partner", command, "--help").stdout.replace("│", " ").split())
        for facts in channel_facts().values():
            assert all(name in told for name in facts.settings), facts.name


@pytest.mark.parametrize("columns", [20, 40, 60, 80, 200])
def test_a_table_shows_every_key_whole(demo, columns):
    keys = [
        credential["key"]
        for partner in demo.ask("partner", "list")
        for credential in partner["credentials"]
    ]
    assert len(keys) > 3
    table = demo.shell(f"COLUMNS={columns} {sys.executable} -m crossdock partner list")
    words = set(table.replace("│", " ").split())
    assert set(map(str, keys)) <= words
    assert {"Backorder", "shoppex_partner", "shopwedo"} <= words
    assert "…" not in table


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--set", "backorders=yes"), "Did you mean backorder?"),
        (
            ("--channel", "shoppex"),
            "choose from shoppable, shoppex_partner, shoppex_reseller, shoppo",
        ),
        (("--shop", "dmeo"), "There is no shop 'dmeo'"),
        (("--name", "Demo partner"), "There is a shoppex_partner partner called 'Demo partner'"),
    ],
)
def test_refuses_with_a_reason(demo, arguments, told):
    name = ("--name", "Never added")
    assert told in demo.refuse("partner", "add", *CHANNEL, *name, *arguments)


def test_refuses_terms_that_contradict_what_is_set(demo):
    created = add(demo, "min_amount=50")
    told = demo.refuse("partner", "set", created["partner_id"], "--set", "max_amount=1")
    assert "min_amount" in told
    assert demo.ask("partner", "show", created["partner_id"])["max_amount_minor"] is None


async def test_offers_tell_what_it_sees_pays_and_may_buy(demo, demo_server):
    created = add(demo, "customer=demo", "visible_merchants=atelier-meridian")
    async with client(demo_server, created) as partner:
        listed = await partner.listed()
    product, row = next((i, r) for i, r in listed.items() if r["stock_quantity"])
    other = add(demo, "customer=demo")
    async with client(demo_server, other) as partner:
        hidden = next(i for i in await partner.listed() if i not in listed)

    (offer,) = demo.ask("partner", "offers", created["partner_id"], product, hidden)

    assert offer["id"] == product
    assert offer["visible"] is True
    assert offer["price_minor"] == parse_amount(row["price"], currency="USD")
    assert offer["shown"] == row["stock_quantity"]
    table = demo.run("partner", "offers", created["partner_id"], product).stdout
    assert str(product) in table
    nothing = demo.run("partner", "offers", created["partner_id"], hidden).stdout
    assert "sees none of them" in nothing
