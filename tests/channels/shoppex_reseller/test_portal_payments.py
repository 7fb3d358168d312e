"""Top-ups and payouts of the portal..."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from crossdock.channels.shoppex_reseller.ids import Kind, ShopIds
from crossdock.errors import Refused
from crossdock.shop.invoices import complete_invoice, expire_invoices, read_invoice
from crossdock.shop.ledger import Account, Transfer, post_transfers
from crossdock.shop.resellers import move_reseller
from crossdock.shop.resellers.commission.earning import commission_owner
from tests.support.portal import PORTAL, Member, joined
from tests.support.reseller_client import CHANNEL, KeyHolder
from tests.support.reselling import Reselling

TOP_UPS = f"{PORTAL}/top-ups"
PAYOUTS = f"{PORTAL}/payouts"
CLAIM = {
    "amount": "20.00", "asset": "USDT", "network": "TRON", "address": "T1", "note": "Weekly payout",
}  # fmt: skip


@pytest.fixture
async def selling(desk_database, desk_server) -> Reselling:
    return await Reselling.open(desk_database, desk_server.clock, channel=CHANNEL)


@pytest.fixture
async def ada(selling, desk_server) -> AsyncIterator[Member]:
    async with joined(selling, desk_server.url) as member:
        yield member


async def invoice_of(selling: Reselling, told: dict[str, str]) -> int:
    return (await ShopIds(selling.database).of(selling.shop.id)).read(Kind.INVOICE, told["uniqid"])


async def complete(selling: Reselling, invoice_id: int) -> None:
    async with selling.database.begin() as tx:
        await complete_invoice(
            tx, shop_id=selling.shop.id, invoice_id=invoice_id, now=selling.clock.now()
        )


async def balance(member: Member) -> str:
    return str((await member.data("GET", f"{PORTAL}/balance"))["balance"])


async def test_credit_the_balance_once_when_the_invoice_is_paid(selling, ada):
    told = await ada.data("POST", TOP_UPS, json={"amount": 25.5}, status=201, once="top-up-1")
    assert (
        await ada.data("POST", TOP_UPS, json={"amount": 25.5}, status=201, once="top-up-1") == told
    )
    invoice = told["invoice"]
    assert (invoice["status"], invoice["total"], invoice["currency"]) == ("PENDING", "25.50", "USD")
    assert await balance(ada) == "0.00"
    async with KeyHolder(ada.base_url, key="") as browser:
        page = await browser.send("GET", invoice["checkout_url"])
    assert (page.status_code, "25.50" in page.text) == (200, True)
    invoice_id = await invoice_of(selling, invoice)
    paid = await asyncio.gather(
        *(complete(selling, invoice_id) for _ in range(4)), return_exceptions=True
    )
    assert [type(each) for each in paid if each is not None] == [Refused] * 3
    assert await balance(ada) == "25.50"
    [line] = await ada.data("GET", f"{PORTAL}/statement?to=2030-01-01")
    assert (line["kind"], line["amount"], line["balance"]) == ("top_up", "25.50", "25.50")
    assert line["payment_id"] is not None


async def test_credit_nothing_once_the_invoice_ran_out(selling, ada):
    told = await ada.data("POST", TOP_UPS, json={"amount": "5.00"}, status=201)
    invoice_id = await invoice_of(selling, told["invoice"])
    await expire_invoices(selling.database, now=selling.clock.now() + timedelta(hours=24))
    with pytest.raises(Refused):
        await complete(selling, invoice_id)
    async with selling.database.statement() as tx:
        invoice = await read_invoice(tx, shop_id=selling.shop.id, invoice_id=invoice_id)
    assert (invoice.state, await balance(ada)) == ("voided", "0.00")


@pytest.mark.parametrize("amount", [None, 0, -1, "much", 1.001, True, 10**15])
async def test_take_amounts_alone(selling, ada, amount):
    assert list(await ada.fields_refused("POST", TOP_UPS, json={"amount": amount})) == ["amount"]
    async with selling.database.statement() as tx:
        count = await tx.value(
            "select count(*) from invoices where shop_id = %s", (selling.shop.id,)
        )
    assert count == 0


async def test_are_for_active_relationships_and_a_few_at_once(selling, ada):
    for _ in range(10):
        await ada.data("POST", TOP_UPS, json={"amount": 1}, status=201)
    refused = await ada.refusal("POST", TOP_UPS, json={"amount": 1}, status=400)
    assert refused["code"] == "QUANTITY_OUT_OF_RANGE"
    async with selling.database.begin() as tx:
        await move_reseller(
            tx, shop_id=selling.shop.id, reseller_id=ada.reseller.id, action="suspend",
            now=selling.clock.now(),
        )  # fmt: skip
    for path, body in ((TOP_UPS, {"amount": 1}), (PAYOUTS, CLAIM)):
        refused = await ada.refusal("POST", path, json=body, status=409)
        assert refused["code"] == "INVALID_STATE"


async def test_reserve_commission_that_is_available(selling, ada):
    available = Account("reseller_available", commission_owner(ada.reseller.id))
    transfer = Transfer(
        debit=Account("reseller_costs"), credit=available, amount_minor=5_000, currency="USD",
        kind="commission",
    )  # fmt: skip
    async with selling.database.begin() as tx:
        await post_transfers(
            tx, shop_id=selling.shop.id, transfers=[transfer], now=selling.clock.now()
        )
    told = await ada.data("POST", PAYOUTS, json=CLAIM, status=201, once="claim-1")
    assert (told["status"], told["payout_asset"], told["note"]) == (
        "pending",
        "USDT",
        "Weekly payout",
    )
    assert told["amount"] == "20.00"
    assert await ada.data("GET", PAYOUTS) == [told]
    wrong = await ada.fields_refused("POST", PAYOUTS, json={**CLAIM, "amount": "30.01"})
    assert list(wrong) == ["amount"]
    wrong = await ada.fields_refused("POST", PAYOUTS, json={"amount": "1"})
    assert list(wrong) == ["asset", "address"]
    commission = await ada.data("GET", f"{PORTAL}/commission")
    assert commission == {
        "currency": "USD", "pending": "0.00", "available": "30.00", "reserved": "20.00", "paid": "0.00",
    }  # fmt: skip
    path = f"{PORTAL}/commission/statement"
    (line,) = await ada.data("GET", path)
    assert (line["kind"], line["amount"], line["balance"]) == ("commission", "50.00", "50.00")
    sheet = await ada.send("GET", f"{path}?format=csv")
    assert sheet.headers["content-disposition"].startswith('attachment; filename="commission-20')
    assert ",closing,,50.00,USD," in sheet.text
    file = await ada.send("GET", f"{path}?format=pdf")
    assert file.headers["content-type"] == "application/pdf"
    assert file.content.startswith(b"%PDF")
