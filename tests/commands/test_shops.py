"""`crossdock shop` adds shops with their time zone, and changes it."""

from pathlib import Path

import pytest

from tests.support.command_line import CommandLine
from tests.support.pictures import photo


@pytest.mark.parametrize(
    ("country", "named", "kept"),
    [
        ("BE", None, "Europe/Brussels"),
        ("DE", None, "Europe/Berlin"),
        ("BE", "America/New_York", "America/New_York"),
    ],
)
def test_gives_a_shop_the_zone_that_is_named_or_its_country_s(
    alone: CommandLine, country: str, named: str | None, kept: str
):
    zone = ["--time-zone", named] if named else []
    done = alone.run("shop", "add", "s", "--name", "S", "--currency", "EUR",
                     "--country", country, *zone)  # fmt: skip
    assert (done.stdout, done.stderr) == (f"Added shop s (1), time zone {kept}.\n", "")
    [shop] = alone.ask("shop", "list")
    assert shop["time_zone"] == kept


def test_says_that_a_country_of_several_zones_tells_none(alone: CommandLine):
    done = alone.run("shop", "add", "s", "--name", "S", "--currency", "USD")
    assert done.returncode == 0
    assert done.stdout == "Added shop s (1), time zone UTC.\n"
    assert done.stderr == (
        "US has no single time zone: dates without one are read as UTC. To change it:\n"
        "  crossdock shop set s --time-zone America/New_York\n"
    )
    done = alone.run("shop", "set", "s", "--time-zone", "America/New_York")
    assert done.stdout == (
        "Shop s: S, US, languages en, currency USD, time zone America/New_York.\n"
    )
    assert alone.ask("shop", "list")[0]["time_zone"] == "America/New_York"


def test_refuses_a_zone_that_is_none_and_adds_nothing(alone: CommandLine):
    words = ("shop", "add", "s", "--name", "S", "--currency", "EUR", "--country", "BE")
    assert alone.refuse(*words, "--time-zone", "Brussels") == (
        "crossdock: There is no time zone 'Brussels'. Did you mean Europe/Brussels?\n"
    )
    assert alone.ask(*words)["id"] == 1
    assert "no time zone 'Nowhere'" in alone.refuse("shop", "set", "s", "--time-zone", "Nowhere")
    assert "Say what to change" in alone.refuse("shop", "set", "s")
    assert alone.ask("shop", "list")[0]["time_zone"] == "Europe/Brussels"


def test_takes_a_country_in_one_way_in_every_command(alone: CommandLine):
    """Refused with the code that is meant; small letters are capitals."""
    meant = "'UK' is no country code of ISO 3166-1; write GB for United Kingdom.\n"
    words = ("shop", "add", "s", "--name", "S", "--currency", "GBP", "--country")
    assert alone.refuse(*words, "UK").endswith(meant)
    shop = alone.ask(*words, "gb")
    assert (shop["country"], shop["time_zone"]) == ("GB", "Europe/London")
    customer = ("customer", "add", "--shop", "s", "--email", "a@b.example", "--set")
    assert alone.refuse(*customer, "address.country=UK").endswith(meant)
    assert alone.ask(*customer, "address.country=gb")["billing"]["country"] == "GB"
    sender = ("fulfil", "sender", "--shop", "s", "--set")
    assert alone.refuse(*sender, "country=UK").endswith(meant)
    assert alone.ask(*sender, "country=gb")["country"] == "GB"


def test_tells_how_a_partner_gets_its_promotions(alone: CommandLine):
    alone.ask("shop", "add", "s", "--name", "S", "--currency", "EUR", "--country", "BE")
    made = alone.ask("partner", "add", "--channel", "shopwedo", "--shop", "s", "--name", "W")
    who = made["partner_id"]
    shown = alone.ask("partner", "set", who, "--set", "promotion_price=discounted")
    assert shown["settings"]["promotion_price"] == "discounted"
    assert "discounted" in alone.run("partner", "show", who).stdout
    refused = alone.refuse("partner", "set", who, "--set", "promotion_price=net")
    assert "'net' is not allowed; choose from discount, discounted" in refused


def test_changes_what_was_given_when_it_was_added(alone: CommandLine):
    alone.ask("shop", "add", "s", "--name", "S", "--currency", "EUR", "--country", "BE")
    named = ("--name", "Sluis", "--languages", "nl, fr", "--country", "nl")
    changed = alone.ask("shop", "set", "s", *named)
    assert (changed["name"], changed["languages"]) == ("Sluis", ["nl", "fr"])
    assert (changed["country"], changed["time_zone"]) == ("NL", "Europe/Brussels")
    assert alone.ask("shop", "list") == [changed]


@pytest.mark.parametrize(
    ("option", "text", "told"),
    [
        ("--name", " ", "A shop needs a name"),
        ("--languages", "", "Languages must be codes"),
        ("--languages", "Dutch", "Languages must be codes"),
        ("--country", "UK", "write GB"),
    ],
)
def test_refuses_a_change_that_adding_would_refuse(
    alone: CommandLine, option: str, text: str, told: str
):
    before = alone.ask("shop", "add", "s", "--name", "S", "--currency", "EUR", "--country", "BE")
    assert told in alone.refuse("shop", "set", "s", "--time-zone", "UTC", option, text)
    assert alone.ask("shop", "list") == [before]


def test_says_where_the_pages_of_products_are(alone: CommandLine, tmp_path: Path):
    """By handle or SKU, written so in feeds; empty takes it away."""
    alone.ask("shop", "add", "s", "--name", "S", "--currency", "EUR", "--country", "BE")
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"sku": "a/1", "handle": "green jug", "name": "Jug", "retail": "1.50"}\n')
    alone.ask("import", rows, "--format", "jsonl", "--shop", "s")

    def feed() -> str:
        text = alone.run("export", "--format", "google-merchant", "--shop", "s").stdout
        assert text.count("<item>") == 1
        return text

    assert "<g:link>" not in feed()
    url = "https://shop.example/p/{handle}?v={sku}"
    done = alone.run("shop", "set", "s", "--product-url", f" {url} ")
    assert done.stdout == (
        "Shop s: S, BE, languages en, currency EUR, time zone Europe/Brussels."
        f" Its product pages are at {url}.\n"
    )
    assert alone.ask("shop", "list")[0]["product_url"] == url
    assert "<g:link>https://shop.example/p/green%20jug?v=a%2F1</g:link>" in feed()

    done = alone.run("shop", "set", "s", "--product-url", "")
    assert done.stdout.endswith("time zone Europe/Brussels.\n")
    assert alone.ask("shop", "list")[0]["product_url"] == ""
    assert "<g:link>" not in feed()


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example/p",
        "https://shop.example/{slug}",
        "shop.example/{handle}",
        "ftp://shop.example/{handle}",
        "https://shop.example/a b/{handle}",
        "https://{handle}",
    ],
)
def test_refuses_an_address_of_no_product_and_keeps_the_last(alone: CommandLine, url: str):
    alone.ask("shop", "add", "s", "--name", "S", "--currency", "EUR", "--country", "BE")
    kept = "https://shop.example/{sku}"
    alone.ask("shop", "set", "s", "--product-url", kept)
    assert alone.refuse("shop", "set", "s", "--name", "T", "--product-url", url) == (
        "crossdock: A product URL begins with https:// and contains {handle} or {sku}.\n"
    )
    [shop] = alone.ask("shop", "list")
    assert (shop["name"], shop["product_url"]) == ("S", kept)


def test_gives_a_shop_a_logo_and_takes_it_away(alone: CommandLine, tmp_path: Path):
    alone.run("shop", "add", "s", "--name", "S", "--currency", "EUR", "--country", "BE")
    picture, text = tmp_path / "logo.png", tmp_path / "logo.txt"
    picture.write_bytes(photo(kind="PNG"))
    text.write_text("no picture")

    done = alone.run("shop", "set", "s", "--logo", str(picture))
    kept = alone.ask("shop", "list")[0]["logo"]
    assert done.stdout.endswith("It has a logo.\n")
    assert kept.endswith(".PNG")
    assert "cannot be read" in alone.refuse("shop", "set", "s", "--logo", str(tmp_path / "none"))
    alone.refuse("shop", "set", "s", "--logo", str(text))
    alone.refuse("shop", "set", "s", "--logo", str(picture), "--no-logo")
    assert alone.ask("shop", "list")[0]["logo"] == kept
    alone.run("shop", "set", "s", "--no-logo")
    assert alone.ask("shop", "list")[0]["logo"] == ""


def test_a_variable_that_is_no_setting_is_told_of(alone: CommandLine):
    line = CommandLine(
        data_dir=alone.data_dir, database_url=str(alone.settings["database_url"]), prot=1
    )

    listed = line.run("shop", "list")

    assert (listed.returncode, listed.stderr) == (
        0,
        "CROSSDOCK_PROT is not a setting and changes nothing; did you mean CROSSDOCK_PORT?\n",
    )
