"""WooCommerce's CSV: simple products, variations and their parents in any order, stock and origin."""

from datetime import UTC, datetime, timedelta

import pytest

HEAD = (
    "ID,Type,SKU,Name,Published,Is featured?,Description,Date sale price starts,Date sale price ends,"
    "In stock?,Stock,Backorders allowed?,Weight (kg),Sale price,Regular price,Categories,Tags,Images,Parent,"
    "Attribute 1 name,Attribute 1 value(s),Meta: _stock_sc,Meta: origen\n"
)
SIMPLE = (
    '1,"simple, virtual",POT,Pot,1,1,<b>Big</b>,2026-01-01,2026-02-01,1,9,1,1.5,8,10.00,'
    '"Kitchen > Pots, Gifts",t,"https://i.example/a.jpg, https://i.example/b\\,c.jpg",,Colour,Red,,\n'
)
PARENT = '2,variable,MUG,Mug,1,0,,,,1,,0,,,,Kitchen,,,,Size,"S, L",,\n'
SMALL = "3,variation,MUG-S,,1,,,,,1,4,0,0.3,,5.00,,,https://i.example/s.jpg,MUG,Size,S,,\n"
LARGE = "4,variation,MUG-L,,0,,,,,backorder,,0,0.4,,6.00,,,,id:2,Size,L,,\n"


async def test_simple_and_variable_products_are_read(import_, rows):
    summary = await import_(HEAD + SIMPLE + PARENT + SMALL + LARGE, "woocommerce-csv")
    assert (summary.refusals, summary.products_added, summary.variants_added) == ([], 2, 3)
    assert await rows(
        """select sku, name, retail_minor, sale_minor, weight_g, stock_managed, stock_status, enabled, options
           from variants where shop_id = %s order by id"""
    ) == [
        ("POT", "Pot", 1000, 800, 1500, True, "instock", True, {}),
        ("MUG-S", "Mug - S", 500, None, 300, True, "instock", True, {"Size": "S"}),
        ("MUG-L", "Mug - L", 600, None, 400, False, "onbackorder", False, {"Size": "L"}),
    ]
    assert await rows(
        """select virtual, featured, sold_without_stock, attributes, jsonb_array_length(images)
           from products where shop_id = %s order by id limit 1"""
    ) == [(True, True, True, {"Colour": "Red"}, 2)]
    assert await rows("select path from categories where shop_id = %s order by path") == [
        ("gifts",),
        ("kitchen",),
        ("kitchen/pots",),
    ]


@pytest.mark.parametrize("order", [(SMALL, LARGE, PARENT), (LARGE, SIMPLE, PARENT, SMALL)])
async def test_a_parent_may_stand_anywhere_near(import_, order):
    summary = await import_(HEAD + "".join(order), "woocommerce-csv")
    assert summary.refusals == []
    assert summary.variants_added == sum("variation" in row for row in order) + (SIMPLE in order)


async def test_a_variation_without_its_parent_is_refused(import_):
    summary = await import_(HEAD + SMALL + SIMPLE, "woocommerce-csv")
    [(row, field, reason)] = summary.refusals
    assert (row, field) == (2, "Parent")
    assert "no such row" in reason
    assert summary.variants_added == 1


@pytest.mark.parametrize(
    ("stock", "own", "origin", "levels"),
    [
        ("9", "", "", {"own": 9}),
        ("9", "3", "SC", {"own": 9}),
        ("9", "3", "*", {"own": 3, "supplier": 6}),
        ("3", "8", "*", {"own": 3, "supplier": 0}),
        ("9", "", "Supplier", {"own": 0, "supplier": 9}),
        ("", "4", "*", {"own": 4}),
        ("", "", "*", {}),
    ],
)
async def test_stock_is_shared_between_the_pools_by_origin(
    import_, rows, stock, own, origin, levels
):
    await import_(
        "Type,SKU,Name,Regular price,Stock,Meta: _stock_sc,Meta: origen\n"
        f"simple,A,A,1,{stock},{own},{origin}\n",
        "woocommerce-csv",
    )
    assert dict(await rows("select pool, on_hand from stock_levels where shop_id = %s")) == levels
    assert await rows("select origin, stock_managed from variants where shop_id = %s") == [
        (origin or "SC", bool(stock))
    ]


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("grouped,A,A,1,1,1", "Type"),
        ("simple,A,,1,1,1", "name"),
        ("variable,A,A,1,1,1", "Type"),
    ],
)
async def test_a_bad_row_is_refused_and_the_rest_taken(import_, row, field):
    text = f"Type,SKU,Name,Regular price,Stock,In stock?\n{row}\nsimple,OK,OK,1,1,1\n"
    summary = await import_(text, "woocommerce-csv")
    assert [(number, name) for number, name, _ in summary.refusals] == [(2, field)]
    assert summary.variants_added == 1


async def test_a_sale_that_is_lost_with_its_date_is_said_to_be(import_):
    summary = await import_(
        DATED + "1,simple,A,A,1,,,10,8,soon,2026-11-30\n2,simple,B,B,1,,,10,,,never\n",
        "woocommerce-csv",
    )
    assert [finding.reason for finding in summary.findings] == [
        "is not an ISO date; the value is left out, and with it sale price and date sale price ends",
        "is not an ISO date; the value is left out",
    ]


@pytest.mark.parametrize(
    ("column", "told", "odd"),
    [
        ("Published", {"WAHR": True, "faux": False, "draft": False}, "perhaps"),
        ("Backorders allowed?", {"notify": True, "VERO": True, "onwaar": False}, "sometimes"),
    ],
)
async def test_a_word_that_nobody_knows_hides_nothing_in_silence(import_, rows, column, told, odd):
    words = [*told, odd]
    text = f"SKU,Name,Regular price,{column}\n" + "".join(f"{w},{w},1,{w}\n" for w in words)
    summary = await import_(text, "woocommerce-csv")
    assert (summary.refused, summary.warned) == (0, [(5, column)])
    found = await rows(
        "select handle, enabled, sold_without_stock from products where shop_id = %s"
    )
    said = {handle: enabled if column == "Published" else sold for handle, enabled, sold in found}
    assert said == told | {odd: column == "Published"}


@pytest.mark.parametrize(
    ("published", "enabled"), [("1", True), ("0", False), ("-1", False), ("", True)]
)
async def test_published_enables(import_, rows, published, enabled):
    await import_(f"SKU,Name,Regular price,Published\nA,A,1,{published}\n", "woocommerce-csv")
    assert await rows("select enabled from products where shop_id = %s") == [(enabled,)]


DATED = (
    "ID,Type,SKU,Name,Published,Short description,Description,Regular price,Sale price,"
    "Date sale price starts,Date sale price ends\n"
)


async def test_line_ends_are_read_as_woocommerce_writes_them(import_, rows, export):
    text = DATED + (
        '5,simple,R,Rope,1,"Strong.\\nGreen.","<p>One.</p>\\n\\nTwo.\\nIn C:\\\\new",12,,,\n'
        '6,simple,S,Sack,1,"Short\\nalone",,1,,,\n'
    )
    assert (await import_(text, "woocommerce-csv")).refusals == []
    stored = "select description, attributes from products where shop_id = %s order by handle"
    expected = [
        ("<p>One.</p>\n\nTwo.\nIn C:\\new", {"Short description": "Strong.\nGreen."}),
        ("Short\nalone", {}),
    ]
    assert await rows(stored) == expected
    again = await import_(await export("woocommerce-csv"), "woocommerce-csv")
    assert (again.products_changed, again.variants_changed) == (0, 0)
    assert await rows(stored) == expected


async def test_dates_without_a_zone_are_the_shops_and_an_end_lasts_its_day(import_, rows, brussels):
    text = DATED + (
        "1,simple,A,A,1,,,10,8,2026-11-01 0:00:00,2026-11-30 23:59:59\n"
        "2,simple,B,B,1,,,10,8,2026-11-01 9:30:00,\n"
        "3,simple,C,C,1,,,10,8,2026-11-01,2026-11-30\n"
        "4,simple,D,D,1,,,10,8,2026-11-01T00:00:00Z,soon\n"
    )
    summary = await import_(text, "woocommerce-csv", into=brussels)
    assert (summary.refused, summary.warned) == (0, [(5, "Date sale price ends")])
    found = await rows(
        "select sku, sale_minor, sale_starts_at, sale_ends_at from variants"
        " where shop_id = %s order by sku",
        of=brussels,
    )
    start, end = datetime(2026, 10, 31, 23, tzinfo=UTC), datetime(2026, 11, 30, 23, tzinfo=UTC)
    assert found == [
        ("A", 800, start, end - timedelta(seconds=1)),
        ("B", 800, start + timedelta(hours=9, minutes=30), None),
        ("C", 800, start, end),
        ("D", None, None, None),
    ]


async def test_an_odd_weight_costs_neither_its_product_nor_the_variants_of_its_parent(
    import_, rows
):
    text = (
        "ID,Type,SKU,Name,Regular price,Weight (kg),Parent,Attribute 1 name,Attribute 1 value(s)\n"
    )
    told = (
        '1,simple,S,S,1,{0},,,\n2,variable,P,P,,{0},,Size,"A, B, C"\n'
        "3,variation,P-A,,1,,id:2,Size,A\n4,variation,P-B,,1,0.7,id:2,Size,B\n"
        "5,variation,P-C,,1,{1},id:2,Size,C\n"
    )
    first = await import_(text + told.format("0.5", "0.9"), "woocommerce-csv")
    assert (first.refused, first.warnings) == (0, 0)
    weighed = [("P-A", 500), ("P-B", 700), ("P-C", 900), ("S", 500)]
    weights = "select sku, weight_g from variants where shop_id = %s order by sku"
    assert await rows(weights) == weighed

    odd = await import_(text + told.format('"0,4"', "-3"), "woocommerce-csv")

    assert (odd.refused, odd.records) == (0, 2)
    assert sorted(odd.warned) == [(row, "Weight (kg)") for row in (2, 3, 6)]
    assert await rows(weights) == weighed


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("simple,A,A,-1,1,1", "Regular price"),
        ("simple,A,A,1,lots,1", "Stock"),
        ("simple,A,A,1,1,maybe", "In stock?"),
    ],
)
async def test_an_odd_cell_costs_that_cell(import_, row, field, rows):
    text = f"Type,SKU,Name,Regular price,Stock,In stock?\n{row}\nsimple,OK,OK,1,1,1\n"
    summary = await import_(text, "woocommerce-csv")
    assert (summary.refused, (2, field) in summary.warned) == (0, True)
    assert await rows("select stock_managed from variants where shop_id = %s") == [(True,), (True,)]
