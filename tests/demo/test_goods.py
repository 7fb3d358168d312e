"""The demo's goods."""

from collections import Counter, defaultdict

import msgspec
import pytest

from crossdock.demo.goods import FUTURE, PAST, RUNNING, products
from crossdock.demo.posts import blog_posts
from crossdock.demo.stocking import ORIGINS, PLAIN
from crossdock.demo.words import LANGUAGES, kinds
from crossdock.shop.catalogue import normalise_gtin

COUNT = 600


@pytest.fixture(scope="module")
def goods():
    return list(products(count=COUNT, seed=1))


@pytest.fixture(scope="module")
def variants(goods):
    return [variant for product in goods for variant in product.variants]


def test_are_the_same_for_the_same_seed(goods):
    assert list(products(count=COUNT, seed=1)) == goods


def test_are_others_for_another_seed(goods):
    others = list(products(count=COUNT, seed=2))
    assert [o.handle for o in others] == [g.handle for g in goods]
    assert sum(o == g for o, g in zip(others, goods, strict=True)) == 0


def test_do_not_depend_on_how_many_there_are(goods):
    few = list(products(count=300, seed=1))
    drop = {"related_handles": ()}
    assert [msgspec.structs.replace(p, **drop) for p in few] == [
        msgspec.structs.replace(p, **drop) for p in goods[:300]
    ]


@pytest.mark.parametrize("managed", [True, False])
@pytest.mark.parametrize("origin", ORIGINS)
def test_have_every_quantity_in_every_origin(goods, origin, managed):
    plain = [p.variants[0] for p in goods[:PLAIN] if p.variants[0].stock_status is None]
    quantities = [
        v.stock[0].on_hand for v in plain if v.origin == origin and v.stock_managed == managed
    ]
    assert quantities[:3] == [0, 1, 5]
    assert 30 <= quantities[3] <= 120
    assert 1_000 <= quantities[4] <= 9_000


def test_keep_the_pools_that_their_origin_has(variants):
    pools = defaultdict(set)
    for variant in variants:
        if variant.stock:
            pools[variant.origin].add(tuple(record.pool for record in variant.stock))
    assert pools == {
        "SC": {("own",)},
        "*": {("own", "supplier")},
        "Supplier": {("supplier",)},
        "Dropship": {("supplier",)},
    }


def test_have_stock_statuses_that_speak_against_the_quantity(goods):
    found = {(p.variants[0].origin, p.variants[0].stock_status) for p in goods[40:48]}
    assert {("SC", "outofstock"), ("*", "outofstock"), ("*", "onbackorder")} <= found


def test_have_valid_trade_numbers_of_twelve_and_thirteen_digits(variants):
    numbers = [variant.upc for variant in variants if variant.upc]
    assert Counter(map(len, numbers)).keys() == {12, 13}
    assert all(normalise_gtin(number) for number in numbers)
    assert len(set(numbers)) == len(numbers)
    assert len(numbers) < len(variants)


def test_have_keys_of_their_own(goods, variants):
    assert len({product.handle for product in goods}) == COUNT
    assert len({variant.sku for variant in variants}) == len(variants)


def test_speak_four_languages(goods):
    for product in goods:
        assert tuple(product.translations) == LANGUAGES
        assert all(
            texts["name"] and "{" not in texts["description"]
            for texts in product.translations.values()
        )
    assert goods[0].translations["nl"]["name"] != goods[0].translations["de"]["name"]


def test_stand_in_a_tree_of_three_levels_with_every_kind(goods):
    paths = {path for product in goods for path in product.categories}
    assert {len(path) for path in paths} == {1, 3}
    nouns = {kind.noun[0] for virtual in (False, True) for kind in kinds(virtual=virtual)}
    assert {path[2] for path in paths if len(path) == 3} == nouns


def test_have_promotions_and_sales_of_every_time(variants):
    promotions = {(p.starts_at, p.ends_at) for v in variants for p in v.promotions}
    sales = {(v.sale_starts_at, v.sale_ends_at) for v in variants if v.sale_minor is not None}
    assert promotions == {PAST, RUNNING, FUTURE}
    assert sales == {PAST, RUNNING, FUTURE, (None, None)}


def test_have_each_flag_somewhere(goods, variants):
    for flag in ("featured", "virtual", "sold_without_stock", "requires_serial"):
        assert 0 < sum(getattr(product, flag) for product in goods) < COUNT / 4, flag
    assert 0 < sum(not product.enabled for product in goods) < COUNT / 4
    assert any(not variant.enabled for variant in variants)
    assert any(variant.retail_minor is None for variant in variants)
    assert any(product.extra_handling for product in goods)
    assert any(record.warning_level for v in variants for record in v.stock)
    assert any(record.best_before for v in variants for record in v.stock)
    assert {len(product.option_names) for product in goods} == {0, 1, 2}


def test_are_plain_at_the_start(goods):
    for product in goods[:PLAIN]:
        (variant,) = product.variants
        assert product.enabled
        assert variant.enabled
        assert variant.retail_minor
        assert variant.sale_minor is None
        assert not variant.promotions


def test_refer_to_goods_that_exist(goods):
    handles = {product.handle for product in goods}
    assert all(handles.issuperset(product.related_handles) for product in goods)
    assert all(product.related_handles for product in goods)


def test_are_told_of_in_a_blog_of_four_languages():
    posts = blog_posts()
    assert Counter(post.language for post in posts) == dict.fromkeys(LANGUAGES, 16)
    assert all("{" not in post.title + post.content for post in posts)
