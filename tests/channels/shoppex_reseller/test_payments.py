"""An amount that a shop asks for, over the Developer API and on the page where it is paid..."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from urllib.parse import urlsplit

import httpx2
import pytest
from shoppexio import ShoppexApiError, ShoppexClient

from crossdock.shop.invoices import expire_invoices
from crossdock.shop.mailing import SECRETS, list_mails, read_mail
from tests.support.factories import box
from tests.support.paying import DECLINED, GOOD, LOST_QUESTION

PAYMENTS, INVOICES, ORDERS = "/dev/v1/payments", "/dev/v1/invoices", "/dev/v1/orders"
BUYER = "buyer@example.com"
CARD = {"card_name": "Ann Lee", "expiry_month": "12", "expiry_year": "31", "security_code": "737"}
HEADERS = {"accept": "text/html"}


async def payment(merchant, **fields):
    """A payment of two units of 12.50."""
    body = {"title": "Consulting", "email": BUYER, "value": 12.5, "quantity": 2, "currency": "usd"}
    return await merchant.data("POST", PAYMENTS, status=201, json=body | fields)


async def order(merchant, *serials, quantity=2):
    """An order of a product with these serials; (order, product's id)."""
    body = {"title": "Licence", "price": 5, "type": "SERIALS", "serials": "\n".join(serials)}
    product = (await merchant.data("POST", "/dev/v1/products", status=201, json=body))["id"]
    items = [{"product_id": product, "quantity": quantity}]
    made = await merchant.data("POST", ORDERS, status=201, json={"email": BUYER, "items": items})
    return made, product


@pytest.fixture
async def browser(desk_server):
    """A person's browser, which follows no redirect by itself."""
    async with httpx2.AsyncClient(
        base_url=desk_server.url, headers=HEADERS, timeout=60, trust_env=False, verify=False
    ) as client:
        yield client


def page_of(shown):
    return urlsplit(shown["checkout_url"]).path


async def pay(browser, path, *, number=GOOD, **fields):
    """The answer to the page's form."""
    return await browser.post(path, data={**CARD, "card_number": number, **fields})


async def count(desk_database, desk, table):
    async with desk_database.statement() as tx:
        return await tx.value(f"select count(*) from {table} where shop_id = {desk.id}")


async def test_is_asked_for_with_its_units_and_an_address(merchant, browser):
    made = await payment(merchant, custom_fields={"seat": "4A"}, gateway="STRIPE")
    assert (made["total"], made["value"], made["quantity"], made["currency"]) == (
        Decimal("25.00"), Decimal("12.50"), 2, "USD",
    )  # fmt: skip
    assert (made["status"], made["gateway"], made["custom_fields"]) == (
        "PENDING", "STRIPE", {"seat": "4A"},
    )  # fmt: skip
    assert made["expires_at"] - made["created_at"] == 86_400
    assert made.pop("webhook_secret") is None
    assert await merchant.data("GET", f"{PAYMENTS}/{made['uniqid']}") == made
    page = await browser.get(page_of(made))
    assert (page.status_code, "Consulting" in page.text, "$25.00" in page.text) == (200, True, True)
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'")
    assert "script" not in policy
    assert "<script" not in page.text
    assert page.headers["cache-control"] == "no-store"


async def test_is_asked_for_once_under_one_key(merchant, desk_database, desk):
    body = {"title": "Consulting", "email": BUYER, "value": 12.5, "currency": "USD"}
    first = await merchant.data("POST", PAYMENTS, status=201, json=body, once="p-1")
    again = await merchant.data("POST", PAYMENTS, status=201, json=body, once="p-1")
    assert first == again
    assert await count(desk_database, desk, "invoices") == 1


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"title": ""}, {"title"}),
        ({"title": "x" * 129}, {"title"}),
        ({"email": "nobody"}, {"email"}),
        ({"value": 0}, {"value"}),
        ({"value": -1}, {"value"}),
        ({"value": 0.001}, {"value"}),
        ({"value": None}, {"value"}),
        ({"currency": "EURO"}, {"currency"}),
        ({"currency": None, "quantity": 0}, {"currency", "quantity"}),
        ({"return_url": "javascript:alert(1)"}, {"return_url"}),
        ({"webhook": "http://shop.example/hook"}, {"webhook"}),
        ({"webhook": "https://127.0.0.1/hook"}, {"webhook"}),
        ({"webhook": "https://[fd00::1]/hook", "title": ""}, {"title"}),
        ({"webhook": "/hook"}, {"webhook"}),
        ({"webhook": 7}, {"webhook"}),
        ({"custom_fields": ["a"]}, {"custom_fields"}),
    ],
)
async def test_that_is_asked_for_wrongly_is_refused(merchant, desk_database, desk, fields, wrong):
    body = {"title": "Consulting", "email": BUYER, "value": 12.5, "currency": "USD"}
    found = await merchant.fields_refused("POST", PAYMENTS, json=body | fields)
    assert found.keys() == wrong
    assert await count(desk_database, desk, "invoices") == 0


async def test_is_asked_for_as_a_checkout_session(merchant):
    body = {
        "product": {"name": "Seat", "quantity": 3}, "amount": 4, "currency": "USD",
        "customer_email": BUYER, "success_url": "https://shop.example/ok", "metadata": {"a": True},
    }  # fmt: skip
    made = await merchant.data("POST", "/dev/v1/checkout/sessions", status=201, json=body)
    assert (made["amount"], made["status"], made["metadata"]) == (
        Decimal("12.00"), "PENDING", {"a": True},
    )  # fmt: skip
    read = await merchant.data("GET", f"{PAYMENTS}/{made['id']}")
    assert (read["title"], read["url"], read["return_url"]) == (
        "Seat", made["url"], "https://shop.example/ok",
    )  # fmt: skip
    wrong = await merchant.fields_refused("POST", "/dev/v1/checkout/sessions", json={})
    assert wrong.keys() == {"product", "amount", "currency", "customer_email"}


async def test_is_paid_by_card_on_its_page_and_leads_back(merchant, browser):
    made = await payment(merchant, return_url="https://shop.example/thanks?order=1")
    answer = await pay(browser, page_of(made))
    assert (answer.status_code, answer.headers["location"]) == (303, f"{page_of(made)}?done")
    done = await browser.get(answer.headers["location"])
    assert 'http-equiv="refresh" content="3; url=https://shop.example/thanks?order=1"' in done.text
    later = await browser.get(page_of(made))
    assert (later.status_code, "refresh" in later.text, "it is paid" in later.text) == (
        200, False, True,
    )  # fmt: skip
    read = await merchant.data("GET", f"{PAYMENTS}/{made['id']}")
    assert (read["status"], read["gateway"]) == ("COMPLETED", "SANDBOX")
    again = await pay(browser, page_of(made))
    assert (again.status_code, "it is paid" in again.text) == (200, True)


async def test_is_not_paid_by_a_declined_card_whose_number_is_not_shown_again(merchant, browser):
    made = await payment(merchant)
    declined = await pay(browser, page_of(made), number=DECLINED)
    assert declined.status_code == 422
    assert "The card was declined. Nothing was charged." in declined.text
    assert 'value="Ann Lee"' in declined.text
    assert DECLINED not in declined.text
    assert "737" not in declined.text
    wrong = await pay(browser, page_of(made), number="4242", expiry_month="13")
    assert (wrong.status_code, "2 fields need another look" in wrong.text) == (422, True)
    lost = await pay(browser, page_of(made), number=LOST_QUESTION)
    assert (lost.status_code, "The bank has not answered" in lost.text) == (503, True)
    assert (await pay(browser, page_of(made))).status_code == 303


async def test_page_takes_no_form_of_another_site_and_is_none_for_another_text(merchant, browser):
    made = await payment(merchant)
    sent = {**CARD, "card_number": GOOD}
    strange = await browser.post(page_of(made), data=sent, headers={"sec-fetch-site": "cross-site"})
    assert strange.status_code == 403
    assert (await merchant.data("GET", f"{PAYMENTS}/{made['id']}"))["status"] == "PENDING"
    for text in ("x" * 32, "1-wc_order_1", "9" * 30 + "-k", "%C3%A9", "-", "%00", "1-%00"):
        assert (await browser.get(f"/pay/{text}")).status_code == 404


async def test_is_completed_by_hand_once(merchant, browser):
    made = await payment(merchant)
    path = f"{PAYMENTS}/{made['uniqid']}/complete"
    done = await merchant.data("POST", path, json={"note": "cash"})
    assert (done["status"], done["gateway"]) == ("COMPLETED", "MANUAL")
    assert (await merchant.fields_refused("POST", path)).keys() == {"status"}
    assert (await merchant.fields_refused("POST", f"{INVOICES}/{made['id']}/complete")).keys() == {
        "status"
    }


async def test_that_runs_out_says_so(merchant, browser, desk_server, desk_database):
    made = await payment(merchant)
    late = desk_server.clock.now() + timedelta(days=1)
    await expire_invoices(desk_database, now=late)
    page = await browser.get(page_of(made))
    assert (page.status_code, "The time to pay is over" in page.text) == (410, True)
    read = await merchant.data("GET", f"{INVOICES}/{made['id']}")
    assert (read["status"], read["payment_status"], read["checkout_url"]) == (
        "VOIDED", "EXPIRED", None,
    )  # fmt: skip


async def test_page_of_an_order_pays_it(merchant, browser):
    made, _ = await order(merchant, "A-1", "B-2")
    page = await browser.get(page_of(made))
    assert (page.status_code, "Licence" in page.text, "$10.00" in page.text) == (200, True, True)
    answers = await asyncio.gather(*(pay(browser, page_of(made)) for _ in range(3)))
    assert {each.status_code for each in answers} <= {200, 303}
    paid = await merchant.data("GET", f"{ORDERS}/{made['id']}")
    assert (paid["status"], paid["payment_status"], paid["checkout_url"]) == (
        "COMPLETED", "PAID", None,
    )  # fmt: skip
    assert "it is paid" in (await browser.get(page_of(made))).text


async def test_page_of_an_order_stays_open_after_a_declined_card(merchant, browser):
    made, _ = await order(merchant, "A-1", "B-2")
    assert (await pay(browser, page_of(made), number="4000000000001042")).status_code == 422
    assert (await merchant.data("GET", f"{ORDERS}/{made['id']}"))["payment_status"] == "AWAITING"
    assert (await pay(browser, page_of(made))).status_code == 303


async def test_and_orders_are_one_list_page_by_page(merchant, desk_server):
    made = []
    for n in range(3):
        made.append((await payment(merchant, title=f"P{n}"))["id"])
        made.append((await order(merchant, f"S-{n}", quantity=1))[0]["id"])
    found, cursor = [], ""
    while True:
        page = await merchant.ask("GET", f"{INVOICES}?limit=2{cursor}")
        found += [each["id"] for each in page["data"]]
        if not page["pagination"]["has_more"]:
            break
        cursor = f"&cursor={page['pagination']['next_cursor']}"
    assert sorted(found) == sorted(made)
    one = await merchant.data("GET", f"{INVOICES}/{made[1]}")
    assert (one["id"], one["type"], one["total"]) == (made[1], "ORDER", Decimal("5.00"))
    await merchant.data("POST", f"{INVOICES}/{made[0]}/complete")
    done = await merchant.data("POST", f"{INVOICES}/{made[1]}/complete")
    assert (done["status"], done["gateway"]) == ("COMPLETED", "MANUAL")
    assert (await merchant.fields_refused("POST", f"{INVOICES}/{made[1]}/complete")).keys() == {
        "status"
    }
    for query, expected in (
        ("status=COMPLETED", made[:2]),
        ("status=completed&filters=%7B%22type%22:%22PAYMENT%22%7D", made[:1]),
        ("customerEmail=Buyer@example.com&status=PENDING", made[2:]),
        ("customerEmail=other@example.com", []),
        ("status=REVERSED&sorts=-created_at", []),
    ):
        listed = await merchant.data("GET", f"{INVOICES}?{query}")
        assert sorted(each["id"] for each in listed) == sorted(expected), query
    for query, field in (
        ("sorts=total", "sorts"), ("filters=x", "filters"), ("filters=%7B%22a%22:1%7D", "filters"),
        ("status=odd", "status"), ("cursor=x", "cursor"), ("limit=0", "limit"),
    ):  # fmt: skip
        assert field in await merchant.fields_refused("GET", f"{INVOICES}?{query}")
    payments = await merchant.ask("GET", f"{PAYMENTS}?limit=2&status=PENDING")
    assert [each["title"] for each in payments["data"]] == ["P2", "P1"]


async def test_of_another_shop_or_without_the_scope_is_not_told(merchant, keys, desk_database):
    from tests.support.factories import make_shop

    made = await payment(merchant)
    async with desk_database.begin() as tx:
        other = await make_shop(tx)
    stranger, narrow = await keys(shop_id=other.id), await keys("orders.read")
    for method, path in (
        ("GET", f"{PAYMENTS}/{made['id']}"), ("POST", f"{PAYMENTS}/{made['id']}/complete"),
        ("GET", f"{INVOICES}/{made['id']}"), ("POST", f"{INVOICES}/{made['id']}/complete"),
        ("POST", f"{INVOICES}/{made['id']}/replacements"),
    ):  # fmt: skip
        assert (await stranger.refusal(method, path, status=404))["code"] == "NOT_FOUND"
        assert (await narrow.refusal(method, path, status=403))["code"] == "FORBIDDEN"
    assert (await merchant.data("GET", f"{PAYMENTS}/{made['id']}"))["status"] == "PENDING"


async def test_serials_that_do_not_work_are_replaced(merchant, desk_database, desk):
    made, product = await order(merchant, "A-1", "B-2", "C-3", "D-4", "E-5")
    await merchant.data("POST", f"{ORDERS}/{made['id']}/complete", json={})
    path = f"{INVOICES}/{made['id']}/replacements"

    done = await merchant.data(
        "POST", path, status=201, json={"quantity": 1, "reason": "used"}, once="r-1"
    )
    again = await merchant.data(
        "POST", path, status=201, json={"quantity": 1, "reason": "used"}, once="r-1"
    )

    assert done == again
    assert (done["invoice_id"], done["product_id"], done["quantity"]) == (made["id"], product, 1)
    read = await merchant.data("GET", f"{ORDERS}/{made['id']}")
    assert read["items"][0]["serials"] == ["B-2", "C-3"]
    stock = await merchant.data("GET", f"/dev/v1/products/{product}/stock")
    assert stock["stock"] == 2
    async with desk_database.begin() as tx:
        [newest, *_] = await list_mails(tx, shop_id=desk.id)
        mail = await read_mail(tx, shop_id=desk.id, mail_id=newest.id, box=box(), reveals=SECRETS)
    assert ("C-3" in mail.text, "B-2" in mail.text) == (True, False)

    before = await count(desk_database, desk, "serial_sales")
    for body in ({"quantity": 2}, {"quantity": 3, "override_remaining_quantity": True}):
        refused = await merchant.refusal("POST", path, status=400, json=body)
        assert refused["code"] == "QUANTITY_OUT_OF_RANGE"
    assert await count(desk_database, desk, "serial_sales") == before
    await merchant.data("POST", path, status=201, json={"full": "true", "product_id": product})
    override = {"quantity": 1, "override_remaining_quantity": True}
    await merchant.data("POST", path, status=201, json=override)
    short = await merchant.refusal("POST", path, status=409, json=override)
    assert short["code"] == "STOCK_UNAVAILABLE"


async def test_that_was_sold_without_serials_has_none_to_replace(merchant):
    made = await payment(merchant)
    found = await merchant.fields_refused("POST", f"{INVOICES}/{made['id']}/replacements")
    assert found.keys() == {"product_id"}


def python_calls(*, base, key):
    """What the published Python client gets."""
    client = ShoppexClient(api_key=key, base_url=base)
    draft = {"title": "Consulting", "email": BUYER, "value": 12.5, "currency": "USD"}
    made = client.payments.create(draft, "py-p").data
    told = {"same": client.payments.create(draft, "py-p").data.id == made.id}
    told["listed"] = [each.status for each in client.payments.list_all({"limit": 1})]
    told["got"] = client.payments.get(made.id).data.get("total")
    told["invoices"] = len(client.invoices.list_all({"limit": 1}))
    told["done"] = client.invoices.complete(made.id, {"note": "cash"}).data.status
    told["invoice"] = client.invoices.get(made.id).data.status
    with pytest.raises(ShoppexApiError) as refused:
        client.payments.complete(made.id)
    return {**told, "refused": refused.value.status}


async def test_is_managed_by_the_published_python_client(merchant):
    told = await asyncio.to_thread(python_calls, base=merchant.base_url, key=merchant.key)
    assert told == {
        "same": True, "listed": ["PENDING"], "got": 12.5, "invoices": 1,
        "done": "COMPLETED", "invoice": "COMPLETED", "refused": 422,
    }  # fmt: skip


async def test_page_waits_after_several_declined_cards(merchant, browser, desk_server):
    made, other = await payment(merchant), await payment(merchant)
    desk_server.clock.move(timedelta(minutes=2))
    declined = [await pay(browser, page_of(made), number=DECLINED) for _ in range(5)]
    waiting = [await pay(browser, page_of(each)) for each in (made, other)]
    desk_server.clock.move(timedelta(minutes=2))
    paid = await pay(browser, page_of(made))
    assert [each.status_code for each in declined] == [422] * 5
    assert [each.status_code for each in waiting] == [429, 429]
    assert "Several cards were declined." in waiting[0].text
    assert paid.status_code == 303
