"""What a product asks of an order for it..."""

from typing import Any

import pytest

from tests.channels.shoppex_reseller.test_orders import BUYER, ORDERS, product
from tests.channels.shoppex_reseller.test_reseller_orders import ORDERS as RESELLER_ORDERS
from tests.channels.shoppex_reseller.test_reseller_orders import Store, store
from tests.support.reseller_client import KeyHolder, add_key_holder

__all__ = ["store"]

PRODUCTS = "/dev/v1/products"
NAME = {"name": "Character", "required": True, "regex": "^[A-Z][a-z]+$", "placeholder": "Ann"}
ASKED = [NAME, {"name": "Level", "type": "NUMBER"}, {"name": "Agreed", "type": "checkbox"}]
TOLD = [
    {**NAME, "type": "text"},
    {"name": "Level", "type": "number", "required": False, "placeholder": "", "regex": None},
    {"name": "Agreed", "type": "checkbox", "required": False, "placeholder": "", "regex": None},
]


def purchase(product_id: str, *quantities: int, **fields: Any) -> dict[str, Any]:
    items = [{"product_id": product_id, "quantity": each} for each in quantities]
    return {"email": BUYER, "items": items, **fields}


async def test_is_told_as_it_was_set_and_cleared_by_null(merchant):
    made = await product(merchant, quantity_min=2, quantity_max=3, custom_fields=ASKED)
    path = f"{PRODUCTS}/{made}"
    told = await merchant.data("GET", path)
    assert (told["quantity_min"], told["quantity_max"], told["custom_fields"]) == (2, 3, TOLD)
    assert [each["custom_fields"] for each in await merchant.data("GET", PRODUCTS)] == [TOLD]
    kept = await merchant.data("PATCH", path, json={"title": "Other", "quantityMin": None})
    assert (kept["quantity_min"], kept["quantity_max"], kept["custom_fields"]) == (None, 3, TOLD)
    cleared = await merchant.data("PATCH", path, json={"quantity_max": None, "custom_fields": []})
    assert (cleared["quantity_max"], cleared["custom_fields"]) == (None, [])
    assert (await merchant.data("GET", PRODUCTS))[0] == cleared


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"quantity_min": 0, "quantity_max": "x"}, {"quantity_min", "quantity_max"}),
        ({"quantity_min": 3, "quantity_max": 2}, {"quantity_max"}),
        ({"quantity_max": 1}, {"quantity_max"}),
        ({"custom_fields": [{"name": ""}]}, {"custom_fields[0].name"}),
        ({"custom_fields": [NAME, {"name": "CHARACTER"}]}, {"custom_fields"}),
        ({"custom_fields": [{"name": "A", "type": "file"}]}, {"custom_fields[0].type"}),
        ({"custom_fields": [{"name": "A", "regex": "("}]}, {"custom_fields[0].regex"}),
        ({"custom_fields": [{"name": "A", "regex": r"(a)\1"}]}, {"custom_fields[0].regex"}),
        (
            {"custom_fields": [{"name": "A", "regex": "(?=.*(?=.*(?=.*b)))c"}]},
            {"custom_fields[0].regex"},
        ),
        ({"custom_fields": [{"name": "A", "regex": "(?<!a)b"}]}, {"custom_fields[0].regex"}),
        ({"custom_fields": [{"name": "A"}] * 21}, {"custom_fields"}),
        ({"custom_fields": {"name": "A"}}, {"custom_fields"}),
    ],
)
async def test_is_refused_with_the_field_that_is_wrong(merchant, fields, wrong):
    made = await product(merchant, quantity_min=2)
    before = await merchant.data("GET", f"{PRODUCTS}/{made}")
    assert set(await merchant.fields_refused("PATCH", f"{PRODUCTS}/{made}", json=fields)) == wrong
    assert await merchant.data("GET", f"{PRODUCTS}/{made}") == before


async def test_bounds_all_its_items_of_one_order(merchant):
    made = await product(merchant, quantity_min=2, quantity_max=3)
    for quantities in ((1,), (2, 2)):
        error = await merchant.refusal("POST", ORDERS, status=400, json=purchase(made, *quantities))
        assert (error["code"], error["message"]) == (
            "QUANTITY_OUT_OF_RANGE", "An order has 2 to 3 of Licence.",
        )  # fmt: skip
    assert await merchant.data("GET", ORDERS) == []
    placed = await merchant.data("POST", ORDERS, status=201, json=purchase(made, 1, 2))
    assert [each["quantity"] for each in placed["items"]] == [1, 2]


async def test_is_filled_in_by_name_and_nothing_else_matters(merchant):
    made = await product(merchant, custom_fields=ASKED)
    for answers, wrong in (
        (None, "custom_fields.Character"),
        ({"Character": ""}, "custom_fields.Character"),
        ({"Character": "ann"}, "custom_fields.Character"),
        ({"Character": True}, "custom_fields.Character"),
        ({"Character": "Ann", "Level": "high"}, "custom_fields.Level"),
        ({"Character": "Ann", "Agreed": "yes"}, "custom_fields.Agreed"),
    ):
        body = purchase(made, 1, custom_fields=answers)
        assert set(await merchant.fields_refused("POST", ORDERS, json=body)) == {wrong}
    assert await merchant.data("GET", ORDERS) == []
    filled = {"Character": "Ann", "Level": "2.5", "Agreed": True, "colour": "red"}
    body = purchase(made, 1, custom_fields=filled)
    placed = await merchant.data("POST", ORDERS, status=201, json=body)
    assert placed["custom_fields"] == filled


async def test_takes_a_nought_for_an_answer(merchant):
    made = await product(
        merchant,
        custom_fields=[{"name": "Level", "type": "number", "required": True, "regex": "^[0-9]$"}],
    )
    for nought in (0, "0"):
        body = purchase(made, 1, custom_fields={"Level": nought})
        placed = await merchant.data("POST", ORDERS, status=201, json=body)
        assert placed["custom_fields"] == {"Level": nought}


async def test_is_told_to_resellers_and_filled_in_with_each_item(store: Store, desk_database):
    [body, first] = store.items(1, 1), store.items(1)["items"][0]
    _, _, key = await add_key_holder(desk_database, shop_id=store.selling.shop.id)
    async with KeyHolder(store.http.base_url, key=key) as merchant:
        path = f"{PRODUCTS}/{first['product_id']}"
        await merchant.data("PATCH", path, json={"custom_fields": ASKED})
    told = await store.http.data("GET", "/reseller/v1/products")
    assert [each["custom_fields"] for each in told] == [TOLD, []]
    wrong = await store.http.fields_refused("POST", RESELLER_ORDERS, json=body)
    assert set(wrong) == {"items[0].custom_fields.Character"}
    assert await store.written() == ("100.00", 0, 3, 2)
    body["items"][0]["custom_fields"] = {"Character": "Ann", "Level": 7, "Colour": "red"}
    await store.http.data("POST", RESELLER_ORDERS, status=201, json=body)
    async with desk_database.statement() as tx:
        notes = await tx.all(
            "select note from order_lines where shop_id = %s order by line_no",
            (store.selling.shop.id,),
        )
    assert notes == [("Character: Ann\nLevel: 7",), ("",)]
