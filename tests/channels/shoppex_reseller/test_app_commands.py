"""`crossdock reseller apps`..."""

from pathlib import Path

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.errors import Invalid
from crossdock.kit.ids import RandomIds
from crossdock.shop.partners import Prefixes, add_app, list_apps
from tests.conftest import NOON
from tests.support.command_line import CommandLine
from tests.support.factories import make_shop

BACK = "https://app.example/back"
APPS = ("reseller", "apps")


@pytest.mark.slow
async def test_adds_lists_rotates_and_revokes_an_app(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    line = CommandLine(data_dir=tmp_path, database_url=database_url)
    async with database.begin() as tx:
        shop = ("--shop", (await make_shop(tx)).slug)
    made = line.ask(
        *APPS,
        "add",
        "Ledger",
        *shop,
        "--redirect",
        BACK,
        "--scope",
        "orders.read",
        "--scope",
        "coupons.read",
    )
    assert made["client_id"].startswith("shoc_")
    assert made["client_secret"].startswith("shcs_")
    [listed] = line.ask(*APPS, "list", *shop)
    assert listed["client_id"] == made["client_id"]
    assert (listed["scopes"], listed["grants"]) == (["coupons.read", "orders.read"], 0)
    assert made["client_secret"] not in str(listed)
    assert line.ask(*APPS, "rotate", made["client_id"])["client_secret"] != made["client_secret"]
    assert line.ask(*APPS, "revoke", made["client_id"])["revoked_at"] is not None
    assert "revoked" in line.refuse(*APPS, "rotate", made["client_id"])
    assert "Ledger" in line.run(*APPS, "list", *shop).stdout


@pytest.mark.parametrize(
    ("field", "words"),
    [
        *(
            ("return_address", {"return_addresses": [address]})
            for address in (
                "http://app.example/back", "app.example", "https://a.example/#x",
                "https://u@a.example/", "javascript:alert(1)", "https://a.example/ b",
                "data:text/html,x", "https://a.example/;x", "https://", "",
            )
        ),
        ("return_address", {"return_addresses": []}),
        ("scope", {"scopes": ["all.read"]}),
        ("scope", {"scopes": []}),
        ("name", {"name": " "}),
    ],
)  # fmt: skip
async def test_takes_no_app_that_could_be_misused(tx, field, words):
    shop = await make_shop(tx)
    given = {"name": "Ledger", "return_addresses": [BACK], "scopes": ["a.read"], **words}
    prefixes = Prefixes(client="c_", secret="s_", code="o_", access="a_", refresh="r_")
    with pytest.raises(Invalid) as refused:
        await add_app(
            tx, shop_id=shop.id, channel="shoppex_reseller", known_scopes=["a.read"],
            prefixes=prefixes, ids=RandomIds(), now=NOON, **given,
        )  # fmt: skip
    assert refused.value.data == {"field": field}
    assert await list_apps(tx, shop_id=shop.id) == []
