"""A recorded order says today what it said when it was recorded, but for ids and times.

Record anew, and look at the difference, with:

    RECORD_EXCHANGES=1 pytest tests/channels/shoppo/test_recorded_orders.py
"""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from crossdock.db.unit_of_work import Database
from tests.channels.shoppo.conftest import OpenShipper
from tests.channels.shoppo.ordering import (
    CANCEL,
    CANCEL_ITEM,
    CREATE,
    PAY,
    READ,
    Stand,
    goods,
    to_india,
)
from tests.channels.shoppo.test_order_list import LIST
from tests.support.clocked import ClockedServer

RECORDED = Path(__file__).parent / "exchanges" / "order.json"
MASKS = (
    (r"\b[0-9A-Za-z]{22}\b", "ID"),
    (r'"requestId":"[^"]*"', '"requestId":"REQUEST"'),
    (r'("time\w*"): ?\d+', r"\1:0"),
    (r'("(?:start|end)Cursor"): ?"[^"]*"', r'\1:"CURSOR"'),
)


@pytest.fixture
async def stand(
    hall_database: Database, hall_server: ClockedServer, shippers: OpenShipper
) -> Stand:
    shop = await Stand.shop_of(hall_database)
    made = Stand(hall_database, hall_server.clock, shop, await shippers(shop_id=shop.id))
    await made.stock(goods("SKU_A", 1999, **to_india(250)), goods("SKU_B", 500, shipping=100))
    return made


def masked(text: str) -> str:
    for pattern, replacement in MASKS:
        text = re.sub(pattern, replacement, text)
    return text


async def test_is_what_was_recorded(stand: Stand) -> None:
    told: list[dict[str, Any]] = []

    async def send(query: str, **variables: Any) -> Any:
        reply = await stand.shipper.post(query, variables=variables)
        told.append(
            {
                "request": {"query": query, "variables": json.loads(masked(json.dumps(variables)))},
                "status": reply.status_code,
                "type": reply.headers["content-type"],
                "response": masked(reply.text),
            }
        )
        return reply.json()

    given = await stand.variables("1361546075101402", SKU_A=2, SKU_B=1)
    order = (await send(CREATE, **given))["data"]["createOrder"]["order"]
    await send(CREATE, **given)
    await send(CREATE, **given | {"trackingNumber": "T-1"})
    await send(CREATE, **await stand.variables("N-2", SKU_A=99))
    await send(CREATE, **given | {"partnerOrderCode": ""})
    await send(CANCEL, orderId=order["id"])
    await send(PAY, orderId=order["id"], chargeId="charge-1")
    await send(PAY, orderId=order["id"], chargeId="charge-1")
    await send(PAY, orderId=order["id"], chargeId="charge-2")
    await send(LIST, filters={"status_in": ["PAID"]})
    await send(CANCEL_ITEM, orderItemId=order["orderItems"][1]["id"])
    await send(CANCEL_ITEM, orderItemId=order["orderItems"][1]["id"])
    await send(READ, id=order["id"])
    await send(CANCEL, orderId=order["id"])
    await send(PAY, orderId="mDDlGkl4YXDuQ", chargeId="charge-3")
    await send(LIST, first=5, filters={"statusIn": ["DELIVERED"]})

    if os.environ.get("RECORD_EXCHANGES"):
        RECORDED.parent.mkdir(exist_ok=True)
        RECORDED.write_text(json.dumps({"exchanges": told}, indent=2, ensure_ascii=False) + "\n")
    assert told == json.loads(RECORDED.read_text())["exchanges"]
