"""`crossdock demo`, and what a newcomer pastes."""

import json

from crossdock.channels.shoppable.demo import search
from crossdock.channels.shoppex_partner import snippets
from crossdock.channels.shoppex_reseller import demo as reseller_demo
from crossdock.channels.shoppo import demo as shoppo_demo
from crossdock.demo.goods import make_product
from tests.support.command_line import CommandLine
from tests.support.partner_client import PartnerClient
from tests.support.processes import ROOT
from tests.support.shells import crossdock_command
from tests.support.shoppable_client import Publisher
from tests.support.shoppo_client import DropShipper


def test_has_no_credentials_before_a_demo_is_loaded(alone):
    told = alone.refuse("demo", "credentials", "--json")
    assert "crossdock demo load" in told


def test_says_that_a_second_load_changed_nothing(alone):
    first = alone.run("demo", "load", "--products", 60)
    assert "60 products added" in first.stdout, first.stderr
    again = alone.run("demo", "load", "--products", 60)
    assert again.returncode == 0
    assert "nothing was changed" in again.stdout


def test_prints_the_credentials_of_the_contract_and_nothing_else(demo, demo_server):
    ended = demo.run("demo", "credentials", "--json")
    shown = json.loads(ended.stdout)
    assert ended.stderr == ""
    assert list(shown)[:2] == ["base_url", "shop"]
    assert "shoppex_partner" in shown
    assert shown["base_url"] == demo_server.url
    assert shown["shop"] == "demo"
    fields = shown["shoppex_partner"]
    assert list(fields) == ["key", "secret", "backorder_key", "backorder_secret"]
    assert [value[:3] for value in fields.values()] == ["pk_", "sk_", "pk_", "sk_"]


def test_lets_the_public_url_win(demo):
    line = CommandLine(
        data_dir=demo.data_dir,
        database_url=str(demo.settings["database_url"]),
        public_url="https://shop.example/",
    )
    assert line.ask("demo", "credentials")["base_url"] == "https://shop.example"


def test_prints_the_same_credentials_each_time(demo):
    assert demo.ask("demo", "credentials") == demo.ask("demo", "credentials")


async def test_credentials_list_and_order(demo, demo_server):
    shown = demo.ask("demo", "credentials")["shoppex_partner"]
    async with (
        PartnerClient(demo_server.url, key=shown["key"], secret=shown["secret"]) as plain,
        PartnerClient(
            demo_server.url, key=shown["backorder_key"], secret=shown["backorder_secret"]
        ) as twin,
    ):
        few, all_ = await plain.listed(), await twin.listed()
        assert set(few) < set(all_)
        assert {row["origen"] for row in few.values()} == {"SC", "*"}
        assert {row["origen"] for row in all_.values()} == {"SC", "*", "Supplier", "Dropship"}
        supplied = next(i for i, row in all_.items() if row["origen"] == "Supplier")
        own = next(i for i, row in few.items() if (row["stock_quantity"] or 0) > 100)

        assert (await plain.order(own, 2)).status_code == 201
        assert (await plain.order(supplied, 1)).status_code == 403
        reply = await twin.order(supplied, 3)

    assert reply.status_code == 201
    assert reply.json()["order_detail_url"].startswith(f"{demo_server.url}/order-detail/")


async def test_the_publishers_token_reads_a_product_and_its_password_the_orders(demo, demo_server):
    shown = demo.ask("demo", "credentials")["shoppable"]
    assert list(shown) == [
        "key", "token", "order_user_id", "order_password", "card_number", "declined_card_number",
    ]  # fmt: skip
    upc = make_product(0, count=1, seed=1).variants[0].upc
    async with Publisher(demo_server.url, token=shown["token"]) as publisher:
        (found,) = await publisher.read("/v3/product", upcs=upc)
        pair = {"userId": shown["order_user_id"], "password": shown["order_password"]}
        (given,) = (await publisher.send("POST", "/auth", json=pair)).json()
    assert found["upc"] == upc
    assert given["auth"] is True
    for secret in (shown["token"], shown["order_password"], given["token"]):
        assert secret not in demo_server.log()


def test_the_shell_variables_are_all_of_the_credentials(demo):
    script = (
        f'eval "$({crossdock_command()} demo credentials --shell)"; echo "$shopwedo_shopid $shop"'
    )
    assert demo.shell(script).strip() == "1 demo"


def test_the_pasted_list_request_is_accepted(demo):
    script = snippets.list_products(command=crossdock_command())
    products = json.loads(demo.shell(script))
    assert len(products) > 50


def test_the_pasted_order_request_is_accepted_in_any_shell_each_time(demo):
    listed = json.loads(demo.shell(snippets.list_products(command=crossdock_command())))
    product_id = next(p["id"] for p in listed if (p["stock_quantity"] or 0) > 100)
    script = snippets.create_order(command=crossdock_command(), product_id=product_id)
    replies = [json.loads(demo.shell(script, program=shell)) for shell in ("bash", "sh")]
    assert [reply["success"] for reply in replies] == [True, True]
    assert replies[0]["order_id"] != replies[1]["order_id"]


def test_the_pasted_search_is_answered(demo):
    assert demo.run("search", "rebuild", "--shop", "demo").returncode == 0
    found = json.loads(demo.shell(search(command=crossdock_command())))
    assert found["count"] >= len(found["products"]) == 3


def test_the_readme_has_the_list_request():
    readme = (ROOT / "README.md").read_text()
    assert snippets.list_products(command=".venv/bin/crossdock") in readme


def test_the_pasted_list_of_a_drop_shipper_is_answered(demo, demo_server):
    told = json.loads(demo.shell(shoppo_demo.list_products(command=crossdock_command())))
    assert len(told["data"]["productList"]["edges"]) == 3


def test_the_merchants_and_the_resellers_keys_are_shown_apart(demo):
    shown = demo.ask("demo", "credentials")
    assert list(shown["shoppex_dev"]) == ["key", "api_key"]
    assert list(shown["shoppex_reseller"]) == ["api_key", "relationship_id", "product_id"]
    assert shown["shoppex_dev"]["api_key"] == reseller_demo.TEST_KEY
    told = json.loads(demo.shell(reseller_demo.read_me(command=crossdock_command())))
    assert told["data"]["slug"] == "demo"


def test_the_pasted_fulfilment_buys_a_key_once(demo):
    script = reseller_demo.fulfil(command=crossdock_command())
    first, again = (json.loads(demo.shell(script))["data"] for _ in range(2))
    assert (first.pop("reused"), again.pop("reused")) == (False, True)
    assert first == again
    assert (first["total"], first["balance_after"], len(first["serials"])) == ("6.50", "9993.50", 1)


async def test_the_drop_shippers_token_lists_the_demos_products(demo, demo_server):
    shown = demo.ask("demo", "credentials")["shoppo"]
    assert list(shown) == ["viewerid", "accesstoken"]
    async with DropShipper(
        demo_server.url, token=shown["accesstoken"], viewer=shown["viewerid"]
    ) as shipper:
        told = await shipper.ask(
            "{ productList(first: 200) { length edges { node { name skus { price shippingTime } } } } }"
        )
    page = told["productList"]
    assert page["length"] >= len(page["edges"]) > 20
    assert {sku["shippingTime"] for edge in page["edges"] for sku in edge["node"]["skus"]} <= {
        "3-10 days",
        "",
    }
