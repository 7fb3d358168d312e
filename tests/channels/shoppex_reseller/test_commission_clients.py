"""The published clients, unchanged but for the base URL, see what resellers earn..."""

import asyncio
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from shoppexio import ShoppexClient

from crossdock.channels.shoppex_reseller.ids import Kind, ShopIds
from tests.channels.shoppex_reseller.test_clients import node_folder
from tests.channels.shoppex_reseller.test_payouts import goods, reseller, selling
from tests.support.earning import claim, line, sold
from tests.support.reseller_client import KeyHolder

__all__ = ["goods", "node_folder", "reseller", "selling"]

PROGRAM = """
import { ShoppexClient, ShoppexApiError } from '@shoppexio/sdk';
const client = new ShoppexClient({ apiKey: process.env.KEY, baseUrl: process.env.BASE + '/' });
const id = process.env.RELATIONSHIP;
const told = {};
const campaign = (await client.resellers.createEmbedCampaign(id, { name: 'Discord Launch' })).data;
told.paused = (await client.resellers.updateEmbedCampaign(id, campaign.id, { status: 'PAUSED' })).data.status;
told.campaigns = (await client.resellers.embedCampaigns(id)).data.map((each) => each.name);
told.sales = (await client.resellers.sales(id)).data.map((each) => each.commission_amount);
const payouts = (await client.resellers.payouts(id)).data;
const [last, third, second, first] = payouts.map((each) => each.id);
told.approved = (await client.resellers.approvePayout(id, first)).data.status;
told.completed = (await client.resellers.completePayout(id, first)).data.status;
told.forced = (await client.resellers.forceApprovePayout(id, second)).data.forced;
told.rejected = (await client.resellers.rejectPayout(id, third)).data.status;
told.cancelled = (await client.resellers.cancelPayout(id, last)).data.status;
told.shop = (await client.resellers.analytics()).data.total_commission;
told.one = (await client.resellers.analytics(id)).data.commission;
try { await client.resellers.cancelPayout(id, first); } catch (error) {
  told.error = [error instanceof ShoppexApiError, error.status, error.code];
}
console.log(JSON.stringify(told));
"""


async def test_in_javascript(selling, goods, reseller, merchant, node_folder):
    await sold(selling, reseller, line(selling, goods, price_minor=20_000))
    for _ in range(4):
        await claim(selling, reseller, 1000)
    ids = await ShopIds(selling.database).of(selling.shop.id)

    told = await asyncio.to_thread(
        node_calls, node_folder, merchant, relationship=ids.write(Kind.RELATIONSHIP, reseller.id)
    )

    assert told == {
        "paused": "PAUSED",
        "campaigns": ["Discord Launch"],
        "sales": [60],
        "approved": "approved",
        "completed": "completed",
        "forced": True,
        "rejected": "rejected",
        "cancelled": "cancelled",
        "shop": 60,
        "one": {"pending": 0, "available": 40, "reserved": 10, "paid": 10},
        "error": [True, 409, "INVALID_STATE"],
    }


def node_calls(folder: Path, merchant: KeyHolder, *, relationship: str) -> dict[str, Any]:
    """What the JavaScript client gets."""
    node = shutil.which("node")
    assert node is not None  # the folder was made by it
    (folder / "commission.js").write_text(PROGRAM)
    env = {"KEY": merchant.key, "BASE": merchant.base_url, "RELATIONSHIP": relationship, "PATH": ""}
    done = subprocess.run(
        [node, "commission.js"], cwd=folder, env=env,
        capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


async def test_in_python(selling, goods, reseller, merchant):
    await sold(selling, reseller, line(selling, goods, price_minor=20_000))
    asked = await claim(selling, reseller, 2000)
    ids = await ShopIds(selling.database).of(selling.shop.id)
    path = f"/dev/v1/resellers/{ids.write(Kind.RELATIONSHIP, reseller.id)}"

    def calls() -> list[Any]:
        client = ShoppexClient(api_key=merchant.key, base_url=merchant.base_url)
        one = f"{path}/payouts/{ids.write(Kind.CLAIM, asked.id)}/approve"
        return [
            client.response("GET", f"{path}/sales").pagination.has_more,
            client.request("POST", one, idempotency_key="approve-1")["data"]["status"],
            client.request("GET", f"{path}/analytics")["data"]["total_sales"],
        ]

    assert await asyncio.to_thread(calls) == [False, "approved", 1]
