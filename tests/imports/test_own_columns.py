"""How a product is shipped, whom it is for and what an order has of it, in tables as their users have them."""

import json

import pytest

SHOPIFY = "Handle,Title,Variant SKU,Variant Price"
WOO = "SKU,Name,Regular price"
GOOGLE = "id\ttitle\tprice"
TERMS = [
    {"courier": "IN19A04", "price_minor": 250, "days": [3, 10]},
    {"courier": "USSTANDARD", "price_minor": 699},
]
TERMS_TEXT = "IN::19A04:2.50 USD:::3:10, us::Standard:6.99"


@pytest.fixture
def told(import_, export):
    """What the shop's only product has after an import, and the summary."""

    async def import_and_show(content, format_name, **options):
        summary = await import_(content, format_name, **options)
        lines = map(json.loads, (await export("jsonl")).splitlines())
        products = [line for line in lines if line["type"] == "product"]
        return products[0] if products else None, summary

    return import_and_show


WHOLE = {
    "shipping_minor": 150,
    "free_shipping": True,
    "shipping_days": [3, 10],
    "shipping_terms": TERMS,
    "ships_to": ["IN", "US"],
    "target_users": "women",
    "features": ["Soft", "Light, too"],
    "quantity_min": 2,
    "quantity_max": 10,
    "custom_fields": [
        {"name": "Character", "required": True, "regex": "^[A-Z], ?[a-z]"},
        {"name": "Level", "type": "number", "placeholder": "1 to 9"},
    ],
}


@pytest.mark.parametrize(
    ("format_name", "start", "row", "column"),
    [
        ("shopify-csv", SHOPIFY, "mug,Mug,M-1,5", "{}"),
        (
            "shopify-csv",
            SHOPIFY,
            "mug,Mug,M-1,5",
            "{} (product.metafields.crossdock.{})",
        ),
        ("woocommerce-csv", WOO, "M-1,Mug,5", "{}"),
        ("woocommerce-csv", WOO, "M-1,Mug,5", "Meta: _{1}"),
    ],
)
async def test_a_table_has_a_column_for_each(told, format_name, start, row, column):
    names = ["Shipping price", "Free shipping", "Shipping days", "Shipping terms", "Ships to"]
    names += ["Target users", "Features", "Minimum quantity", "Maximum quantity", "Custom fields"]
    header = ",".join(column.format(n, n.lower().replace(" ", "_")) for n in names)
    cells = f'1.50,yes,3-10 days,"{TERMS_TEXT}","in, US",Women,"Soft, Light\\, too",2,10,'
    cells += '"{}"'.format(json.dumps(WHOLE["custom_fields"]).replace('"', '""'))
    product, summary = await told(f"{start},{header}\n{row},{cells}\n", format_name)
    assert {name: product.get(name) for name in WHOLE} == WHOLE
    assert (summary.refused, summary.warnings, product.get("attributes")) == (0, 0, None)
    product, _ = await told(f"{start}\n{row}\n", format_name)
    assert {name: product.get(name) for name in WHOLE} == WHOLE
    product, _ = await told(f"{start},{header}\n{row}{',' * len(names)}\n", format_name)
    assert {name: product.get(name) for name in WHOLE} == dict.fromkeys(WHOLE)


@pytest.mark.parametrize(
    ("format_name", "content"),
    [
        ("shopify-csv", f"{SHOPIFY},Google Shopping / Gender\nm,M,M-1,5,Male\n"),
        (
            "shopify-csv",
            f"{SHOPIFY},Target gender (product.metafields.shopify.target-gender)\nm,M,M-1,5,male\n",
        ),
        ("woocommerce-csv", f"{WOO},Meta: _wc_gla_gender\nM-1,M,5,male\n"),
        ("google-merchant", f"{GOOGLE}\tgender\nM-1\tM\t5 USD\tmale\n"),
    ],
)
async def test_the_gender_of_a_feed_is_whom_it_is_for(told, format_name, content):
    product, _ = await told(content, format_name)
    assert product["target_users"] == "men"


async def test_goods_for_several_are_for_all(told):
    product, _ = await told(f"{SHOPIFY},Target users\nm,M,M-1,5,Male; Female\n", "shopify-csv")
    assert product["target_users"] == "all"


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("Shipping terms", "IN:MH:19A04:2.50", "is for a part of a country, not for all of it"),
        ("Shipping terms", "XX::19A04:2.50", "'XX' is no country code"),
        ("Shipping terms", ":::2.50", "is no country code"),
        ("Shipping terms", "IN::19A04:", "has no price"),
        ("Shipping terms", "IN::19A04:2.50 EUR", "is not in the shop's currency, which is USD"),
        ("Shipping terms", '"IN::X:1, IN::x:2"', "names a service of a country twice"),
        ("Shipping terms", "IN::X:1:::9:3", "the most days are fewer than the least"),
        ("Shipping terms", "IN::X:1:1:2:3:4:5", "has more parts than country:region:"),
        ("Shipping days", "soon", "is not a number of days, as 3-10"),
        ("Shipping days", "9-3", "has fewer days at its end than at its start"),
        ("Shipping price", "free", "is not an amount with a currency"),
        ("Ships to", '"US, XX"', "'XX' is no country code"),
        ("Target users", "boys", "is not all, men, women or unknown"),
        ("Free shipping", "maybe", "is not yes or no"),
        ("Minimum quantity", "some", "is not a number"),
        ("Maximum quantity", "10001", "is above 10000"),
        ("Custom fields", "Character", "is not a list of fields in JSON"),
        ("Custom fields", '"[{""name"": """"}]"', "is missing at $[0].name"),
        ("Custom fields", '"[{""name"": ""A"", ""type"": ""file""}]"', "is none of the words"),
        ("Custom fields", '"[{""name"": ""A""}, {""name"": ""a""}]"', "20 with different names"),
        ("Custom fields", '"[{""name"": ""A"", ""regex"": ""\\u0000""}]"', "control characters"),
        (
            "Custom fields",
            '"[{""name"": ""A\\u0007""}]"',
            "custom_fields[0].name must be printable",
        ),
        ("Custom fields", '"[{""name"": ""A"", ""regex"": ""(?=a)""}]"', "one that is too much"),
        ("Custom fields", '"[{""name"": ""A"", ""regex"": ""(""}]"', "is no regular expression"),
        ("Custom fields", "[" * 3_000, "is not a list of fields in JSON"),
    ],
)
async def test_an_odd_cell_is_left_out_and_what_is_stored_stays(told, column, cell, reason):
    line = {"handle": "m", "name": "M", "variants": [{"sku": "M-1", "retail_minor": 500}]}
    before, _ = await told(json.dumps(line | WHOLE), "jsonl")
    product, summary = await told(f"{SHOPIFY},{column}\nm,M,M-1,5,{cell}\n", "shopify-csv")
    assert {name: product.get(name) for name in WHOLE} == WHOLE == {n: before[n] for n in WHOLE}
    assert (summary.refused, summary.warnings) == (0, 1)
    assert reason in summary.findings[0].reason


FEED = """<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel><item>
<g:id>K</g:id><g:title>Kurta</g:title><g:price>19.00 USD</g:price>{}</item></channel></rss>"""
SHIPPING = """<g:shipping><g:country>IN</g:country><g:service>19A04</g:service><g:price>2.50 USD</g:price>
<g:min_handling_time>1</g:min_handling_time><g:max_handling_time>2</g:max_handling_time>
<g:min_transit_time>2</g:min_transit_time><g:max_transit_time>8</g:max_transit_time></g:shipping>
<g:shipping><g:country>US</g:country><g:price>USD 6.99</g:price></g:shipping>
<g:gender>female</g:gender><g:product_highlight>Soft</g:product_highlight>"""


async def test_a_feed_has_shipping_of_each_country(told):
    product, summary = await told(FEED.format(SHIPPING), "google-merchant")
    assert product["shipping_terms"] == TERMS
    assert (product["target_users"], product["features"]) == ("women", ["Soft"])
    assert (product["attributes"], summary.warnings) == ({"gender": "female"}, 0)
    again, _ = await told(FEED.format(""), "google-merchant")
    assert again["shipping_terms"] == TERMS
    assert (again["target_users"], again["features"]) == ("women", ["Soft"])


async def test_a_feed_with_a_part_of_a_country_leaves_its_shipping_out(told):
    content = SHIPPING.replace("<g:service>", "<g:region>MH</g:region><g:service>", 1)
    product, summary = await told(FEED.format(content), "google-merchant")
    assert ("shipping_terms" in product, summary.warnings) == (False, 1)
    assert "is for a part of a country" in summary.findings[0].reason


@pytest.mark.parametrize(
    ("header", "cell"),
    [
        ("shipping", "IN::19A04:2.50 USD:1:2:2:8, US:::6.99 USD"),
        ("shipping(country:service:price:min_transit_time:max_transit_time)",
         "IN:19A04:2.50 USD:3:10, US::6.99 USD"),
    ],
)  # fmt: skip
async def test_a_table_says_the_parts_of_shipping_in_its_header(told, header, cell):
    content = f"{GOOGLE}\t{header}\nK\tKurta\t19 USD\t{cell}\n"
    product, summary = await told(content, "google-merchant")
    assert (product["shipping_terms"], summary.warnings) == (TERMS, 0)
    assert not summary.columns_unread


async def test_a_map_makes_the_columns_of_another_table(told, tmp_path):
    rules = tmp_path / "map.toml"
    rules.write_text("""
[fields]
"Handle" = "code"
"Title" = "label"
"Variant SKU" = "code"
"Shipping terms" = { from = "india", prefix = "IN::19A04:" }
"Target users" = { from = "sex", values = { "m" = "men", "w" = "women" } }
""")
    product, summary = await told(
        "code,label,india,sex\nK,Kurta,2.50,w\n", "shopify-csv", map_name=str(rules)
    )
    assert product["shipping_terms"] == [{"courier": "IN19A04", "price_minor": 250}]
    assert (product["target_users"], summary.warnings) == ("women", 1)


async def test_an_export_of_a_feed_has_elements_that_its_receiver_knows(import_, export):
    line = {"handle": "m", "name": "M", "variants": [{"sku": "M-1", "retail_minor": 500}]}
    await import_(json.dumps(line | WHOLE | {"free_shipping": False}), "jsonl")
    feed = await export("google-merchant")
    assert (
        "<g:shipping><g:country>IN</g:country><g:service>19A04</g:service><g:price>2.50 USD</g:price>"
        "<g:min_transit_time>3</g:min_transit_time><g:max_transit_time>10</g:max_transit_time></g:shipping>"
    ) in feed.decode()
    assert "<g:gender>female</g:gender>" in feed.decode()
    assert "<g:product_highlight>Light, too</g:product_highlight>" in feed.decode()


async def test_columns_of_an_extension_are_the_bounds_of_an_order(told):
    columns = "Meta: minimum_allowed_quantity,Meta: maximum_allowed_quantity"
    product, summary = await told(f"{WOO},{columns}\nM-1,Mug,5,3,0\n", "woocommerce-csv")
    assert (product["quantity_min"], product.get("quantity_max"), summary.warnings) == (3, None, 0)


async def test_a_maximum_below_the_minimum_of_its_row_is_left_out(told):
    content = f"{SHOPIFY},Minimum quantity,Maximum quantity\nm,M,M-1,5,3,2\n"
    product, summary = await told(content, "shopify-csv")
    assert (product["quantity_min"], product.get("quantity_max"), summary.warnings) == (3, None, 1)
    assert "is below the minimum" in summary.findings[0].reason


@pytest.mark.parametrize(
    ("column", "cell", "bounds"),
    [
        ("Maximum quantity", 1, (2, 10)),
        ("Minimum quantity", 11, (2, 10)),
        ("Maximum quantity", 2, (2, 2)),
    ],
)
async def test_one_bound_alone_never_contradicts_the_other(told, column, cell, bounds):
    line = {"handle": "m", "name": "M", "variants": [{"sku": "M-1", "retail_minor": 500}]}
    await told(json.dumps(line | WHOLE), "jsonl")
    product, summary = await told(f"{SHOPIFY},{column}\nm,M,M-1,5,{cell}\n", "shopify-csv")
    assert ((product["quantity_min"], product["quantity_max"]), summary.refused) == (bounds, 0)


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({"quantity_min": 3, "quantity_max": 2}, "quantity_max must not be below quantity_min"),
        ({"custom_fields": [{"name": "A"}, {"name": "a"}]}, "with different names"),
        ({"custom_fields": [{"name": "A", "regex": "(?=a)"}]}, "one that is too much"),
    ],
)
async def test_a_line_with_terms_that_cannot_be_is_refused(told, terms, reason):
    line = {"handle": "m", "name": "M", "variants": [{"sku": "M-1", "retail_minor": 500}]}
    product, summary = await told(json.dumps(line | terms), "jsonl")
    assert (product, summary.refused) == (None, 1)
    assert reason in summary.refusals[0][2]


async def test_fields_whose_pattern_is_none_leave_what_is_stored(told):
    line = {"handle": "m", "name": "M", "variants": [{"sku": "M-1", "retail_minor": 500}]}
    await told(json.dumps(line | WHOLE), "jsonl")
    broken = {
        "name": "N",
        "custom_fields": [{"name": "A", "regex": "a**"}, {"name": "B", "regex": "("}],
    }
    for _ in range(2):
        product, summary = await told(json.dumps(line | broken), "jsonl")
        assert (product["name"], product["custom_fields"]) == ("N", WHOLE["custom_fields"])
        assert [(each.field, each.value) for each in summary.findings] == [("custom_fields", "a**")]
        assert (summary.refused, summary.warnings) == (0, 1)


async def test_a_dry_run_warns_of_the_same_pattern(told):
    line = {"handle": "m", "name": "M", "variants": [{"sku": "M-1", "retail_minor": 500}]}
    broken = json.dumps(line | {"custom_fields": [{"name": "A", "regex": "("}]})
    product, summary = await told(broken, "jsonl", dry_run=True)
    assert (product, summary.warnings, summary.products_added) == (None, 1, 1)
