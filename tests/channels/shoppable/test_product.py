"""A product..."""

from decimal import Decimal

import pytest

from tests.support.factories import make_shop, make_variant
from tests.support.shoppable_client import PRODUCT

LIPSTICK_UPC, MASCARA_UPC, DRESS_UPC = "309972924759", "081555770167", "603084459353"


async def named(publisher, name: str):
    """The product of this name, by its part number."""
    page = await publisher.browse(search=f'name:"{name}"')
    (found,) = page["products"]
    return await publisher.read(f"{PRODUCT}/{found['part_number']}")


async def test_with_a_upc_is_one_of_a_list_for_each_merchant_that_has_it(publisher):
    found = await publisher.read(PRODUCT, upcs=LIPSTICK_UPC)
    assert [each["name"] for each in found] == ["Velvet Lipstick", "Rain Jacket"]


async def test_stands_in_the_order_of_the_request(publisher):
    found = await publisher.read(PRODUCT, upcs=f"{DRESS_UPC},{LIPSTICK_UPC},{MASCARA_UPC}")
    assert [each["name"] for each in found] == [
        *("Summer Dress", "Velvet Lipstick", "Rain Jacket", "Volume Mascara"),
    ]


@pytest.mark.parametrize(
    "upc", ["81555770167", "0081555770167", "00081555770167", " 081555770167 "]
)
async def test_is_found_whatever_zeros_stand_in_front(publisher, upc):
    found = await publisher.read(PRODUCT, upcs=upc)
    assert [each["name"] for each in found] == ["Volume Mascara"]


async def test_is_found_by_a_number_that_is_no_gtin(publisher):
    assert [each["name"] for each in await publisher.read(PRODUCT, upcs="000000001")] == [
        "Oxford Shirt"
    ]


async def test_that_is_unknown_is_skipped(publisher):
    found = await publisher.read(PRODUCT, upcs=f"123456789012,abc,{MASCARA_UPC}")
    assert [each["name"] for each in found] == ["Volume Mascara"]


@pytest.mark.parametrize(
    "parameters",
    [{"upcs": "111111111117"}, {"upcs": "abc"}, {"part_numbers": "999999999"}, {}, {"upcs": ""}],
)
async def test_of_which_none_is_known_is_not_found(publisher, parameters):
    assert await publisher.refusal(PRODUCT, **parameters) == (404, 40001)


@pytest.mark.parametrize("number", ["999999999", "x", "1e3", "9" * 40, "%20"])
async def test_with_an_unknown_part_number_is_not_found(publisher, number):
    reply = await publisher.get(f"{PRODUCT}/{number}")
    assert reply.status_code == 404
    assert reply.json() == {"error": "Product Not Found.", "code": 40001}


async def test_by_part_number_is_an_object_and_several_are_a_list_in_a_list(publisher):
    page = await publisher.browse(sort="name")
    first, second = (each["part_number"] for each in page["products"][:2])
    alone = await publisher.read(PRODUCT, part_numbers=first)
    both = await publisher.read(PRODUCT, part_numbers=f"{second},{first}")
    half = await publisher.read(PRODUCT, part_numbers=f"{second},999999999")
    twice = await publisher.read(PRODUCT, part_numbers=f"{second},{second}")
    by_path = await publisher.read(f"{PRODUCT}/{first}")
    assert alone == by_path
    assert alone["part_number"] == first
    assert [each["part_number"] for each in both[0]] == [second, first]
    assert len(both) == 1
    assert [each["part_number"] for each in half[0]] == [second]
    assert twice == half


async def test_of_a_merchant_out_of_sight_is_not_found(publisher, publishers):
    page = await publisher.browse(search="lipstick")
    number = page["products"][0]["part_number"]
    caller = await publishers(visible_merchants=())
    assert await caller.refusal(f"{PRODUCT}/{number}") == (404, 40001)
    assert await caller.refusal(PRODUCT, upcs=LIPSTICK_UPC) == (404, 40001)


async def test_of_another_shop_is_not_found(publisher, mall_database):
    async with mall_database.begin() as tx:
        variant_id = await make_variant(tx, shop=await make_shop(tx), upc="012345678905")
        number = await tx.value("select product_id from variants where id = %s", (variant_id,))
    unknown = (await publisher.get(f"{PRODUCT}/999999999")).content
    for path, parameters in (
        (f"{PRODUCT}/{number}", {}),
        (PRODUCT, {"part_numbers": number}),
        (PRODUCT, {"upcs": "012345678905"}),
    ):
        reply = await publisher.get(path, **parameters)
        assert (reply.status_code, reply.content) == (404, unknown)
    for search in (f"id:{variant_id}", f"part_number:{number}", str(number), "upc:012345678905"):
        assert (await publisher.browse(search=search, rows=0))["count"] == 0


async def test_in_too_great_a_number_is_refused(publisher):
    upcs = ",".join(f"{n:012d}" for n in range(101))
    assert await publisher.refusal(PRODUCT, upcs=upcs) == (400, 50000)


async def test_has_its_colours_with_their_sizes(publisher):
    shirt = await named(publisher, "Oxford Shirt")
    told = [
        (color["color"], [(size["size"], size["active"]) for size in color["sizes"]])
        for color in shirt["colors"]
    ]
    assert told == [("Red", [("S", True), ("M", False)]), ("Blue", [("M", True)])]
    blue = shirt["colors"][1]
    assert (blue["retail_price"], blue["sale_price"]) == (Decimal("40.00"), Decimal("30.00"))
    assert blue["images"] == ["https://img.example/Blue.jpg", "https://img.example/all.jpg"]
    size = blue["sizes"][0]
    assert size == {
        "id": size["sku"], "sku": size["id"], "size": "M", "upc": "000000002", "merchant_sku": "T2",
        "price": Decimal("27.00"), "retail_price": Decimal("40.00"), "sale_price": Decimal("30.00"),
        "discount_price": Decimal("27.00"), "url": "", "url2": None, "active": True,
    }  # fmt: skip
    assert "sale_price" not in shirt["colors"][0]


async def test_tells_its_first_skus_fields_beside_its_own(publisher):
    shirt = await named(publisher, "Oxford Shirt")
    first = shirt["colors"][0]["sizes"][0]
    for name in ("id", "sku", "size", "upc", "merchant_sku", "retail_price", "discount_price"):
        assert shirt[name] == first[name], name
    assert (shirt["color"], shirt["material"]) == ("Red", "Cotton")
    assert "sale_price" not in shirt
    assert shirt["price"] == Decimal("27.00")
    assert shirt["on_sale"] is True
    assert (shirt["weight"], shirt["dimensions"]) == ("250 g", "300 x 200 x 50 mm")
    assert shirt["image"] == shirt["alt_images"][0] == "https://img.example/Red.jpg"
    assert shirt["alt_images"][1:] == [
        "https://img.example/all.jpg",
        "https://img.example/Blue.jpg",
    ]


async def test_tells_its_coupons_and_the_price_after_them(publisher):
    shirt = await named(publisher, "Oxford Shirt")
    assert shirt["coupons"] == [
        {"code": "TEN", "type": "%off", "threshold": Decimal("20.00"), "amount": Decimal("0.1")}
    ]
    dress = await named(publisher, "Summer Dress")
    assert (dress["price"], dress["discount_price"]) == (Decimal("55.00"), Decimal("55.00"))
    assert [(each["type"], each["amount"]) for each in dress["coupons"]] == [
        ("$off", Decimal("5.00")),
        ("free_shipping", 0),
    ]
    assert dress["free_shipping"] is False
    lipstick = await named(publisher, "Velvet Lipstick")
    assert (lipstick["coupons"], "discount_price" in lipstick) == ([], False)


async def test_tells_its_merchants_terms(publisher):
    lipstick = await named(publisher, "Velvet Lipstick")
    terms = ("ship_flat_rate", "ship_free_min", "shipping_charge", "delivery_fee")
    assert [lipstick[name] for name in terms] == [
        *(Decimal("5.95"), Decimal("35.00"), Decimal("0.50"), 0),
    ]
    assert lipstick["customer_service_url"] == "https://walmart.example/help"
    assert lipstick["return_policy_url"] == "https://walmart.example/returns"
    jacket = await named(publisher, "Rain Jacket")
    assert jacket["free_shipping"] is True
    assert (jacket["shipping_charge"], jacket["ship_free_min"]) == (0, 0)
    assert "customer_service_url" not in jacket


async def test_without_colours_or_sizes_has_one_of_each(publisher, mall_server):
    lipstick = await named(publisher, "Velvet Lipstick")
    (color,) = lipstick["colors"]
    (size,) = color["sizes"]
    assert color["color"] == "Red"
    assert "size" not in size
    assert "size" not in lipstick
    assert lipstick["description"] == "Long lasting & bright. Not a mascara."
    assert lipstick["alt_images"] == [
        f"{mall_server.url}/media/lip.svg",
        "https://img.example/lip-2.jpg",
    ]
    mascara = await named(publisher, "Volume Mascara")
    assert mascara["colors"][0]["color"] == ""
    assert "color" not in mascara


async def test_is_in_its_deepest_category(publisher):
    shirt = await named(publisher, "Oxford Shirt")
    assert shirt["category"] == shirt["merchant_tax_path"] == "Clothing > Men > Shirts"
    page = await publisher.browse()
    ids = {each["category"]: each["category_id"] for each in page["navigation"]["categories"]}
    assert shirt["category_id"] == ids["Clothing > Men > Shirts"]


async def test_is_the_same_in_the_catalogue(publisher):
    page = await publisher.browse(sort="name")
    for told in page["products"]:
        alone = await publisher.read(f"{PRODUCT}/{told['part_number']}")
        assert told == {**alone, "active": True}
