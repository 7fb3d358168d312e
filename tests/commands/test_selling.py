"""`crossdock merchant`, `coupon` and `tax`: the terms on which a shop's merchants sell."""

import json
from pathlib import Path

import pytest

from tests.support.command_line import CommandLine

SHOP = ("--shop", "s")


@pytest.fixture
def shop(alone: CommandLine) -> CommandLine:
    """A command line with the shop s, in EUR and the time zone of Brussels."""
    alone.ask("shop", "add", "s", "--name", "S", "--currency", "EUR", "--country", "BE")
    return alone


def test_merchant_has_terms_that_are_added_changed_and_shown(shop: CommandLine):
    added = shop.ask(
        "merchant", "add", "Acme Tools", *SHOP, "--shipping", "5.95", "--free-from", "35",
        "--share", "12.5", "--customer-service-url", "https://acme.example/help", "--country", "be",
    )  # fmt: skip
    assert (added["slug"], added["country"], added["enabled"]) == ("acme-tools", "BE", True)
    assert added["terms"] == {
        "shipping_flat_minor": 595,
        "free_shipping_from_minor": 3500,
        "commission_bp": 1250,
        "customer_service_url": "https://acme.example/help",
        "return_policy_url": "",
        "connector": "",
    }

    shop.ask("connector", "add", "house", *SHOP, "--kind", "manual")
    changed = shop.ask(
        "merchant",
        "set",
        "acme-tools",
        *SHOP,
        "--free-from",
        "",
        "--connector",
        "house",
        "--disable",
    )

    kept = {"free_shipping_from_minor": None, "connector": "house"}
    assert changed["terms"] == added["terms"] | kept
    assert changed["enabled"] is False
    assert shop.ask("merchant", "show", added["id"], *SHOP) == changed
    assert shop.ask("merchant", "list", *SHOP) == [changed]
    told = shop.run("merchant", "show", "Acme Tools", *SHOP).stdout
    assert "5.95\u00a0EUR" in told
    assert "12.5 %" in told


def test_merchant_is_not_added_twice_nor_sent_to_a_connector_that_is_not_there(shop: CommandLine):
    shop.ask("merchant", "add", "Acme", *SHOP)
    before = shop.ask("merchant", "list", *SHOP)

    assert "already" in shop.refuse("merchant", "add", "ACME", *SHOP)
    assert "no connector 'x'" in shop.refuse("merchant", "set", "acme", *SHOP, "--connector", "x")
    assert "known are acme" in shop.refuse("merchant", "show", "nobody", *SHOP)
    assert "Say what to change" in shop.refuse("merchant", "set", "acme", *SHOP)
    assert "write GB" in shop.refuse("merchant", "set", "acme", *SHOP, "--country", "UK")
    assert "0 to 100" in shop.refuse("merchant", "set", "acme", *SHOP, "--share", "101")
    assert shop.ask("merchant", "list", *SHOP) == before


def test_merchant_keeps_its_terms_through_an_export_and_an_import(
    shop: CommandLine, tmp_path: Path
):
    shop.ask("connector", "add", "house", *SHOP, "--kind", "manual")
    shop.ask(
        "merchant", "add", "Acme", *SHOP, "--shipping", "5.95", "--free-from", "35", "--share", "10",
        "--return-policy-url", "https://acme.example/back", "--connector", "house",
    )  # fmt: skip
    before = shop.ask("merchant", "show", "acme", *SHOP)
    out = tmp_path / "s.jsonl"
    shop.ask("export", "--format", "jsonl", *SHOP, "--out", out)
    line = next(json.loads(row) for row in out.read_text().splitlines() if "merchant" in row)
    assert (line["shipping_flat_minor"], line["commission_bp"]) == (595, 1000)

    shop.ask("merchant", "set", "acme", *SHOP, "--shipping", "0", "--share", "0", "--connector", "")
    summary = shop.ask("import", out, "--format", "jsonl", *SHOP)

    assert summary["merchants_changed"] == 1
    assert shop.ask("merchant", "show", "acme", *SHOP) == before


def test_coupon_is_added_listed_disabled_and_enabled(shop: CommandLine):
    shop.ask("merchant", "add", "Acme", *SHOP)

    ten = shop.ask(
        "coupon", "add", "TEN", *SHOP, "--percent-off", "10", "--above", "25", "--merchant", "Acme",
        "--starts", "2026-07-01", "--ends", "2026-08-01T00:00+00:00",
    )  # fmt: skip
    assert ten == {
        "id": ten["id"],
        "code": "TEN",
        "given": "price",
        "kind": "percent_off",
        "currency": "EUR",
        "threshold_minor": 2500,
        "amount_minor": None,
        "percent_bp": 1000,
        "merchant": "acme",
        "product": "",
        "merchant_ids": None,
        "product_ids": None,
        "min_order_minor": 0,
        "max_discount_minor": None,
        "max_uses": None,
        "used_count": 0,
        "starts_at": "2026-06-30T22:00:00Z",
        "ends_at": "2026-08-01T00:00:00Z",
        "enabled": True,
        "created_at": ten["created_at"],
        "updated_at": ten["created_at"],
    }
    five = shop.ask("coupon", "add", "FIVE", *SHOP, "--amount-off", "5")
    free = shop.ask("coupon", "add", "FREE", *SHOP, "--free-shipping")
    assert (five["amount_minor"], free["kind"]) == (500, "free_shipping")
    assert shop.ask("coupon", "list", *SHOP) == [five, free, ten]
    disabled = shop.ask("coupon", "disable", "FIVE", *SHOP)
    assert disabled == five | {"enabled": False, "updated_at": disabled["updated_at"]}
    enabled = shop.ask("coupon", "enable", "five", *SHOP)
    assert enabled == five | {"updated_at": enabled["updated_at"]}
    table = shop.run("coupon", "list", *SHOP).stdout
    assert "5.00 EUR off" in table
    assert "10 % off" in table


def test_coupon_by_code_is_added_listed_and_disabled(shop: CommandLine):
    added = shop.ask(
        "coupon", "add-code", "Spring", *SHOP, "--percent-off", "12.5", "--min-order", "20",
        "--max-discount", "7.5", "--max-uses", "3",
    )  # fmt: skip
    terms = ("code", "given", "percent_bp", "min_order_minor", "max_discount_minor", "max_uses")
    assert [added[name] for name in terms] == ["spring", "code", 1250, 2000, 750, 3]
    assert shop.ask("coupon", "list", *SHOP) == [added]
    assert "0 of 3" in shop.run("coupon", "list", *SHOP).stdout
    assert shop.ask("coupon", "disable", "SPRING", *SHOP)["enabled"] is False
    for words, said in (
        (("A",), "Give one of"),
        (("spring", "--amount-off", "1"), "There is a coupon 'spring' already"),
        (("A", "--amount-off", "1", "--max-uses", "0"), "from 1 on"),
    ):
        assert said in shop.refuse("coupon", "add-code", *words, *SHOP)


def test_coupon_that_cannot_be_is_refused(shop: CommandLine):
    for words, said in (
        (("A",), "Give one of"),
        (("A", "--amount-off", "1", "--free-shipping"), "Give one of"),
        (("A", "--amount-off", "1", "--starts", "tomorrow"), "no date or time"),
        (("A,B", "--amount-off", "1"), "none of them a comma"),
        (("A", "--amount-off", "1", "--merchant", "x"), "no merchant 'x'"),
        (("A", "--amount-off", "1", "--product", "mug"), "names the product's merchant"),
    ):
        assert said in shop.refuse("coupon", "add", *words, *SHOP)
    assert shop.ask("coupon", "list", *SHOP) == []
    assert "no coupon 'A'" in shop.refuse("coupon", "disable", "A", *SHOP)


def test_tax_has_a_rate_for_each_region(shop: CommandLine):
    shop.ask("tax", "set", "us", "5", *SHOP)
    state = shop.ask("tax", "set", "US-tx", "8.25", *SHOP, "--on-shipping")

    assert state == {"country": "US", "state": "TX", "rate_bp": 825, "taxes_shipping": True}
    assert [rate["rate_bp"] for rate in shop.ask("tax", "list", *SHOP)] == [500, 825]
    assert shop.run("tax", "list", *SHOP).stdout == "US  5 %\nUS-TX  8.25 %, shipping too\n"
    assert shop.ask("tax", "remove", "US-TX", *SHOP) == {"removed": "US-TX"}
    assert "no rate of this region" in shop.refuse("tax", "remove", "US-TX", *SHOP)
    assert "no country code" in shop.refuse("tax", "set", "XX", "5", *SHOP)
    assert len(shop.ask("tax", "list", *SHOP)) == 1
