"""Our own JSON Lines: short and long forms, arrays, and lines that are refused one by one."""

import json
from datetime import datetime

import pytest

MUG = {"handle": "mug", "name": "Mug", "variants": [{"sku": "MUG", "retail_minor": 1999}]}

TERM = {"courier": "IN19A04", "price_minor": 199}


def lines(*objects):
    return "\n".join(json.dumps(value) for value in objects)


async def test_each_kind_of_line_is_written(import_, rows):
    summary = await import_(
        lines(
            {"type": "merchant", "name": "Potters", "email": "p@example.com", "country": "NL"},
            {"type": "category", "path": ["Kitchen", "Mugs"], "names": {"nl": "Mokken"}, "sort": 3},
            {"type": "product", "merchant": "Potters", "categories": [["Kitchen", "Mugs"]], **MUG},
            {"type": "blog_post", "slug": "tea", "title": "Tea", "content": "<p>Hot.</p>",
             "language": "en", "published_at": "2026-01-02T03:04:05Z"},
        ),
        "jsonl",
    )  # fmt: skip
    assert (summary.records, summary.refused, summary.error) == (4, 0, "")
    assert (summary.merchants_changed, summary.categories_changed) == (1, 1)
    assert (summary.products_added, summary.blog_posts_changed) == (1, 1)
    assert await rows("select name, email, country from merchants where shop_id = %s") == [
        ("Potters", "p@example.com", "NL")
    ]
    assert await rows("select names, sort from categories where shop_id = %s and depth = 2") == [
        ({"nl": "Mokken"}, 3)
    ]
    assert await rows("select slug, content from blog_posts where shop_id = %s") == [
        ("tea", "<p>Hot.</p>")
    ]


async def test_a_product_of_one_variant_has_a_short_form(import_, rows):
    summary = await import_(
        lines({"sku": "POT-1", "name": "Pot", "retail": "24.50", "sale": 20, "on_hand": 4,
               "supplier_on_hand": 9, "category_path": ["Kitchen", "Pots"]}),
        "jsonl",
    )  # fmt: skip
    assert summary.refusals == []
    assert await rows(
        """select p.handle, v.sku, v.retail_minor, v.sale_minor from variants v
           join products p on p.shop_id = v.shop_id and p.id = v.product_id where v.shop_id = %s"""
    ) == [("pot-1", "POT-1", 2450, 2000)]
    assert await rows(
        "select pool, on_hand from stock_levels where shop_id = %s order by pool"
    ) == [("own", 4), ("supplier", 9)]


async def test_an_array_is_read_element_by_element(import_):
    pots = [{"sku": f"POT-{n}", "name": "Pot", "note": None} for n in range(3)]
    for pot in pots:
        del pot["note"]
    text = json.dumps(pots, indent=2)
    assert (await import_(text, "jsonl")).variants_added == 3
    assert (await import_("[]", "jsonl")).records == 0


@pytest.mark.parametrize(
    ("line", "field", "reason"),
    [
        ('{"sku": "a"', "", "is not JSON"),
        ("1", "", "is not an object"),
        ('{"sku": "a", "name": "A", "colour": "red"}', "", "unknown field `colour`"),
        ('{"sku": "a"}', "", "missing required field `name`"),
        ('{"sku": "a", "name": "A", "currency": "EUR"}', "currency", "is not the shop's"),
        ('{"type": "order", "id": 1}', "type", "none of the words"),
        ('{"handle": "h", "name": "A", "variants": []}', "variants", "has none"),
        ('{"sku": "a", "name": "A", "sku ": 1}', "", "unknown field"),
        ('{"sku": "a", "name": "A", "shipping_days": [9, 3]}', "", "fewer than the least"),
        ('{"sku": "a", "name": "A", "ships_to": ["XX"]}', "", "XX"),
        (
            json.dumps({"sku": "a", "name": "A", "shipping_terms": [TERM, TERM]}),
            "",
            "two shipping terms",
        ),
        ('"\\ud800"', "", "is not JSON"),
    ],
)
async def test_a_bad_line_is_refused_and_the_rest_taken(import_, line, field, reason):
    summary = await import_(f"{line}\n\n{json.dumps(MUG)}\n", "jsonl")
    [(row, found_field, found_reason)] = summary.refusals
    assert (row, found_field) == (1, field)
    assert reason in found_reason
    assert (summary.variants_added, summary.refused, summary.error) == (1, 1, "")


@pytest.mark.parametrize(
    ("line", "field", "reason"),
    [
        ('{"sku": "a", "name": "A", "retail_minor": -1}', "variants[0].retail_minor", "below 0"),
        (
            '{"sku": "a", "name": "A", "retail_minor": 19.99}',
            "variants[0].retail_minor",
            "must be a whole number or null, and is a number with decimals",
        ),
        ('{"sku": "a", "name": "A", "retail": 1e400}', "retail", "is not an amount"),
        ('{"sku": "a", "name": "A", "retail": "9.999"}', "retail", "more decimals"),
        ('{"sku": "a", "name": "A", "retail": true}', "retail", "is not an amount"),
        (
            '{"sku": "a", "name": "A", "on_hand": 1e400}',
            "variants[0].stock",
            "must be a whole number, and is a number with decimals",
        ),
        ('{"sku": "a", "name": "A", "features": ["1", "2", "3", "4", "5", "6"]}', "features", "5"),
        ('{"sku": "a", "name": "A", "target_users": "dogs"}', "target_users", "none of the words"),
        ('{"sku": "a", "name": "A", "on_hand": 9999999999999999}', "variants[0].stock", "above"),
        ('{"sku": "a", "name": "A\\u0000B"}', "name", "has control characters"),
        ('{"sku": "a", "name": "' + "x" * 501 + '"}', "name", "longer than 500"),
        (
            '{"handle": "a", "name": "A", "variants": [{"sku": "a", "retail_minor": "ten"}]}',
            "variants[0].retail_minor",
            "must be a whole number or null, and is a text",
        ),
        (
            '{"sku": "a", "name": "A", "enabled": "yes"}',
            "enabled",
            "must be true or false, and is a text",
        ),
        ('{"sku": "a", "name": "A", "tags": "b"}', "tags", "must be a list, and is a text"),
        ('{"sku": "a", "name": "A", "tags": ["", "b"]}', "tags", "is missing"),
    ],
)
async def test_an_odd_value_costs_that_value(import_, line, field, reason):
    summary = await import_(f"{line}\n\n{json.dumps(MUG)}\n", "jsonl")
    [found] = [finding for finding in summary.findings if finding.field == field]
    assert (found.row, found.is_warning, summary.refused, summary.error) == (1, True, 0, "")
    assert reason in found.reason
    assert summary.variants_added == 2


async def test_a_handle_that_came_before_is_refused_and_a_sku_renamed(import_, rows):
    summary = await import_(
        lines(
            MUG,
            {"handle": "jug", "name": "Jug", "variants": [{"sku": "MUG"}, {"sku": "JUG"}]},
            {"handle": "mug", "name": "Mug", "variants": [{"sku": "X"}]},
        ),
        "jsonl",
    )
    assert summary.refusals == [
        (3, "handle", "came before in this file, in row 1; a product's rows stand together"),
    ]
    found = await rows("select sku from variants where shop_id = %s order by sku")
    assert found == [("JUG",), ("MUG",), ("jug",)]


async def test_a_malformed_array_keeps_what_came_before(import_):
    summary = await import_('[{"sku": "a", "name": "A"}, {"sku": "b" ', "jsonl")
    assert summary.products_added == 1
    assert "element 2" in summary.error


async def test_what_follows_an_array_is_an_error(import_):
    summary = await import_('[{"sku": "a", "name": "A"}]\n{"sku": "b", "name": "B"}', "jsonl")
    assert summary.products_added == 1
    assert "text after the end of the array" in summary.error


async def test_an_overlong_line_stops_the_reading(import_):
    summary = await import_(json.dumps(MUG) + "\n" + "x" * (5 * 2**20), "jsonl")
    assert summary.products_added == 1
    assert "line 2" in summary.error


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
async def test_unicode_is_read_in_every_encoding(import_, rows, encoding):
    text = '{"sku": "a", "name": "Tasse \\u2615 für Łukasz 茶"}\n'
    summary = await import_(text.encode(encoding), "jsonl")
    assert summary.refusals == []
    assert await rows("select name from products where shop_id = %s") == [
        ("Tasse ☕ für Łukasz 茶",)
    ]


async def test_an_invalid_gtin_is_kept_with_a_warning(import_, rows):
    summary = await import_('{"sku": "a", "name": "A", "retail_minor": 1, "upc": "123"}', "jsonl")
    assert (summary.refused, summary.warnings) == (0, 1)
    assert await rows("select upc, gtin14 from variants where shop_id = %s") == [("123", None)]


async def test_a_merchants_country_that_is_none_is_refused_with_what_is_meant(import_, rows):
    lines = [
        {"type": "merchant", "name": name, "country": country}
        for name, country in (("Right", "GB"), ("Wrong", "UK"), ("Neither", "XX"))
    ]
    summary = await import_("\n".join(map(json.dumps, lines)), "jsonl")
    assert (summary.merchants_changed, summary.refused) == (1, 2)
    assert "'UK' is no country code of ISO 3166-1; write GB for United Kingdom." in str(
        summary.refusals
    )
    known = await rows("select name from merchants where shop_id = %s and country is not null")
    assert known == [("Right",)]


async def test_times_without_a_zone_are_the_shop_s_and_an_end_is_a_whole_day(
    brussels, import_, rows
):
    summary = await import_(
        lines(
            {"sku": "DAY", "name": "A", "retail": 10, "sale": 8, "sale_starts_at": "2026-11-01",
             "sale_ends_at": "2026-11-30", "attributes": {"ends_at": "2026-11-30"}},
            {"handle": "b", "name": "B", "variants": [
                {"sku": "TIME", "retail_minor": 1000, "sale_minor": 800,
                 "sale_starts_at": "2026-11-01T9:30:00", "sale_ends_at": "2026-11-30T08:00:00Z",
                 "promotions": [{"price_minor": 700, "starts_at": "2026-12-01",
                                 "ends_at": "2026-12-02"}]}]},
        ),
        "jsonl",
        into=brussels,
    )  # fmt: skip
    assert summary.findings == []
    assert await rows(
        "select sku, sale_starts_at at time zone 'UTC', sale_ends_at at time zone 'UTC'"
        " from variants where shop_id = %s order by sku",
        of=brussels,
    ) == [
        ("DAY", datetime(2026, 10, 31, 23), datetime(2026, 11, 30, 23)),
        ("TIME", datetime(2026, 11, 1, 8, 30), datetime(2026, 11, 30, 8)),
    ]
    assert await rows(
        "select starts_at at time zone 'UTC', ends_at at time zone 'UTC' from promotions"
        " where shop_id = %s",
        of=brussels,
    ) == [(datetime(2026, 11, 30, 23), datetime(2026, 12, 2, 23))]


@pytest.mark.parametrize(
    ("odd", "value"),
    [("sale_starts_at", "2026-02-30"), ("sale_ends_at", "never"), ("sale", "cheap")],
)
async def test_a_sale_of_which_a_part_cannot_be_read_is_none_and_a_stored_one_stays(
    import_, rows, odd, value
):
    """It would begin at once, or never end."""
    sale = {"sale": 8, "sale_starts_at": "2026-11-01", "sale_ends_at": "2026-11-30"}
    new = {"sku": "NEW", "name": "New", "retail": 10, **sale, odd: value}
    old = {"sku": "OLD", "name": "Old", "retail": 10, "sale": 7}
    await import_(json.dumps(old), "jsonl")

    summary = await import_("\n".join(map(json.dumps, [new, old | {**sale, odd: value}])), "jsonl")

    assert (summary.refused, [row for row, _ in summary.warned]) == (0, [1, 2])
    assert "is left out" in summary.findings[0].reason
    assert await rows(
        "select sku, sale_minor, sale_starts_at, sale_ends_at from variants where shop_id = %s order by sku"
    ) == [("NEW", None, None, None), ("OLD", 700, None, None)]
