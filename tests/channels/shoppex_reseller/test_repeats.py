"""A credential that an answer tells..."""

import re
import typing

import msgspec
import pytest

from crossdock.channels.shoppex_reseller.building import create_routes
from crossdock.shop.orders.identities import answer_place
from tests.support.factories import box
from tests.support.portal import PORTAL, joined
from tests.support.reseller_client import CHANNEL
from tests.support.reselling import Reselling

CREDENTIAL = re.compile(r"secret|password|api_key|\btoken\b|accept_url|dynamic_url|private")


def _fields(kind, prefix=""):
    """The dotted names of a type's fields, and of those inside."""
    for inner in (kind, *typing.get_args(kind)):
        if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
            for name, of in typing.get_type_hints(inner).items():
                yield prefix + name
                yield from _fields(of, f"{prefix}{name}.")


async def kept(database, *, shop_id: int) -> str:
    """All answers that are kept of the shop, opened."""
    async with database.statement() as tx:
        rows = await tx.all(
            "select namespace, key, sealed_answer from identities where shop_id = %s", (shop_id,)
        )
    places = [(answer_place(shop_id, namespace, key), bytes(it)) for namespace, key, it in rows]
    return "\n".join(box().open(sealed, place=place).decode() for place, sealed in places)


async def test_is_named_by_every_route_that_keeps_its_answer(desk_server):
    found = []
    for route in create_routes(desk_server.app.services):
        named = {each for each in _fields(route.answer) if CREDENTIAL.search(each.split(".")[-1])}
        found += sorted(route.told_once)
        if route.writes is not None:
            assert named <= {*route.told_once}, (route.name, named)
        assert not route.told_once or route.writes is not None
    assert found == [
        "webhook_secret", "secret", "secret", "invitation.accept_url", "invitation.token", "api_key",
        "dynamic_url",
    ]  # fmt: skip


@pytest.mark.parametrize("path", ["", "/{id}/rotate-secret"])
async def test_of_a_webhook_is_told_once(merchant, desk_database, desk, path):
    body = {"url": "https://hooks.example.com/in", "events": ["order:paid"]}
    known = await merchant.data("POST", "/dev/v1/webhooks", status=201, json=body)
    path = "/dev/v1/webhooks" + path.format(id=known["id"])
    status = 200 if "rotate" in path else 201
    first = await merchant.data("POST", path, status=status, json=body, once="w-1")
    reply = await merchant.send("POST", path, json=body, once="w-1")
    assert reply.headers["Idempotent-Replayed"] == "true"
    assert reply.json()["data"] == {**first, "secret": None}
    assert first["secret"] not in await kept(desk_database, shop_id=desk.id)


async def test_of_an_invitation_is_told_once(merchant, desk_database, desk):
    await merchant.data("PATCH", "/dev/v1/reseller-program", json={"is_enabled": True})
    call = ("POST", "/dev/v1/resellers/invite")
    body = {"email": "partner@example.com"}
    first = await merchant.data(*call, status=201, json=body, once="i-1")
    again = await merchant.data(*call, status=201, json=body, once="i-1")
    token = first["invitation"]["token"]
    assert again["invitation"] == {**first["invitation"], "token": None, "accept_url": None}
    assert again["email_delivery"] == first["email_delivery"]
    assert token not in await kept(desk_database, shop_id=desk.id)


async def test_of_a_reseller_is_told_once(desk_database, desk_server):
    selling = await Reselling.open(desk_database, desk_server.clock, channel=CHANNEL)
    async with joined(selling, desk_server.url) as ada:
        call = ("POST", f"{PORTAL}/api-keys")
        first = await ada.data(*call, status=201, once="k-1")
        again = await ada.data(*call, status=201, once="k-1")
        assert again == {**first, "api_key": None, "dynamic_url": None}
        assert len(await ada.data("GET", f"{PORTAL}/api-keys")) == 1
    assert first["api_key"] not in await kept(desk_database, shop_id=selling.shop.id)


async def test_does_not_hide_what_was_sold(merchant, desk_database, desk):
    body = {"title": "Licence", "price": 20, "type": "SERIALS", "serials": "A-1\nB-2"}
    product = await merchant.data("POST", "/dev/v1/products", status=201, json=body)
    call = ("POST", f"/dev/v1/products/{product['id']}/serials/claim")
    first = await merchant.data(*call, json={"amount": 1}, once="s-1")
    assert first["serials"] == ["A-1"]
    assert await merchant.data(*call, json={"amount": 1}, once="s-1") == first
