"""A filter of the catalogue..."""

import random

import pytest

from crossdock.channels.shoppable.filters import LISTS, MORE_LISTS, read_list
from crossdock.shop.search import Bounds, check_bounds
from tests.support.shoppable_client import CATALOGUE

LIPSTICK, MASCARA = "Velvet Lipstick", "Volume Mascara"
SHIRT, DRESS, JACKET = "Oxford Shirt", "Summer Dress", "Rain Jacket"


@pytest.mark.parametrize(
    ("merchants", "names"),
    [
        ("lord,walmart", {LIPSTICK, MASCARA, DRESS, JACKET}),
        ("top", set()),
        ("Top*", {SHIRT}),
        ("top*", {SHIRT}),
        ("lord|taylor", {DRESS, JACKET}),
        ("lord taylor", set()),
        ("taylor lord", set()),
        ("and taylor", {DRESS, JACKET}),
        ("and tay*", {DRESS, JACKET}),
        ("lord|walmart", set()),
        ("lord|tay*,TOPMAN", {DRESS, JACKET, SHIRT}),
        (",lord,,", {DRESS, JACKET}),
    ],
)
async def test_finds_whole_words_as_the_guide_works_it_out(publisher, merchants, names):
    assert set(await publisher.names(merchants=merchants)) == names


@pytest.mark.parametrize(
    ("parameters", "names"),
    [
        ({"brands": "revlon"}, {LIPSTICK, MASCARA}),
        ({"brands": "calvin klein"}, {SHIRT}),
        ({"brands": "calvin|klein"}, {SHIRT, DRESS}),
        ({"brands": "calvin,revlon"}, {SHIRT, DRESS, LIPSTICK, MASCARA}),
        ({"categories": "men"}, {SHIRT}),
        ({"catagories": "men"}, {SHIRT}),
        ({"categories": "clothing men"}, {SHIRT}),
        ({"categories": "makeup,children"}, {LIPSTICK, MASCARA, JACKET}),
        ({"colors": "red"}, {LIPSTICK, SHIRT, DRESS}),
        ({"colors": "dark red"}, {DRESS}),
        ({"colors": "dark|red"}, {DRESS}),
        ({"sizes": "m"}, {SHIRT, DRESS}),
        ({"sizes": "m|s"}, set()),
        ({"colors": "red", "sizes": "S"}, {SHIRT}),
        ({"colors": "blue", "sizes": "S"}, set()),
        ({"min_price": "27", "max_price": "55"}, {SHIRT, DRESS}),
        ({"min_price": "27.01", "max_price": "55.00"}, {SHIRT, DRESS}),
        ({"min_price": "36.01", "max_price": "54.99"}, set()),
        ({"min_price": "27", "max_price": "9" * 30}, {SHIRT, DRESS, JACKET}),
        ({"min_price": "9" * 30}, set()),
        ({"search": "price:[27 TO 99999999999999999999]"}, {SHIRT, DRESS, JACKET}),
        ({"search": "price:[27 TO 1_000]"}, set()),
        ({"max_price": "8.99"}, {LIPSTICK}),
        ({"max_price": "8.989"}, set()),
        ({"min_price": "60", "max_price": "10"}, set()),
        ({"upc": "309972924759"}, {LIPSTICK, JACKET}),
        ({"upc": "00309972924759"}, {LIPSTICK, JACKET}),
        ({"upcs": "081555770167,603084459353"}, {MASCARA, DRESS}),
        ({"upc": "81555770167"}, {MASCARA}),
        ({"upc": "30997*"}, {LIPSTICK, JACKET}),
        ({"upc": "309972924759|081555770167"}, set()),
        ({"coupons": "ten"}, {SHIRT}),
        ({"coupons": "five|ship"}, {DRESS, JACKET}),
        ({"coupons": "ten,five"}, {SHIRT, DRESS, JACKET}),
        ({"discount_type": "%off"}, {SHIRT}),
        ({"discount_type": "$off"}, {DRESS, JACKET}),
        ({"discount_type": "free_shipping"}, {DRESS, JACKET}),
        ({"brands": ["revlon", "northsea"]}, {LIPSTICK, MASCARA, JACKET}),
        ({"search": "shirt", "brands": "revlon"}, set()),
    ],
)  # fmt: skip
async def test_finds(publisher, parameters, names):
    assert set(await publisher.names(**parameters)) == names


async def test_by_part_number_compares_it_whole_or_by_its_beginning(publisher):
    page = await publisher.browse()
    numbers = {each["name"]: each["part_number"] for each in page["products"]}
    both = f"{numbers[SHIRT]},{numbers[DRESS]}"
    assert set(await publisher.names(part_numbers=both)) == {SHIRT, DRESS}
    assert await publisher.names(part_numbers=numbers[SHIRT][:-1]) == []
    assert SHIRT in await publisher.names(part_numbers=numbers[SHIRT][:-1] + "*")
    assert await publisher.names(part_numbers=f"{numbers[SHIRT]}|{numbers[DRESS]}") == []


async def test_by_category_takes_those_below_it_too(publisher):
    categories = (await publisher.browse())["navigation"]["categories"]
    ids = {each["category"]: each["category_id"] for each in categories}
    assert set(await publisher.names(category_ids=ids["Clothing"])) == {SHIRT, DRESS, JACKET}
    assert await publisher.names(category_ids=ids["Clothing > Men"]) == [SHIRT]
    both = f"{ids['Clothing']}|{ids['Clothing > Men']}"
    assert await publisher.names(category_ids=both) == [SHIRT]
    assert await publisher.names(category_ids="999999999") == []


async def test_takes_a_list_as_long_as_a_publisher_has_it(publisher):
    upcs = ",".join(["309972924759", *(f"{n:012d}" for n in range(300, 500))])
    assert set(await publisher.names(upc=upcs)) == {LIPSTICK, JACKET}


@pytest.mark.parametrize(
    ("search", "names"),
    [
        ("mascara", [MASCARA, LIPSTICK]),
        ("-category:men AND -category:children", {LIPSTICK, MASCARA, DRESS}),
        ("-category:men AND__ -category:children__", {LIPSTICK, MASCARA, DRESS}),
        ("price:[9 TO 27]", {MASCARA, SHIRT}),
        ("on_sale:true", {MASCARA, SHIRT}),
        ("coupon:ten", {SHIRT}),
        ("material:cotton", {SHIRT}),
        ("merchant:topman OR brand:northsea", {SHIRT, JACKET}),
        ('"velvet lipstick" OR dress', {LIPSTICK, DRESS}),
        ("color:red AND size:s", {SHIRT}),
        ("color:blue AND size:s", set()),
        ("upc:309972924759", {LIPSTICK, JACKET}),
        ("part_number:OX-7", {SHIRT}),
        ("merchant_sku:T1", {SHIRT}),
        ("merchant_sku:LIP-1", {LIPSTICK}),
        ("sku:LIP-1", {LIPSTICK}),
        ("merchant_item_id:dress", {DRESS}),
        ('"unbalanced', set()),
        ('"rain', {JACKET}),
        ("Oxfrod~", {SHIRT}),
        ("oxf*", {SHIRT}),
        ("active:true", {LIPSTICK, MASCARA, SHIRT, DRESS, JACKET}),
        ("!!!", set()),
    ],
)
async def test_of_words_is_a_search(publisher, search, names):
    found = await publisher.names(search=search)
    assert (found if isinstance(names, list) else set(found)) == names


async def test_of_words_finds_what_the_catalogue_says_of_a_product(publisher):
    page = await publisher.browse()
    for product in page["products"]:
        for search in (f"id:{product['id']}", f"sku:{product['sku']}",
                       f"part_number:{product['part_number']}"):  # fmt: skip
            assert await publisher.names(search=search) == [product["name"]]
        merchant = await publisher.names(search=f"merchant_id:{product['merchant_id']}")
        assert product["name"] in merchant


async def test_takes_as_many_names_as_a_publisher_lists(publisher):
    others = ",".join(f"a long name of brand {number}" for number in range(99))
    lists = {
        name: f"{others},{own}" for name, own in (("brands", "revlon"), ("merchants", "lord,"))
    }
    assert set(await publisher.names(brands=lists["brands"])) == {LIPSTICK, MASCARA}
    assert await publisher.names(**lists) == []
    reply = await publisher.get(CATALOGUE, brands=f"{others},revlon,avon")
    error = "Bad Request - Invalid Brand parameter: at most 100 values."
    assert reply.json() == {"error": error, "code": 50008}


async def test_takes_as_many_beginnings_as_a_list_has_values(publisher):
    others = ",".join(f"brand{number}*" for number in range(99))
    assert set(await publisher.names(brands=f"{others},rev*")) == {LIPSTICK, MASCARA}
    reply = await publisher.get(CATALOGUE, part_numbers=f"{others},rev*,avon*")
    error = "Bad Request - Invalid part_number parameter: at most 100 values with a *."
    assert reply.json() == {"error": error, "code": 50007}
    many = dict.fromkeys(("brands", "colors", "sizes"), others)
    assert await publisher.refusal(CATALOGUE, **many) == (400, 30000)


async def test_of_a_number_finds_the_product_and_the_sku_with_it_first(publisher):
    page = await publisher.browse()
    for product in page["products"]:
        for number in (product["part_number"], product["id"]):
            assert (await publisher.names(search=number))[0] == product["name"]


async def test_of_words_is_never_wrong(publisher):
    for search in ('"a', "a AND", "((", "[1 TO", "\\", "price:[a TO b]", "\x00", "a\ud7ff", "%"):
        reply = await publisher.get(CATALOGUE, search=search)
        assert reply.status_code == 200, search


def test_is_a_query_or_malformed_whatever_is_written():
    seed = random.randrange(10**9)
    rng = random.Random(seed)
    endless = Bounds(chars=10**6, clauses=10**6, depth=10**3, patterns=10**6)
    read = 0
    for number in range(5_000):
        text = "".join(rng.choices((*",|* \t!é0", "lord", "top*", "12"), k=rng.randint(1, 12)))
        for each in (*LISTS, *MORE_LISTS):
            node = read_list(text, term=each.term)
            has_word = any(part.strip() for part in text.replace("|", ",").split(","))
            assert node is None or has_word, f"seed {seed}, string {number}: {text!r}"
            if node is not None:
                check_bounds((node,), bounds=endless)
                read += 1
    assert read > 5_000
