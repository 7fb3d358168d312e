"""`crossdock reseller`..."""

from pathlib import Path

import pytest

from crossdock.channels.shoppex_reseller.ids import Kind, ShopIds
from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import SystemClock
from crossdock.shop.partners import BearerTokens, Callers
from crossdock.shop.resellers import StockRequest, request_stock
from tests.support.command_line import CommandLine
from tests.support.factories import box
from tests.support.reselling import Reselling

pytestmark = pytest.mark.slow


@pytest.fixture
def crossdock(database_url: str, tmp_path: Path) -> CommandLine:
    return CommandLine(data_dir=tmp_path, database_url=database_url)


async def test_leads_a_reseller_from_the_invitation_to_a_key(
    crossdock: CommandLine, database: Database
) -> None:
    shop = ("--shop", (await Reselling.open(database, SystemClock(), enabled=False)).shop.slug)
    told = crossdock.ask("reseller", "program", *shop, "--enable", "--discount", "35", "--verify")
    assert (told["enabled"], told["default_discount_bp"]) == (True, 3500)

    invited = crossdock.ask("reseller", "invite", "a@b.example", *shop, "--mode", "stock")
    assert invited["accept_url"].endswith(f"/portal/invite/token/{invited['token']}")
    [mail] = crossdock.ask("mail", "list", *shop)
    assert (mail["id"], mail["to"]) == (invited["mail_id"], "a@b.example")
    begun = crossdock.ask("reseller", "accept", invited["token"])
    who = begun["relationship_id"]
    assert (begun["status"], begun["mode"], begun["email"]) == ("invited", "stock", "a@b.example")
    assert "invited" in crossdock.refuse("reseller", "key", who)
    assert crossdock.ask("reseller", "approve", who)["status"] == "active"

    key = crossdock.ask("reseller", "key", who)
    assert (key["relationship_id"], key["api_key"][:4]) == (who, "shr_")
    callers = Callers(database, channel="shoppex_reseller", box=box(), clock=SystemClock())
    caller = await BearerTokens(callers).verify(token=key["api_key"], rate_limit_per_minute=0)
    assert caller.partner.id == begun["partner_id"]


async def test_credits_and_shows_a_balance(crossdock: CommandLine, database: Database) -> None:
    selling = await Reselling.open(database, SystemClock())
    reseller, _ = await selling.reseller()
    ids = await ShopIds(database).of(selling.shop.id)
    who = ids.write(Kind.RELATIONSHIP, reseller.id)

    credited = crossdock.ask("reseller", "credit", reseller.id, "100.00", "--reference", "cash 1")
    assert credited == {"relationship_id": who, "balance": "100.00", "currency": "USD"}
    again = ("reseller", "credit", who, "100.00", "--reference", " cash 1 ")
    assert "cash 1 was credited before" in crossdock.refuse(*again)
    assert crossdock.ask("reseller", "credit", who, "-0.50")["balance"] == "99.50"
    assert "too low" in crossdock.refuse("reseller", "credit", who, "-99.51")
    shown = crossdock.ask("reseller", "show", who)
    assert (shown["balance"], shown["products"]) == ("99.50", None)
    told = crossdock.ask("reseller", "statement", who)
    assert [each["amount_minor"] for each in told["lines"]] == [10_000, -50]
    assert (told["opening_minor"], told["closing_minor"]) == (0, 9_950)
    lines = crossdock.run("reseller", "statement", who, "--csv").stdout.splitlines()
    assert [line.split(",")[2:6] for line in lines[1:]] == [
        ["opening", "", "0.00", "USD"],
        ["top_up", "100.00", "100.00", "USD"],
        ["adjustment", "-0.50", "99.50", "USD"],
        ["closing", "", "99.50", "USD"],
    ]
    past = ("--from", "2020-01-01", "--to", "2020-02-01")
    assert "Closing balance 0.00" in crossdock.run("reseller", "statement", who, *past).stdout
    assert "--format must be" in crossdock.refuse("reseller", "statement", who, "--format", "xml")


async def test_lists_and_revokes_keys(crossdock: CommandLine, database: Database) -> None:
    selling = await Reselling.open(database, SystemClock(), channel="shoppex_reseller")
    reseller, _ = await selling.reseller()
    made = crossdock.ask("reseller", "key", reseller.id)
    [key] = crossdock.ask("reseller", "keys", reseller.id)
    assert made["api_key"].startswith(key["prefix"].rstrip("…"))
    revoked = crossdock.ask("reseller", "revoke-key", reseller.id, key["id"])
    assert revoked["revoked_at"] is not None
    assert revoked["id"] in crossdock.run("reseller", "keys", reseller.id).stdout
    other, _ = await selling.reseller("other@example.com")
    assert "no such key" in crossdock.refuse("reseller", "revoke-key", other.id, key["id"])
    assert "There is no reseller" in crossdock.refuse("reseller", "keys", "9" * 20)
    assert "{api_key}" in crossdock.ask("reseller", "url")["url_template"]


async def test_suspends_and_ends_relationships(crossdock: CommandLine, database: Database) -> None:
    selling = await Reselling.open(database, SystemClock())
    reseller, _ = await selling.reseller()
    who = str(reseller.id)
    assert crossdock.ask("reseller", "suspend", who)["status"] == "suspended"
    assert crossdock.ask("reseller", "reactivate", who)["status"] == "active"
    assert crossdock.ask("reseller", "terminate", who)["status"] == "terminated"
    assert "terminated" in crossdock.refuse("reseller", "reactivate", who)
    assert "status: terminated" in crossdock.run("reseller", "show", who).stdout
    listed = crossdock.run("reseller", "list", "--shop", selling.shop.slug).stdout
    assert "partner@example.com" in listed
    assert "no reseller" in crossdock.refuse("reseller", "show", "nobody")


async def test_sells_and_delivers_stock(
    crossdock: CommandLine, database: Database, tmp_path: Path
) -> None:
    selling = await Reselling.open(database, SystemClock())
    licence = await selling.licence()
    keys = tmp_path / "keys.txt"
    keys.write_text("SECRET-1\nSECRET-2\n", encoding="utf-8")
    shop = ("--shop", selling.shop.slug, "--file", keys)
    crossdock.ask("stock", "serials", "add", licence.variant_id, *shop)
    reseller, _ = await selling.reseller()
    async with database.begin() as tx:
        made = await request_stock(
            tx,
            shop_id=selling.shop.id,
            reseller_id=reseller.id,
            request=StockRequest(product_id=licence.product_id, quantity=2),
            now=selling.clock.now(),
        )
    who, transfers = str(reseller.id), ("reseller", "transfers")
    asked = crossdock.ask(*transfers, "show", who, made.id)
    assert (asked["status"], asked["total"], asked["allocated"]) == ("requested", "20.00", 0)
    assert "requested" in crossdock.refuse(*transfers, "allocate", who, made.id)
    shown = asked["transfer_id"]
    assert crossdock.ask(*transfers, "mark-paid", who, shown)["payment_source"] == "manual"
    assert crossdock.ask(*transfers, "allocate", who, shown)["allocated"] == 2
    stock = crossdock.ask("reseller", "inventory", "list", who, "--status", "available")
    assert [each["serial"] for each in stock] == ["••••ET-2", "••••ET-1"]
    done = crossdock.run(
        "reseller", "inventory", "deliver", who, stock[1]["item_id"], "a@b.example"
    )
    assert "status: delivered" in done.stdout
    assert "SECRET" not in done.stdout
    assert crossdock.ask(*transfers, "revoke", who, shown)["delivered"] == 1
    settle = ("reseller", "settle", who)
    left = crossdock.ask(*settle)
    assert (left["settled"], left["left"], left["balance"]) == ("0.00", "10.00", "0.00")
    first = (*settle, "--to", "payout", "--amount", "4.00")
    assert "so that it is noted once" in crossdock.refuse(*first)
    assert crossdock.ask(*first, "--reference", "R-1")["left"] == "6.00"
    assert "R-1 was settled before" in crossdock.refuse(*first, "--reference", "R-1")
    rest = (*settle, "--to", "balance", "--reference", "R-2")
    assert "No more is settled" in crossdock.refuse(*rest, "--amount", "6.01")
    assert "--to must be" in crossdock.refuse(*settle, "--to", "bank")
    done = crossdock.ask(*rest)
    assert (done["settled"], done["left"], done["balance"]) == ("6.00", "0.00", "6.00")
    assert crossdock.ask(*transfers, "list", who, "--status", "paid") == []
    assert "20.00" in crossdock.run(*transfers, "list", who).stdout
    assert "must be one of" in crossdock.refuse(*transfers, "list", who, "--status", "odd")
