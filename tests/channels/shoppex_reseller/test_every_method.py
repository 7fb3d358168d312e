"""Every method of the published clients is answered..."""

import asyncio
import inspect
from collections.abc import AsyncIterator
from typing import Any

import pytest
from shoppexio import ShoppexClient

from crossdock.channels.shoppex_reseller.ids import Kind, ShopIds
from crossdock.kit.clock import FrozenClock
from crossdock.kit.ids import RandomIds
from crossdock.shop.resellers import add_key
from tests.channels.shoppex_reseller.test_clients import node_calls, node_folder
from tests.channels.shoppex_reseller.test_orders import order, paid_by_card, product
from tests.channels.shoppex_reseller.test_payouts import goods, reseller, selling
from tests.conftest import NOON
from tests.support.clocked import ClockedServer, clocked
from tests.support.earning import claim, line, sold
from tests.support.factories import box

__all__ = ["goods", "node_folder", "reseller", "selling"]

PROGRAM = """
import { ShoppexClient } from '@shoppexio/sdk';
const { KEY, SHR, BASE, RELATIONSHIP: who, PRODUCT: licence, ORDER: paid, CARD: card } = process.env;
const all = new Set(), called = new Set(), told = {};
function watched(apiKey) {
  const client = new ShoppexClient({ apiKey, baseUrl: BASE, timeoutMs: 60000, userAgent: 'audit' });
  for (const [name, service] of Object.entries(client)) {
    if (service?.client !== client) continue;
    for (const method of Object.getOwnPropertyNames(Object.getPrototypeOf(service))) {
      if (method === 'constructor') continue;
      all.add(`${name}.${method}`);
      const plain = service[method].bind(service);
      service[method] = (...given) => { called.add(`${name}.${method}`); return plain(...given); };
    }
  }
  return client;
}
const client = watched(KEY), shop = watched(SHR);
const { me, products, orders, customers, payments, invoices, coupons, webhooks, resellers } = client;
const taken = async (items) => { const found = []; for await (const each of items) found.push(each); return found; };
const three = async (service) => {
  const one = (await service.list({ limit: 1, page: 1 })).data;
  const listed = (await service.listAll({ limit: 1 })).map((each) => each.id);
  const walked = (await taken(service.iterateAll({ limit: 2 }))).map((each) => each.id);
  return [one.length, one[0]?.id === listed[0], JSON.stringify(listed) === JSON.stringify(walked), listed.length];
};

told.me = [(await me.get()).data.store_name, (await me.getCapabilities()).data.auth_type];

const made = (await products.create({ title: 'Key', price: 5, type: 'SERIALS' })).data;
await products.addSerials(made.id, { serials: ['A-1', 'B-2', 'C-3', 'D-4'] });
const serials = (await products.listSerials(made.id)).data;
await products.removeSerials(made.id, { serial_ids: [serials[3].id] });
told.claimed = (await products.claimSerials(made.id, { amount: 1 })).data.serials;
told.product = [(await products.update(made.id, { price: 6 })).data.price,
  (await products.get(made.id)).data.title, (await products.getStock(made.id)).data.stock];
told.moved = (await products.listStockMovements(made.id)).data.map((each) => each.type);
const [found] = (await products.search({ q: 'card' })).data, variant = found.variants[0].id;
told.variant = (await products.addVariantSerials(card, variant, { serials: ['V-1', 'V-2'] })).data;
const pool = (await products.listVariantSerials(card, variant)).data;
told.pool = (await products.removeVariantSerials(card, variant, { serial_ids: [pool[0].id] })).data;
told.products = await three(products);

const placed = (await orders.create({ email: 'b@example.com', items: [{ product_id: made.id, quantity: 1 }] })).data;
told.order = [(await orders.update(placed.id, { title: 'Gift' })).data.title,
  (await orders.get(placed.id)).data.status, (await orders.complete(placed.id)).data.status];
told.fulfilled = (await orders.fulfill(paid, { notify_customer: false })).data.fulfillment_status;
told.refund = (await orders.refund(paid, { amount: '1.00', reason: 'agreed' })).data.message;
told.orders = await three(orders);

const ada = (await customers.create({ email: 'ada@example.com' })).data;
told.customer = [(await customers.update(ada.id, { name: 'Ada' })).data.name, (await customers.get(ada.id)).data.email];
told.customers = await three(customers);
await customers.delete(ada.id);

const payment = (await payments.create({ title: 'Fee', email: 'b@example.com', value: 3, currency: 'USD' })).data;
told.payment = [(await payments.get(payment.uniqid)).data.total, (await payments.complete(payment.uniqid)).data.status];
told.payments = await three(payments);
const other = (await payments.create({ title: 'Fee', email: 'b@example.com', value: 4, currency: 'USD' })).data;
told.invoice = [(await invoices.get(other.uniqid)).data.total, (await invoices.complete(other.uniqid)).data.status];
told.replaced = (await invoices.issueReplacement(placed.id, { quantity: 1 })).data.quantity;
told.invoices = await three(invoices);

const coupon = (await coupons.create({ code: 'TEN', discount_value: 10 })).data;
told.coupon = [(await coupons.get(coupon.id)).data.discount, (await coupons.getByCode('ten')).data.id === coupon.id,
  (await coupons.update(coupon.id, { max_uses: 3 })).data.max_uses];
told.coupons = await three(coupons);
await coupons.delete(coupon.id);

const hook = (await webhooks.create({ url: 'https://93.184.216.34/in', events: ['order:paid'] })).data;
told.hook = [(await webhooks.get(hook.id)).data.url,
  (await webhooks.update(hook.id, { events: ['order:created'] })).data.events,
  (await webhooks.listEvents()).data.includes('reseller:sale'), typeof (await webhooks.test(hook.id)).data.message];
const logs = (await webhooks.listLogs({ limit: 1 })).data;
told.logs = [logs.length, (await webhooks.listAllLogs({ limit: 1 })).length,
  (await webhooks.retryLog(logs[0].id)).data.status];
told.hooks = await three(webhooks);
told.rotated = (await webhooks.rotateSecret(hook.id)).data.secret !== hook.secret;
await webhooks.delete(hook.id);

const program = client.resellerProgram;
const rate = { default_mode: 'BOTH', default_wholesale_discount_percent: 35 };
told.program = [(await program.update(rate)).data.default_mode,
  (await program.get()).data.is_enabled];
const invite = (await resellers.invite({ email: 'new@reseller.example', product_ids: [licence] })).data;
told.invite = [invite.invitation.invite_type, invite.email_delivery.status];
told.resellers = await three(resellers);
told.changed = (await resellers.update(who, { purchase_limit_daily: 50 })).data.purchase_limit_daily;
const asked = (await resellers.requestStockPurchase(who, { product_id: licence, quantity: 2 })).data;
told.stock = [asked.status, (await resellers.createStockPurchaseInvoice(who, asked.id)).data.status,
  (await resellers.markStockTransferPaid(who, asked.id)).data.status,
  (await resellers.allocateStockTransfer(who, asked.id)).data.status];
const [item] = (await resellers.inventory(who)).data;
told.delivered = (await resellers.deliverInventoryItem(who, item.id, { email: 'c@d.example' })).data.status;
told.transfers = [(await resellers.revokeStockTransfer(who, asked.id)).data.status,
  (await resellers.stockTransfers(who)).data.length];
const campaign = (await resellers.createEmbedCampaign(who, { name: 'Launch', product_ids: [licence] })).data;
told.campaign = [(await resellers.updateEmbedCampaign(who, campaign.id, { status: 'PAUSED' })).data.status,
  (await resellers.embedCampaigns(who)).data.length];
const [fourth, third, second, first] = (await resellers.payouts(who)).data.map((each) => each.id);
told.payouts = [(await resellers.approvePayout(who, first)).data.status,
  (await resellers.completePayout(who, first)).data.status,
  (await resellers.forceApprovePayout(who, second)).data.forced, (await resellers.rejectPayout(who, third)).data.status,
  (await resellers.cancelPayout(who, fourth)).data.status];
told.earned = [(await resellers.sales(who, { limit: 5 })).data.length, (await resellers.analytics()).data.total_sales,
  (await resellers.analytics(who)).data.commission.paid];

const api = shop.resellerApi;
told.shop = [(await api.me()).data.relationship.id === who, (await api.balance()).data.balance];
const bought = { external_order_id: 'o-1', customer_email: 'b@x.example', product_id: licence };
const got = (await api.fulfill({ ...bought, quantity: 1 }, { idempotencyKey: 'o-1-1' })).data;
told.got = [got.serials.length, (await api.getFulfillment(got.id)).data.id === got.id];
const url = api.dynamicFulfillmentUrl(
  { apiKey: SHR, externalOrderId: 'o-2', productId: licence, customerEmail: 'b+c@x.example' });
const answers = [await fetch(url), await fetch(url)];
told.dynamic = await Promise.all(answers.map(async (each) => [each.status, (await each.json()).data.customer_email]));

told.raw = [(await client.get('/dev/v1/me')).data.store_name,
  (await client.post('/dev/v1/customers', { email: 'raw@example.com' })).data.email,
  (await client.patch('/dev/v1/reseller-program', { min_payout_threshold: 5 })).data.min_payout_threshold,
  await client.delete(`/dev/v1/products/${made.id}`)];
try { await client.put('/dev/v1/me', {}); } catch (error) { told.put = [error.status, error.code]; }
told.ended = [(await resellers.suspend(who)).data.status, (await resellers.terminate(who)).data.status];
told.gone = await products.delete(licence);
told.missed = [...all].filter((each) => !called.has(each));
told.methods = all.size;
console.log(JSON.stringify(told));
"""


@pytest.fixture(scope="module")
async def desk_server(database_url: str, tmp_path_factory) -> AsyncIterator[ClockedServer]:
    """The application at noon, for more calls than a minute has."""
    folder = tmp_path_factory.mktemp("desk")
    async with clocked(
        database_url=database_url,
        data_dir=str(folder),
        clock=FrozenClock(NOON),
        shoppex_reseller_calls_per_minute=0,
        shoppex_reseller_fulfillments_per_minute=0,
    ) as server:
        yield server


async def test_in_javascript(
    selling, goods, reseller, merchant, cards, node_folder, desk_database, desk_server, desk
):
    licence = await selling.licence("L-1", "L-2", "L-3", "L-4", "L-5", price_minor=1000)
    await sold(selling, reseller, line(selling, goods, price_minor=20_000))
    for _ in range(4):
        await claim(selling, reseller, 1000)
    paid = await _paid_order(merchant, desk_database, desk, desk_server)
    async with desk_database.begin() as tx:
        await selling.credit(tx, reseller, 5000)
    ids = await ShopIds(desk_database).of(desk.id)
    (node_folder / "every.js").write_text(PROGRAM)

    told = await asyncio.to_thread(
        node_calls,
        node_folder,
        "every.js",
        BASE=merchant.base_url,
        KEY=merchant.key,
        SHR=await _reseller_key(desk_database, reseller),
        RELATIONSHIP=ids.write(Kind.RELATIONSHIP, reseller.id),
        PRODUCT=ids.write(Kind.PRODUCT, licence.product_id),
        ORDER=paid,
        CARD=cards,
    )

    assert told.pop("missed") == []
    assert told == {
        "me": ["Test shop", "api_key"], "claimed": ["A-1"], "product": [6, "Key", 2],
        "moved": ["adjustment", "adjustment", "restock"], "variant": {"added_count": 2},
        "pool": {"removed_count": 1}, "products": [1, True, True, 5],
        "order": ["Gift", "PENDING", "COMPLETED"], "fulfilled": "COMPLETED",
        "refund": "A refund of 1.00 USD is under way.", "orders": [1, True, True, 3],
        "customer": ["Ada", "ada@example.com"], "customers": [1, True, True, 4],
        "payment": [3, "COMPLETED"], "payments": [1, True, True, 1],
        "invoice": [4, "COMPLETED"], "replaced": 1, "invoices": [1, True, True, 5],
        "coupon": [10, True, 3], "coupons": [1, True, True, 1],
        "hook": ["https://93.184.216.34/in", ["order:created"], True, "string"],
        "logs": [1, 1, "pending"], "hooks": [1, True, True, 1], "rotated": True,
        "program": ["BOTH", True], "invite": ["RESELLER", "queued"],
        "resellers": [1, True, True, 1], "changed": 50,
        "stock": ["REQUESTED", "INVOICED", "PAID", "ALLOCATED"], "delivered": "DELIVERED",
        "transfers": ["REVOKED", 1], "campaign": ["PAUSED", 1],
        "payouts": ["approved", "completed", True, "rejected", "cancelled"],
        "earned": [1, 1, 10], "shop": [True, "50.00"], "got": [1, True],
        "dynamic": [[201, "b+c@x.example"], [200, "b+c@x.example"]],
        "raw": ["Test shop", "raw@example.com", 5, None], "put": [405, "METHOD_NOT_ALLOWED"],
        "ended": ["SUSPENDED", "TERMINATED"], "gone": None, "methods": 101,
    }  # fmt: skip


async def _paid_order(merchant, desk_database, desk, desk_server):
    """An order that a card paid, whose goods nobody handed over yet."""
    made = await order(merchant, (await product(merchant, serials="P-1"), 1))
    await paid_by_card(desk_database, desk, desk_server)
    return made["id"]


async def _reseller_key(desk_database, reseller):
    async with desk_database.begin() as tx:
        made = await add_key(
            tx, shop_id=reseller.shop_id, reseller_id=reseller.id, prefix="shr_",
            ids=RandomIds(), box=box(),
        )  # fmt: skip
    return made.secret


def watched(client: ShoppexClient) -> tuple[set[str], set[str]]:
    """The names of all methods of a client's services, and of those that were called, as they are."""
    every, called = set(), set()
    for service, each in vars(client).items():
        if service.startswith("_") or not hasattr(each, "_client"):
            continue
        for name, plain in inspect.getmembers(each, inspect.ismethod):
            if not name.startswith("_"):
                every.add(f"{service}.{name}")

                def note(*given: Any, _plain: Any = plain, _name: str = f"{service}.{name}") -> Any:
                    called.add(_name)
                    return _plain(*given)

                setattr(each, name, note)
    return every, called


def python_calls(*, base: str, key: str, paid: str) -> dict[str, Any]:
    """What the Python client gets of every method that it has."""
    client = ShoppexClient(api_key=key, base_url=base)
    every, called = watched(client)
    told: dict[str, Any] = {"me": client.me.get().data.get("store_name")}
    told["auth"] = client.me.capabilities().data.get("auth_type")
    made = client.products.create({"title": "Key", "price": 5, "type": "SERIALS", "serials": "A-1"})
    product_id = made.data.id
    told["product"] = [
        client.products.update(product_id, {"price": 6}).data.get("price"),
        client.products.get(product_id).data.get("title"),
        *counted(client.products),
    ]
    items = [{"product_id": product_id, "quantity": 1}]
    placed = client.orders.create({"email": "b@example.com", "items": items}).data.id
    told["order"] = [
        client.orders.update(placed, {"title": "Gift"}).data.get("title"),
        client.orders.get(placed).data.status,
        client.orders.complete(placed).data.status,
        client.orders.fulfill(paid, {"note": "Call us."}).data.get("fulfillment_status"),
        client.orders.refund(paid, {"amount": "1.00"}).data.get("message"),
        *counted(client.orders),
    ]
    ada = client.customers.create({"email": "ada@example.com"}).data.id
    told["customer"] = [
        client.customers.update(ada, {"name": "Ada"}).data.get("name"),
        client.customers.get(ada).data.email,
        *counted(client.customers),
    ]
    client.customers.delete(ada)
    draft = {"title": "Fee", "email": "b@example.com", "value": 3, "currency": "USD"}
    first, second = (client.payments.create(draft).data.id for _ in range(2))
    told["payment"] = [
        client.payments.get(first).data.get("total"),
        client.payments.complete(first).data.status,
        *counted(client.payments),
        client.invoices.get(second).data.status,
        client.invoices.complete(second).data.status,
        *counted(client.invoices),
    ]
    coupon = client.coupons.create({"code": "TEN", "discount_value": 10}).data.id
    told["coupon"] = [
        client.coupons.get(coupon).data.get("discount"),
        client.coupons.get_by_code("ten").data.id == coupon,
        client.coupons.update(coupon, {"max_uses": 3}).data.get("max_uses"),
        *counted(client.coupons),
    ]
    client.coupons.delete(coupon)
    told["hook"] = python_webhooks(client)
    client.products.delete(product_id)
    told["left"] = [each.id for each in client.products.list().data if each.id == product_id]
    return told | {"missed": sorted(every - called), "methods": len(every)}


def python_webhooks(client: ShoppexClient) -> list[Any]:
    """What it gets of the methods of webhooks."""
    hooks = client.webhooks
    made = hooks.create({"url": "https://93.184.216.34/in", "events": ["order:paid"]}).data
    told = [
        hooks.get(made.id).data.get("url"),
        hooks.update(made.id, {"events": ["order:created"]}).data.get("events"),
        "reseller:sale" in hooks.events().data,
        bool(hooks.test(made.id).data.get("message")),
        hooks.rotate_secret(made.id).data.get("secret") != made.get("secret"),
        *counted(hooks),
    ]
    [log] = hooks.logs({"limit": 1}).data
    told += [len(hooks.logs_all({"limit": 1})), hooks.retry_log(log.id).data.get("status")]
    hooks.delete(made.id)
    return told


def counted(service: Any) -> list[int]:
    """How many a page of one has, and how many there are in all."""
    return [len(service.list({"limit": 1}).data), len(service.list_all({"limit": 1}))]


async def test_in_python(merchant, desk_database, desk, desk_server):
    paid = await _paid_order(merchant, desk_database, desk, desk_server)
    told = await asyncio.to_thread(
        python_calls, base=merchant.base_url, key=merchant.key, paid=paid
    )
    assert told.pop("missed") == []
    assert told == {
        "me": "Test shop", "auth": "api_key", "product": [6.0, "Key", 1, 2],
        "order": ["Gift", "PENDING", "COMPLETED", "COMPLETED", "A refund of 1.00 USD is under way.", 1, 2],
        "customer": ["Ada", "ada@example.com", 1, 4],
        "payment": [3.0, "COMPLETED", 1, 2, "PENDING", "COMPLETED", 1, 4],
        "coupon": [10, True, 3, 1, 1],
        "hook": ["https://93.184.216.34/in", ["order:created"], True, True, True, 1, 1, 1, "pending"],
        "left": [], "methods": 50,
    }  # fmt: skip
