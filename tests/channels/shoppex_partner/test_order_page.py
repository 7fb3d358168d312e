"""The order page shows an order to whoever holds its key, and to nobody else a difference."""

import re

import httpx2
import pytest

from crossdock.kit.clock import SystemClock
from crossdock.shop.orders import cancel_order
from crossdock.shop.warehouse import (
    Consignment,
    ReturnItem,
    announce_return,
    pack_lines,
    pick_lines,
    receive_return,
    ship_package,
)
from tests.support.factories import ADDRESS, make_customer
from tests.support.partner_client import order_of

HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "content-type": "text/html; charset=utf-8",
}


@pytest.fixture
async def created(partner, variant):
    """The answer to an order that is worth looking at."""
    product = await variant(name="Mug <i>blue</i> & white", price_minor=123456)
    return (
        await partner.create(
            order_of(
                (product, 2),
                number="PO-<b>1</b>",
                comments="<script>alert('x')</script>\nsecond line",
                tax_id="TAX-SECRET-1",
                resale_tax="RESALE-SECRET-1",
            )
        )
    ).json()


def page(
    server, order_id=None, key=None, *, path="/order-detail/", method="GET"
) -> httpx2.Response:
    pairs = {"order_id": order_id, "key": key}
    query = {name: value for name, value in pairs.items() if value is not None}
    return httpx2.request(method, server.url + path, params=query, trust_env=False, verify=False)


def assert_headers(reply) -> None:
    for name, value in HEADERS.items():
        assert reply.headers[name] == value
    assert reply.headers["x-robots-tag"].startswith("noindex")
    assert "script" not in reply.headers["content-security-policy"]
    assert "default-src 'none'" in reply.headers["content-security-policy"]
    assert not [name for name in reply.headers if name.startswith("access-control-")]
    assert reply.headers["x-request-id"]


async def test_the_address_in_the_answer_opens_the_order(created, server):
    reply = httpx2.get(created["order_detail_url"], trust_env=False, verify=False)
    assert reply.status_code == 200
    assert_headers(reply)
    text = reply.text
    for wanted in (str(created["order_id"]), "2,469.12", "Ada Moreno", "Miami"):
        assert wanted in text
    assert "Processing" in text
    bare = page(server, created["order_id"], created["order_key"], path="/order-detail")
    assert bare.status_code == 200


async def test_everything_on_the_page_is_escaped(created, server):
    text = page(server, created["order_id"], created["order_key"]).text
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(" in text
    assert "<i>blue</i>" not in text
    assert "&lt;i&gt;blue&lt;/i&gt; &amp; white" in text
    assert "<b>1</b>" not in text
    assert "second line" in text


async def test_the_page_tells_nothing_that_is_not_the_buyers(
    clients, variant, server, server_database, shop
):
    async with server_database.begin() as tx:
        sales_rep = await tx.value(
            "insert into sales_reps (shop_id, name, email)"
            " values (%s, 'Vera Vendor', 'vera@shop.example') returning id",
            (shop.id,),
        )
        customer = await make_customer(
            tx,
            shop_id=shop.id,
            email="login@customer.example",
            shipping=ADDRESS | {"address_1": "7 Hidden Street", "phone": "+1 999 000"},
            sales_rep_id=sales_rep,
        )
    client = await clients(customer_id=customer)
    order = (await client.order(await variant(cost_minor=777), tax_id="TAX-SECRET")).json()
    text = page(server, order["order_id"], order["order_key"]).text
    for hidden in (
        "Vera", "vera@", "login@customer", "7 Hidden Street", "+1 999", "TAX-SECRET", "7.77",
        ADDRESS["email"], ADDRESS["phone"], client.key, client.secret, order["order_key"],
    ):  # fmt: skip
        assert hidden not in text
    assert not re.search(r"(?i)sales.rep|vendor|cost|margin", text)


async def test_every_wrong_pair_gets_the_same_page(created, server, clients, variant):
    order_id, key = created["order_id"], created["order_key"]
    other = (await (await clients()).order(await variant())).json()
    pairs = [
        (order_id, "wc_order_0000000000000"),
        (order_id, key[:-1]),
        (order_id, key + "x"),
        (order_id, key.upper()),
        (order_id, " " + key),
        (order_id, ""),
        (order_id, None),
        (order_id, "x" * 5000),
        (order_id, "ключ"),
        (order_id, "\x00"),
        (order_id, "%"),
        (order_id, other["order_key"]),
        (other["order_id"], key),
        (None, key),
        (None, None),
        ("", key),
        (0, key),
        (-order_id, key),
        (2**62, key),
        (2**63, key),
        (2**64, key),
        ("9" * 4000, key),
        (f"0x{order_id:x}", key),
        (f"{order_id}.0", key),
        (f" {order_id}", key),
        ("１２", key),
        ("1 or 1=1", key),
        ("'", key),
        ("\x00", key),
    ]
    bodies = set()
    for wrong in pairs:
        reply = page(server, *wrong)
        assert reply.status_code == 404, wrong
        assert_headers(reply)
        bodies.add(reply.content)
    assert len(bodies) == 1
    assert str(order_id).encode() not in bodies.pop()


async def test_repeated_parameters_open_nothing_by_confusion(created, server):
    query = f"order_id=1&order_id={created['order_id']}&key={created['order_key']}&key=x"
    reply = httpx2.get(f"{server.url}/order-detail/?{query}", trust_env=False, verify=False)
    assert reply.status_code == 404


async def test_head_answers_as_get_and_nothing_can_be_sent(created, server):
    pair = created["order_id"], created["order_key"]
    head = page(server, *pair, method="HEAD")
    assert (head.status_code, head.content) == (200, b"")
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert page(server, *pair, method=method).status_code in {404, 405}


async def test_the_page_follows_the_orders_state(created, server, server_database, shop):
    async with server_database.begin() as tx:
        await cancel_order(
            tx, shop_id=shop.id, order_id=created["order_id"], now=SystemClock().now()
        )
    reply = page(server, created["order_id"], created["order_key"])
    assert reply.status_code == 200
    assert "Cancelled" in reply.text


async def test_packages_with_their_tracking_and_what_came_back_are_told(
    created, server, server_database, shop
):
    order, now = created["order_id"], SystemClock().now()
    assert "Packages" not in page(server, order, created["order_key"]).text
    in_shop = {"shop_id": shop.id, "now": now}
    for number, url in (("GOOD-1", "https://carrier.example/GOOD-1"), ("BAD-2", "javascript:x()")):
        async with server_database.begin() as tx:
            await pick_lines(tx, order_id=order, quantities={1: 1}, **in_shop)
            package = await pack_lines(tx, order_id=order, quantities={1: 1}, **in_shop)
            sent = Consignment(carrier="post", tracking_number=number, tracking_url=url)
            await ship_package(tx, package_id=package, consignment=sent, **in_shop)
        if number == "GOOD-1":
            assert "1 of 2 shipped" in page(server, order, created["order_key"]).text
    async with server_database.begin() as tx:
        items = [ReturnItem(line_no=1, quantity=1)]
        back = await announce_return(tx, order_id=order, items=items, **in_shop)
        await receive_return(tx, return_id=back, restocked={1: 1}, **in_shop)

    text = page(server, order, created["order_key"]).text

    assert '<a href="https://carrier.example/GOOD-1" rel="noreferrer">GOOD-1</a>' in text
    assert "BAD-2" in text
    assert "javascript:" not in text
    assert "1 came back" in text
    assert "Received: 1 × Mug &lt;i&gt;blue&lt;/i&gt; &amp; white" in text


async def test_speaks_the_buyers_language_and_carries_the_shops_name(
    created, server, server_database
):
    order = created["order_id"]

    def read(accepted: str) -> str:
        query = {"order_id": order, "key": created["order_key"]}
        headers = {"Accept-Language": accepted}
        return httpx2.get(
            f"{server.url}/order-detail/",
            params=query,
            headers=headers,
            trust_env=False,
            verify=False,
        ).text

    async def deliver_to(country: str, language: str = "") -> None:
        async with server_database.begin() as tx:
            await tx.run(
                "update orders set language = %s,"
                " shipping = jsonb_set(shipping, '{country}', to_jsonb(%s::text)) where id = %s",
                (language, country, order),
            )

    async with server_database.statement() as tx:
        name = await tx.value(
            "select s.name from shops s join orders o on o.shop_id = s.id where o.id = %s", (order,)
        )
    await deliver_to("NL")
    dutch = read("de")
    await deliver_to("BE")
    by_browser, by_shop = read("de"), read("es")
    await deliver_to("NL", "fr-BE")
    french = read("de")

    assert '<html lang="nl">' in dutch
    assert f"<h1>Bestelling {order}</h1>" in dutch
    assert "Wordt verwerkt" in dutch
    assert re.search(r"2\.469,12", dutch)
    assert f"<h1>Bestellung {order}</h1>" in by_browser
    assert f"<h1>Order {order}</h1>" in by_shop
    assert f"<h1>Commande {order}</h1>" in french
    for text in (dutch, by_browser, by_shop, french):
        assert f'<span class="seller">{name}</span>' in text
