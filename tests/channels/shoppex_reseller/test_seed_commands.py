"""The commands of the vendor's guide, as printed but for the host, the keys and the ids..."""

import asyncio
import json
from typing import Any

from crossdock.channels.shoppex_reseller.ids import Kind, ShopIds
from crossdock.kit.ids import RandomIds
from crossdock.shop.resellers import add_key, read_reseller
from tests.support.factories import box
from tests.support.people import PASSWORD
from tests.support.reseller_client import CHANNEL, KeyHolder
from tests.support.reselling import Reselling

HOST, PRODUCT = "https://api.shoppex.io", "11111111-1111-4111-8111-111111111111"
MERCHANT_KEY, RESELLER_KEY = "shx_your_api_key", "shr_reseller_api_key"
PROGRAM = """
curl -X PATCH https://api.shoppex.io/dev/v1/reseller-program \\
  -H "Authorization: Bearer shx_your_api_key" \\
  -H "Content-Type: application/json" \\
  -H "Idempotency-Key: reseller-program-setup-1" \\
  -d '{
    "is_enabled": true,
    "default_mode": "BOTH",
    "default_commission_percent": 25,
    "default_wholesale_discount_percent": 35,
    "min_payout_threshold": 50
  }'
"""
INVITE = """
curl -X POST https://api.shoppex.io/dev/v1/resellers/invite \\
  -H "Authorization: Bearer shx_your_api_key" \\
  -H "Content-Type: application/json" \\
  -H "Idempotency-Key: reseller-invite-partner-example" \\
  -d '{
    "email": "partner@example.com",
    "mode": "BOTH",
    "custom_commission_percent": 30,
    "purchase_limit_daily": 50,
    "product_access": [
      {
        "product_id": "11111111-1111-4111-8111-111111111111",
        "commission_percent_override": 30,
        "max_quantity": 100
      }
    ]
  }'
"""
ANALYTICS = """
curl https://api.shoppex.io/dev/v1/resellers/analytics \\
  -H "Authorization: Bearer shx_your_api_key"
"""
ANALYTICS_OF_ONE = """
curl https://api.shoppex.io/dev/v1/resellers/rel_123/analytics \\
  -H "Authorization: Bearer shx_your_api_key"
"""
CAMPAIGN = """
curl -X POST https://api.shoppex.io/dev/v1/resellers/rel_123/embed-campaigns \\
  -H "Authorization: Bearer shx_your_api_key" \\
  -H "Content-Type: application/json" \\
  -H "Idempotency-Key: embed-campaign-rel-123-discord" \\
  -d '{
    "name": "Discord Launch",
    "product_ids": ["11111111-1111-4111-8111-111111111111"]
  }'
"""
PAUSE = """
curl -X PATCH https://api.shoppex.io/dev/v1/resellers/rel_123/embed-campaigns/campaign_123 \\
  -H "Authorization: Bearer shx_your_api_key" \\
  -H "Content-Type: application/json" \\
  -H "Idempotency-Key: embed-campaign-campaign-123-pause" \\
  -d '{
    "status": "PAUSED"
  }'
"""
PURCHASE = """
curl -X POST https://api.shoppex.io/dev/v1/resellers/rel_123/stock-purchases \\
  -H "Authorization: Bearer shx_your_api_key" \\
  -H "Content-Type: application/json" \\
  -H "Idempotency-Key: stock-request-rel-123-prod-123-25" \\
  -d '{
    "product_id": "11111111-1111-4111-8111-111111111111",
    "quantity": 25
  }'
"""
INVOICE = """
curl -X POST https://api.shoppex.io/dev/v1/resellers/rel_123/stock-transfers/transfer_123/invoice \\
  -H "Authorization: Bearer shx_your_api_key" \\
  -H "Content-Type: application/json" \\
  -H "Idempotency-Key: stock-invoice-transfer-123" \\
  -d '{}'
"""
ALLOCATE = """
curl -X POST https://api.shoppex.io/dev/v1/resellers/rel_123/stock-transfers/transfer_123/allocate \\
  -H "Authorization: Bearer shx_your_api_key" \\
  -H "Idempotency-Key: stock-allocate-transfer-123"
"""
DELIVER = """
curl -X POST https://api.shoppex.io/dev/v1/resellers/rel_123/inventory/item_123/deliver \\
  -H "Authorization: Bearer shx_your_api_key" \\
  -H "Content-Type: application/json" \\
  -H "Idempotency-Key: stock-deliver-item-123" \\
  -d '{
    "email": "customer@example.com"
  }'
"""
FULFIL = """
curl -X POST https://api.shoppex.io/reseller/v1/fulfillments \\
  -H "Authorization: Bearer shr_reseller_api_key" \\
  -H "Content-Type: application/json" \\
  -H "Idempotency-Key: order-1001-line-1" \\
  -d '{
    "external_order_id": "order-1001",
    "customer_email": "buyer@example.com",
    "product_id": "11111111-1111-4111-8111-111111111111",
    "quantity": 1
  }'
"""
BALANCE = """
curl https://api.shoppex.io/reseller/v1/balance \\
  -H "Authorization: Bearer shr_reseller_api_key"
"""


class Terminal:
    """Runs commands after another with what earlier ones brought in place of the guide's names."""

    def __init__(self, **known: str) -> None:
        self.known = known

    async def run(self, command: str, *, status: int) -> Any:
        """`data` of the answer, which has this status."""
        for printed, own in self.known.items():
            command = command.replace(printed, own)
        process = await asyncio.create_subprocess_exec(
            "bash", "-c", command.strip() + " -sS -w '\\n%{http_code}'",
            env={"PATH": "/usr/bin:/bin", "no_proxy": "*"}, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        told, _ = await process.communicate()
        body, _, code = told.decode().rpartition("\n")
        assert (process.returncode, int(code)) == (0, status), (command, told)
        return json.loads(body)["data"]


async def test_succeed_in_their_order(merchant, desk_database, desk_server, desk):
    selling = Reselling(desk_database, desk_server.clock, desk, CHANNEL)
    licence = await selling.licence(*(f"KEY-{n:03}" for n in range(27)), price_minor=1000)
    ids = await ShopIds(desk_database).of(desk.id)
    product = ids.write(Kind.PRODUCT, licence.product_id)
    shell = Terminal(**{HOST: desk_server.url, MERCHANT_KEY: merchant.key, PRODUCT: product})

    assert (await shell.run(PROGRAM, status=200))["min_payout_threshold"] == 50
    invited = (await shell.run(INVITE, status=201))["invitation"]
    shell.known["rel_123"] = await accepted(desk_server.url, invited["token"])
    assert (await shell.run(ANALYTICS, status=200))["resellers"]["active"] == 1
    assert (await shell.run(ANALYTICS_OF_ONE, status=200))["total_sales"] == 0
    campaign = await shell.run(CAMPAIGN, status=201)
    shell.known["campaign_123"] = campaign["id"]
    assert (await shell.run(PAUSE, status=200))["status"] == "PAUSED"
    transfer = await shell.run(PURCHASE, status=201)
    assert (transfer["status"], transfer["unit_wholesale_price"], transfer["total"]) == (
        "REQUESTED", 6.5, 162.5,
    )  # fmt: skip
    shell.known["transfer_123"] = transfer["id"]
    assert (await shell.run(INVOICE, status=201))["invoice"]["status"] == "PENDING"
    paid = "/".join(
        ("/dev/v1/resellers", shell.known["rel_123"], "stock-transfers", transfer["id"])
    )
    await merchant.data("POST", f"{paid}/mark-paid")
    assert (await shell.run(ALLOCATE, status=200))["allocated_count"] == 25
    [*_, item] = await merchant.data("GET", paid.rpartition("/stock")[0] + "/inventory")
    shell.known["item_123"] = item["id"]
    assert (await shell.run(DELIVER, status=200))["serial"] == "KEY-000"
    shell.known[RESELLER_KEY] = await credited_key(selling)
    done = await shell.run(FULFIL, status=201)
    assert (done["serials"], done["total"], done["reused"]) == (["KEY-025"], "6.50", False)
    assert (await shell.run(BALANCE, status=200))["balance"] == "93.50"

    again = await shell.run(FULFIL, status=200)
    assert (again["id"], again["reused"]) == (done["id"], True)
    for command, status, first in (
        (PURCHASE, 201, transfer), (CAMPAIGN, 201, campaign), (PROGRAM, 200, None),
    ):  # fmt: skip
        repeated = await shell.run(command, status=status)
        assert first is None or repeated["id"] == first["id"]
    assert (await shell.run(BALANCE, status=200))["balance"] == "93.50"


async def accepted(url: str, token: str) -> str:
    """The relationship of the invitation, which its reseller accepts."""
    async with KeyHolder(url, key="") as guest:
        body = {"token": token, "name": "Ada", "password": PASSWORD}
        told = await guest.data("POST", "/portal/v1/invitations/accept", json=body, status=201)
    return str(told["relationship"]["id"])


async def credited_key(selling: Reselling) -> str:
    """A key of the relationship, which has a hundred on its balance."""
    async with selling.database.begin() as tx:
        reseller_id = await tx.value(
            "select id from resellers where shop_id = %s", (selling.shop.id,)
        )
        made = await add_key(
            tx, shop_id=selling.shop.id, reseller_id=reseller_id, prefix="shr_",
            ids=RandomIds(), box=box(),
        )  # fmt: skip
        reseller = await read_reseller(tx, shop_id=selling.shop.id, reseller_id=reseller_id)
        await selling.credit(tx, reseller, 10_000)
    return made.secret
