"""`crossdock customer` and `crossdock price-list`."""

from tests.support.partner_client import PartnerClient

SHOP = ("--shop", "demo")
ADDRESS = (
    "first_name=Ana", "last_name=Silva", "address_1=Rua 1", "city=Porto", "country=pt",
    "postcode=4000-001",
)  # fmt: skip


def sets(*words):
    return [argument for word in words for argument in ("--set", word)]


def test_a_customer_is_kept_from_first_to_last(demo):
    email = "ana@silva.example"
    added = demo.ask("customer", "add", *SHOP, "--email", email, *sets("billing.city=Porto"))
    assert added["billing"] == {"email": email, "city": "Porto"}
    assert added["shipping"] == added["billing"]
    assert "billing.first_name" in added["missing"]

    words = [f"address.{word}" for word in ADDRESS]
    changed = demo.ask("customer", "set", email, *SHOP, *sets(*words, "billing.phone=+351 2"))
    assert changed["missing"] == []
    assert changed["billing"]["country"] == changed["shipping"]["country"] == "PT"

    assert demo.ask("customer", "disable", email, *SHOP)["active"] is False
    assert demo.ask("customer", "enable", added["id"], *SHOP)["active"] is True
    assert email in [customer["email"] for customer in demo.ask("customer", "list", *SHOP)]
    assert "already" in demo.refuse("customer", "add", *SHOP, "--email", email)


def test_a_slip_of_the_pen_is_named(demo):
    told = demo.refuse("customer", "set", "1", *SHOP, *sets("biling.city=Porto"))
    assert "Did you mean billing.city?" in told


async def test_a_price_list_changes_what_its_partner_sees(demo, demo_server):
    demo.ask("price-list", "add", "Gold", *SHOP)
    created = demo.ask(
        "partner", "add", "--channel", "shoppex_partner", *SHOP, "--name", "Gold partner",
        *sets("price_list=Gold"),
    )  # fmt: skip
    (demo.data_dir / "gold.csv").write_text("sku,price\nAPP-00004,9.99\n")
    (demo.data_dir / "bad.csv").write_text("sku,price\nAPP-00004,1.00\nNOWHERE,2.00\n")
    (demo.data_dir / "silver.csv").write_text("sku,price\nAPP-00004,8.88\n")

    async with PartnerClient(
        demo_server.url, key=created["key"], secret=created["secret"]
    ) as partner:

        async def seen():
            rows = (await partner.listed()).values()
            return next(row["price"] for row in rows if row["name"].endswith("-0004"))

        before = await seen()
        assert demo.ask("price-list", "set", "Gold", "gold.csv", *SHOP) == {"changed": 1}
        assert await seen() == "9.99" != before
        assert "1 of 2 rows" in demo.refuse("price-list", "set", "Gold", "bad.csv", *SHOP)
        demo.ask("price-list", "set", "Gold", "silver.csv", *SHOP)
        assert await seen() == "8.88"

    shown = demo.run("price-list", "show", "Gold", *SHOP).stdout
    assert shown == "sku,price,merchant\nAPP-00004,8.88,atelier-meridian\n"
    (only,) = [p for p in demo.ask("price-list", "list", *SHOP) if p["name"] == "Gold"]
    assert only["items"] == 1
