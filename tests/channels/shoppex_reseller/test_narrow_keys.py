"""A key of some merchants alone..."""

import pytest

from crossdock.channels.shoppex_reseller.auth import NARROW
from crossdock.channels.shoppex_reseller.building import create_routes
from crossdock.channels.shoppex_reseller.me import routes as of_keys
from crossdock.channels.shoppex_reseller.routes import Route
from tests.support.factories import make_merchant


def _path(route: Route) -> str:
    """The route's path with a text for each name."""
    return "/".join("x1" if part.startswith("{") else part for part in route.path.split("/"))


@pytest.fixture
async def narrow(keys, desk, desk_database):
    """A key with every scope, of a merchant who has nothing yet."""
    async with desk_database.begin() as tx:
        other = await make_merchant(tx, shop_id=desk.id)
    return await keys(visible_merchants=(other,))


async def test_is_refused_by_every_route_whose_data_are_the_shop_s(narrow, desk_server):
    routes = [each for each in create_routes(desk_server.app.services) if each.covers == "shop"]
    assert len(routes) > 40
    for route in routes:
        error = await narrow.refusal(route.method, _path(route), status=403, json={})
        assert (error["code"], error["message"]) == ("FORBIDDEN", NARROW), route.path


async def test_gets_of_every_other_route_what_is_its_own(narrow, merchant, desk_server):
    """A shop in which everything is another merchant's: a list is empty, and one thing not found."""
    body = {"title": "Setup", "price": 5, "type": "SERVICE"}
    product = await merchant.data("POST", "/dev/v1/products", status=201, json=body)
    buying = {"email": "ada@example.com", "items": [{"product_id": product["id"], "quantity": 1}]}
    order = await merchant.data("POST", "/dev/v1/orders", status=201, json=buying)
    coupon = await merchant.data(
        "POST", "/dev/v1/coupons", status=201, json={"code": "ten", "discount_value": 10}
    )
    known = {
        "products": product["id"], "coupons": coupon["id"], "orders": order["id"],
        "invoices": order["id"],
    }  # fmt: skip
    own = {each.path for each in of_keys()}
    routes = [
        each for each in create_routes(desk_server.app.services) if each.covers == "merchants"
    ]
    assert len(routes) > 25
    for route in routes:
        if route.path in own or (route.method == "POST" and "{" not in route.path):
            continue
        subject = route.path.split("/")[3]
        path = route.path.replace("{code}", "ten")
        for part in path.split("/"):
            if part.startswith("{"):
                path = path.replace(part, known[subject], 1)
        assert subject in known, f"say what there is of {subject}"
        if route.listed and "{" not in route.path:
            assert await narrow.data(route.method, path) == [], route.path
        else:
            sent = {"amount": 1, "serials": "A-1", "serial_ids": ["x1"]}
            await narrow.refusal(route.method, path, status=404, json=sent)
    assert (await narrow.ask("GET", "/dev/v1/products"))["stats"]["total"] == 0


def test_cannot_meet_a_route_that_says_nothing_of_it():
    with pytest.raises(ValueError, match="covers"):
        Route(method="GET", path="/dev/v1/news", name="listNews", summary="", scope="*")
    with pytest.raises(ValueError, match="covers"):
        Route(
            method="GET", path="/reseller/v1/news", name="listNews", summary="", covers="merchants"
        )


async def test_binds_no_coupon_to_goods_of_others(narrow, merchant):
    body = {"title": "Setup", "price": 5, "type": "SERVICE"}
    product = await merchant.data("POST", "/dev/v1/products", status=201, json=body)
    coupon = {"code": "ten", "discount_value": 10, "products_bound": [product["id"]]}
    wrong = await narrow.fields_refused("POST", "/dev/v1/coupons", json=coupon)
    assert [name.partition("[")[0] for name in wrong] == ["products_bound"]
    buying = {"email": "ada@example.com", "items": [{"product_id": product["id"], "quantity": 1}]}
    assert (await narrow.send("POST", "/dev/v1/orders", json=buying)).status_code in {404, 422}
