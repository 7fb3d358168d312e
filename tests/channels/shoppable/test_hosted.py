"""The hosted checkout..."""

import asyncio
import base64
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from crossdock.shop.pricing import TaxRate, set_tax_rate
from tests.channels.shoppable.conftest import OpenStall, Stall
from tests.support.hosted import CARD, DELIVERY, Page, Till
from tests.support.locks import waiting_for_a_lock
from tests.support.paying import DECLINED, GOOD, LOST_ANSWER

SHOP = "https://shop.example"
DONE = f"{SHOP}/thanks?page=1&lang=en#top"


async def _till(stall: Stall, *wanted: tuple[int, int], **query: str) -> Till:
    return Till(stall.shopper, await stall.shopper.cart(*wanted), **query)


async def _tax(stall: Stall, *, rate_bp: int = 825) -> None:
    async with stall.mall.db.begin() as tx:
        rate = TaxRate(country="US", state="TX", rate_bp=rate_bp)
        await set_tax_rate(tx, shop_id=stall.mall.shop.id, rate=rate)


def _is_bought(stall: Stall) -> Any:
    return stall.mall.count("orders")


async def test_takes_a_cart_of_two_merchants_to_its_confirmation(stalls: OpenStall) -> None:
    stall = await stalls()
    mall = stall.mall
    first = await mall.merchant(name="Walmart", shipping_flat_minor=595)
    second = await mall.merchant(name="Topman")
    ten = await mall.variant(merchant_id=first, price_minor=1000, image="/demo-media/3.svg")
    sixty = await mall.variant(merchant_id=second, price_minor=6000)
    await _tax(stall)
    till = await _till(stall, (ten, 2), (sixty, 1), campaign="spring")

    opened = await till.open()
    assert (opened.status, opened.reply.headers["content-type"]) == (
        200, "text/html; charset=utf-8",
    )  # fmt: skip
    for text in ("From Walmart", "From Topman", "2 × $10.00", "$5.95", "Free", "next step"):
        assert text in opened.text
    assert "Total before tax $85.95" in opened.text
    assert opened.images == [f"{stall.server.url}/demo-media/3.svg"]

    payment = await till.deliver(opt_in="true")
    assert "Tax $6.60" in payment.text
    assert "Pay $92.55" in payment.text
    assert "1 Analytical Way" in payment.text

    done = await till.follow(await till.pay(payment))
    [order_id] = await _orders(stall)
    assert f"R{order_id:09d}" in done.text
    assert "Thank you, Ada" in done.text
    assert "Total $92.55" in done.text
    order = await mall.order(order_id)
    assert (order.total_minor, order.payment_state, order.billing.city) == (9255, "paid", "Austin")
    assert order.channel_data == {
        "cart_id": till.cart_id, "campaign": "spring", "opt_in": True,
    }  # fmt: skip
    lines = await stall.shopper.read(f"/v3/order/R{order_id:09d}")
    assert [line["quantity"] for line in lines] == [2, 1]


async def _orders(stall: Stall) -> list[int]:
    async with stall.mall.db.statement() as tx:
        rows = await tx.all(
            "select id from orders where shop_id = %s order by id", (stall.mall.shop.id,)
        )
    return [order_id for (order_id,) in rows]


async def test_tells_every_field_that_is_missing_and_keeps_the_others(stalls: OpenStall) -> None:
    stall = await stalls()
    till = await _till(stall, (await stall.mall.variant(), 1))
    given = {"shipping_city": "Austin", "shipping_country_code": "US", "shipping_email": "no"}

    page = await till.send((await till.open()).form, "delivery", **given)

    assert page.status == 422
    assert page.wrong == [
        "shipping_email", "shipping_phone", "shipping_first_name", "shipping_last_name",
        "shipping_street1", "shipping_state", "shipping_postal_code",
    ]  # fmt: skip
    assert "7 fields need another look" in page.text
    assert page.fields["shipping_city"]["value"] == "Austin"
    first = [name for name, told in page.fields.items() if "autofocus" in told]
    summary = [link for link in page.links if link.startswith("#shipping")]
    assert summary == [f"#{name}" for name in page.wrong]
    assert first == ["shipping_email"]
    for name in page.wrong:
        assert page.fields[name]["aria-describedby"].endswith(f"{name}-wrong")


async def test_asks_for_a_state_only_where_the_country_has_them(stalls: OpenStall) -> None:
    stall = await stalls()
    till = await _till(stall, (await stall.mall.variant(), 1))
    lacks = {"shipping_state": "", "shipping_country_code": "NL"}

    payment = await till.deliver(**lacks)
    assert "Netherlands" in payment.text
    done = await till.follow(await till.pay(payment))

    assert done.status == 200


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("card_name", ""),
        ("card_number", ""),
        ("card_number", "4242 4242 4242 4241"),
        ("expiry_month", "13"),
        ("expiry_year", "20"),
        ("security_code", "1"),
        ("card_number", DECLINED),
    ],
)
async def test_tells_what_is_wrong_with_a_card_and_never_repeats_it(
    stalls: OpenStall, field: str, value: str
) -> None:
    stall = await stalls()
    till = await _till(stall, (await stall.mall.variant(), 1))

    page = await till.pay(await till.deliver(), **{field: value})

    assert (page.status, page.wrong) == (422, [field])
    assert page.fields["card_number"]["value"] == page.fields["security_code"]["value"] == ""
    assert GOOD not in page.html
    assert "4242 4242" not in page.html
    assert "737" not in page.text
    assert await _is_bought(stall) == 0
    again = await till.follow(await till.pay(page))
    assert "Thank you" in again.text


async def test_counts_a_refused_payment_as_one_call(stalls: OpenStall) -> None:
    stall = await stalls(settings={"rate_limit_per_minute": 5})
    till = await _till(stall, (await stall.mall.variant(), 1))  # two calls
    payment = await till.deliver()  # two more

    assert (await till.pay(payment, card_number=DECLINED)).status == 422
    again = await till.pay(payment)
    assert (again.status, again.reply.headers["retry-after"]) == (429, "60")


async def test_bills_another_address_where_the_shopper_chooses_one(stalls: OpenStall) -> None:
    stall = await stalls()
    till = await _till(stall, (await stall.mall.variant(), 1))
    payment = await till.deliver()

    lacking = await till.pay(payment, billing="other", billing_first_name="Charles")
    assert lacking.status == 422
    assert lacking.wrong == [
        "billing_last_name", "billing_street1", "billing_city", "billing_country",
    ]  # fmt: skip
    assert lacking.fields["billing_first_name"]["value"] == "Charles"
    assert "checked" in lacking.fields["billing-other"]
    billing = {
        "billing_last_name": "Babbage", "billing_street1": "1 Dorset Street",
        "billing_city": "London", "billing_postal_code": "W1U 4EG", "billing_country": "GB",
    }  # fmt: skip
    done = await till.pay(lacking, billing="other", billing_first_name="Charles", **billing)

    assert done.status == 303
    order = await stall.mall.order((await _orders(stall))[0])
    assert (order.billing.last_name, order.billing.country) == ("Babbage", "GB")
    assert (order.billing.email, order.shipping.last_name) == ("ada@buyer.example", "Lovelace")


async def test_changes_the_delivery_and_keeps_what_was_entered(stalls: OpenStall) -> None:
    stall = await stalls()
    till = await _till(stall, (await stall.mall.variant(), 1))

    page = await till.send((await till.deliver(opt_in="true")).form, "change")

    assert page.fields["shipping_street1"]["value"] == DELIVERY["shipping_street1"]
    assert "checked" in page.fields["opt_in"]


async def test_of_a_form_sent_twice_is_one_order(stalls: OpenStall) -> None:
    stall = await stalls()
    till = await _till(stall, (await stall.mall.variant(own=5), 2))
    payment = await till.deliver()

    first, again = await till.pay(payment), await till.pay(payment)

    assert (first.status, again.status) == (303, 303)
    assert (await till.follow(again)).text == (await till.follow(first)).text
    assert await _is_bought(stall) == 1
    assert await stall.mall.payment_states() == ["captured"]


async def test_of_two_at_once_is_one_order_and_the_other_may_look_again(stalls: OpenStall) -> None:
    stall = await stalls()
    till = await _till(stall, (await stall.mall.variant(own=5), 2))
    payment = await till.deliver()

    async with stall.mall.db.begin() as tx:
        await tx.run("select 1 from carts where id = %s for update", (till.cart_id,))
        calls = [asyncio.create_task(till.pay(payment)) for _ in range(2)]
        await waiting_for_a_lock(stall.mall.db, behind=tx, count=1)
    pages = sorted(await asyncio.gather(*calls), key=lambda page: page.status)

    assert pages[0].status == 303
    assert pages[1].status in {303, 503}
    assert await _is_bought(stall) == 1
    looked = await till.send(payment.form, "look")
    assert (await till.follow(looked)).text == (await till.follow(pages[0])).text


async def test_waits_while_another_window_pays(stalls: OpenStall) -> None:
    stall = await stalls()
    till = await _till(stall, (await stall.mall.variant(), 1))
    payment = await till.deliver()
    claim = "update carts set claimed_until = %s where id = %s"
    async with stall.mall.db.begin() as tx:
        await tx.run(claim, (stall.server.clock.now() + timedelta(minutes=2), till.cart_id))

    page = await till.pay(payment)

    assert (page.status, "Nothing is charged twice" in page.text) == (503, True)
    assert page.reply.headers["retry-after"].isdigit()
    async with stall.mall.db.begin() as tx:
        await tx.run(claim, (None, till.cart_id))
    looked = await till.send(page.form, "look")
    assert (looked.status, await _is_bought(stall)) == (200, 0)
    assert (await till.pay(looked)).status == 303


async def test_sells_nothing_while_the_bank_does_not_answer(stalls: OpenStall) -> None:
    stall = await stalls()
    till = await _till(stall, (await stall.mall.variant(), 1))

    page = await till.pay(await till.deliver(), card_number=LOST_ANSWER)

    assert (page.status, await _is_bought(stall)) == (503, 0)
    looked = await till.send(page.form, "look")
    assert "No order was placed so far." in looked.text
    assert (await till.pay(looked)).status == 303
    assert await _is_bought(stall) == 1


async def test_shows_a_price_that_changed_before_it_charges_it(stalls: OpenStall) -> None:
    stall = await stalls()
    good = await stall.mall.variant(price_minor=1000)
    till = await _till(stall, (good, 1))
    payment = await till.deliver()
    await stall.mall.change("variants", good, retail_minor=1200)

    page = await till.pay(payment)

    assert (page.status, await _is_bought(stall)) == (409, 0)
    assert "The price changed from $10.00 to $12.00." in page.text
    assert "Pay $12.00" in page.text
    await till.follow(await till.pay(page))
    assert (await stall.mall.order((await _orders(stall))[0])).total_minor == 1200


async def test_tells_of_a_changed_total_beside_whatever_else_is_wrong(stalls: OpenStall) -> None:
    stall = await stalls()
    good = await stall.mall.variant(price_minor=1000)
    till = await _till(stall, (good, 1))
    payment = await till.deliver()
    await _tax(stall, rate_bp=1000)
    changed = "The price of your order changed."

    wrong = await till.pay(payment, security_code="1")
    looked = await till.send(payment.form, "look")
    stall.server.clock.move(timedelta(minutes=31))
    try:
        late = await till.pay(payment)
    finally:
        stall.server.clock.move(-timedelta(minutes=31))

    assert (wrong.status, wrong.wrong) == (422, ["security_code"])
    for page in (wrong, looked, late):
        assert (page.text.count(changed), "Pay $11.00" in page.text) == (1, True)
    assert (await till.pay(wrong)).status == 303


async def test_takes_its_forms_with_a_slash_at_the_end(stalls: OpenStall) -> None:
    stall = await stalls()
    reply = await stall.shopper.send("POST", "/checkout/", data={"form": "none"})
    assert (reply.status_code, "This form cannot be used" in reply.text) == (403, True)


async def test_shows_what_sold_out_and_sells_the_rest(stalls: OpenStall) -> None:
    stall = await stalls()
    gone, few, there = [await stall.mall.variant(price_minor=1000) for _ in range(3)]
    till = await _till(stall, (gone, 1), (few, 5), (there, 1))
    payment = await till.deliver()
    await _leave(stall, gone, 0)
    await _leave(stall, few, 2)

    page = await till.pay(payment)
    assert (page.status, await _is_bought(stall)) == (409, 0)
    assert "Sold out, left out of this order" in page.text
    assert "Pay $30.00" in page.text

    await till.follow(await till.pay(page))
    order = await stall.mall.order((await _orders(stall))[0])
    assert {line.variant_id: line.quantity for line in order.lines} == {few: 2, there: 1}


async def test_tells_at_once_what_the_cart_has_no_more(stalls: OpenStall) -> None:
    stall = await stalls()
    few, gone = [await stall.mall.variant(price_minor=1000) for _ in range(2)]
    till = await _till(stall, (few, 5), (gone, 1))
    await _leave(stall, few, 2)
    await _leave(stall, gone, 0)

    assert "Only 2 left; you wanted 5." in (await till.open()).text
    assert "Thank you" in (await till.buy()).text
    await _leave(stall, few, 0)
    empty = await (await _till(stall)).open()
    assert (empty.status, "Your cart is empty" in empty.text) == (200, True)


async def _leave(stall: Stall, variant_id: int, count: int) -> None:
    """Leave so many in stock."""
    async with stall.mall.db.begin() as tx:
        await tx.run(
            "update stock_levels set on_hand = %s where shop_id = %s and variant_id = %s",
            (count, stall.mall.shop.id, variant_id),
        )


async def test_knows_no_cart_of_another_publisher_and_no_wrong_token(stalls: OpenStall) -> None:
    stall, other = await stalls(), await stalls()
    theirs = await other.shopper.cart((await other.mall.variant(), 1))
    till = await _till(stall, (await stall.mall.variant(), 1))

    foreign = await till.open(cart=theirs)
    assert (foreign.status, "There is no such cart" in foreign.text) == (404, True)
    for token in ("", "x" * 32, "é"):
        page = await till.open(apiToken=token)
        assert (page.status, "cannot be opened" in page.text) == (401, True)
        assert page.policy == "https:"
        assert "<form" not in page.html
        assert [link for link in page.links if not link.startswith("#")] == []
    shopper = (await stalls(permissions=("carts.write",))).shopper
    refused = await Till(shopper, await shopper.cart()).open()
    assert refused.status == 403


async def test_takes_no_form_but_its_own(stalls: OpenStall) -> None:
    stall = await stalls()
    till = await _till(stall, (await stall.mall.variant(), 1))
    done = await till.pay(payment := await till.deliver())
    receipt = parse_qs(urlsplit(done.reply.headers["location"]).query)["receipt"][0]
    good = payment.form
    changed = good[:-8] + ("A" if good[-8] != "A" else "B") + good[-7:]

    for form in ("", "x", "é", changed, receipt, good[:40]):
        page = await till.send(form, "pay", **CARD)
        assert (page.status, "cannot be used" in page.text) == (403, True)
    strange = await till.send(good, "pay", headers={"Sec-Fetch-Site": "cross-site"}, **CARD)
    assert strange.status == 403
    assert Page(await stall.shopper.get("/checkout/done", receipt=good)).status == 403
    assert await _is_bought(stall) == 1


async def test_takes_what_another_version_sealed_for_expired(stalls: OpenStall) -> None:
    stall = await stalls()
    till = await _till(stall, (await stall.mall.variant(), 1))

    def sealed(kind: str) -> str:
        box = stall.server.app.services.box
        text = box.seal(b'{"version": 0}', place=f"shoppable checkout {kind}")
        return base64.urlsafe_b64encode(text).decode()

    form = await till.send(sealed("form"), "pay", **CARD)
    receipt = Page(await stall.shopper.get("/checkout/done", receipt=sealed("receipt")))

    for page in (form, receipt):
        assert (page.status, "not valid any more" in page.text) == (401, True)


async def test_asks_again_where_a_form_was_open_too_long(stalls: OpenStall) -> None:
    stall = await stalls()
    till = await _till(stall, (await stall.mall.variant(), 1))
    opened, payment = await till.open(), await till.deliver()

    stall.server.clock.move(timedelta(minutes=31))
    try:
        delivery = await till.send(opened.form, "delivery", **DELIVERY)
        assert "open for a long time" in delivery.text
        assert delivery.fields["shipping_city"]["value"] == "Austin"
        page = await till.pay(payment)
        assert ("open for a long time" in page.text, await _is_bought(stall)) == (True, 0)
        done = await till.pay(page)
        stall.server.clock.move(timedelta(minutes=61))
        gone = await till.follow(done)
        assert (gone.status, "R000" in gone.text, "Ada" in gone.text) == (410, True, False)
    finally:
        stall.server.clock.move(-timedelta(minutes=92))


async def test_says_of_an_ordered_cart_no_more_than_its_number(stalls: OpenStall) -> None:
    stall = await stalls()
    till = await _till(stall, (await stall.mall.variant(), 1))
    await till.buy()

    page = await till.open()

    assert ("This cart was ordered" in page.text, "Ada" in page.text) == (True, False)


async def test_shows_the_confirmation_only_to_the_form_that_ordered(stalls: OpenStall) -> None:
    stall = await stalls()
    till = await _till(stall, (await stall.mall.variant(), 1))
    opened, payment = await till.open(), await till.deliver()
    other = await till.deliver(shipping_first_name="Charles")
    assert "Ada" in (await till.follow(await till.pay(payment))).text

    for page, step in ((opened, "delivery"), (opened, "look"), (other, "pay"), (other, "look")):
        told = await till.send(page.form, step, **CARD)
        assert ("This cart was ordered" in told.text, "Ada" in told.text) == (True, False)
        assert "R000" in told.text
    stall.server.clock.move(timedelta(minutes=31))
    try:
        late = await till.pay(payment)
        assert ("This cart was ordered" in late.text, "Ada" in late.text) == (True, False)
    finally:
        stall.server.clock.move(-timedelta(minutes=31))


async def test_tells_of_its_pages_without_them(stalls: OpenStall) -> None:
    stall = await stalls()
    till = await _till(stall, (await stall.mall.variant(), 1))
    done = await till.pay(await till.deliver())
    pages = [
        ("/checkout", till.query),
        ("/checkout/", till.query),
        ("/checkout", {"apiToken": "x"}),
        (done.reply.headers["location"], None),
    ]

    for path, query in pages:
        whole = await stall.shopper.send("GET", path, params=query)
        told = await stall.shopper.send("HEAD", path, params=query)
        assert (told.status_code, told.content) == (whole.status_code, b""), path
        for name in ("content-type", "content-length", "content-security-policy"):
            assert told.headers[name] == whole.headers[name]


async def test_leads_on_to_the_publisher_with_what_was_ordered(stalls: OpenStall) -> None:
    stall = await stalls(settings={"completion_origins": SHOP})
    await _tax(stall)
    merchant = await stall.mall.merchant(shipping_flat_minor=595)
    good = await stall.mall.variant(merchant_id=merchant, price_minor=1000)
    till = await _till(
        stall, (good, 2), orderComplete=DONE, returnToSite=f"{SHOP}/", publisherCheckout=f"{SHOP}/c"
    )

    opened = await till.open()
    assert f"{SHOP}/c" in opened.links
    done = await till.buy()

    [order_id] = await _orders(stall)
    [onward] = [link for link in done.links if link.startswith(f"{SHOP}/thanks?")]
    assert f'content="0; url={onward.replace("&", "&amp;")}"' in done.html
    parts = urlsplit(onward)
    assert parts.fragment == "top"
    assert parse_qs(parts.query, keep_blank_values=True) == {
        name: [text]
        for name, text in {
            "page": "1", "lang": "en", "cart": till.cart_id, "oid": f"R{order_id:09d}", "qty": "2",
            "subtotal": "20.00", "shipping": "5.95", "tax": "1.65", "total": "27.60",
            "email": "ada@buyer.example", "bzip": "78701", "bstate": "TX", "bregion": "US",
            "szip": "78701", "sstate": "TX", "sregion": "US", "qamount": "0.00", "qcode": "",
        }.items()
    }  # fmt: skip


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        "http://shop.example/",
        "//shop.example/",
        "https://shop.example.evil.example/",
        "https://shop.example@evil.example/",
        "https://evil.example\\@shop.example/",
        "https:\\\\shop.example/",
        "https:/shop.example/",
        "https://shop.example:8443/",
        "https://shop.example%2eevil.example/",
        "https://shop.example\t.evil.example/",
        " javascript:alert(1)",
        "javascript://shop.example/%0aalert(1)",
        "data:text/html,x",
        "https://",
        "https://shop.example:x/",
        "/checkout",
    ],
)
async def test_leads_nowhere_else(stalls: OpenStall, url: str) -> None:
    stall = await stalls(settings={"completion_origins": SHOP})
    till = await _till(
        stall, (await stall.mall.variant(), 1),
        orderComplete=url, returnToSite=url, publisherCheckout=url,
    )  # fmt: skip

    opened, done = await till.open(), await till.buy()

    assert "Thank you" in done.text
    assert "http-equiv" not in done.html
    for page in (opened, done):
        assert [link for link in page.links if not link.startswith("#")] == []


async def test_is_framed_only_by_the_publishers_own_pages(stalls: OpenStall) -> None:
    stall = await stalls(settings={"completion_origins": f"{SHOP} https://b.example"})
    other = await stalls()
    till = await _till(stall, (await stall.mall.variant(), 1))

    assert (await till.open(noiframe="0")).policy == f"{SHOP} https://b.example"
    assert (await till.open(noiframe="1")).policy == "'none'"
    bare = await _till(other, (await other.mall.variant(), 1))
    assert (await bare.open()).policy == "'none'"


async def test_leaks_its_token_nowhere(stalls: OpenStall, capfd: Any) -> None:
    stall = await stalls(settings={"completion_origins": SHOP})
    till = await _till(stall, (await stall.mall.variant(), 1), orderComplete=DONE)

    pages = [await till.open(), await till.deliver(), await till.buy()]

    for page in pages:
        headers = page.reply.headers
        assert stall.shopper.token not in page.html
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
        assert "access-control-allow-origin" not in headers
        policy = headers["content-security-policy"]
        assert policy.startswith(
            "default-src 'none'; style-src 'self'; img-src 'self' https: data:"
        )
        assert "form-action 'self'" in policy
        assert "<script" not in page.html
    logged = "".join(capfd.readouterr())
    assert "/checkout" in logged
    assert stall.shopper.token not in logged
    assert GOOD not in logged


async def test_escapes_what_others_wrote(stalls: OpenStall) -> None:
    stall = await stalls()
    good = await stall.mall.variant(name="<script>alert(1)</script>")
    till = await _till(stall, (good, 1))

    payment = await till.deliver(shipping_first_name='"><img src=x onerror=alert(1)>')
    done = await till.follow(await till.pay(payment))

    for page in (payment, done):
        assert "<script>" not in page.html
        assert "<img src=x" not in page.html
