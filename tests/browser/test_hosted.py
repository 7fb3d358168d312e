"""A shopper buys in the hosted checkout, in a real browser: on a phone, by keyboard, in a frame."""

import os
from pathlib import Path
from typing import Any

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock, SystemClock
from tests.browser.looks import overflow_px, weak_contrasts
from tests.support.hosted import CARD, DELIVERY
from tests.support.paying import DECLINED
from tests.support.processes import ServerProcess
from tests.support.shopper import add_shopper
from tests.support.shopping import Mall

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

PUBLISHER = "https://publisher.example"
SELLER = "https://seller.example"
ACTIVE = "document.activeElement.id || document.activeElement.textContent.trim()"
STOPS_MAX = 40
GOODS = (
    ("Velvet Lipstick, long lasting", 899, "/demo-media/11.svg", 2),
    ("Volume Mascara", 1299, "/demo-media/12.svg", 1),
    ("Oxford Shirt", 4000, "/demo-media/21.svg", 1),
    ("Summer Dress with a name that is much longer than others", 129_900, None, 1),
)


@pytest.fixture
async def link(server: ServerProcess, server_database: Database) -> str:
    """The link to the checkout of a cart with four goods of two merchants; one is sold out since."""
    mall = await Mall.open(server_database, FrozenClock(SystemClock().now()))
    first = await mall.merchant(
        name="Walmart", shipping_flat_minor=595,
        return_policy_url="https://walmart.example/returns",
    )  # fmt: skip
    second = await mall.merchant(name="Lord And Taylor")
    _, shopper = await add_shopper(
        server_database, server.url, shop_id=mall.shop.id, is_test=True,
        settings={"completion_origins": PUBLISHER},
    )  # fmt: skip
    wanted = []
    for place, (name, price, image, count) in enumerate(GOODS):
        merchant = first if place < 2 else second
        good = await mall.variant(
            name=name, price_minor=price, image=image, merchant_id=merchant, currency="USD"
        )
        wanted.append((good, count))
    async with shopper:
        cart_id = await shopper.cart(*wanted)
    async with server_database.begin() as tx:
        for (good, _), (name, *_) in zip(wanted, GOODS, strict=True):
            await tx.run(
                "update products p set name = %s from variants v where v.shop_id = %s and v.id = %s"
                " and p.shop_id = v.shop_id and p.id = v.product_id",
                (name, mall.shop.id, good),
            )
        await tx.run(
            "update stock_levels set on_hand = 0 where shop_id = %s and variant_id = %s",
            (mall.shop.id, wanted[1][0]),
        )
    return f"/checkout?cart={cart_id}&apiToken={shopper.token}&returnToSite={PUBLISHER}/"


async def _tab_to(page: Any, stop: str) -> None:
    """Press Tab until this id or text has the focus, which has to be visible."""
    for _ in range(STOPS_MAX):
        await page.keyboard.press("Tab")
        if stop == await page.evaluate(ACTIVE):
            style = "getComputedStyle(document.activeElement).outlineStyle"
            assert await page.evaluate(style) != "none"
            return
    raise AssertionError(f"Tab does not reach {stop}")


async def _type(page: Any, fields: dict[str, str]) -> None:
    for name, text in fields.items():
        if await page.evaluate(ACTIVE) != name:
            await _tab_to(page, name)
        await page.keyboard.press("ControlOrMeta+a")
        await page.keyboard.type(text)


async def _looks_right(page: Any, name: str) -> None:
    assert await overflow_px(page) == 0
    assert await weak_contrasts(page) == []
    if folder := os.environ.get("CROSSDOCK_TEST_PICTURES"):
        await page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1280, "light"), (360, "dark")])
async def test_buys_by_keyboard_alone_without_scripts(
    visit: Any, link: str, width: int, scheme: str
) -> None:
    seen = await visit(link, width=width, scheme=scheme, java_script_enabled=False)
    page = seen.page
    await _looks_right(page, f"1-delivery-{width}-{scheme}")
    await _tab_to(page, "shipping_email")
    await _type(page, {"shipping_email": "ada"})
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#trouble")
    await _looks_right(page, f"2-mistakes-{width}-{scheme}")
    assert await page.evaluate(ACTIVE) == "shipping_email"

    names = (
        "email", "phone", "first_name", "last_name", "street1", "city", "state", "postal_code",
    )  # fmt: skip
    await _type(page, {f"shipping_{name}": DELIVERY[f"shipping_{name}"] for name in names})
    await _tab_to(page, "shipping_country_code")
    await page.keyboard.type("United States", delay=20)
    await _tab_to(page, "Continue to payment")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#card_number")
    await _looks_right(page, f"3-payment-{width}-{scheme}")

    card = {"card_name": CARD["card_name"], "card_number": DECLINED}
    card |= {name: CARD[name] for name in ("expiry_month", "expiry_year", "security_code")}
    await _type(page, card)
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#trouble")
    assert await page.evaluate(ACTIVE) == "card_number"
    await _looks_right(page, f"4-declined-{width}-{scheme}")
    await _type(page, {"card_number": CARD["card_number"], "security_code": "737"})
    await page.keyboard.press("Enter")

    await page.wait_for_selector("text=Thank you, Ada")
    await _looks_right(page, f"5-done-{width}-{scheme}")
    assert [text for text in seen.complaints if "422" not in text] == []
    assert "apiToken" not in page.url


async def test_offers_another_billing_address_by_keyboard(visit: Any, link: str) -> None:
    page = (await visit(link, width=360)).page
    for name, text in DELIVERY.items():
        if name == "shipping_country_code":
            await page.locator(f"#{name}").select_option(text)
        else:
            await page.locator(f"#{name}").fill(text)
    await page.get_by_role("button", name="Continue to payment").press("Enter")
    await page.wait_for_selector("#card_number")
    assert not await page.locator("#billing_city").is_visible()

    await page.locator("#billing-same").focus()
    await page.keyboard.press("ArrowDown")

    assert await page.locator("#billing_city").is_visible()
    await _looks_right(page, "6-billing-360")
    await page.get_by_role("button", name="Change").press("Enter")
    await page.wait_for_selector("#shipping_city")
    assert await page.locator("#shipping_city").input_value() == DELIVERY["shipping_city"]


async def test_shows_in_a_frame_of_the_publisher_alone(
    visit: Any, link: str, server: ServerProcess
) -> None:
    async def answer(route: Any) -> None:
        body = f'<!doctype html><iframe src="{SELLER}{link}" width="360" height="600"></iframe>'
        await route.fulfill(body=body, content_type="text/html")

    async def forward(route: Any) -> None:
        url = route.request.url.replace(SELLER, server.url)
        await route.fulfill(response=await route.fetch(url=url))

    for origin, is_shown in ((PUBLISHER, True), ("https://evil.example", False)):
        seen = await visit("/favicon.svg")
        await seen.page.route(f"{origin}/**", answer)
        await seen.page.route(f"{SELLER}/**", forward)
        await seen.page.goto(f"{origin}/")
        frame = seen.page.frame_locator("iframe")
        count = await frame.get_by_role("heading", name="Checkout").count()
        assert (count == 1) is is_shown, seen.complaints


async def test_lands_on_the_publishers_page_and_tells_it_no_token(
    visit: Any, link: str, server: ServerProcess
) -> None:
    landed: list[Any] = []

    async def answer(route: Any) -> None:
        landed.append(route.request)
        await route.fulfill(body="<!doctype html><h1>Bought</h1>", content_type="text/html")

    seen = await visit(f"{link}&orderComplete={PUBLISHER}/thanks", width=360)
    page = seen.page
    await page.route(f"{PUBLISHER}/**", answer)
    for name, text in DELIVERY.items():
        if name == "shipping_country_code":
            await page.locator(f"#{name}").select_option(text)
        else:
            await page.locator(f"#{name}").fill(text)
    await page.get_by_role("button", name="Continue to payment").click()
    for name, text in CARD.items():
        if name != "billing":
            await page.locator(f"#{name}").fill(text)
    await page.get_by_role("button", name="Pay").click()

    await page.wait_for_selector("text=Bought")
    [request] = landed
    assert request.url.startswith(f"{PUBLISHER}/thanks?cart=")
    assert "oid=R0" in request.url
    assert "referer" not in await request.all_headers()
