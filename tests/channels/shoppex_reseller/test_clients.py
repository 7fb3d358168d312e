"""The published clients, unchanged but for the base URL, call..."""

import asyncio
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from shoppexio import ShoppexApiError, ShoppexClient

PACKAGE = "@shoppexio/sdk@0.2.26"
PROGRAM = """
import { ShoppexClient, ShoppexApiError } from '@shoppexio/sdk';
const client = new ShoppexClient({ apiKey: process.env.KEY, baseUrl: process.env.BASE + '/' });
const told = {};
told.me = (await client.me.get()).data.store_name;
told.scopes = (await client.me.getCapabilities()).data.scopes;
const made = await client.products.create(
  { title: 'Key', price: 5, type: 'SERIALS' }, { idempotencyKey: 'js-1' });
const id = made.data.id;
told.again = (await client.products.create(
  { title: 'Key', price: 5, type: 'SERIALS' }, { idempotencyKey: 'js-1' })).data.id === id;
await client.products.create({ title: 'Other', price: 7.5, type: 'SERVICE' });
told.added = (await client.products.addSerials(id, { serials: ['A-1', 'B-2', 'C-3'] })).data;
const serials = await client.products.listSerials(id, { limit: 2 });
told.serials = serials.data.map((each) => each.serial);
told.total = serials.pagination.total;
told.removed = (await client.products.removeSerials(id, { serial_ids: [serials.data[0].id] })).data;
told.claimed = (await client.products.claimSerials(id, { amount: 1 })).data;
told.price = (await client.products.update(id, { price: 6.25 })).data.price;
told.title = (await client.products.get(id)).data.title;
told.stock = (await client.products.getStock(id)).data.stock;
told.moved = (await client.products.listStockMovements(id)).data.map((each) => each.quantity);
told.listed = (await client.products.list({ page: 1, limit: 20 })).data.length;
told.all = (await client.products.listAll({ limit: 1 })).map((each) => each.title);
told.found = (await client.products.search({ q: 'oth' })).data.map((each) => each.title);
const [card] = (await client.products.search({ q: 'card' })).data;
const variant = card.variants[0].id;
told.variantAdded = (await client.products.addVariantSerials(card.id, variant, { serials: 'V-1' })).data;
const pool = (await client.products.listVariantSerials(card.id, variant)).data;
told.variantRemoved = (await client.products.removeVariantSerials(
  card.id, variant, { serial_ids: pool.map((each) => each.id) })).data;
const placed = (await client.orders.create({ email: 'b@example.com', items: [
  { product_id: id, quantity: 1 } ] }, { idempotencyKey: 'js-2' })).data;
told.placed = [placed.status, placed.total, (await client.orders.get(placed.id)).data.id === placed.id];
told.renamed = (await client.orders.update(placed.id, { title: 'Gift' })).data.title;
const completed = (await client.orders.complete(placed.id, { suppress_emails: true })).data;
told.completed = [completed.status, completed.items[0].serials.length];
told.orders = [(await client.orders.list({ limit: 1 })).data.length,
  (await client.orders.listAll({ limit: 1 })).length];
told.refused = [];
for (const call of [() => client.orders.fulfill(placed.id, {}),
  () => client.orders.refund(placed.id, { amount: '1.00' })]) {
  try { await call(); } catch (error) { told.refused.push(error.status); }
}
const ada = (await client.customers.create({ email: 'ada@example.com', name: 'Ada' })).data;
told.customer = [(await client.customers.update(ada.id, { phone: '1' })).data.phone,
  (await client.customers.get(ada.id)).data.name, (await client.customers.list({ limit: 1 })).data.length];
await client.customers.delete(ada.id);
told.customers = (await client.customers.listAll({ limit: 1 })).map((each) => each.email).includes('b@example.com');
const coupon = (await client.coupons.create({ code: 'TEN', discount_value: 10 })).data;
told.coupon = [coupon.code, (await client.coupons.getByCode('Ten')).data.id === coupon.id];
told.couponUses = (await client.coupons.update(coupon.id, { max_uses: 3 })).data.max_uses;
told.coupons = (await client.coupons.listAll({ limit: 1 })).map((each) => each.code);
await client.coupons.delete(coupon.id);
told.couponsLeft = (await client.coupons.list()).data.length;
told.deleted = await client.products.delete(id);
try { await client.products.get(id); } catch (error) {
  told.error = [error instanceof ShoppexApiError, error.status, error.code, error.docUrl, !!error.requestId];
}
console.log(JSON.stringify(told));
"""

STOCK = """
import { ShoppexClient } from '@shoppexio/sdk';
const client = new ShoppexClient({ apiKey: process.env.KEY, baseUrl: process.env.BASE });
const { RELATIONSHIP: who, PRODUCT: product_id } = process.env;
const { resellers } = client, told = [];
const asked = (await resellers.requestStockPurchase(
  who, { product_id, quantity: 2 }, { idempotencyKey: 'stock-1' })).data;
told.push(asked.status, asked.total);
told.push((await resellers.createStockPurchaseInvoice(who, asked.id)).data.invoice.status);
told.push((await resellers.markStockTransferPaid(who, asked.id)).data.status);
const got = (await resellers.allocateStockTransfer(who, asked.id, { idempotencyKey: 'got-1' })).data;
told.push(got.status, got.allocated_count);
told.push((await resellers.stockTransfers(who)).data.length);
const items = (await resellers.inventory(who)).data;
told.push(items.map((each) => each.serial_preview));
const done = (await resellers.deliverInventoryItem(who, items[1].id, { email: 'c@d.example' })).data;
told.push(done.status, done.serial);
told.push((await resellers.revokeStockTransfer(who, asked.id)).data.delivered_count);
console.log(JSON.stringify(told));
"""
STOCK_TOLD = [
    *("REQUESTED", 25.98, "PENDING", "PAID", "ALLOCATED", 2, 1, ["••••001", "••••000"]),
    *("DELIVERED", "LIC-000", 1),
]


def python_stock_calls(*, base: str, key: str, path: str, product: str) -> list[Any]:
    """What the Python client gets where a reseller buys stock; it has no methods of its own for that."""
    client = ShoppexClient(api_key=key, base_url=base)

    def call(method: str, below: str, once: str | None = None, **body: Any) -> Any:
        sent = body or None
        return client.request(method, f"{path}/{below}", json=sent, idempotency_key=once)["data"]

    asked = call("POST", "stock-purchases", "stock-1", product_id=product, quantity=2)
    transfer = f"stock-transfers/{asked['id']}"
    invoiced = call("POST", f"{transfer}/invoice", "stock-invoice-1")
    told = [asked["status"], asked["total"], invoiced["invoice"]["status"]]
    told.append(call("POST", f"{transfer}/mark-paid")["status"])
    got = call("POST", f"{transfer}/allocate", "got-1")
    told += [got["status"], got["allocated_count"], len(call("GET", "stock-transfers"))]
    items = call("GET", "inventory")
    told.append([each["serial_preview"] for each in items])
    done = call("POST", f"inventory/{items[1]['id']}/deliver", email="c@d.example")
    told += [done["status"], done["serial"]]
    return [*told, call("POST", f"{transfer}/revoke")["delivered_count"]]


async def test_what_resellers_buy_in_python(buying):
    told = await asyncio.to_thread(
        python_stock_calls,
        base=buying.http.base_url,
        key=buying.http.key,
        path=buying.path,
        product=buying.product,
    )
    assert told == STOCK_TOLD


def python_calls(*, base: str, key: str) -> dict[str, Any]:
    """What the Python client gets of every method that is served."""
    told: dict[str, Any] = {}
    client = ShoppexClient(api_key=key, base_url=f"{base}/")
    told["me"] = client.me.get().data.get("store_name")
    told["scopes"] = client.me.capabilities().data.get("scopes")
    draft = {"title": "Key", "price": 5, "type": "SERIALS", "serials": ["A-1", "B-2"]}
    made = client.products.create(draft, "py-1").data
    told["again"] = client.products.create(draft, "py-1").data.id == made.id
    client.products.create({"title": "Other", "price": 7.5, "type": "SERVICE"})
    told["price"] = client.products.update(made.id, {"price": 6.25}).data.get("price")
    told["stock"] = client.products.get(made.id).data.get("stock")
    page = client.products.list({"limit": 1})
    told["page"] = (len(page.data), page.pagination.has_more, type(page.pagination).__name__)
    told["all"] = [each.name for each in client.products.list_all({"limit": 1})]
    serials = client.response("GET", f"/dev/v1/products/{made.id}/serials")
    told["serials"] = (serials.pagination.total, type(serials.pagination).__name__)
    told |= python_orders(client, made.id)
    coupon = client.coupons.create({"code": "TEN", "discount_value": 10}, "py-2").data
    client.coupons.update(coupon.id, {"max_uses": 3})
    found = client.coupons.get_by_code("ten").data
    listed = [each.code for each in client.coupons.list_all({"limit": 1})]
    told["coupons"] = (found.id == coupon.id, found.get("max_uses"), listed)
    assert client.coupons.get(coupon.id).data.get("used") == 0
    client.coupons.delete(coupon.id)
    told["coupons_left"] = client.coupons.list().data
    client.products.delete(made.id)
    with pytest.raises(ShoppexApiError) as refused:
        client.products.get(made.id)
    error = refused.value
    told["error"] = (error.status, error.code, error.doc_url, bool(error.request_id))
    return told


def python_orders(client: ShoppexClient, product_id: str | None) -> dict[str, Any]:
    """What the Python client gets of the methods of orders and customers."""
    told: dict[str, Any] = {}
    items = [{"product_id": product_id, "quantity": 2}]
    placed = client.orders.create({"email": "b@example.com", "items": items}, "py-2").data
    told["placed"] = (placed.status, placed.get("total"), client.orders.get(placed.id).data.status)
    told["renamed"] = client.orders.update(placed.id, {"title": "Gift"}).data.get("title")
    done = client.orders.complete(placed.id, {"note": "Thanks", "suppress_emails": True}).data
    told["completed"] = (done.status, done.get("items")[0]["serials"])
    page = client.orders.list({"limit": 1})
    told["orders"] = (len(page.data), len(client.orders.list_all({"limit": 1})))
    told["refused"] = []
    for call in (client.orders.fulfill, client.orders.refund):
        with pytest.raises(ShoppexApiError) as refused:
            call(placed.id, {"amount": "1.00"})
        told["refused"].append(refused.value.status)
    ada = client.customers.create({"email": "ada@example.com", "name": "Ada"}).data
    client.customers.update(ada.id, {"phone": "1"})
    told["customer"] = (client.customers.get(ada.id).data.get("phone"), ada.email)
    client.customers.delete(ada.id)
    told["customers"] = "b@example.com" in [
        each.email for each in client.customers.list_all({"limit": 1})
    ]
    return told


async def test_what_is_served_in_python(merchant):
    told = await asyncio.to_thread(python_calls, base=merchant.base_url, key=merchant.key)
    page = f"{merchant.base_url}/docs/reference/shoppex_reseller_errors#NOT_FOUND"
    assert told == {
        "me": "Test shop", "scopes": ["*"], "again": True, "price": 6.25, "stock": 2,
        "page": (1, True, "CursorPagination"), "all": ["Other", "Key"],
        "serials": (2, "PagePagination"), "placed": ("PENDING", 12.5, "PENDING"), "renamed": "Gift",
        "completed": ("COMPLETED", ["A-1", "B-2"]), "orders": (1, 1), "refused": [409, 422],
        "customer": ("1", "ada@example.com"), "customers": True, "coupons": (True, 3, ["ten"]), "coupons_left": [],
        "error": (404, "NOT_FOUND", page, True),
    }  # fmt: skip


@pytest.fixture(scope="module")
def node_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the published package; skipped where npm, or its registry, is not there."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("node and npm are not installed")
    folder = tmp_path_factory.mktemp("node")
    (folder / "package.json").write_text('{"type": "module", "private": true}')
    command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", PACKAGE]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=90, check=False
    )
    if done.returncode:
        pytest.skip(f"npm cannot fetch {PACKAGE}: {done.stderr[-300:]}")
    (folder / "calls.js").write_text(PROGRAM)
    (folder / "stock.js").write_text(STOCK)
    return folder


def node_calls(folder: Path, program: str, **environment: str) -> Any:
    """What the JavaScript client gets."""
    node = shutil.which("node")
    assert node is not None  # the folder was made by it
    done = subprocess.run(
        [node, program], cwd=folder, env={**environment, "PATH": ""},
        capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


async def test_what_is_served_in_javascript(merchant, cards, node_folder):
    told = await asyncio.to_thread(
        node_calls, node_folder, "calls.js", BASE=merchant.base_url, KEY=merchant.key
    )
    assert re.fullmatch(r"http://\S+#NOT_FOUND", told["error"].pop(3))
    assert told == {
        "me": "Test shop", "scopes": ["*"], "again": True, "added": {"added_count": 3},
        "serials": ["A-1", "B-2"], "total": 3, "removed": {"removed_count": 1},
        "claimed": {"claimed_count": 1, "remaining_stock": 1, "serials": ["B-2"]},
        "price": 6.25, "title": "Key", "stock": 1, "moved": [-1, -1, 3], "listed": 3,
        "all": ["Other", "Key", "Card"], "found": ["Other"], "variantAdded": {"added_count": 1},
        "variantRemoved": {"removed_count": 1}, "placed": ["PENDING", 6.25, True], "renamed": "Gift",
        "completed": ["COMPLETED", 1], "orders": [1, 1], "refused": [409, 422],
        "customer": ["1", "Ada", 1], "customers": True, "coupon": ["ten", True], "couponUses": 3,
        "coupons": ["ten"], "couponsLeft": 0, "deleted": None,
        "error": [True, 404, "NOT_FOUND", True],
    }  # fmt: skip


async def test_what_resellers_buy_in_javascript(buying, node_folder):
    told = await asyncio.to_thread(
        node_calls,
        node_folder,
        "stock.js",
        BASE=buying.http.base_url,
        KEY=buying.http.key,
        RELATIONSHIP=buying.path.rsplit("/", 1)[1],
        PRODUCT=buying.product,
    )
    assert told == STOCK_TOLD
