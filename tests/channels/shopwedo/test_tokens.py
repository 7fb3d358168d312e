"""The token: both published vectors in every encoding, its time to the second, and what is refused."""

import base64
import json
import time
from datetime import timedelta

import pytest

from crossdock.kit.ids import RandomIds
from crossdock.shop.partners import disable_credential, rotate_secret
from tests.channels.shopwedo.conftest import SIGNED_AT
from tests.support.factories import MASTER_KEY, box, make_partner
from tests.support.processes import serving
from tests.support.shopwedo_client import (
    SHAPES,
    ShopClient,
    literal,
    multipart,
    token_of,
    urlencoded,
)

NOW = 1_700_000_000
VECTORS = {
    "1700000000": "5e2a24891055fce45b4b0c8963402656fa72dd198089c8aa7f323fbdf922e850"
    "72739f89707b917d2666c5f6fa85b7130b577afc2f36c82c347a299f4b0b9831",
    "1700000000.25": "1648e6220f98d7b22c18321ef8031022cf1d4ea15eaf00b14e7c41dc037e3c83"
    "24ed9c548cb7563cc16d36749e3773bbfee0337d12545786e3cb805ebc51f154",
}
ENCODINGS = {
    "urlencoded": lambda auth: urlencoded({"auth": auth}),
    "multipart": lambda auth: multipart({"auth": auth}),
    "json": literal,
}


def word(reply) -> str:
    """'' for success, else the error's word; a refusal is JSON, and never a 2xx."""
    assert reply.headers["content-type"] == "application/json"
    body = reply.json()
    if reply.status_code < 300:
        assert "error" not in body
        return ""
    assert reply.status_code == 401, reply.text
    return body["error"]


def vector(timestamp: str, *, quoted: bool = False, token: str = "") -> str:
    sent = f'"{timestamp}"' if quoted else timestamp
    token = token or VECTORS[timestamp]
    return f'{{"shopid": 123, "timestamp": {sent}, "salt": "abc123", "token": "{token}"}}'


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("quoted", [False, True], ids=["number", "text"])
@pytest.mark.parametrize("timestamp", VECTORS)
async def test_a_published_vector_is_accepted(clocked_client, timestamp, quoted, encoding):
    content_type, body = ENCODINGS[encoding](vector(timestamp, quoted=quoted))
    reply = await clocked_client.send("authTest", body, content_type=content_type)
    assert (reply.status_code, reply.json()) == (202, {})


@pytest.mark.parametrize("encoding", ENCODINGS)
async def test_a_published_vector_with_another_digit_is_refused(clocked_client, encoding):
    token = "0" + VECTORS["1700000000"][1:]
    content_type, body = ENCODINGS[encoding](vector("1700000000", token=token))
    reply = await clocked_client.send("authTest", body, content_type=content_type)
    assert word(reply) == "auth_token_mismatch"


@pytest.mark.parametrize("shape", SHAPES)
async def test_every_client_is_proven_at_both_prefixes(clocked_client, shape):
    for prefix in ("/admin/api/", "/api/"):
        reply = await clocked_client.shaped(shape).call("authTest", prefix=prefix)
        assert (reply.status_code, reply.json()) == (202, {})


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    "text",
    [
        "1700000000.0", "1700000000.000", "1700000000.100", "1699999999.9999999",
        "1.7e9", "1.7E+9", "17e8", "1.700000000e09", "1700000000.00000000000000",
    ],
)  # fmt: skip
async def test_the_token_is_made_of_the_timestamps_literal_text(clocked_client, shape, text):
    client = clocked_client.shaped(shape)
    assert word(await client.call("authTest", auth=client.auth(timestamp=text))) == ""
    plain = token_of("123", "s3cr3t-key", "1700000000", "s")
    spelled = client.auth(timestamp=text, salt='"s"', token=plain)
    assert word(await client.call("authTest", auth=spelled)) == "auth_token_mismatch"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"01700000000"', ""),  # text may begin with a zero
        ("01700000000", "auth_missing"),  # a JSON number may not
        ('"1700000000 "', "auth_invalid"),
        ('"+1700000000"', "auth_invalid"),
        ("-1700000000", "auth_invalid"),
        ('"1,700,000,000"', "auth_invalid"),
        ('"1_700_000_000"', "auth_invalid"),
        ('"0x6553F100"', "auth_invalid"),
        ('"١٧٠٠٠٠٠٠٠٠"', "auth_invalid"),
        ('"1700000000\\u0000"', "auth_invalid"),
        ('"NaN"', "auth_invalid"),
        ("NaN", "auth_invalid"),
        ("Infinity", "auth_invalid"),
        ("1e99", "auth_timestamp_in_future"),
        ("17000000000000000000", "auth_timestamp_in_future"),
        ('""', "auth_invalid"),
        ("null", "auth_invalid"),
        ("true", "auth_invalid"),
        ("[1700000000]", "auth_invalid"),
        ('{"a": 1}', "auth_invalid"),
    ],
)
async def test_an_odd_timestamp(clocked_client, text, expected):
    for shape in ("php", "json"):
        client = clocked_client.shaped(shape)
        assert word(await client.call("authTest", auth=client.auth(timestamp=text))) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (str(NOW - 901), "auth_expired"),
        (f"{NOW - 901}.999", "auth_expired"),
        (f"{NOW - 900}", ""),
        (f"{NOW - 900}.5", ""),
        (str(NOW - 890), ""),
        (str(NOW + 5), ""),
        (f"{NOW + 5}.001", "auth_timestamp_in_future"),
        (str(NOW + 6), "auth_timestamp_in_future"),
        (str(NOW + 60), "auth_timestamp_in_future"),
        (str(NOW * 1000), "auth_timestamp_in_future"),  # milliseconds
        ("0", "auth_expired"),
    ],
)
async def test_the_age_of_a_timestamp(clocked_client, text, expected):
    for shape in SHAPES:
        client = clocked_client.shaped(shape)
        found = word(await client.call("authTest", auth=client.auth(timestamp=text)))
        assert found == expected


async def test_a_token_grows_old(clocked_client, clocked_server):
    auth = clocked_client.auth()
    clocked_server.clock.move(timedelta(seconds=900))
    assert word(await clocked_client.call("authTest", auth=auth)) == ""
    clocked_server.clock.move(timedelta(seconds=0.9))
    assert word(await clocked_client.call("authTest", auth=auth)) == ""
    clocked_server.clock.move(timedelta(seconds=0.1))
    assert word(await clocked_client.call("authTest", auth=auth)) == "auth_expired"


@pytest.mark.parametrize("value", ["absent", "", None, True, [], ["123"], {"a": "b"}])
@pytest.mark.parametrize("field", ["shopid", "timestamp", "salt", "token"])
async def test_a_missing_or_wrong_auth_field(clocked_client, field, value):
    auth = json.loads(clocked_client.auth())
    if value == "absent":
        del auth[field]
    else:
        auth[field] = value
    for encode in ENCODINGS.values():
        content_type, body = encode(json.dumps(auth))
        reply = await clocked_client.send("getStock", body, content_type=content_type)
        assert word(reply) == "auth_invalid"


@pytest.mark.parametrize(
    "shop_id", ['"124"', "124", '"0123"', '" 123"', '"123.0"', "123.0", '"x"', "-123", '"1\\u0000"',
                '"\\ud800"', '"' + "9" * 300 + '"', "9" * 300, '"١٢٣"', "1e2"],
)  # fmt: skip
async def test_a_shop_id_that_is_nobodys(clocked_client, shop_id):
    for shape in ("php", "json"):
        client = clocked_client.shaped(shape)
        auth = client.auth(shopid=shop_id) if "\\ud800" not in shop_id else (
            f'{{"shopid": {shop_id}, "timestamp": {NOW}, "salt": "s", "token": "{"0" * 128}"}}'
        )  # fmt: skip
        assert word(await client.call("authTest", auth=auth)) == "auth_invalid"


@pytest.mark.parametrize(
    "salt", ['"x"', '" "', '"é€𝄞"', '"a\\u0000b"', "7", "7.50", '"' + "s" * 256 + '"']
)
async def test_any_salt_that_is_text(clocked_client, salt):
    for shape in SHAPES:
        client = clocked_client.shaped(shape)
        assert word(await client.call("authTest", auth=client.auth(salt=salt))) == ""


@pytest.mark.parametrize("salt", ["s" * 257, "s" * 100_000, "\ud800", "a\udfff"])
async def test_a_salt_that_is_refused(clocked_client, salt):
    auth = {"shopid": 123, "timestamp": NOW, "salt": salt, "token": "0" * 128}
    for encode in ENCODINGS.values():
        content_type, body = encode(json.dumps(auth))
        reply = await clocked_client.send("authTest", body, content_type=content_type)
        assert word(reply) == "auth_invalid"


@pytest.mark.parametrize("token", ["0" * 128, "x", "é" * 128, "0" * 127, "f" * 10_000, "\ud800"])
async def test_a_token_that_is_none(clocked_client, token):
    auth = {"shopid": 123, "timestamp": NOW, "salt": "s", "token": token}
    content_type, body = urlencoded({"auth": json.dumps(auth)})
    reply = await clocked_client.send("authTest", body, content_type=content_type)
    assert word(reply) in {"auth_token_mismatch", "auth_invalid"}


async def test_the_tokens_letters_may_be_capitals(clocked_client):
    token = token_of("123", "s3cr3t-key", str(NOW), "s").upper()
    auth = clocked_client.auth(timestamp=str(NOW), salt='"s"', token=token)
    assert word(await clocked_client.call("authTest", auth=auth)) == ""


@pytest.mark.parametrize(
    "auth", ["", "null", "[]", "{}", '"x"', "7", "true", "[1]", "{", "{'shopid': 1}", "auth", "[" * 50_000,
             '{"auth": {"shopid": 123}}', "NaN", "\x00"],
)  # fmt: skip
async def test_an_auth_that_is_no_object(clocked_client, auth):
    for encode in (ENCODINGS["urlencoded"], ENCODINGS["multipart"], ENCODINGS["json"]):
        content_type, body = encode(auth)
        reply = await clocked_client.send("getStock", body, content_type=content_type)
        assert word(reply) in {"auth_missing", "auth_invalid"}


async def test_auth_as_text_inside_json_is_read(clocked_client):
    content_type, body = literal(json.dumps(clocked_client.auth()), json.dumps("{}"))
    assert word(await clocked_client.send("authTest", body, content_type=content_type)) == ""


async def test_the_last_of_two_equal_properties_counts(clocked_client):
    auth = clocked_client.auth()
    content_type, body = urlencoded({"auth": '{"shopid": 999, ' + auth[1:]})
    assert word(await clocked_client.send("authTest", body, content_type=content_type)) == ""


@pytest.mark.parametrize("field", ["shopid", "timestamp", "salt"])
async def test_each_hashed_field_counts(clocked_client, field):
    auth = json.loads(clocked_client.auth())
    auth[field] = {"shopid": "123 ", "timestamp": NOW - 1, "salt": auth["salt"] + "x"}[field]
    reply = await clocked_client.call("authTest", auth=json.dumps(auth))
    assert word(reply) in {"auth_token_mismatch", "auth_invalid"}


async def test_one_bit_anywhere_in_the_token_counts(clocked_client):
    """P6, forgery: every one of the 512 bits."""
    right = int(token_of("123", "s3cr3t-key", str(NOW), "s"), 16)
    for bit in range(512):
        auth = clocked_client.auth(
            timestamp=str(NOW), salt='"s"', token=f"{right ^ (1 << bit):0128x}"
        )
        assert word(await clocked_client.call("authTest", auth=auth)) == "auth_token_mismatch"


@pytest.mark.parametrize("data", ["[1]", "7", "{", '"x"', "{'a'", '{"limit": 0}'])
@pytest.mark.parametrize("method", ["authTest", "createOrder", "getOrder", "getStock", "pudo"])
async def test_a_wrong_token_is_told_before_wrong_data(clocked_client, method, data):
    auth = clocked_client.auth(token="0" * 128)
    assert word(await clocked_client.form(method, data, auth=auth)) == "auth_token_mismatch"


async def test_no_body_at_all(clocked_client):
    for content_type in (None, "application/json", "multipart/form-data", "text/plain", "x"):
        reply = await clocked_client.send("getStock", b"", content_type=content_type)
        assert word(reply) == "auth_missing"


async def test_a_salt_may_come_again_by_default(client):
    auth = client.auth()
    for _ in range(3):
        assert word(await client.call("authTest", auth=auth)) == ""


async def test_a_replay_cache_takes_each_call_once(clients, server, server_database, tmp_path):
    """P6, replay: on every worker and after a restart; another time or salt is another call."""
    careful, other = await clients(settings={"replay_cache": True}), await clients()
    captured = [careful.auth(salt=json.dumps(f"salt {n}")) for n in range(25)]
    for auth in captured:
        assert word(await careful.call("authTest", auth=auth)) == ""
    for auth in captured * 2:
        reply = await careful.call("getStock", auth=auth)
        assert (reply.status_code, word(reply)) == (401, "auth_salt_reused")
    assert word(await other.call("authTest", auth=other.auth(salt='"salt 1"'))) == ""
    with serving(
        tmp_path, "--no-jobs", database_url=server.database_url, workers=1,
        master_key=base64.b64encode(MASTER_KEY).decode(),
    ) as later:  # fmt: skip
        async with ShopClient(later.url, shop_id=careful.shop_id, key=careful.key) as client:
            assert word(await client.call("authTest", auth=captured[0])) == "auth_salt_reused"
            assert word(await client.call("authTest")) == ""


async def test_a_replay_cache_is_not_fooled_by_where_the_time_ends(clients):
    """The token signs time and salt without anything between them: the same text cut elsewhere is no new call."""
    careful = await clients(settings={"replay_cache": True})
    now = str(int(time.time()))
    captured = json.loads(careful.auth(timestamp=f"{now}.123", salt='"constant"'))
    assert word(await careful.call("authTest", auth=json.dumps(captured))) == ""
    for moved in (
        {"timestamp": f"{now}.12", "salt": "3constant"},
        {"timestamp": now, "salt": ".123constant"},
    ):
        reply = await careful.call("createOrder", auth=json.dumps(captured | moved))
        assert (reply.status_code, word(reply)) == (401, "auth_salt_reused")


async def test_a_replayed_call_is_remembered_for_as_long_as_its_time_is_good(
    database, clocked_server, clocked_client
):
    async with database.begin() as tx:
        await tx.run(
            "update partners set settings = '{\"replay_cache\": true}' where id ="
            " (select partner_id from credentials where channel = 'shopwedo' and public_key = '123')"
        )
    auth = clocked_client.auth(timestamp=str(NOW + 5))
    assert word(await clocked_client.call("authTest", auth=auth)) == ""
    clocked_server.clock.move(timedelta(seconds=905))
    assert word(await clocked_client.call("authTest", auth=auth)) == "auth_salt_reused"
    clocked_server.clock.move(timedelta(seconds=1))
    assert word(await clocked_client.call("authTest", auth=auth)) == "auth_expired"


async def test_a_forged_call_spends_no_salt(clients):
    careful = await clients(settings={"replay_cache": True})
    good = careful.auth()
    forged = json.loads(good) | {"token": "0" * 128}
    assert word(await careful.call("authTest", auth=json.dumps(forged))) == "auth_token_mismatch"
    assert word(await careful.call("authTest", auth=good)) == ""


async def test_two_keys_are_good_while_one_is_changed(database, clocked_server, clocked_client):
    async with database.begin() as tx:
        new = await rotate_secret(
            tx, key="123", ids=RandomIds(), box=box(), now=SIGNED_AT, overlap_s=600
        )
    old_one, new_one = clocked_client.auth(), clocked_client.auth(key=new.secret)
    assert word(await clocked_client.call("authTest", auth=old_one)) == ""
    assert word(await clocked_client.call("authTest", auth=new_one)) == ""
    clocked_server.clock.move(timedelta(seconds=600))
    assert word(await clocked_client.call("authTest", auth=old_one)) == "auth_token_mismatch"
    assert word(await clocked_client.call("authTest", auth=new_one)) == ""


async def test_a_disabled_key_is_refused_from_the_next_call_on(client, server_database):
    for _ in range(6):  # both workers know it
        assert word(await client.call("authTest")) == ""
    async with server_database.begin() as tx:
        await disable_credential(tx, key=client.shop_id, now=SIGNED_AT)
    for _ in range(6):
        assert word(await client.call("authTest")) == "auth_invalid"


async def test_an_inactive_partner_is_refused_from_the_next_call_on(client, server_database):
    assert word(await client.call("authTest")) == ""
    async with server_database.begin() as tx:
        await tx.run(
            "update partners set active = false where id ="
            " (select partner_id from credentials where channel = 'shopwedo' and public_key = %s)",
            (client.shop_id,),
        )
    for _ in range(6):
        assert word(await client.call("authTest")) == "auth_invalid"


async def test_a_key_of_another_channel_is_nobody_here(server_database, shop, server):
    async with server_database.begin() as tx:
        partner = await make_partner(tx, shop=shop)
    async with ShopClient(server.url, shop_id="1", key=partner.secret) as client:
        auth = client.auth(shopid=json.dumps(partner.key))
        assert word(await client.call("authTest", auth=auth)) == "auth_invalid"


async def test_a_rate_is_limited_where_the_partner_has_one(clients):
    slow = await clients(settings={"rate_limit_per_minute": 3})
    replies = [await slow.call("authTest") for _ in range(5)]
    assert [r.status_code for r in replies][:3] == [202] * 3
    assert replies[-1].status_code in {202, 429}  # a new minute may have begun
    for reply in replies:
        if reply.status_code == 429:
            assert reply.json()["error"] == "rate_limited"
            assert reply.headers["retry-after"] == "60"
