"""A signed request is accepted by the published recipe, and by nothing else."""

import asyncio
import uuid

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.ids import RandomIds
from crossdock.shop.partners import add_credential
from tests.channels.shoppex_partner.conftest import SIGNED_AT
from tests.support.clocked import ClockedServer
from tests.support.factories import box, make_partner, make_shop, make_variant
from tests.support.partner_client import (
    CREATE,
    PREFIX,
    PRODUCTS,
    PartnerClient,
    body_of,
    raw_exchange,
    sign,
    status_of,
)

KEY = "pk_demo_partner_key"
SECRET = "sk_demo_partner_secret_0123456789abcdef"
NOW = int(SIGNED_AT.timestamp())

GET_SIGNATURE = "c54a5fdd95d7d9fd345942810cd4e94b38328baed9ba54642a6e3eda330ce846"
POST_SIGNATURE = "b2d772209dfcf489d015d6993d79149960584fc59538d5046680deb0f255e756"
INDENTED_SIGNATURE = "4b10d3cb7da097e665be72bfa256e70d3594fe54e54e22f9beab15b8c3e2beab"
PREFIXED_SIGNATURE = "32e71394f081f9bb05a1bd21e6b8147ac0359350fc145a8ce57aafeb4bd7648c"
COMPACT = (
    b'{"items":[{"product_id":12345,"quantity":2}],"id_order_partner":"PARTNER-ORDER-12345",'
    b'"comments":"Demo order created by an external partner integration."}'
)
INDENTED = b"""{
    "items": [
        {
            "product_id": 12345,
            "quantity": 2
        }
    ],
    "id_order_partner": "PARTNER-ORDER-12345",
    "comments": "Demo order created by an external partner integration."
}"""


def test_the_vectors_are_typed_as_published():
    assert len(COMPACT) == 154
    assert len(INDENTED) == 224


@pytest.fixture
async def published(database: Database, standing_server: ClockedServer):
    """A client with the key and secret of the worked examples, at their moment."""
    async with database.begin() as tx:
        await tx.run("delete from credentials where public_key = %s", (KEY,))
        shop = await make_shop(tx)
        await tx.run("delete from variants where id = 12345")
        await make_variant(tx, shop=shop, id=12345)
        partner = await make_partner(tx, shop=shop)
        await add_credential(
            tx, partner_id=partner.id, ids=RandomIds(), box=box(), key=KEY, secret=SECRET
        )
    async with PartnerClient(standing_server.url, key=KEY, secret=SECRET, now=NOW) as client:
        yield client


async def test_the_published_get_is_accepted(published):
    reply = await published.products(nonce="req-demo-001", signature=GET_SIGNATURE)
    assert reply.status_code == 200
    assert [row["id"] for row in reply.json()] == [12345]


@pytest.mark.parametrize(
    ("body", "signature"), [(COMPACT, POST_SIGNATURE), (INDENTED, INDENTED_SIGNATURE)]
)
async def test_the_published_posts_are_accepted_byte_for_byte(published, body, signature):
    reply = await published.create(raw=body, nonce="req-demo-002", signature=signature)
    assert reply.status_code == 201, reply.text
    assert reply.json()["partner_order_id"] == "PARTNER-ORDER-12345"


async def test_the_signature_over_the_path_with_its_prefix_fails(published):
    reply = await published.products(nonce="req-demo-001", signature=PREFIXED_SIGNATURE)
    assert_refused(reply, "partner_auth_invalid_signature")
    assert reply.json()["message"] == "The HMAC signature does not match."


async def test_an_upper_case_signature_is_the_same_signature(published):
    reply = await published.products(nonce="req-demo-001", signature=GET_SIGNATURE.upper())
    assert reply.status_code == 200


# ---------------------------------------------------------------- time


@pytest.mark.parametrize("apart", [-300, -299, 0, 299, 300])
async def test_a_timestamp_within_the_window_is_accepted(standing_partner, apart):
    assert (await standing_partner.products(timestamp=str(NOW + apart))).status_code == 200


@pytest.mark.parametrize("apart", [-301, 301, -86_400, 4_000_000_000])
async def test_a_timestamp_outside_the_window_is_expired(standing_partner, apart):
    reply = await standing_partner.products(timestamp=str(NOW + apart))
    assert_refused(reply, "partner_auth_expired_timestamp")


@pytest.mark.parametrize(
    "text",
    [
        f"{NOW}000",
        f"+{NOW}",
        f"-{NOW}",
        f"{NOW}.0",
        f"{NOW} 0",
        f"0{NOW}",
        "177572640",
        "2026-04-09T09:20:00Z",
        "now",
        "0x69d76a00",
        "1_775_726_400",
        "1e9",
    ],
)
async def test_a_timestamp_of_another_syntax_is_invalid(standing_partner, text):
    assert_refused(
        await standing_partner.products(timestamp=text), "partner_auth_invalid_timestamp"
    )


@pytest.mark.parametrize(
    "value",
    ["١٧٧٥٧٢٦٤٠٠".encode(), "１７７５７２６４００".encode(), b"177572640\xb2", b"177572640\xb9"],
)
async def test_digits_of_another_script_are_no_timestamp(standing_server, standing_partner, value):
    headers = {
        name.encode(): text.encode() for name, text in standing_partner.signed("GET").items()
    }
    headers[b"X-Shoppex-Timestamp"] = value
    answer = await raw_exchange(standing_server.port, raw_get(headers.items()))
    assert status_of(answer) == 401
    assert b"partner_auth_invalid_timestamp" in body_of(answer)


async def test_blanks_around_a_header_do_not_count(standing_server, standing_partner):
    headers = [
        (n.encode(), b" \t" + v.encode() + b" \t ")
        for n, v in standing_partner.signed("GET").items()
    ]
    assert status_of(await raw_exchange(standing_server.port, raw_get(headers))) == 200


# ---------------------------------------------------------------- headers


NAMES = ("X-Shoppex-Key", "X-Shoppex-Timestamp", "X-Shoppex-Nonce", "X-Shoppex-Signature")


@pytest.mark.parametrize("name", NAMES)
async def test_an_absent_header_is_missing(partner, name):
    headers = partner.signed("GET")
    del headers[name]
    assert_missing(await partner.send("GET", PREFIX + PRODUCTS, headers=headers), name)


@pytest.mark.parametrize("value", ["", " ", "\t"])
@pytest.mark.parametrize("name", NAMES)
async def test_an_empty_header_is_missing(server, partner, name, value):
    headers = partner.signed("GET") | {name: value}
    pairs = [(n.encode(), v.encode()) for n, v in headers.items()]
    answer = await raw_exchange(server.port, raw_get(pairs))
    assert status_of(answer) == 401
    assert b"partner_auth_missing_headers" in body_of(answer)


@pytest.mark.parametrize("name", NAMES)
async def test_a_repeated_header_is_missing_even_with_equal_values(partner, name):
    headers = partner.signed("GET")
    pairs = [*headers.items(), (name.lower(), headers[name])]
    assert_missing(await partner.send("GET", PREFIX + PRODUCTS, headers=pairs), name)


async def test_header_names_are_read_in_any_case(partner):
    for change in (str.lower, str.upper, str.swapcase):
        headers = {change(name): value for name, value in partner.signed("GET").items()}
        reply = await partner.send("GET", PREFIX + PRODUCTS, headers=headers)
        assert reply.status_code == 200


async def test_no_header_at_all_is_missing_headers_on_both_routes(partner):
    assert_missing(await partner.send("GET", PREFIX + PRODUCTS, headers={}), *NAMES)
    reply = await partner.send("POST", PREFIX + CREATE, headers={}, body=b"{}")
    assert_missing(reply, *NAMES)
    assert reply.json()["success"] is False


@pytest.mark.parametrize("nonce", ["a b", "ä", "x" * 256, "a\tb", "a, b", "\u00a0"])
async def test_a_nonce_of_bad_syntax_counts_as_missing(server, partner, nonce):
    headers = partner.signed("GET", nonce=nonce)
    pairs = [(n.encode(), v.encode("latin-1")) for n, v in headers.items()]
    answer = await raw_exchange(server.port, raw_get(pairs))
    assert status_of(answer) == 401
    assert b"partner_auth_missing_headers" in body_of(answer)


@pytest.mark.parametrize(
    "nonce",
    [
        "a",
        "x" * 255,
        "req-demo-001",
        "A.b_c:d~e-9",
        "q83vEjRWeJCrze8SNFZ4kA==",
        "+/+/",
        "a,b",
        "{}",
        "'\"\\%00",
        "{7D0A52F4-91B3-4C6E-8E0D-1F2A3B4C5D6E}",
        "".join(map(chr, range(0x21, 0x7F))),
    ],
)
async def test_a_nonce_of_good_syntax_is_accepted(partner, nonce):
    assert (await partner.products(nonce=nonce)).status_code == 200


@pytest.mark.parametrize(
    "key", ["pk_nobody", "x" * 128, "x" * 129, "pk demo", "pk'--", "pk%00", "*"]
)
async def test_a_key_that_nobody_has_is_invalid_whatever_its_syntax(partner, key):
    assert_refused(await partner.products(key=key), "partner_auth_invalid_key")


async def test_a_key_is_case_sensitive(partner):
    assert_refused(await partner.products(key=partner.key.upper()), "partner_auth_invalid_key")


@pytest.mark.parametrize(
    "signature", ["0" * 64, "x", "f" * 63, "f" * 65, "ä" * 64, "hmac_sha256_signature_placeholder"]
)
async def test_a_wrong_signature_does_not_match(server, partner, signature):
    pairs = [
        (n.encode(), v.encode("utf-8"))
        for n, v in partner.signed("GET", signature=signature).items()
    ]
    answer = await raw_exchange(server.port, raw_get(pairs))
    assert status_of(answer) == 401
    assert b"partner_auth_invalid_signature" in body_of(answer)


async def test_the_method_the_route_and_every_header_are_signed(partner):
    right = partner.signed("GET")
    others = {
        "method": partner.signed("POST", route=PRODUCTS, nonce=right["X-Shoppex-Nonce"]),
        "route": partner.signed("GET", route=PRODUCTS + "/", nonce=right["X-Shoppex-Nonce"]),
        "nonce": right | {"X-Shoppex-Nonce": "another"},
        "time": right | {"X-Shoppex-Timestamp": str(int(right["X-Shoppex-Timestamp"]) - 1)},
        "body": partner.signed("GET", body=b"x"),
    }
    for headers in others.values():
        reply = await partner.send("GET", PREFIX + PRODUCTS, headers=headers)
        assert_refused(reply, "partner_auth_invalid_signature")


async def test_a_body_changed_by_one_space_fails_and_writes_nothing(
    partner, variant, nothing_written
):
    number = uuid.uuid4().hex
    body = b'{"items":[{"product_id":%d,"quantity":1}],"id_order_partner":"%s"}' % (
        await variant(),
        number.encode(),
    )
    headers = partner.signed("POST", body=body)
    async with nothing_written():
        for changed in (body + b" ", b" " + body, body.replace(b":1", b": 1"), body + b"\n", b""):
            reply = await partner.send("POST", PREFIX + CREATE, headers=headers, body=changed)
            assert_refused(reply, "partner_auth_invalid_signature")
    reply = await partner.send("POST", PREFIX + CREATE, headers=headers, body=body)
    assert reply.status_code == 201


# ---------------------------------------------------------------- the order of the checks


async def test_a_request_wrong_in_two_ways_gets_the_earlier_refusal(standing_partner):
    old = str(NOW - 301)
    spent = "spent-already"
    assert (await standing_partner.products(nonce=spent)).status_code == 200
    cases = [
        ({"nonce": "", "timestamp": "x"}, "partner_auth_missing_headers"),
        ({"timestamp": "x", "key": "pk_nobody"}, "partner_auth_invalid_timestamp"),
        ({"timestamp": old, "key": "pk_nobody"}, "partner_auth_expired_timestamp"),
        ({"timestamp": old, "signature": "0" * 64}, "partner_auth_expired_timestamp"),
        ({"key": "pk_nobody", "signature": "0" * 64}, "partner_auth_invalid_key"),
        ({"signature": "0" * 64, "nonce": spent}, "partner_auth_invalid_signature"),
        ({"nonce": spent, "key": "pk_nobody"}, "partner_auth_invalid_key"),
    ]
    for falsified, code in cases:
        assert_refused(await standing_partner.products(**falsified), code)


async def test_a_spent_nonce_is_told_before_a_missing_permission_and_that_before_the_body(
    clients, partner
):
    nobody = await clients(permissions=())
    reply = await nobody.create(raw=b"not json", nonce="n-1")
    assert reply.status_code == 403
    assert reply.json()["code"] == "partner_permission_denied"
    assert_refused(await nobody.create(raw=b"not json", nonce="n-1"), "partner_auth_reused_nonce")


# ---------------------------------------------------------------- the library of the test itself


def test_the_client_signs_as_the_worked_examples_do():
    made = sign(SECRET, method="GET", route=PRODUCTS, timestamp="1775726400", nonce="req-demo-001")
    assert made == GET_SIGNATURE


async def test_many_callers_at_once_are_each_judged_by_their_own_signature(clients, partner):
    other = await clients()
    replies = await asyncio.gather(
        *(
            client.products(secret=secret.secret)
            for client in (partner, other)
            for secret in (partner, other)
            for _ in range(8)
        )
    )
    assert [reply.status_code for reply in replies] == [200] * 8 + [401] * 16 + [200] * 8


def raw_get(headers) -> bytes:
    """A GET of the product list with exactly these headers, and the connection's end."""
    lines = [b"GET " + (PREFIX + PRODUCTS).encode() + b" HTTP/1.1", b"Host: shop.example"]
    lines += [name + b": " + value for name, value in headers]
    return b"\r\n".join([*lines, b"Connection: close", b"", b""])


def assert_refused(reply, code: str) -> None:
    """401 with this code, in the shape of an authentication failure."""
    assert reply.status_code == 401, reply.text
    document = reply.json()
    assert document["code"] == code
    assert document["data"]["status"] == 401
    assert document["message"]
    assert set(document) - {"success"} == {"code", "message", "data"}


def assert_missing(reply, *names: str) -> None:
    """The missing-header refusal, which names the headers."""
    assert_refused(reply, "partner_auth_missing_headers")
    for name in names:
        assert name in reply.json()["message"]
