"""An embed campaign on somebody's page, as its browser asks for it..."""

from typing import Any

import httpx2
import pytest

from crossdock.shop.resellers import Campaign, Reseller
from crossdock.shop.shops import set_product_url
from tests.channels.shoppex_reseller.test_payouts import goods, reseller, selling
from tests.channels.shoppex_reseller.test_reseller_program import wire_id
from tests.support.earning import campaign
from tests.support.reseller_client import KeyHolder
from tests.support.reselling import Licence, Reselling

__all__ = ["goods", "reseller", "selling"]

OPEN = ("access-control-allow-origin", "*")


@pytest.fixture
async def running(selling: Reselling, goods: Licence, reseller: Reseller) -> Campaign:
    """A campaign of one product, in a shop with pages."""
    async with selling.database.begin() as tx:
        await set_product_url(
            tx, shop_id=selling.shop.id, template="https://shop.example/p/{handle}?from=us"
        )
    await selling.licence()  # another product
    return await campaign(selling, reseller, product_ids=(goods.product_id,))


@pytest.fixture
async def page(merchant: KeyHolder, running: Campaign) -> Any:
    """A browser without a key."""
    async with httpx2.AsyncClient(
        base_url=merchant.base_url, trust_env=False, verify=False
    ) as http:
        yield http


async def _stats(selling: Reselling, reseller: Reseller, merchant: KeyHolder) -> tuple[int, int]:
    number = await wire_id(selling.database, selling.shop.id, "RELATIONSHIP", reseller.id)
    [told] = await merchant.data("GET", f"/dev/v1/resellers/{number}/embed-campaigns")
    return told["stats"]["views"], told["stats"]["clicks"]


async def test_shows_its_products_to_any_page_and_counts(
    selling: Reselling,
    goods: Licence,
    reseller: Reseller,
    merchant: KeyHolder,
    running: Campaign,
    page: httpx2.AsyncClient,
) -> None:
    path = f"/embed/v1/campaigns/{running.public_token}"
    product = await wire_id(selling.database, selling.shop.id, "PRODUCT", goods.product_id)

    reply = await page.get(path, headers={"Origin": "https://blog.example"})

    assert (reply.status_code, OPEN in reply.headers.items()) == (200, True)
    assert "set-cookie" not in reply.headers
    [shown] = reply.json()["data"]["products"]
    assert (shown["id"], shown["price"], shown["has_page"]) == (product, "10.00", True)
    assert await _stats(selling, reseller, merchant) == (0, 0)

    viewed = await page.post(f"{path}/views")
    assert (viewed.status_code, OPEN in viewed.headers.items()) == (204, True)
    assert (await page.post(f"{path}/views")).status_code == 204
    followed = await page.get(f"{path}/products/{product}")
    assert followed.status_code == 303
    where = followed.headers["location"]
    assert where.startswith("https://shop.example/p/p-")
    assert where.endswith(f"?from=us&affiliate_code={running.public_token}")
    assert (await page.head(f"{path}/products/{product}")).status_code == 404
    assert await _stats(selling, reseller, merchant) == (2, 1)


async def test_shows_and_counts_nothing_when_it_earns_nothing(
    selling: Reselling,
    goods: Licence,
    reseller: Reseller,
    merchant: KeyHolder,
    running: Campaign,
    page: httpx2.AsyncClient,
) -> None:
    path = f"/embed/v1/campaigns/{running.public_token}"
    product = await wire_id(selling.database, selling.shop.id, "PRODUCT", goods.product_id)
    other = await wire_id(selling.database, selling.shop.id, "PRODUCT", goods.product_id + 1)
    assert (await page.get(f"{path}/products/{other}")).status_code == 404
    number = await wire_id(selling.database, selling.shop.id, "RELATIONSHIP", reseller.id)
    [told] = await merchant.data("GET", f"/dev/v1/resellers/{number}/embed-campaigns")
    named = f"/dev/v1/resellers/{number}/embed-campaigns/"
    named += await wire_id(selling.database, selling.shop.id, "CAMPAIGN", running.id)
    await merchant.data("PATCH", named, json={"status": "PAUSED"})

    for wrong in (path, "/embed/v1/campaigns/x.y", f"/embed/v1/campaigns/{'x' * 300}"):
        assert (await page.get(wrong)).status_code == 404
        assert (await page.get(f"{wrong}/products/{product}")).status_code == 404
        assert (await page.post(f"{wrong}/views")).status_code == 204
    assert await _stats(selling, reseller, merchant) == (0, 0)
    assert told["stats"]["views"] == 0


async def test_is_a_script_that_any_page_may_include(page: httpx2.AsyncClient) -> None:
    reply = await page.get("/embed/v1/widget.js")

    assert reply.status_code == 200
    assert reply.headers["content-type"].startswith("text/javascript")
    assert reply.headers["cross-origin-resource-policy"] == "cross-origin"
    assert "innerHTML" not in reply.text
    assert (await page.get("/embed/v1/other")).status_code == 404
