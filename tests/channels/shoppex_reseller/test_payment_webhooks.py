"""The webhook of a single payment..."""

import json
from typing import Any

from crossdock.shop.webhooks import list_webhook_endpoints
from tests.channels.shoppex_reseller.test_webhooks import ROOT, Desk, desk, hook_server

__all__ = ["desk", "hook_server"]

PAYMENTS = "/dev/v1/payments"
DRAFT = {"title": "Fee", "email": "b@example.com", "value": 3, "currency": "USD"}


async def ask(desk: Desk, **fields: object) -> dict[str, Any]:
    """A payment with a webhook, unless told otherwise."""
    body = {**DRAFT, "webhook": f"{desk.receiver.url}/one", **fields}
    return await desk.client.data("POST", PAYMENTS, status=201, json=body)


async def complete(desk: Desk, payment: dict[str, Any]) -> None:
    await desk.client.data("POST", f"{PAYMENTS}/{payment['id']}/complete")


async def test_is_told_what_becomes_of_it_alone_in_calls_that_a_receiver_believes(desk):
    first, second, silent = await ask(desk), await ask(desk), await ask(desk, webhook=None)
    assert first["webhook_secret"].startswith("whsec_")
    assert first["webhook_secret"] != second["webhook_secret"]
    assert silent["webhook_secret"] is None
    assert await desk.worker.work() == []

    for payment in (silent, second, first):
        await complete(desk, payment)

    assert await desk.worker.work() == ["sent", "sent"]
    told = [json.loads(each.body) for each in desk.receiver.requests]
    assert {each["event"] for each in told} == {"order:paid"}
    assert {each["data"]["id"] for each in told} == {first["id"], second["id"]}
    for payment in (first, second):
        [place] = [n for n, each in enumerate(told) if each["data"]["id"] == payment["id"]]
        beliefs = desk.believed(payment["webhook_secret"])
        assert [n for n, why in enumerate(beliefs) if not why] == [place]


async def test_is_told_beside_those_of_the_shop_and_stands_in_no_list_of_them(desk):
    made = await desk.add("order:paid")
    payment = await ask(desk)
    await complete(desk, payment)
    assert await desk.worker.work() == ["sent", "sent"]
    assert [each["id"] for each in await desk.client.data("GET", ROOT)] == [made["id"]]
    logs = await desk.client.data("GET", f"{ROOT}/logs")
    [own] = [each["webhook_uniqid"] for each in logs if each["webhook_uniqid"] != made["id"]]
    rotated = await desk.client.data("POST", f"{ROOT}/{own}/rotate-secret")
    assert rotated["secret"] != payment["webhook_secret"]


async def test_stands_in_the_list_while_it_is_paused(desk):
    shops = await desk.add("order:paid")
    payment, calm = await ask(desk), await ask(desk)
    await complete(desk, payment)
    await complete(desk, calm)
    await desk.worker.work()
    logs = await desk.client.data("GET", f"{ROOT}/logs")
    [own] = [each["webhook_uniqid"] for each in logs if each["payload"]["data"]["id"] == payment["id"]
             and each["webhook_uniqid"] != shops["id"]]  # fmt: skip
    assert (await desk.client.data("GET", f"{ROOT}/{own}"))["payment_uniqid"] == payment["id"]
    async with desk.db.begin() as tx:
        await tx.run(
            "update webhook_subscriptions set paused_at = %s from invoices i"
            " where i.shop_id = %s and webhook_subscriptions.invoice_id = i.id and i.token = %s",
            (desk.clock.now(), desk.shop.id, payment["url"].rpartition("/")[2]),
        )
    listed = await desk.client.data("GET", ROOT)
    assert [(each["id"], each["payment_uniqid"], bool(each["paused_at"])) for each in listed] == [
        (own, payment["id"], True),
        (shops["id"], None, False),
    ]
    async with desk.db.statement() as tx:
        endpoints = await list_webhook_endpoints(tx, shop_id=desk.shop.id)
    assert [(each.invoice_id is None, each.paused_at is None) for each in endpoints] == [
        (True, True),
        (False, False),
    ]


async def test_tells_its_secret_once(desk):
    body = {**DRAFT, "webhook": f"{desk.receiver.url}/one"}
    made = await desk.client.data("POST", PAYMENTS, status=201, json=body, once="p-1")
    again = await desk.client.data("POST", PAYMENTS, status=201, json=body, once="p-1")
    assert again == {**made, "webhook_secret": None}
    read = await desk.client.data("GET", f"{PAYMENTS}/{made['id']}")
    assert read == {name: each for name, each in again.items() if name != "webhook_secret"}
    async with desk.db.statement() as tx:
        kept = await tx.value(
            "select count(*) from webhook_subscriptions where shop_id = %s", (desk.shop.id,)
        )
    assert kept == 1


async def test_at_a_private_address_is_refused_in_plain_words(desk):
    body = {**DRAFT, "webhook": "https://169.254.169.254/one"}
    wrong = await desk.client.fields_refused("POST", PAYMENTS, json=body)
    assert wrong == {
        "webhook": "169.254.169.254 is at 169.254.169.254, which is not a public address"
    }
    assert await desk.client.data("GET", PAYMENTS) == []
