"""createOrder: the whole field table, release, and that a refusal leaves nothing behind."""

import asyncio
import uuid
from typing import Any

import pytest

from crossdock.shop.orders import run_releases
from tests.support.factories import make_shop
from tests.support.shopwedo_client import ADMIN, SHAPES, SHORT, address, order_of

REQUIRED_ADDRESS = ("street", "number", "zip", "city", "country_iso2", "email", "phone")
OPTIONAL_ADDRESS = ("firstname", "lastname", "company", "vat", "box")


def errors(reply) -> dict[str, list[str]]:
    """The errors per field of a refused order."""
    assert reply.status_code == 400, reply.text
    body = reply.json()
    assert set(body) == {"order_id", "error", "errors"}
    assert (body["order_id"], body["error"]) == (False, "order_invalid_data")
    assert all(isinstance(told, list) and told for told in body["errors"].values())
    return body["errors"]


def changed(document: Any, path: str, value: Any) -> Any:
    """A copy of the document whose field at a dotted path is another; KeyError takes it away."""
    first, _, rest = path.partition(".")
    if isinstance(document, list):
        return [changed(v, rest, value) if str(n) == first else v for n, v in enumerate(document)]
    if rest:
        return {**document, first: changed(document[first], rest, value)}
    copy = {k: v for k, v in document.items() if k != first}
    return copy if value is KeyError else copy | {first: value}


@pytest.fixture
async def document(variant):
    """A whole order with both addresses and every field."""
    return order_of(
        (await variant(), 2),
        number=f"W-{uuid.uuid4().hex[:8]}",
        external_order_reference="INV 7",
        release=True,
        updated_at="2026-03-01 09:31:00",
        comment="Ring twice",
        comment_packing="No paper",
        billing_address=address(firstname="Kim", vat="BE0123456789"),
        shipping_address=address(lastname="De Smet", box="3", company="Atelier"),
    )


@pytest.mark.parametrize("prefix", [ADMIN, SHORT])
@pytest.mark.parametrize("shape", SHAPES)
async def test_every_client_creates_an_order(client, document, shape, prefix):
    reply = await client.shaped(shape).call("createOrder", document, prefix=prefix)
    assert reply.status_code == 201
    assert isinstance(reply.json()["order_id"], int)
    assert set(reply.json()) == {"order_id"}


REQUIRED = [
    "external_order_id", "created_at", "shipping_address", "items.0.sku", "items.0.amount",
    *(f"{kind}_address.{name}" for kind in ("shipping", "billing") for name in REQUIRED_ADDRESS),
]  # fmt: skip


@pytest.mark.parametrize(
    "value", [KeyError, None, "", "  "], ids=["absent", "null", "empty", "blank"]
)
@pytest.mark.parametrize("path", REQUIRED)
async def test_a_required_field(client, document, nothing_written, path, value):
    async with nothing_written():
        reply = await client.call("createOrder", changed(document, path, value))
    found = errors(reply)
    assert list(found) == [path]
    blank = {
        "shipping_address": ["must be an object"],
        "items.0.amount": ["must be an integer of at least 1"],
    }
    assert found[path] == (blank.get(path, ["required"]) if value == "  " else ["required"])


OPTIONAL = [
    "external_order_reference", "release", "updated_at", "comment", "comment_packing", "billing_address",
    *(f"{kind}_address.{name}" for kind in ("shipping", "billing") for name in OPTIONAL_ADDRESS),
    "items.0.name", "items.0.comment", "items.0.price", "items.0.skuType", "items.0.external_orderline_id",
    "shipping_method", "shipping_company",
]  # fmt: skip


@pytest.mark.parametrize("value", [KeyError, None, ""], ids=["absent", "null", "empty"])
async def test_an_optional_field(client, document, value):
    for path in OPTIONAL:
        document["external_order_id"] = uuid.uuid4().hex
        reply = await client.call("createOrder", changed(document, path, value))
        assert reply.status_code == 201, (path, reply.text)


TEXTS = [path for path in (*REQUIRED, *OPTIONAL) if path.rpartition(".")[2] not in {
    "shipping_address", "billing_address", "release", "sku", "amount", "price", "skuType", "external_orderline_id"}
]  # fmt: skip


@pytest.mark.parametrize("value", [True, ["a"], {"a": "b"}, [], False], ids=repr)
async def test_a_text_of_another_type(client, document, nothing_written, value):
    async with nothing_written():
        for path in TEXTS:
            reply = await client.call("createOrder", changed(document, path, value))
            assert list(errors(reply)) == [path]


@pytest.mark.parametrize("value", ["x" * 2_001, "a\x00b", "a\x1bb", "a\x7fb", "\ud800"], ids=ascii)
async def test_a_text_too_long_or_unprintable(client, document, nothing_written, value):
    async with nothing_written():
        for path in TEXTS:
            reply = await client.call("createOrder", changed(document, path, value))
            assert list(errors(reply)) == [path]


async def test_texts_at_their_limits_come_back_whole(client, document):
    document |= {"external_order_id": uuid.uuid4().hex + "é" * 159, "comment": "𝄞\n" * 999 + "xy"}
    document["shipping_address"]["street"] = "ß" * 255
    order = await client.order(await client.create(document))
    assert order["external_order_id"] == document["external_order_id"]
    assert order["comment"] == document["comment"]
    assert order["shipping_address"]["street"] == "ß" * 255
    assert list(
        errors(await client.call("createOrder", document | {"external_order_id": "x" * 192}))
    ) == ["external_order_id"]


async def test_a_line_end_inside_a_line_is_a_blank(client, document):
    document["shipping_address"] |= {"street": "Grote\r\nMarkt", "zip": "2800\n2"}
    document["comment"] = "two\nlines"
    order = await client.order(await client.create(document))
    found = order["shipping_address"]
    assert (found["street"], found["zip"], order["comment"]) == (
        "Grote Markt",
        "2800 2",
        "two\nlines",
    )


@pytest.mark.parametrize("data", ["nope", "[1]", '{"items": NaN}', "7"])
async def test_data_that_cannot_be_read_is_refused_in_the_methods_own_form(
    client, nothing_written, data
):
    async with nothing_written():
        reply = await client.form("createOrder", data)
        assert list(errors(reply)) == ["data"]


async def test_numbers_are_taken_for_texts_and_texts_for_numbers(client, document):
    document |= {
        "external_order_id": 4_711_000 + uuid.uuid4().int % 10**6,
        "external_order_reference": 12,
    }
    document["shipping_address"] |= {"zip": 2800, "number": 14, "phone": 3215550200, "box": 1.5}
    document["items"][0] |= {
        "sku": str(document["items"][0]["sku"]),
        "amount": "2",
        "price": "775.12",
    }
    order = await client.order(await client.create(document))
    assert order["external_order_id"] == str(document["external_order_id"])
    assert order["external_order_reference"] == "12"
    found = order["shipping_address"]
    assert (found["zip"], found["number"], found["box"]) == ("2800", "14", "1.5")
    assert order["items"][0]["amount"] == 2


WRONG_COUNTRIES = ("BEL", "B", "12", "B1", "Ğİ", "UK", "EL", "XX", "ß", "ﬁ", "Belgium", "XK", "EU")
WRONG_EMAILS = ("lotte", "lotte.example.be", "a@b.c\r\nBcc: x@y.z", "a @b.c", "@b.c", "a@")
WRONG_TIMES = (
    "2026-03-01", "2026-03-01T09:30:00", "2026-3-1 9:30:00", "2026-02-30 09:30:00", "2026-03-01 24:00:00",
    "0000-00-00 00:00:00", "01-03-2026 09:30:00", "now", "-1", 1.5, "99999999999",
    "2026-03-01 09:30:00+01:00", "２０２６-03-01 09:30:00", 10**20,
)  # fmt: skip
WRONG: dict[str, tuple[Any, ...]] = {
    "shipping_address.country_iso2": WRONG_COUNTRIES,
    "billing_address.country_iso2": WRONG_COUNTRIES,
    "shipping_address.email": WRONG_EMAILS,
    "billing_address.email": WRONG_EMAILS,
    "shipping_address": ("x", 7, [1], True, ["a"]),
    "billing_address": ("x", 7, [1], True, False),
    "created_at": WRONG_TIMES,
    "updated_at": WRONG_TIMES,
    "items.0.amount": (0, -1, 1.5, "x", "1.5", True, [1], {}, 1_000_001, 10**30, "1e3", "٣"),
    "items.0.sku": (0, -1, 1, 1.5, "x", True, [1], {}, 10**30, 2**63, "SKU-1", "x" * 300, "\x00"),
    "items.0.skuType": ("ean", "REFERENCES", 7, ["reference"], True),
    "items.0.price": ("x", -1, "-0.01", "1e30", "NaN", True, [1], {}, "1_0", "1.2.3", "\x00", "٣"),
    "items.0.external_orderline_id": ("x" * 256, "\x00", "\ud800", {"a": 1}, [1], True),
    "external_order_id": ("A\r\nB", "A\tB", "A\u2028B"),
}


@pytest.mark.parametrize("path", WRONG)
async def test_a_field_that_is_wrong(client, document, nothing_written, path):
    async with nothing_written():
        for value in WRONG[path]:
            reply = await client.call("createOrder", changed(document, path, value))
            assert list(errors(reply)) == [path], value


@pytest.mark.parametrize(
    ("country", "meant"),
    [
        ("UK", "GB for United Kingdom"),
        ("EL", "GR for Greece"),
        ("BEL", "BE for Belgium"),
        ("XX", ""),
    ],
)
async def test_a_country_that_is_none_is_told_with_what_is_meant(client, document, country, meant):
    """`invalid` first, as for every field, then the sentence."""
    document = changed(document, "shipping_address.country_iso2", country)
    found = errors(await client.call("createOrder", document))
    word, sentence = found.pop("shipping_address.country_iso2")
    assert found == {}
    assert word == "invalid"
    assert sentence == f"{country!r} is no country code of ISO 3166-1; write " + (
        f"{meant}." if meant else "its two letters, such as BE."
    )


@pytest.mark.parametrize("country", ["IE", "HK", "AE", "KR", "SG"])
async def test_the_documents_required_fields_are_required_in_every_country(
    client, document, nothing_written, country
):
    """The document says zip and city without an exception (seeds/002)."""
    document = changed(document, "shipping_address.country_iso2", country)
    for field in ("zip", "city"):
        path = f"shipping_address.{field}"
        async with nothing_written():
            told = errors(await client.call("createOrder", changed(document, path, KeyError)))
        assert told == {path: ["required"]}
    order = await client.order(await client.create(document))
    assert order["shipping_address"]["country_iso2"] == country


@pytest.mark.parametrize("items", [KeyError, None, [], {}, "", "x", 7, True, {"sku": 1}, "[]"])
async def test_an_order_without_items(client, document, nothing_written, items):
    """Told before anything else, and without fields."""
    bare = {"items": items} if items is not KeyError else {}
    async with nothing_written():
        for data in (changed(document, "items", items), bare):
            reply = await client.call("createOrder", data)
            assert reply.status_code == 400
            assert reply.json() == {"order_id": False, "error": "order_items_empty"} | (
                {"message": reply.json()["message"]} if "message" in reply.json() else {}
            )


@pytest.mark.parametrize("item", [None, "x", 7, [], {}, [{"sku": 1}]])
async def test_an_item_that_is_no_item(client, document, nothing_written, item):
    document["items"].append(item)
    async with nothing_written():
        found = errors(await client.call("createOrder", document))
    assert set(found) == {"items.1.sku", "items.1.amount"}


async def test_every_wrong_field_is_told_at_once(client, document):
    for path in REQUIRED:
        if path != "shipping_address":
            document = changed(document, path, KeyError)
    document |= {"updated_at": "yesterday", "comment": ["x"]}
    found = errors(await client.call("createOrder", document))
    wanted = {path for path in REQUIRED if path != "shipping_address"}
    assert set(found) == wanted | {"updated_at", "comment"}
    assert found["shipping_address.zip"] == ["required"]


async def test_two_hundred_items_are_the_most(client, variant, nothing_written):
    sku = await variant(own=500)
    order_id = await client.create(order_of(*[(sku, 1)] * 200, release=True))
    assert len((await client.order(order_id))["items"]) == 200
    assert (await client.stock(sku))["atp"] == 300
    async with nothing_written():
        reply = await client.call("createOrder", order_of(*[(sku, 1)] * 201))
        assert list(errors(reply)) == ["items"]


async def test_the_same_goods_twice_count_as_the_sum(client, variant):
    sku = await variant(own=5)
    taken = await client.create(order_of((sku, 3), (sku, 3), release=True))
    assert (await client.order(taken))["status_string"] == "reserved"
    assert (await client.stock(sku))["atp"] == 5
    taken = await client.create(order_of((sku, 3), (sku, 2), release=True))
    order = await client.order(taken)
    assert order["status_string"] == "released"
    assert [item["amount"] for item in order["items"]] == [3, 2]
    assert (await client.stock(sku))["atp"] == 0


NOT_RELEASED: tuple[Any, ...] = (
    KeyError, False, 0, "", "0", None, [], {}, "false", "FALSE", "no", "No", "n", "N", "off", "Off", " no ", 0.0,
)  # fmt: skip
RELEASED: tuple[Any, ...] = (
    True, 1, "1", "y", "Y", "yes", "true", "on", "2", -1, [0], {"a": 0}, "nee", "null", 0.5,
)  # fmt: skip


@pytest.mark.parametrize("is_released", [False, True])
async def test_release(client, variant, is_released):
    for value in RELEASED if is_released else NOT_RELEASED:
        sku = await variant(own=10)
        document = changed(order_of((sku, 2)), "release", value)
        order = await client.order(await client.create(document))
        state = (3, "released") if is_released else (1, "waiting_for_release")
        assert (order["status"], order["status_string"]) == state, value
        assert (await client.stock(sku))["atp"] == (8 if is_released else 10), value


async def test_release_with_one_line_short_reserves_and_takes_nothing(client, variant):
    plenty, scarce, none = await variant(own=50), await variant(own=1), await variant(own=None)
    for lines in ([(plenty, 1), (scarce, 2)], [(none, 1), (plenty, 1)]):
        order = await client.order(await client.create(order_of(*lines, release=1)))
        assert (order["status"], order["status_string"]) == (2, "reserved")
    assert [(await client.stock(sku))["atp"] for sku in (plenty, scarce, none)] == [50, 1, 0]


async def test_goods_that_are_not_counted_never_run_short(client, variant):
    sku = await variant(own=None, stock_managed=False)
    order = await client.order(await client.create(order_of((sku, 99), release=1)))
    assert order["status_string"] == "released"


async def test_supplier_stock_releases_nothing(client, variant):
    sku = await variant(own=0, supplier=99)
    order = await client.order(await client.create(order_of((sku, 1), release=1)))
    assert order["status_string"] == "reserved"


async def test_goods_by_reference_and_barcode(client, variant):
    mark = uuid.uuid4().hex[:8]
    first = await variant(
        sku=f"R-{mark}", merchant_sku=f"M-{mark}", upc="054491000996", gtin14="00054491000996"
    )
    document = order_of((0, 1))
    for kind, name in (
        ("reference", f"R-{mark}"), ("reference", f"M-{mark}"), ("Reference", f"R-{mark}"),
        ("barcode", "054491000996"), ("barcode", "0054491000996"), ("barcode", "54491000996"), ("BARCODE", 54491000996),
        ("", first), (None, str(first)), ("", f"0{first}"), ("sku", first),
    ):  # fmt: skip
        item = {"sku": name, "skuType": kind, "amount": 1}
        order_id = await client.create(
            document | {"external_order_id": uuid.uuid4().hex, "items": [item]}
        )
        assert (await client.order(order_id))["items"][0]["sku"] == first
    for kind, name in (
        ("reference", f"r-{mark}"), ("reference", str(first)), ("reference", "%"), ("barcode", f"R-{mark}"),
        ("barcode", "0"), ("barcode", "1" * 20), (None, f"R-{mark}"),
    ):  # fmt: skip
        item = {"sku": name, "skuType": kind, "amount": 1}
        reply = await client.call("createOrder", document | {"items": [item]})
        assert list(errors(reply)) == ["items.0.sku"]


async def test_goods_that_are_not_the_callers(client, clients, variant, server_database, shop):
    async with server_database.begin() as tx:
        foreign = await make_shop(tx)
    away = await variant(of=foreign)
    blind = await clients(visible_merchants=())
    seen = await variant()
    for who, sku in ((client, away), (blind, seen), (client, 10**15)):
        assert errors(await who.call("createOrder", order_of((sku, 1)))) == {
            "items.0.sku": ["unknown"]
        }


@pytest.mark.parametrize(
    ("line_id", "told"),
    [(7, 7), ("7", "7"), ("A-1 ü", "A-1 ü"), (0, 0), ("", ""), (None, ""), (2**53 - 1, 2**53 - 1),
     (-3, -3), (1.5, "1.5")],
)  # fmt: skip
async def test_the_callers_line_id_comes_back_as_it_was(client, document, line_id, told):
    document["items"][0]["external_orderline_id"] = line_id
    item = (await client.order(await client.create(document)))["items"][0]
    assert (item["external_orderline_id"], type(item["external_orderline_id"])) == (
        told,
        type(told),
    )


@pytest.mark.parametrize(
    "price", [0, 2, 775.12, "775.12", "2", "", None, "12,50", 1e-7, 0.1, "9999999.99"]
)
async def test_a_price_is_kept_and_decides_nothing(client, document, price):
    document["items"][0]["price"] = price
    assert await client.create(document)


async def test_a_sum_that_no_ledger_holds_is_no_order(client, document, nothing_written):
    document["items"][0] |= {"price": "9" * 14, "amount": 1_000_000}
    async with nothing_written():
        reply = await client.call("createOrder", document)
    assert reply.status_code == 400
    assert reply.json()["error"] in {"order_creation_failed", "order_invalid_data"}
    assert reply.json()["order_id"] is False


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ("2026-03-01 09:30:00", "2026-03-01 09:30:00"),
        (1_772_353_800, "2026-03-01 09:30:00"),  # 08:30 UTC
        ("1772353800", "2026-03-01 09:30:00"),
        (1_782_894_600, "2026-07-01 10:30:00"),  # summer: 08:30 UTC
        ("2026-03-29 02:30:00", "2026-03-29 02:30:00"),  # an hour that Brussels never had
    ],
)
async def test_the_time_of_creation(client, document, sent, told):
    order = await client.order(await client.create(document | {"created_at": sent}))
    assert order["created_at"] == {
        "date": f"{told}.000000", "timezone_type": 3, "timezone": "Europe/Brussels",
    }  # fmt: skip


async def test_later_clients_may_leave_out_what_the_first_required(clients, variant):
    strict, relaxed = await clients(), await clients(settings={"require_v11_fields": False})
    document = order_of((await variant(), 1))
    del document["created_at"], document["shipping_address"]["number"]
    document["shipping_address"] |= {"box": "", "company": None}
    assert set(errors(await strict.call("createOrder", document))) == {
        "created_at", "shipping_address.number",
    }  # fmt: skip
    order = await relaxed.order(await relaxed.create(document))
    assert order["shipping_address"]["number"] == ""
    assert order["created_at"]["timezone"] == "Europe/Brussels"
    wrong = document | {"created_at": "x"}
    assert list(errors(await relaxed.call("createOrder", wrong))) == ["created_at"]
    del document["shipping_address"]["zip"]
    assert list(errors(await relaxed.call("createOrder", document))) == ["shipping_address.zip"]


async def test_a_number_is_used_once_for_ever(client, document, nothing_written):
    order_id = await client.create(document)
    taken = {"external_order_id": ["already used"]}
    async with nothing_written():
        assert errors(await client.call("createOrder", document)) == taken
        other = document | {"items": document["items"] * 2, "release": False}
        assert errors(await client.call("createOrder", other)) == taken
    assert (await client.call("cancelOrder", {"order_id": order_id})).status_code == 200
    async with nothing_written():
        assert errors(await client.call("createOrder", document)) == taken


async def test_numbers_differ_by_every_letter(client, variant):
    sku = await variant()
    mark = uuid.uuid4().hex[:8]
    for number in (f"{mark}a", f"{mark}A", f"{mark}á", f"{mark}a."):
        await client.create(order_of((sku, 1), number=number))


async def test_one_number_in_two_shops_is_two_orders(clients, client, document):
    other = await clients()
    first, second = await client.create(document), await other.create(document)
    assert first != second
    for who, order_id in ((client, first), (other, second)):
        found = await who.read("getOrder", external_order_id=document["external_order_id"])
        assert found[0][0]["order_id"] == order_id


@pytest.mark.parametrize("release", [False, True])
async def test_the_same_order_at_once_is_one_order(client, variant, server_database, shop, release):
    """P5: twenty equal calls, both workers."""
    sku = await variant(own=100)
    document = order_of((sku, 3), number=uuid.uuid4().hex, release=release)
    replies = await asyncio.gather(*(client.call("createOrder", document) for _ in range(20)))
    assert sorted(r.status_code for r in replies) == [201, *[400] * 19]
    for reply in replies:
        if reply.status_code == 400:
            assert errors(reply) == {"external_order_id": ["already used"]}
    async with server_database.statement() as tx:
        assert await tx.value("select count(*) from orders where shop_id = %s", (shop.id,)) == 1
    assert (await client.stock(sku))["atp"] == (97 if release else 100)


async def test_the_last_unit_is_released_once(client, variant):
    """P1's door: forty orders of one unit for seven of them; the rest wait, and nothing is oversold."""
    sku = await variant(own=7)
    ids = await asyncio.gather(*(client.create(order_of((sku, 1), release="y")) for _ in range(40)))
    orders = await asyncio.gather(*(client.order(order_id) for order_id in ids))
    states = sorted(order["status_string"] for order in orders)
    assert states == ["released"] * 7 + ["reserved"] * 33
    item = await client.stock(sku)
    assert (item["level"], item["atp"], item["status_string"]) == (7, 0, "out_of_stock")


async def test_crossed_orders_at_once_do_not_lock_each_other_out(client, variant):
    skus = [await variant(own=1_000) for _ in range(4)]
    lines = [[(sku, 1) for sku in skus], [(sku, 1) for sku in reversed(skus)]]
    ids = await asyncio.gather(
        *(client.create(order_of(*lines[n % 2], release=1)) for n in range(30))
    )
    assert len(set(ids)) == 30
    assert [(await client.stock(sku))["atp"] for sku in skus] == [970] * 4


async def test_unknown_properties_are_ignored(client, document):
    document |= {"order_id": 1, "status": 5, "shop_id": 9, "state": "shipped", "x": {"y": []}}
    document["items"][0] |= {"picked": 9, "serialnumber": ["x"], "variant_id": 1}
    document["shipping_address"]["state"] = "x"
    order = await client.order(await client.create(document))
    assert order["status_string"] == "released"
    assert order["items"][0]["picked"] == 0


async def test_billing_is_a_copy_of_shipping_when_none_is_given(client, document):
    empties: tuple[Any, ...] = (KeyError, None, "", [], {})
    for empty in empties:
        data = changed(document, "billing_address", empty) | {"external_order_id": uuid.uuid4().hex}
        order = await client.order(await client.create(data))
        assert order["billing_address"] == order["shipping_address"]
    order = await client.order(await client.create(document))
    assert order["billing_address"]["firstname"] == "Kim"
    assert order["shipping_address"]["firstname"] == ""


async def test_released_without_looking_and_put_back_by_the_stock_run(
    clients, variant, server_database, warehouse
):
    """The page's footnote, as a partner's setting."""
    hasty = await clients(settings={"release_mode": "immediate"})
    sku = await variant(own=2)
    first = await hasty.create(order_of((sku, 2), release="y"))
    second = await hasty.create(order_of((sku, 2), release="y"))
    seen = (await hasty.order(second))["status_string"]
    assert seen in {
        "released",
        "waiting_for_release",
    }  # the server's own stock run may have been here
    assert (await hasty.stock(sku))["atp"] in {-2, 0}
    await run_releases(server_database, now=warehouse.clock.now())
    assert (await hasty.order(first))["status_string"] == "released"
    waiting = await hasty.order(second)
    assert (waiting["status"], waiting["status_string"]) in {
        (1, "waiting_for_release"),
        (2, "reserved"),
    }
    assert (await hasty.stock(sku))["atp"] == 0
    await warehouse.receive(sku, 2)
    await run_releases(server_database, now=warehouse.clock.now())
    assert (await hasty.order(second))["status_string"] == "released"
