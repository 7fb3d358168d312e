"""Addresses and secrets of a partner's own server..."""

from pathlib import Path

import pytest

from crossdock.db.unit_of_work import Database
from tests.support.command_line import CommandLine
from tests.support.factories import ShopFixture, make_shop
from tests.support.shells import crossdock_command

TOKEN = "their-token-0123456789"


@pytest.fixture
def line(database_url: str, tmp_path: Path) -> CommandLine:
    return CommandLine(
        data_dir=tmp_path, database_url=database_url, allowed_outbound_hosts="127.0.0.1:9000"
    )


@pytest.fixture
async def shop(database: Database) -> ShopFixture:
    async with database.begin() as tx:
        return await make_shop(tx)


async def test_are_set_shown_without_the_secret_and_removed(
    line: CommandLine, shop: ShopFixture, database: Database
) -> None:
    url = "http://127.0.0.1:9000/reply"
    added = line.ask(
        *("partner", "add", "--channel", "shoppo", "--shop", shop.slug, "--name", "Caller"),
        *("--set", f"reply_url={url}"),
    )
    who = added["partner_id"]
    typed = line.shell(
        f"{crossdock_command()} partner set {who} --set call_token=- --json <<< {TOKEN}"
    )
    shown = line.ask("partner", "show", who)
    text = line.run("partner", "show", who).stdout

    assert (shown["settings"], shown["secrets"]) == ({"reply_url": url}, ["call_token"])
    assert f"reply_url         {url}\n" in text
    assert "call_token        (set, not shown)\n" in text
    assert TOKEN not in typed + text
    async with database.statement() as tx:
        assert TOKEN not in str(await tx.all("select s::text from partner_secrets s"))
    gone = line.ask("partner", "set", who, "--set", "call_token=none")
    assert gone["secrets"] == []


async def test_are_refused_where_they_are_private_or_in_the_clear(
    line: CommandLine, shop: ShopFixture
) -> None:
    adding = ("partner", "add", "--channel", "shoppo", "--shop", shop.slug, "--name", "Caller")

    for url, why in {
        "http://a.example/in": "only https:// is called",
        "https://127.0.0.1/in": "127.0.0.1 is at 127.0.0.1, which is not a public address",
    }.items():
        told = line.refuse(*adding, "--set", f"reply_url={url}")
        assert told == f"crossdock: reply_url: '{url}': {why}.\n"
    told = line.refuse(*adding, "--set", "signing_secret=secret")
    assert "a webhook secret is whsec_" in told


async def test_have_kinds_of_delivery_that_are_listed(line: CommandLine) -> None:
    kinds = {kind["kind"]: kind for kind in line.ask("delivery", "kinds")}

    assert kinds["shoppo_reply"]["waits_s"] == [10, 60, 300, 1800, 7200, 21600, 43200, 86400]
    assert (kinds["shoppo_reply"]["ordering"], kinds["shoppo_reply"]["deadline_s"]) == (
        "in_order",
        10,
    )
