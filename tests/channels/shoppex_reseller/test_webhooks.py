"""A merchant's webhooks..."""

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from crossdock.channels.shoppex_reseller.dialect import create_dialect
from crossdock.channels.shoppex_reseller.happenings import NAMES
from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.kit.outbound import Outbound
from crossdock.shop.catalogue import ProductRecord, VariantRecord, upsert_products
from crossdock.shop.mailing import Mailing
from crossdock.shop.orders import cancel_order, deliver_paid_serials, move_order
from crossdock.shop.shops import read_shop
from tests.conftest import NOON
from tests.support.clocked import ClockedServer, clocked
from tests.support.factories import ShopFixture, box, make_partner, make_shop, make_variant
from tests.support.hooked import Hooked
from tests.support.ordering import order, placing, read_partner
from tests.support.reseller_client import KeyHolder, add_key_holder
from tests.support.reselling import Reselling
from tests.support.simulators.http import Reply
from tests.support.webhook_receiver import MerchantServer, refusal_of

ROOT = "/dev/v1/webhooks"
CLIENT = "@shoppexio/sdk@0.2.26"


@pytest.fixture(scope="module")
async def hook_server(
    database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ClockedServer]:
    """The application, which may call this machine, for a whole file of tests."""
    folder = tmp_path_factory.mktemp("hooks")
    async with clocked(
        database_url=database_url,
        data_dir=str(folder),
        clock=FrozenClock(NOON),
        allowed_outbound_hosts=("127.0.0.1",),
    ) as server:
        yield server


class Desk:
    """A merchant with a server that is called, and the worker's parts."""

    def __init__(self, client: KeyHolder, worker: Hooked, shop: ShopFixture) -> None:
        self.client, self.worker, self.shop = client, worker, shop
        self.clock, self.db = worker.clock, worker.db

    @property
    def receiver(self) -> MerchantServer:
        assert isinstance(self.worker.receiver, MerchantServer)
        return self.worker.receiver

    async def add(self, *events: str) -> dict[str, Any]:
        """A webhook with its secret."""
        body = {"url": f"{self.receiver.url}/in", "events": list(events or NAMES)}
        made: dict[str, Any] = await self.client.data("POST", ROOT, status=201, json=body)
        return made

    async def buy(self) -> int:
        """A partner's order."""
        async with self.db.begin() as tx:
            variant_id = await make_variant(tx, shop=self.shop, own=9)
            made = await make_partner(tx, shop=self.shop)
        partner = await read_partner(self.db, made)
        placed = await order(
            placing(self.db, self.clock), partner=partner, number="PO-1", **{f"v{variant_id}": 2}
        )
        return placed.id

    def believed(self, secret: str, *, last: int = 0) -> list[str]:
        """Why the receiver does not believe the last calls; '' where it does."""
        now = self.clock.now().timestamp()
        return [refusal_of(each, secret=secret, now=now) for each in self.receiver.requests[-last:]]


@pytest.fixture
async def desk(database: Database, hook_server: ClockedServer) -> AsyncIterator[Desk]:
    async with database.begin() as tx:
        shop = await make_shop(tx)
    _, name, key = await add_key_holder(database, shop_id=shop.id)
    async with (
        MerchantServer() as receiver,
        Outbound(allowed_hosts=[receiver.host]) as outbound,
        KeyHolder(hook_server.url, key=key, public_key=name) as client,
    ):
        worker = Hooked(
            db=database, clock=hook_server.clock, shop=shop, outbound=outbound, receiver=receiver,
            dialect=create_dialect(),
        )  # fmt: skip
        yield Desk(client, worker, shop)


async def test_show_their_secret_once(desk):
    made = await desk.add("order:paid")

    assert made["secret"].startswith("whsec_")
    assert made["id"] == made["uniqid"]
    [listed] = await desk.client.data("GET", ROOT)
    assert listed == {name: value for name, value in made.items() if name != "secret"}
    assert await desk.client.data("GET", f"{ROOT}/{made['id']}") == listed
    page = await desk.client.ask("GET", ROOT)
    assert page["pagination"] == {"next_cursor": None, "has_more": False}


async def test_are_walked_changed_and_deleted(desk):
    ids = [(await desk.add("order:paid"))["id"] for _ in range(3)]
    seen, cursor = [], ""
    while True:
        page = await desk.client.ask("GET", f"{ROOT}?limit=1&cursor={cursor}")
        seen += [each["id"] for each in page["data"]]
        if not page["pagination"]["has_more"]:
            break
        cursor = page["pagination"]["next_cursor"]
    assert seen == ids[::-1]

    path = f"{ROOT}/{ids[0]}"
    changed = await desk.client.data("PATCH", path, json={"events": ["order:created"]})
    assert changed["events"] == ["order:created"]
    assert await desk.client.ask("DELETE", path, status=204) is None
    await desk.client.refusal("GET", path, status=404)
    await desk.client.refusal("DELETE", path, status=404)


async def test_offer_the_names_that_something_emits(desk):
    assert await desk.client.data("GET", f"{ROOT}/events") == list(NAMES)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"events": ["order:paid"]}, "url"),
        ({"url": "https://10.0.0.1/in", "events": ["order:paid"]}, "url"),
        ({"url": "https://shop.example/in"}, "events"),
        ({"url": "https://shop.example/in", "events": []}, "events"),
        ({"url": "https://shop.example/in", "events": ["order:*"]}, "events"),
        ({"url": "https://shop.example/in", "events": ["order:paid"] * 2}, "events"),
    ],
)
async def test_are_refused_with_the_field_that_is_wrong(desk, body, field):
    assert set(await desk.client.fields_refused("POST", ROOT, json=body)) == {field}
    assert await desk.client.data("GET", ROOT) == []


async def test_need_their_scope_and_are_of_one_shop(desk, hook_server, database):
    made = await desk.add("order:paid")
    _, name, key = await add_key_holder(
        database, shop_id=desk.shop.id, permissions=("webhooks.read",)
    )
    async with KeyHolder(hook_server.url, key=key, public_key=name) as reader:
        assert len(await reader.data("GET", ROOT)) == 1
        error = await reader.refusal("POST", f"{ROOT}/{made['id']}/test", status=403)
        assert error["code"] == "FORBIDDEN"
    async with database.begin() as tx:
        other = await make_shop(tx)
    _, name, key = await add_key_holder(database, shop_id=other.id)
    async with KeyHolder(hook_server.url, key=key, public_key=name) as stranger:
        assert await stranger.data("GET", ROOT) == []
        for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/rotate-secret")):
            await stranger.refusal(method, f"{ROOT}/{made['id']}{path}", status=404)


async def test_tell_of_orders_in_calls_that_a_receiver_believes(desk):
    made = await desk.add("order:created", "order:cancelled")
    order_id = await desk.buy()
    assert await desk.worker.work() == ["sent"]
    async with desk.db.begin() as tx:
        await cancel_order(tx, shop_id=desk.shop.id, order_id=order_id, now=desk.clock.now())
    assert await desk.worker.work() == ["sent"]

    assert desk.receiver.names() == ["order:created", "order:cancelled"]
    assert desk.believed(made["secret"], last=2) == ["", ""]
    created, cancelled = (request.json() for request in desk.receiver.requests)
    assert list(created) == ["event", "data", "created_at"]
    assert created["created_at"] == int(desk.clock.now().timestamp())
    assert [item["quantity"] for item in created["data"]["items"]] == [2]
    assert created["data"]["id"] == cancelled["data"]["id"]
    assert cancelled["data"]["status"] == "VOIDED"


async def test_tell_of_an_order_item_by_item_and_of_a_part_that_was_delivered(desk):
    names = [f"order:{name}" for name in ("created", "paid", "partial", "updated")]
    await desk.add(*names, *(f"{name}:product" for name in names))
    items: list[dict[str, Any]] = []
    for kind in ("SERIALS", "SERVICE"):
        body: dict[str, Any] = {"title": kind, "price": 5, "type": kind}
        body |= {"serials": "SECRET-1"} if kind == "SERIALS" else {}
        made = await desk.client.data("POST", "/dev/v1/products", status=201, json=body)
        items.append({"product_id": made["id"], "quantity": 1})
    body = {"email": "buyer@example.com", "items": items}
    made = await desk.client.data("POST", "/dev/v1/orders", status=201, json=body)
    async with desk.db.begin() as tx:
        order_id = await tx.value("select max(id) from orders where shop_id = %s", (desk.shop.id,))
        values: dict[str, Any] = {"shop_id": desk.shop.id, "order_id": order_id, "now": NOON}
        await move_order(tx, axis="payment", to="paid", **values)
        await deliver_paid_serials(
            tx, mailing=Mailing(box=box(), mailer=None, host="localhost"), **values
        )
    while await desk.worker.work():
        pass

    told = [(each["event"], each["data"]) for each in (r.json() for r in desk.receiver.requests)]
    once = ["order:created", "order:paid", "order:partial"]
    assert sorted(name for name, _ in told) == sorted(
        [*once, *(f"{name}:product" for name in once * 2)]
    )
    assert {data["id"] for _, data in told} == {made["id"]}
    by_item = [data["items"] for name, data in told if name == "order:paid:product"]
    assert sorted(item["title"] for [item] in by_item) == ["SERIALS", "SERVICE"]
    [partial] = [data for name, data in told if name == "order:partial"]
    assert partial["fulfillment_status"] == "PARTIALLY_SHIPPED"
    assert all("SECRET-1" not in str(each.body) for each in desk.receiver.requests)


async def test_succeed_with_the_third_attempt_under_one_id(desk):
    made = await desk.add("order:created")
    desk.receiver.moods = [Reply(500), Reply(500), Reply(200, b"ok")]
    await desk.buy()

    assert await desk.worker.work() == ["queued"]
    assert desk.believed(made["secret"], last=1) == [""]
    for minutes in (2, 4):
        desk.clock.move(timedelta(minutes=minutes))
        await desk.worker.deliver()
        assert desk.believed(made["secret"], last=1) == [""]

    assert len(set(desk.receiver.ids())) == 1
    [row] = await desk.client.data("GET", f"{ROOT}/logs")
    assert (row["status"], row["attempt"], row["status_code"]) == ("success", 3, 200)
    assert row["delivery_id"] == desk.receiver.ids()[0]
    assert (row["response"], row["event_type"]) == ("ok", "order:created")
    assert row["request_headers"]["X-Shoppex-Signature-V2"] == "[hidden]"
    assert row["payload"]["event"] == "order:created"
    assert await desk.client.data("GET", f"{ROOT}/logs/{row['id']}") == row


async def test_are_signed_with_the_new_secret_alone_after_a_rotation(desk):
    made = await desk.add("order:created")
    await desk.buy()
    await desk.worker.consume()
    rotated = await desk.client.data("POST", f"{ROOT}/{made['id']}/rotate-secret")

    assert rotated["secret"] != made["secret"]
    assert await desk.worker.deliver() == ["sent"]
    assert desk.believed(rotated["secret"], last=1) == [""]
    assert desk.believed(made["secret"], last=1) == ["the signature is another's"]


async def test_are_tried_and_sent_again_by_hand(desk):
    made = await desk.add("product:stock", "order:paid")
    answer = await desk.client.data("POST", f"{ROOT}/{made['id']}/test")
    assert "queued" in answer["message"]
    await desk.client.data("POST", f"{ROOT}/{made['id']}/test", json={"event": "order:paid"})
    assert set(
        await desk.client.fields_refused(
            "POST", f"{ROOT}/{made['id']}/test", json={"event": "order:*"}
        )
    ) == {"event"}
    assert sorted(await desk.worker.deliver()) == ["sent", "sent"]
    assert sorted(desk.receiver.names()) == ["order:paid", "product:stock"]
    assert desk.believed(made["secret"], last=2) == ["", ""]

    [row] = await desk.client.data("GET", f"{ROOT}/logs?event_type=order:paid")
    again = await desk.client.data("POST", f"{ROOT}/logs/{row['id']}/retry")
    assert (again["id"], again["status"]) == (row["id"], "pending")
    assert await desk.worker.deliver() == ["sent"]
    assert desk.receiver.ids().count(row["delivery_id"]) == 2
    await desk.client.refusal("POST", f"{ROOT}/logs/{made['id']}/retry", status=404)


async def test_have_a_log_in_pages(desk):
    first, second = await desk.add("order:created"), await desk.add("order:created")
    await desk.buy()
    await desk.worker.work()

    page = await desk.client.ask("GET", f"{ROOT}/logs?per_page=1&page=2")
    assert page["pagination"] == {
        "total": 2, "page": 2, "limit": 1, "total_pages": 2, "has_more": False
    }  # fmt: skip
    of_second = await desk.client.data("GET", f"{ROOT}/logs?webhook_uniqid={second['id']}")
    assert [row["webhook_uniqid"] for row in of_second] == [second["id"]]
    assert await desk.client.data("GET", f"{ROOT}/logs?webhook_uniqid=another") == []
    assert len(await desk.client.data("GET", f"{ROOT}/logs?status=success")) == 2
    assert await desk.client.data("GET", f"{ROOT}/logs?status=failed") == []
    assert first["id"] != second["id"]


async def test_have_the_same_events_in_a_feed_by_number(desk):
    await desk.buy()
    await desk.worker.work()
    assert desk.receiver.requests == []

    items = await desk.client.data("GET", f"{ROOT}/feed")
    assert [item["sequence"] for item in items] == list(range(1, len(items) + 1))
    assert "order:created" in {item["event"] for item in items}
    after = await desk.client.data("GET", f"{ROOT}/feed?after={items[0]['sequence']}&limit=1")
    assert after == items[1:2]


async def test_tell_of_products_that_are_new_changed_and_sold(desk):
    await desk.buy()
    await desk.worker.work()
    items = await desk.client.data("GET", f"{ROOT}/feed")
    *_, stock = [item["data"] for item in items if item["event"] == "product:stock"]
    assert [variant["available_stock"] for variant in stock["variants"]] == [7]

    for name in ("Blue mug", "Blue mug, large"):
        record = ProductRecord(
            handle="mug", name=name, merchant="Main", currency="USD",
            variants=(VariantRecord(sku="MUG-1", retail_minor=999),),
        )  # fmt: skip
        async with desk.db.begin() as tx:
            shop = await read_shop(tx, slug=desk.shop.slug)
            await upsert_products(tx, shop=shop, records=[record], now=desk.clock.now())
        desk.clock.move(timedelta(seconds=1))
    await desk.worker.work()
    told = await desk.client.data("GET", f"{ROOT}/feed?after={len(items)}")
    named = [(item["event"], item["data"]["title"]) for item in told]
    assert ("product:created", "Blue mug, large") in named
    assert ("product:edited", "Blue mug, large") in named
    assert len({item["data"]["id"] for item in told}) == 1


async def test_tell_of_resellers_without_what_they_bought(desk):
    reselling = Reselling(desk.db, desk.clock, desk.shop)
    await reselling.set(enabled=True, default_mode="both")
    licence = await reselling.licence("SECRET-1", price_minor=1_000)
    made = await desk.add(
        "reseller:invited", "reseller:accepted", "reseller:api_fulfillment_delivered"
    )
    _, partner = await reselling.reseller(credit_minor=5_000)
    await reselling.fulfil(partner, licence)
    await desk.worker.work()

    assert sorted(desk.receiver.names()) == sorted(made["events"])
    told = {each.headers["x-shoppex-event"]: each.json()["data"] for each in desk.receiver.requests}
    invited, accepted, delivered = (told[name] for name in made["events"])
    assert (invited["reseller_relationship_id"], invited["mode"]) == (None, "BOTH")
    assert accepted["invitation_id"] == invited["invitation_id"]
    assert delivered["reseller_relationship_id"] == accepted["id"]
    assert (delivered["quantity"], delivered["total"]) == (1, 10)
    assert all("SECRET-1" not in str(each.body) for each in desk.receiver.requests)
    assert desk.believed(made["secret"], last=3) == [""] * 3


@pytest.mark.slow
async def test_are_managed_by_the_published_client(desk, tmp_path):
    client = await asyncio.to_thread(_install, tmp_path)
    script = tmp_path / "manage.mjs"
    script.write_text(_SCRIPT.replace("CLIENT", client))
    told = await asyncio.to_thread(
        subprocess.run,
        ["node", str(script)],
        env={
            **os.environ,
            "BASE_URL": desk.client.base_url,
            "API_KEY": desk.client.key,
            "RECEIVER": f"{desk.receiver.url}/in",
        },
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    found = json.loads(told.stdout)
    assert found["secret"].startswith("whsec_")
    assert found["rotated"] != found["secret"]
    assert found["events"] == list(NAMES)
    assert found["listed"] == found["all"] == found["iterated"] == [found["id"]]
    assert found["updated"] == ["order:created"]
    assert found["logs"] == 1
    assert found["retried"] == "pending"
    assert found["gone"] == 404


def _install(folder: Path) -> str:
    """The published client's entry, from the registry that npm knows."""
    if not shutil.which("npm") or not shutil.which("node"):
        pytest.skip("npm and node are not here, so the published client cannot be run")
    ended = subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", CLIENT],
        cwd=folder, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    if ended.returncode:
        pytest.skip(f"the published client could not be fetched: {ended.stderr[-200:]}")
    return (folder / "node_modules/@shoppexio/sdk/dist/index.js").as_uri()


_SCRIPT = """
import { ShoppexClient } from "CLIENT";
const client = new ShoppexClient({ apiKey: process.env.API_KEY, baseUrl: process.env.BASE_URL });
const hooks = client.webhooks;
const made = (await hooks.create({ url: process.env.RECEIVER, events: ["order:paid"] })).data;
const listed = (await hooks.list()).data.map((each) => each.id);
const all = (await hooks.listAll()).map((each) => each.id);
const iterated = [];
for await (const each of hooks.iterateAll()) iterated.push(each.id);
const got = (await hooks.get(made.id)).data;
const updated = (await hooks.update(made.id, { events: ["order:created"] })).data;
const events = (await hooks.listEvents()).data;
await hooks.test(made.id, {});
const logs = (await hooks.listLogs()).data;
const everyLog = await hooks.listAllLogs();
const retried = (await hooks.retryLog(logs[0].id)).data;
const rotated = (await hooks.rotateSecret(made.id)).data;
await hooks.delete(made.id);
let gone = 0;
try { await hooks.get(made.id); } catch (error) { gone = error.status ?? error.statusCode; }
console.log(JSON.stringify({
  id: got.id, secret: made.secret, rotated: rotated.secret, listed, all, iterated, events,
  updated: updated.events, logs: everyLog.length, retried: retried.status, gone,
}));
"""
