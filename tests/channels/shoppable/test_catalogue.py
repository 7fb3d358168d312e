"""The catalogue..."""

from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest

from crossdock.channels.shoppable.errors import render_error, search_failed
from tests.support.clocked import clocked
from tests.support.factories import make_shop
from tests.support.shoppable_client import CATALOGUE, Publisher, add_publisher

NEWEST_FIRST = [
    *("Rain Jacket", "Summer Dress", "Oxford Shirt", "Volume Mascara", "Velvet Lipstick"),
]


async def test_answers_an_object_with_the_seven_keys_of_the_guide(publisher):
    page = await publisher.browse(
        search="revlon", merchants="walmart", brands="revlon", offset=0, rows=5, navigation_type="none"
    )  # fmt: skip
    assert list(page) == [
        *("metadata", "count", "query_time", "navigation"),
        *("previous_page_url", "next_page_url", "products"),
    ]
    assert {name: page["metadata"][name] for name in ("rows", "offset", "returned")} == {
        "rows": 5,
        "offset": 0,
        "returned": 2,
    }
    assert (page["count"], page["navigation"]) == (2, {})
    assert (page["previous_page_url"], page["next_page_url"]) == ("", "")
    assert isinstance(page["query_time"], int)


async def test_knows_the_event_that_its_index_is_up_to(publisher, mall, mall_database):
    async with mall_database.statement() as tx:
        last = await tx.value("select last_sequence from shops where id = %s", (mall.id,))
    assert (await publisher.browse(rows=0))["metadata"]["as_of"] == last > 0


async def test_tells_twenty_products_the_last_changed_first(publisher):
    page = await publisher.browse()
    assert [product["name"] for product in page["products"]] == NEWEST_FIRST
    assert page["metadata"]["rows"] == 20


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        ("-last_modified", NEWEST_FIRST),
        ("name", sorted(NEWEST_FIRST)),
        ("price", ["Velvet Lipstick", "Volume Mascara", "Oxford Shirt", "Summer Dress", "Rain Jacket"]),
        ("-price", ["Rain Jacket", "Summer Dress", "Oxford Shirt", "Volume Mascara", "Velvet Lipstick"]),
    ],
)  # fmt: skip
async def test_sorts(publisher, sort, names):
    assert await publisher.names(sort=sort) == names


async def test_shuffles_alike_on_all_pages_and_otherwise_for_others(publisher, publishers):
    whole = await publisher.names(sort="random")
    pages = [
        (await publisher.browse(sort="random", rows=1, offset=at))["products"][0]["name"]
        for at in range(5)
    ]
    assert pages == whole
    others = [await (await publishers()).names(sort="random") for _ in range(8)]
    assert sorted(whole) == sorted(NEWEST_FIRST)
    assert any(other != whole for other in others)


@pytest.mark.parametrize("rows", [1, 2, 3, 5])
async def test_is_walked_by_its_own_addresses(publisher, mall_server, rows):
    asked = {"sort": "name", "rows": rows, "navigation_type": "none", "search": "*:*"}
    page, seen, before = await publisher.browse(**asked), [], []
    while True:
        seen += [product["part_number"] for product in page["products"]]
        if not (url := page["next_page_url"]):
            break
        parts = urlsplit(url)
        assert f"{parts.scheme}://{parts.netloc}" == mall_server.url
        given = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        assert given == {**{k: str(v) for k, v in asked.items()}, "offset": str(len(seen))}
        page = await publisher.read(url)
        before.append(page["previous_page_url"])
    assert len(seen) == len(set(seen)) == page["count"] == 5
    for number, url in enumerate(before):
        back = await publisher.read(url)
        assert back["metadata"]["offset"] == number * rows


async def test_of_no_rows_counts_alone(publisher):
    page = await publisher.browse(rows=0)
    assert (page["count"], page["products"], page["next_page_url"]) == (5, [], "")
    assert len(page["navigation"]["merchants"]) == 3


async def test_ends_somewhere(publisher):
    for offset in (5, 1_000_000, 10**15):
        page = await publisher.browse(offset=offset, rows=2)
        assert (page["count"], page["products"]) == (5, [])
        assert page["next_page_url"] == ""
        assert f"offset={offset - 2}" in page["previous_page_url"]


async def test_takes_its_address_with_and_without_a_slash(publisher):
    assert (await publisher.read("/v3/catalog", rows=1))["count"] == 5


async def test_shows_merchants_in_sight_alone(publishers, mall, mall_database):
    async with mall_database.statement() as tx:
        topman = await tx.value(
            "select id from merchants where shop_id = %s and name = 'Topman'", (mall.id,)
        )
    caller = await publishers(visible_merchants=(topman,))
    assert await caller.names() == ["Oxford Shirt"]
    page = await caller.browse()
    assert page["navigation"]["merchants"] == [
        {"merchant": "Topman", "merchant_id": str(topman), "count": 1}
    ]


async def test_cannot_be_searched_before_there_is_an_index(mall_server, mall_database):
    async with mall_database.begin() as tx:
        shop = await make_shop(tx)
    _, token = await add_publisher(mall_database, shop_id=shop.id)
    async with Publisher(mall_server.url, token=token) as caller:
        reply = await caller.get(CATALOGUE)
    assert (reply.status_code, reply.json()) == (
        503,
        {"error": "Unknown Solr Server error.", "code": 30000},
    )
    assert int(reply.headers["retry-after"]) > 0


def test_says_so_where_a_search_failed():
    answer = render_error(search_failed(), "GET")
    assert answer.status == 500
    assert answer.body == b'{"error":"Unknown Solr Server error.","code":30000}'


@pytest.mark.parametrize("path", ["/v3/catalog", CATALOGUE])
async def test_is_read_by_get_alone(publisher, path):
    for method in ("HEAD", "POST", "PUT"):
        assert (await publisher.send(method, path)).status_code == 405


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"rows": "x"}, 50001),
        ({"rows": -1}, 50001),
        ({"rows": 101}, 50001),
        ({"rows": "5.0"}, 50001),
        ({"rows": ["5", "6"]}, 50001),
        ({"offset": -1}, 50002),
        ({"offset": "x"}, 50002),
        ({"sort": "size"}, 50003),
        ({"sort": "-name"}, 50003),
        ({"discount_type": "half"}, 50004),
        ({"navigation_type": "some"}, 50005),
        ({"categories": ","}, 50006),
        ({"catagories": "|"}, 50006),
        ({"category_ids": "beauty"}, 50006),
        ({"category_ids": "1*"}, 50006),
        ({"part_numbers": "*"}, 50007),
        ({"brands": "a*b"}, 50008),
        ({"sizes": ",,"}, 50009),
        ({"colors": "red,*"}, 50010),
        ({"merchants": "*"}, 50011),
        ({"merchants": "lord *"}, 50011),
        ({"min_price": "cheap"}, 50000),
        ({"max_price": "-1"}, 50000),
        ({"max_price": "nan"}, 50000),
        ({"max_price": "1_000"}, 50000),
        ({"max_price": "٣"}, 50000),
        ({"upc": "*"}, 50000),
        ({"coupons": "|"}, 50000),
        ({"brands": ",".join(map(str, range(101)))}, 50008),
        ({"merchants": "|".join(map(str, range(101)))}, 50011),
        ({"part_numbers": ",".join(map(str, range(1001)))}, 50007),
        ({"upc": ",".join(map(str, range(1001)))}, 50000),
        ({"search": "a" * 513}, 30000),
        ({"search": " ".join("abcdefgh"[n % 8] + str(n) for n in range(65))}, 30000),
        ({"search": "(" * 11 + "a" + ")" * 11}, 30000),
        ({"search": "a* b* c* d* e* f* g* h* i*"}, 30000),
    ],
)
async def test_says_which_parameter_is_wrong(publisher, parameters, code):
    assert await publisher.refusal(CATALOGUE, **parameters) == (400, code)


async def test_says_the_first_that_is_wrong_in_the_order_of_the_guide(publisher):
    wrong = {
        "rows": "x", "offset": "x", "sort": "x", "discount_type": "x", "navigation_type": "x",
        "categories": "*", "part_numbers": "*", "brands": "*", "sizes": "*", "colors": "*",
        "merchants": "*", "min_price": "x", "search": "a" * 600,
    }  # fmt: skip
    codes = []
    while wrong:
        codes.append((await publisher.refusal(CATALOGUE, **wrong))[1])
        wrong.pop(next(iter(wrong)))
    assert codes == [*range(50001, 50012), 50000, 30000]


async def test_takes_an_empty_parameter_for_none(publisher):
    empty = dict.fromkeys(
        ("rows", "offset", "sort", "brands", "min_price", "search", "navigation_type", "upc"), ""
    )
    assert (await publisher.browse(**empty))["count"] == 5


async def test_ignores_what_it_does_not_know(publisher):
    reply = await publisher.send(
        "GET", CATALOGUE, params={"callback": "x", "rows": 1}, headers={"cid": "77"}
    )
    assert reply.status_code == 200


async def test_names_the_parameter_that_has_no_code_of_its_own(publisher):
    reply = await publisher.get(CATALOGUE, min_price="cheap")
    assert reply.json()["error"] == "Bad Request - Invalid min_price parameter"


async def test_counts_every_facet_of_the_result(publisher):
    navigation = (await publisher.browse(search="category:clothing"))["navigation"]
    assert list(navigation) == ["categories", "merchants", "brands", "sizes", "colors"]
    told = [(each["category"], each["count"]) for each in navigation["categories"]]
    assert told == [
        ("Clothing", 3),
        ("Clothing > Children", 1),
        ("Clothing > Men", 1),
        ("Clothing > Men > Shirts", 1),
        ("Clothing > Women", 1),
    ]
    assert all(each["category_id"].isdigit() for each in navigation["categories"])
    assert [(each["merchant"], each["count"]) for each in navigation["merchants"]] == [
        ("Lord And Taylor", 2),
        ("Topman", 1),
    ]
    assert navigation["sizes"] == [
        {"size": "M", "count": 2},
        {"size": "6", "count": 1},
        {"size": "S", "count": 1},
    ]
    assert navigation["colors"] == [
        {"color": "Blue", "count": 1},
        {"color": "Dark Red", "count": 1},
        {"color": "Red", "count": 1},
    ]
    assert [each["brand"] for each in navigation["brands"]] == [
        *("Calvin Klein", "Klein Calvin", "Northsea"),
    ]


@pytest.mark.parametrize(
    ("kind", "facets"),
    [
        ("all", ["categories", "merchants", "brands", "sizes", "colors"]),
        ("arelimited", ["categories", "merchants", "brands", "sizes", "colors"]),
        ("category_only", ["categories"]),
        ("category_all", ["categories"]),
        ("except_category", ["merchants", "brands", "sizes", "colors"]),
        ("none", []),
    ],
)
async def test_shows_the_facets_that_are_asked_for(publisher, kind, facets):
    assert list((await publisher.browse(navigation_type=kind))["navigation"]) == facets


async def test_keeps_sibling_categories_in_sight_where_asked(publisher):
    for filters in ({"categories": "men"}, {"category_ids": await _id_of(publisher, "Men")}):
        own = await publisher.browse(navigation_type="category_only", **filters)
        every = await publisher.browse(navigation_type="category_all", **filters)
        assert own["count"] == every["count"] == 1
        assert len(own["navigation"]["categories"]) == 3
        assert len(every["navigation"]["categories"]) == 7


async def _id_of(publisher, name: str) -> str:
    page = await publisher.browse()
    return next(
        each["category_id"]
        for each in page["navigation"]["categories"]
        if each["category"].endswith(name)
    )


async def test_tells_amounts_as_numbers_and_ids_as_text(publisher):
    page = await publisher.browse(search='name:"oxford shirt"')
    (shirt,) = page["products"]
    assert (shirt["price"], shirt["retail_price"]) == (Decimal("27.00"), Decimal("40.00"))
    assert isinstance(shirt["id"], str)
    assert isinstance(shirt["part_number"], str)
    assert shirt["active"] is True


@pytest.mark.parametrize(
    ("operator", "names"),
    [("or", {"Velvet Lipstick", "Volume Mascara"}), ("and", {"Volume Mascara"})],
)
async def test_joins_words_as_the_operator_chose(
    mall_server, mall, database_url, clock, publisher, operator, names
):
    folder = mall_server.app.services.settings.server.data_dir
    async with (
        clocked(
            database_url=database_url,
            data_dir=folder,
            clock=clock,
            shoppable_default_operator=operator,
        ) as server,
        Publisher(server.url, token=publisher.token) as caller,
    ):
        assert set(await caller.names(search="brand:revlon volume")) == names
