"""The explainer helps with a test credential's request, and helps nobody else."""

import html
import json
import re
import time

import httpx2
import pytest

from crossdock.channels.shoppex_partner.explain import PATH
from tests.support.partner_client import PartnerClient, order_of, sign

SIGNED = ("key", "timestamp", "nonce", "signature")


def fields_of(
    client: PartnerClient, method: str = "GET", body: bytes = b"", **changes
) -> dict[str, str]:
    headers = client.signed(method, body=body, **changes)
    values = {name: headers[f"X-Shoppex-{name.title()}"] for name in SIGNED}
    return values | {"method": method, "body": body.decode()}


def ask(server, fields: dict[str, str] | bytes) -> str:
    """The page's text after the form was sent."""
    options = {"content": fields} if isinstance(fields, bytes) else {"data": fields}
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    reply = httpx2.post(server.url + PATH, headers=kind, trust_env=False, verify=False, **options)
    assert reply.status_code == 200, reply.text[:300]
    assert reply.headers["cache-control"] == "no-store"
    return html.unescape(re.sub(r"<[^>]+>", "", reply.text))


async def test_a_right_request_is_told_to_be_right_and_spends_nothing(server, partner):
    fields = fields_of(partner)
    for _ in range(2):
        text = ask(server, fields)
        assert "would be accepted" in text
        assert "/shoppex-integrations/v1/products" in text
    headers = {f"X-Shoppex-{name.title()}": fields[name] for name in SIGNED}
    reply = await partner.send("GET", "/wp-json/shoppex-integrations/v1/products", headers=headers)
    assert reply.status_code == 200
    assert "partner_auth_reused_nonce" in ask(server, fields)


async def test_no_order_is_placed_by_explaining_one(server, partner, variant, nothing_written):
    body = json.dumps(order_of((await variant(), 1))).encode()
    async with nothing_written():
        assert "would be accepted" in ask(server, fields_of(partner, "POST", body))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"timestamp": "17757264000"}, "partner_auth_invalid_timestamp"),
        ({"timestamp": "1775726400"}, "partner_auth_expired_timestamp"),
        ({"nonce": "a b"}, "partner_auth_missing_headers"),
        ({"signature": "0" * 64}, "partner_auth_invalid_signature"),
        ({"key": "pk_nobody"}, "partner_auth_invalid_key"),
    ],
)
async def test_the_check_that_stops_a_request_is_named(server, partner, changes, code):
    assert code in ask(server, fields_of(partner, **changes))


async def test_a_mistake_that_many_make_is_found(server, partner):
    fields = fields_of(partner, route="/wp-json/shoppex-integrations/v1/products")
    text = ask(server, fields)
    assert "partner_auth_invalid_signature" in text
    assert "/wp-json" in text


async def test_neither_the_secret_nor_the_right_signature_is_ever_shown(server, partner):
    now = str(int(time.time()))
    right = partner.signed("GET", timestamp=now, nonce="n-1")["X-Shoppex-Signature"]
    for signature in ("", "0" * 64, right[:-1], "x"):
        for method in ("GET", "POST"):
            fields = fields_of(partner, timestamp=now, nonce="n-1", signature=signature)
            text = ask(server, fields | {"method": method})
            assert partner.secret not in text
            wanted = sign(
                partner.secret,
                method=method,
                route={
                    "GET": "/shoppex-integrations/v1/products",
                    "POST": "/shoppex-integrations/v1/create-order",
                }[method],
                timestamp=now,
                nonce="n-1",
            )
            assert wanted not in text


async def test_a_live_key_is_told_as_little_about_as_an_unknown_one(server, clients):
    live = await clients(is_test=False)
    fields = fields_of(live, nonce="n-1", timestamp=str(int(time.time())))
    assert (await live.products()).status_code == 200
    texts = {}
    for key in (live.key, "pk_" + "0" * (len(live.key) - 3)):
        text = ask(server, fields | {"key": key}).replace(key, "KEY")
        texts[key] = re.sub(r"\d+ s apart", "N s apart", text)  # a second may pass between the two
    assert len(set(texts.values())) == 1
    assert "would be accepted" not in texts[live.key]


@pytest.mark.parametrize("name", SIGNED)
@pytest.mark.parametrize(
    "value", ["\x00", "a\x00b", "é", "日本", "\ud7ff", "x" * 10_000, "<script>", "{{ 7*7 }}"]
)
async def test_no_input_makes_it_fail(server, partner, name, value):
    text = ask(server, fields_of(partner) | {name: value})
    assert "would be refused" in text


@pytest.mark.parametrize(
    "form",
    [
        b"",
        b"&&&&",
        b"=",
        b"method=DELETE",
        b"key=%00",
        b"key=%ff&body=%ed%a0%80",
        b"\xff\xfe",
        b"body=" + b"x" * 200_000,
        b"key=a&key=b",
        b"%" * 1000,
    ],
    ids=lambda value: repr(value)[:20],
)
async def test_no_form_makes_it_fail(server, form):
    ask(server, form)


async def test_what_is_typed_is_escaped(server, partner):
    fields = fields_of(partner) | {
        "body": "</textarea><script>alert(1)</script>",
        "key": '"><img src=x>',
    }
    reply = httpx2.post(server.url + PATH, data=fields, trust_env=False, verify=False)
    assert "<script>alert(1)" not in reply.text
    assert '"><img src=x>' not in reply.text


async def test_the_empty_form_is_a_page(server):
    reply = httpx2.get(server.url + PATH, trust_env=False, verify=False)
    assert reply.status_code == 200
    assert reply.headers["x-robots-tag"].startswith("noindex")
    assert reply.headers["content-security-policy"]


def test_a_form_of_more_fields_than_the_page_has_is_refused(server):
    fields = {f"f{number}": "x" for number in range(17)}
    reply = httpx2.post(server.url + PATH, data=fields, trust_env=False, verify=False)
    assert reply.status_code == 400
    assert "more than 16 fields" in reply.json()["message"]
