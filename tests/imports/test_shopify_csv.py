"""Shopify's CSV: old and new header names, options, images, prices, and rows that are refused."""

import pytest

OLD = (
    "Handle,Title,Body (HTML),Vendor,Type,Tags,Published,Option1 Name,Option1 Value,Option2 Name,"
    "Option2 Value,Variant SKU,Variant Grams,Variant Inventory Tracker,Variant Inventory Qty,"
    "Variant Inventory Policy,Variant Price,Variant Compare At Price,Variant Requires Shipping,"
    "Variant Barcode,Image Src,Image Alt Text,Variant Image,Cost per item,Status,"
    "Glaze (product.metafields.custom.glaze)\n"
)
NEW = (
    "Title,URL handle,Description,Vendor,Product category,Type,Tags,Published on online store,Status,"
    "SKU,Barcode,Option1 name,Option1 value,Price,Compare-at price,Cost per item,Inventory tracker,"
    "Inventory quantity,Continue selling when out of stock,Weight value (grams),Requires shipping,"
    "Product image URL,Image alt text,Variant image URL\n"
)
VARIANTS = "select sku, name, retail_minor, sale_minor, options from variants where shop_id = %s order by id"


async def test_the_older_header_is_read(import_, rows):
    summary = await import_(
        OLD
        + 'mug,Mug,<p>Hot</p>,Potters,Cups,"red, tea",true,Colour,Red,Size,S,M-RS,350.4,shopify,7,deny,'
        "9.99,12.50,true,036000291452,https://i.example/1.jpg,Front,https://i.example/r.jpg,4.20,active,matt\n"
        "mug,,,,,,,,Blue,,L,M-BL,400,shopify,-3,deny,10,,true,,https://i.example/2.jpg,,,,,\n"
        "mug,,,,,,,,,,,,,,,,,,,,https://i.example/3.jpg,,,,,\n",
        "shopify-csv",
    )
    assert (summary.refusals, summary.products_added) == ([], 1)
    assert await rows(VARIANTS) == [
        ("M-RS", "Mug - Red / S", 1250, 999, {"Colour": "Red", "Size": "S"}),
        ("M-BL", "Mug - Blue / L", 1000, None, {"Colour": "Blue", "Size": "L"}),
    ]
    assert await rows(
        "select weight_g, cost_minor, gtin14, image, stock_managed from variants where shop_id = %s order by id"
    ) == [
        (350, 420, "00036000291452", "https://i.example/r.jpg", True),
        (400, None, None, None, True),
    ]
    assert await rows(
        "select on_hand from stock_levels where shop_id = %s order by variant_id"
    ) == [(7,), (0,)]
    [(brand, tags, images, attributes)] = await rows(
        "select brand, tags, images, attributes from products where shop_id = %s"
    )
    assert (brand, tags, attributes) == ("Potters", ["red", "tea"], {"Glaze": "matt"})
    assert [image["url"][-5:] for image in images] == ["1.jpg", "2.jpg", "3.jpg"]
    assert await rows("select path from categories where shop_id = %s") == [("cups",)]


async def test_the_newer_header_is_read(import_, rows):
    summary = await import_(
        NEW
        + "Mug,mug,<p>Hot</p>,Potters,Home > Kitchen > Mugs,Cups,,TRUE,Active,M-1,,Title,Default Title,"
        "9.99,,,shopify,5,CONTINUE,350,FALSE,https://i.example/1.jpg,,\n",
        "shopify-csv",
    )
    assert summary.refusals == []
    assert await rows(VARIANTS) == [("M-1", "Mug", 999, None, {})]
    assert await rows(
        "select virtual, sold_without_stock, attributes from products where shop_id = %s"
    ) == [(True, True, {"Type": "Cups"})]
    assert await rows("select path from categories where shop_id = %s and depth = 3") == [
        ("home/kitchen/mugs",)
    ]


@pytest.mark.parametrize(
    ("column", "odd"),
    [
        ("Weight value (grams)", "heavy"),
        ("Inventory quantity", "2.5"),
        ("Price", "free"),
        ("Compare-at price", "more"),
        ("Requires shipping", "maybe"),
        ("Published on online store", "soon"),
        ("Continue selling when out of stock", "perhaps"),
        ("Status", "resting"),
    ],
)
async def test_an_odd_cell_under_a_newer_header_costs_that_cell(import_, rows, column, odd):
    summary = await import_(
        f"Title,URL handle,SKU,{column}\nMug,mug,M-1,{odd}\nJar,jar,J-1,\n", "shopify-csv"
    )
    assert summary.refused == 0
    assert {finding.row for finding in summary.findings if finding.value == odd} == {2}
    found = await rows("select handle, enabled from products where shop_id = %s order by handle")
    assert found == [("jar", True), ("mug", True)]


@pytest.mark.parametrize(
    ("status", "published", "enabled"),
    [("active", "true", True), ("draft", "true", False), ("active", "false", False), ("archived", "", False),
     ("", "", True)],
)  # fmt: skip
async def test_status_and_published_enable_a_product(import_, rows, status, published, enabled):
    await import_(
        f"Handle,Title,Published,Variant SKU,Variant Price,Status\nm,M,{published},S,1,{status}\n",
        "shopify-csv",
    )
    assert await rows("select enabled from products where shop_id = %s") == [(enabled,)]


async def test_a_variant_without_a_sku_gets_one_of_its_handle_and_options(import_, rows):
    text = "Handle,Title,Option1 Name,Option1 Value,Variant Price\nmug,Mug,Colour,Deep Red,1\nmug,,,Blue,2\n"
    await import_(text, "shopify-csv")
    assert [row[0] for row in await rows(VARIANTS)] == ["mug-deep-red", "mug-blue"]


@pytest.mark.parametrize(
    ("cells", "field"),
    [
        (",M,S,1,1,", "Handle"),
        ("m,M,S,1", ""),
        ("m,M,S,1,1,,extra", ""),
        (f"m,M,{'S' * 300},1,1,", "sku"),
    ],
)
async def test_a_bad_row_is_refused_and_the_rest_taken(import_, cells, field):
    text = f"Handle,Title,Variant SKU,Variant Price,Variant Inventory Qty,Published\n{cells}\nok,OK,OK,1,1,\n"
    summary = await import_(text, "shopify-csv")
    assert [(row, name) for row, name, _ in summary.refusals] == [(2, field)]
    assert summary.variants_added == 1


@pytest.mark.parametrize(
    ("cells", "field", "stored"),
    [
        ("m,M,S,-1,,", "Variant Price", (None, True, None)),
        ("m,M,S,1e3,7,", "Variant Price", (None, True, 7)),
        ("m,M,S,9.999,,", "Variant Price", (None, True, None)),
        ("m,M,S,1,1e400,", "Variant Inventory Qty", (100, True, None)),
        ("m,M,S,1,2.5,", "Variant Inventory Qty", (100, True, None)),
        ("m,M,S,1,1,perhaps", "Published", (100, True, 1)),
        ("m,M\0,S,1,1,", "Title", (100, True, 1)),
    ],
)
async def test_an_odd_cell_costs_that_cell_alone(import_, rows, cells, field, stored):
    text = f"Handle,Title,Variant SKU,Variant Price,Variant Inventory Qty,Published\n{cells}\n"
    summary = await import_(text, "shopify-csv")
    assert (summary.refused, (2, field) in summary.warned) == (0, True)
    assert await rows(
        "select v.retail_minor, p.enabled, l.on_hand from variants v join products p on p.id = v.product_id"
        " left join stock_levels l on l.variant_id = v.id where v.shop_id = %s and p.name = 'M'"
    ) == [stored]


async def test_an_odd_cell_leaves_the_value_of_before(import_, rows):
    head = "Handle,Title,Tags,Published,Variant SKU,Variant Price,Variant Inventory Qty\n"
    await import_(head + "m,M,red,false,S,5,7\n", "shopify-csv")
    await import_(head + "m,M,blue,perhaps,S,about 6,many\n", "shopify-csv")
    stored = (
        "select p.tags, p.enabled, v.retail_minor, l.on_hand from variants v"
        " join products p on p.id = v.product_id join stock_levels l on l.variant_id = v.id"
        " where v.shop_id = %s"
    )
    assert await rows(stored) == [(["blue"], False, 500, 7)]
    await import_(head + "m,M,blue,,S,,7\n", "shopify-csv")
    assert await rows(stored) == [(["blue"], True, None, 7)]


async def test_an_apostrophe_before_digits_is_no_part_of_them(import_, rows, export):
    text = (
        "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price,Variant Barcode\n"
        "cup,'90s cup,Title,Default Title,'00731,'7.50,'9520000000004\n"
        'pot,Pot,Title,Default Title,"=""00732""",1,\n'
    )
    summary = await import_(text, "shopify-csv")
    assert [found for found in summary.findings if found.row == 2] == []
    assert await rows("select sku, upc, retail_minor from variants where shop_id = %s") == [
        ("00731", "9520000000004", 750),
        ("00732", "", 100),
    ]
    assert await rows("select name from products where shop_id = %s and handle = 'cup'") == [
        ("'90s cup",)
    ]
    assert b"'00731" not in await export("shopify-csv")
    assert b"<g:gtin>9520000000004</g:gtin>" in await export("google-merchant")


async def test_blanks_and_escapes_of_a_plain_text_are_tidied(import_, rows):
    text = (
        "Handle,Title,Body (HTML),Product Category,Tags,Option1 Name,Option1 Value,Variant Price\n"
        "m,Salt &amp;amp; \u00a0Pepper,<p>A &amp;amp; B  C</p>,Home >\u00a0Salt &amp; Pepper,a\u00a0b,"
        "Size,  Extra\u00a0 large ,1\n"
    )
    await import_(text, "shopify-csv")
    assert await rows("select name, description, tags from products where shop_id = %s") == [
        ("Salt & Pepper", "<p>A &amp; B  C</p>", ["a b"])
    ]
    assert [row[4] for row in await rows(VARIANTS)] == [{"Size": "Extra large"}]
    assert await rows("select name from categories where shop_id = %s and depth = 2") == [
        ("Salt & Pepper",)
    ]


async def test_a_refused_variant_row_does_not_disable_the_variant_of_before(import_, rows):
    head = "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price\n"
    await import_(head + "m,M,Size,S,A,1\nm,,,L,B,2\n", "shopify-csv")
    summary = await import_(head + "m,M,Size,S,A,3\nm,,,L,B\n", "shopify-csv")
    assert (summary.refused, summary.variants_disabled, summary.variants_changed) == (1, 0, 1)
    assert await rows("select sku, enabled from variants where shop_id = %s order by sku") == [
        ("A", True),
        ("B", True),
    ]


async def test_a_formula_guard_is_taken_off(import_, rows):
    await import_(
        "Handle,Title,Variant SKU,Variant Price\n'=m,'=1+1,'-S,'+1\nb,''@x,B,1\n", "shopify-csv"
    )
    found = await rows("select handle, name from products where shop_id = %s order by id")
    assert found == [("=m", "=1+1"), ("b", "'@x")]
    assert [row[0] for row in await rows(VARIANTS)] == ["-S", "B"]


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
async def test_the_delimiter_is_found_out(import_, delimiter):
    text = "Handle,Title,Variant SKU,Variant Price\nm,M,S,1\n".replace(",", delimiter)
    assert (await import_(text, "shopify-csv")).variants_added == 1


async def test_malformed_csv_keeps_what_came_before_and_says_where(import_, rows):
    text = 'Handle,Title,Variant SKU,Variant Price\na,A,A,1\nb,B,B,2\nc,"C"oops,C,3\nd,D,D,4\n'
    summary = await import_(text, "shopify-csv")
    assert "row 4" in summary.error
    assert [row[0] for row in await rows(VARIANTS)] == ["A", "B"]
    assert await rows("select status, rows_done from import_runs where shop_id = %s") == [
        ("failed", 2)
    ]


@pytest.mark.parametrize("text", ["", "\n", ",,\n"])
async def test_a_file_without_a_header_is_unreadable(import_, text):
    assert (await import_(text, "shopify-csv")).error


async def test_cp1252_is_read(import_, rows):
    text = "Handle,Title,Variant SKU,Variant Price\nm,Grüße aus Köln,S,1\n"
    await import_(text.encode("cp1252"), "shopify-csv")
    assert await rows("select name from products where shop_id = %s") == [("Grüße aus Köln",)]


async def test_pictures_stand_at_their_positions(import_, rows):
    text = (
        "Handle,Title,Variant SKU,Variant Price,Image Src,Image Position\n"
        "m,M,S,1,/b.jpg,2\nm,,,,/c.jpg,3\nm,,,,/a.jpg,1\n"
    )
    assert (await import_(text, "shopify-csv")).columns_unread == []
    [(images,)] = await rows("select images from products where shop_id = %s")
    assert [image["url"] for image in images] == ["/a.jpg", "/b.jpg", "/c.jpg"]
