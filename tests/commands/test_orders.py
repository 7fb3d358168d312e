"""`crossdock order`..."""

import asyncio
import json
from pathlib import Path

import pytest

from crossdock.db.unit_of_work import Database
from tests.support.command_line import CommandLine
from tests.support.factories import ShopFixture, make_shop, make_variant
from tests.support.processes import run_command
from tests.support.simulators.stripe import KEY, StripeSimulator

CARD = "4242 4242 4242 4242\n12/2031\n737\n"


@pytest.fixture
def line(database_url: str, tmp_path: Path) -> CommandLine:
    return CommandLine(data_dir=tmp_path, database_url=database_url)


@pytest.fixture
async def shop(database: Database) -> ShopFixture:
    async with database.begin() as tx:
        shop = await make_shop(tx, currency="EUR")
        await make_variant(tx, shop=shop, own=5, sku="MUG", currency="EUR", price_minor=1250)
        return shop


def place(line: CommandLine, shop: ShopFixture, *more: str, stdin: str) -> str:
    """What placing two mugs prints with --json; the card goes in by standard input."""
    arguments = [*("order", "place", "--shop", shop.slug, "--customer", str(shop.customer_id))]
    ended = run_command(
        *arguments, "--line", "MUG=2", "--json", *more, settings=line.settings, stdin=stdin
    )
    return ended.stdout or ended.stderr


async def test_takes_an_order_with_a_card_from_placing_to_its_refund(
    line: CommandLine, shop: ShopFixture
) -> None:
    in_shop = ("--shop", shop.slug)

    placed = json.loads(place(line, shop, "--card", "--number", "T-1", stdin=CARD))
    order = placed["order_id"]
    paid = line.ask("order", "pay", "T-1", *in_shop)
    part = line.ask("order", "refund", order, *in_shop, "--amount", "5.00")
    whole = line.ask("order", "refund", order, *in_shop, "--goods-back")
    shown = line.ask("order", "show", order, *in_shop)

    assert placed["total_minor"] == 2500
    assert (paid["state"], paid["card_last4"]) == ("captured", "4242")
    assert (part["state"], part["refunded_minor"]) == ("partially_refunded", 500)
    assert (whole["state"], whole["refunded_minor"]) == ("refunded", 2500)
    assert (shown["fulfilment_state"], shown["payment_state"]) == ("cancelled", "refunded")
    assert shown["payments"] == [whole]
    assert "order_key" not in shown
    (listed,) = line.ask("order", "list", *in_shop, "--payment", "refunded")
    assert (listed["id"], listed["channel"], listed["partner_order_id"]) == (order, "staff", "T-1")
    told = line.run("order", "show", order, *in_shop).stdout
    assert "visa 4242: refunded" in told
    assert "25.00 EUR" in line.run("order", "list", *in_shop).stdout
    again = line.refuse("order", "refund", order, *in_shop)
    assert again == f"crossdock: Nothing that was paid for order {order} is left.\n"


async def test_gives_the_card_to_stripe_where_the_settings_have_its_key(
    database_url: str, tmp_path: Path, shop: ShopFixture
) -> None:
    account = StripeSimulator()
    async with account.server:
        line = CommandLine(
            data_dir=tmp_path,
            database_url=database_url,
            stripe_secret_key=KEY,
            stripe_api_url=account.server.url,
            allowed_outbound_hosts=account.server.host,
        )
        told = await asyncio.to_thread(place, line, shop, "--card", stdin=CARD)
        order = json.loads(told)["order_id"]
        await asyncio.to_thread(line.ask, "order", "pay", order, "--shop", shop.slug)
        unknown = ("--card", "--provider", "strip")
        refused = await asyncio.to_thread(place, line, shop, *unknown, stdin=CARD)

    assert [each["amount_received"] for each in account.intents.values()] == [2500]
    assert refused == "crossdock: There is no such payment provider.\n"


async def test_closes_a_paid_order_short_and_refunds_the_rest_at_once(
    line: CommandLine, shop: ShopFixture
) -> None:
    in_shop = ("--shop", shop.slug)
    placed = json.loads(place(line, shop, "--card", "--number", "T-1", stdin=CARD))
    line.ask("order", "pay", "T-1", *in_shop)
    line.ask("fulfil", "pick", placed["order_id"], "1=1", *in_shop)
    line.ask("fulfil", "pack", placed["order_id"], "1=1", *in_shop)
    line.ask("fulfil", "ship", placed["order_id"], *in_shop)

    closed = line.ask("fulfil", "close", "T-1", *in_shop)

    assert (closed["state"], closed["cancelled"]) == ("shipped", {"1": 1})
    assert (closed["given_back"], closed["amount_minor"]) == ("refund", 1250)
    (payment,) = line.ask("order", "show", "T-1", *in_shop)["payments"]
    assert (payment["state"], payment["refunded_minor"]) == ("partially_refunded", 1250)


@pytest.mark.parametrize(("options", "given_back"), [((), 0), (("--in-full",), 1250)])
async def test_closes_an_order_of_which_the_missing_unit_was_refunded_before(
    line: CommandLine, shop: ShopFixture, options: tuple[str, ...], given_back: int
) -> None:
    in_shop = ("--shop", shop.slug)
    placed = json.loads(place(line, shop, "--card", "--number", "T-1", stdin=CARD))
    line.ask("order", "pay", "T-1", *in_shop)
    line.ask("order", "refund", "T-1", "--amount", "12.50", *in_shop)
    for step in ("pick", "pack"):
        line.ask("fulfil", step, placed["order_id"], "1=1", *in_shop)
    line.ask("fulfil", "ship", placed["order_id"], *in_shop)

    closed = line.ask("fulfil", "close", "T-1", *options, *in_shop)

    assert closed["amount_minor"] == given_back
    (payment,) = line.ask("order", "show", "T-1", *in_shop)["payments"]
    assert payment["refunded_minor"] == 1250 + given_back


async def test_says_in_words_what_closing_gives_back(line: CommandLine, shop: ShopFixture) -> None:
    placed = json.loads(place(line, shop, "--number", "T-1", stdin=""))

    told = line.run("fulfil", "close", "T-1", "--shop", shop.slug).stdout

    assert " ".join(told.split()) == (
        f"Order {placed['order_id']} is cancelled: 2 of line 1 will not be shipped."
        " 25.00 EUR of it need not be paid."
    )


async def test_takes_an_order_on_account_and_notes_the_transfer(
    line: CommandLine, shop: ShopFixture
) -> None:
    in_shop = ("--shop", shop.slug)
    order = json.loads(place(line, shop, "--shipping", "5.95", stdin=""))["order_id"]

    told = line.refuse("order", "pay", order, *in_shop)
    paid = line.ask("order", "pay", order, *in_shop, "--reference", "Statement 7")

    assert told == "crossdock: Say what the bank calls the transfer, so that it is noted once.\n"
    assert (paid["provider"], paid["captured_minor"]) == ("transfer", 3095)
    accounts = line.ask("ledger", "accounts", *in_shop)
    assert {a["kind"]: a["balance_minor"] for a in accounts} == {
        "bank": -3095,
        "receivable": 0,
        "sales": 2500,
        "shipping": 595,
    }


async def test_cancels_an_order_and_lets_go_of_its_card(
    line: CommandLine, shop: ShopFixture
) -> None:
    in_shop = ("--shop", shop.slug)
    order = json.loads(place(line, shop, "--card", stdin=CARD))["order_id"]

    told = line.run("order", "cancel", order, *in_shop).stdout
    assert told == "cancelled. 25.00 EUR of it need not be paid.\n"

    shown = line.ask("order", "show", order, *in_shop)
    assert (shown["payment_state"], shown["payments"][0]["state"]) == ("voided", "voided")


async def test_cancels_a_paid_order_and_refunds_it_at_once(
    line: CommandLine, shop: ShopFixture
) -> None:
    in_shop = ("--shop", shop.slug)
    order = json.loads(place(line, shop, "--card", stdin=CARD))["order_id"]
    line.ask("order", "pay", order, *in_shop)

    line.ask("order", "cancel", order, *in_shop)

    shown = line.ask("order", "show", order, *in_shop)
    (payment,) = shown["payments"]
    assert (shown["payment_state"], payment["state"]) == ("refunded", "refunded")
    assert (payment["refunded_minor"], payment["refund_due_minor"]) == (2500, 0)


@pytest.mark.parametrize(
    ("stdin", "told"),
    [
        ("4000 0000 0000 0002\n12/2031\n737\n", "The payment was declined."),
        ("4242\n12/2031\n737\n", "The card's number cannot be right."),
        ("4242 4242 4242 4242\n12-2031\n737\n", "Give month and year as MM/YYYY."),
    ],
)
async def test_tells_what_is_wrong_with_a_card_and_not_its_number(
    line: CommandLine, shop: ShopFixture, stdin: str, told: str
) -> None:
    assert place(line, shop, "--card", stdin=stdin) == f"crossdock: {told}\n"


async def test_names_a_line_that_is_none(line: CommandLine, shop: ShopFixture) -> None:
    in_shop = ("--shop", shop.slug, "--customer", str(shop.customer_id))

    for text in ("MUG", "MUG=0", "MUG=" + "9" * 5000):
        assert line.refuse("order", "place", *in_shop, "--line", text) == (
            f"crossdock: {text!r} is not SKU=QUANTITY.\n"
        )


async def test_reads_out_the_serials_that_an_order_bought(
    line: CommandLine, shop: ShopFixture, database: Database, tmp_path: Path
) -> None:
    async with database.begin() as tx:
        await make_variant(tx, shop=shop, own=None, sku="KEY", currency="EUR")
    (tmp_path / "keys.txt").write_text("AAAA-1\nAAAA-2\n", encoding="utf-8")
    in_shop = ("--shop", shop.slug)
    line.ask("stock", "serials", "add", "KEY", *in_shop, "--file", tmp_path / "keys.txt")
    customer = ("--customer", str(shop.customer_id))
    placed = line.ask("order", "place", *in_shop, *customer, "--line", "KEY=1")
    order = placed["order_id"]
    assert line.ask("order", "serials", order, *in_shop) == {}

    line.ask("fulfil", "ship", order, *in_shop, "--all")

    ((bought,),) = line.ask("order", "serials", order, *in_shop).values()
    assert (bought["serial"], bought["revoked_at"]) == ("AAAA-1", None)
    assert line.run("order", "serials", order, *in_shop).stdout == "1  AAAA-1\n"

    announced = line.ask("fulfil", "return", "announce", order, *in_shop, "--all")
    number = line.ask("stock", "serials", "list", "KEY", *in_shop)[0]["id"]
    back = ("fulfil", "return", "receive", announced["return_id"], *in_shop, "--serial", number)
    told = line.run(*back).stdout
    assert told.endswith("is in; 0 back on the shelf, 1 serial revoked.\n")
    ((bought,),) = line.ask("order", "serials", order, *in_shop).values()
    assert bought["revoked_at"]
    assert "1  AAAA-1  revoked 20" in line.run("order", "serials", order, *in_shop).stdout
    first, second = line.ask("stock", "serials", "list", "KEY", *in_shop)
    assert (first["revoked_at"], second["revoked_at"]) == (bought["revoked_at"], None)
    assert "Revoked" in line.run("stock", "serials", "list", "KEY", *in_shop).stdout


async def test_refunds_a_line_and_tells_of_packages_of_carriers_that_nobody_asks(
    line: CommandLine, shop: ShopFixture
) -> None:
    in_shop = ("--shop", shop.slug)
    order = json.loads(place(line, shop, "--card", "--shipping", "4.00", stdin=CARD))["order_id"]
    line.ask("order", "pay", order, *in_shop)

    why = line.run("order", "refund-line", str(order), "1", "--reason", "whim", *in_shop)
    goods = line.ask("order", "refund-line", order, "1", "--reason", "agreement", *in_shop)
    again = line.run("order", "refund-line", str(order), "1", "--reason", "agreement", *in_shop)
    shipping = line.ask(
        "order", "refund-line", order, "1", "--reason", "agreement", "--with-shipping", *in_shop
    )
    tracked = line.ask(
        "fulfil", "track", order, "--all", "--carrier", "dhl", "--number", "N1", *in_shop
    )
    package = tracked["package_id"]
    line.ask("fulfil", "ship", order, *in_shop)
    seen = [
        line.ask(
            "fulfil", "checkpoint", package, "--code", "landed", "--place", "Delhi",
            "--at", "2031-01-02T03:04:05Z", *in_shop,
        )["added"]
        for _ in range(2)
    ]  # fmt: skip
    shown = line.ask("order", "show", order, *in_shop)

    assert "out_of_stock" in why.stderr
    assert (goods["amount_minor"], goods["payment_state"]) == (2500, "partially_refunded")
    assert "refunded already" in again.stderr
    assert (shipping["amount_minor"], shipping["payment_state"]) == (400, "refunded")
    assert seen == [1, 0]
    (found,) = shown["packages"]
    assert (found["carrier"], found["tracking_number"], found["state"]) == ("dhl", "N1", "shipped")
    assert found["landed_at"].startswith("2031-01-02T03:04:05")
    assert [(x["refunded_minor"], x["shipping_refunded"]) for x in shown["lines"]] == [(2900, True)]
