"""A Google Merchant feed: RSS, Atom and TSV, groups of variants, and XML that means harm."""

from datetime import UTC, datetime

import pytest

RSS = '<?xml version="1.0"?>\n<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel><title>Shop</title>{}</channel></rss>'
ATOM = '<?xml version="1.0"?>\n<feed xmlns="http://www.w3.org/2005/Atom" xmlns:g="http://base.google.com/ns/1.0"><title>Shop</title>{}</feed>'


def item(tag="item", **fields):
    values = {"id": "A", "title": "Mug", "price": "9.99 USD", "availability": "in stock"} | fields
    names = {name: name if name == "title" else f"g:{name}" for name in values}
    parts = [
        f"<{names[name]}>{text}</{names[name]}>"
        for name, value in values.items()
        for text in (value if isinstance(value, list) else [value])
    ]
    return f"<{tag}>{''.join(parts)}</{tag}>"


async def test_an_item_is_read_whole(import_, rows):
    summary = await import_(
        RSS.format(
            item(
                description="Red &amp; <![CDATA[<b>bold</b>]]>", gtin="036000291452", mpn="M-1", brand="Potters",
                sale_price="USD 7.50", sale_price_effective_date="2026-03-01T00:00+0100/2026-04-01T00:00Z",
                product_type=["Home &gt; Mugs", "Gifts"], image_link="https://i.example/1.jpg",
                additional_image_link=["https://i.example/2.jpg", "https://i.example/3.jpg"],
                shipping_weight="1.5 oz", shipping_length="20 in", quantity="7", condition="new", color="Red",
            )
        ),
        "google-merchant",
    )  # fmt: skip
    assert summary.refusals == []
    assert await rows(
        """select sku, upc, part_number, retail_minor, sale_minor, sale_starts_at, sale_ends_at, weight_g, length_mm,
                  stock_status, stock_managed from variants where shop_id = %s"""
    ) == [("A", "036000291452", "M-1", 999, 750, datetime(2026, 2, 28, 23, tzinfo=UTC),
           datetime(2026, 4, 1, tzinfo=UTC), 43, 508, "instock", True)]  # fmt: skip
    [(description, brand, attributes, images)] = await rows(
        "select description, brand, attributes, images from products where shop_id = %s"
    )
    assert (description, brand) == ("Red &amp; <b>bold</b>", "Potters")
    assert attributes == {"color": "Red"}
    assert len(images) == 3
    assert len(await rows("select 1 from categories where shop_id = %s")) == 3


@pytest.mark.parametrize(("frame", "tag"), [(RSS, "item"), (ATOM, "entry")])
async def test_items_of_a_group_are_variants_of_what_differs(import_, rows, frame, tag):
    items = [
        item(
            tag,
            id=f"M-{color}-{size}",
            item_group_id="mug",
            color=color,
            size=size,
            material="Clay",
        )
        for color in ("Red", "Blue")
        for size in ("S", "L")
    ]
    items.insert(2, item(tag, id="POT", title="Pot"))
    summary = await import_(frame.format("".join(items)), "google-merchant")
    assert (summary.products_added, summary.variants_added, summary.refused) == (2, 5, 0)
    assert await rows(
        """select option_names, attributes from products where shop_id = %s and handle = 'mug'"""
    ) == [(["color", "size"], {"material": "Clay"})]
    assert (await rows("select name from variants where shop_id = %s and sku = 'M-Red-S'")) == [
        ("Mug - Red / S",)
    ]


async def test_a_table_is_read(import_, rows):
    summary = await import_(
        "id\ttitle\tprice\tavailability\titem group id\tsize\tadditional image link\n"
        "A\tMug\t5 USD\tin_stock\tmug\tS\thttps://i.example/1.jpg,https://i.example/2.jpg\n"
        "B\tMug\t6 USD\tout_of_stock\tmug\tL\t\n",
        "google-merchant",
    )
    assert (summary.refusals, summary.variants_added) == ([], 2)
    assert await rows("select stock_status from variants where shop_id = %s order by sku") == [
        ("instock",),
        ("outofstock",),
    ]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"id": "x" * 256}, "sku"),
        ({"title": ""}, "name"),
    ],
)
async def test_a_bad_item_is_refused_and_the_rest_taken(import_, fields, field):
    summary = await import_(RSS.format(item(**fields) + item(id="OK")), "google-merchant")
    assert [(row, name) for row, name, _ in summary.refusals] == [(1, field)]
    assert summary.variants_added == 1


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"price": "9.99 EUR"}, "price"),
        ({"price": "about 5"}, "price"),
        ({"price": "-5 USD"}, "price"),
        ({"price": "5.001 USD"}, "price"),
        ({"availability": "maybe"}, "availability"),
        ({"shipping_weight": "2 stone"}, "shipping_weight"),
        ({"sale_price": "1 USD", "sale_price_effective_date": "soon"}, "sale_price_effective_date"),
        ({"quantity": "1e400"}, "quantity"),
    ],
)
async def test_an_odd_element_costs_that_element(import_, fields, field, rows):
    summary = await import_(RSS.format(item(**fields) + item(id="OK")), "google-merchant")
    assert (summary.refused, summary.variants_added) == (0, 2)
    assert (1, field) in summary.warned
    assert await rows("select sale_minor from variants where shop_id = %s and sku = 'A'") == [
        (None,)
    ]


async def test_texts_escaped_twice_are_read_as_they_were_meant(import_, rows):
    text = RSS.format(
        item(
            title="Salt &amp;amp;amp; pepper&#160; mill",
            description="&amp;lt;p&amp;gt;Oak &amp;amp;amp; steel&amp;lt;/p&amp;gt;",
            product_type="Home &amp;gt; Salt &amp;amp;amp; more",
            gtin="'036000291452",
        ).replace("Mug", "x\x03y")
    )
    summary = await import_(text, "google-merchant")
    assert summary.refusals == []
    assert await rows(
        "select p.name, p.description, v.upc from products p join variants v on v.product_id = p.id"
        " where p.shop_id = %s"
    ) == [("Salt & pepper mill", "<p>Oak &amp; steel</p>", "036000291452")]


@pytest.mark.parametrize("control", ["\x03", "&#3;", "&#x1F;", "\0"])
async def test_a_control_character_is_left_out_with_a_warning(import_, rows, control):
    text = RSS.format(item(id="A") + item(id="B", title=f"Te{control}a")).encode()
    summary = await import_(text, "google-merchant")
    assert (summary.error, summary.refused, summary.warnings) == ("", 0, 1)
    assert await rows("select name from products where shop_id = %s and handle = 'B'") == [("Tea",)]


async def test_an_undeclared_prefix_is_not_why_a_feed_cannot_be_read(import_, rows):
    text = RSS.replace(' xmlns:g="http://base.google.com/ns/1.0"', "").format(
        item(id="A") + "\n" + item(id="B", title="Salt & pepper")
    )
    summary = await import_(text, "google-merchant")
    assert "line 3: an & that begins no entity" in summary.error
    assert await rows("select sku from variants where shop_id = %s") == [("A",)]


BOMB = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))


@pytest.mark.parametrize(
    "doctype",
    [
        "<!DOCTYPE rss SYSTEM 'http://127.0.0.1:9/x.dtd'>",
        "<!DOCTYPE rss [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>",
        "<!DOCTYPE rss [<!ENTITY % x SYSTEM 'http://127.0.0.1:9/x'> %x;]>",
        f"<!DOCTYPE rss [<!ENTITY l0 'ha'>{BOMB}]>",
        "<!DOCTYPE rss>",
    ],
    ids=["external dtd", "external entity", "parameter entity", "billion laughs", "empty"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
async def test_a_doctype_is_refused_and_nothing_written(import_, rows, doctype, encoding):
    text = RSS.format(item(title="&x;") + item(title="&l11;")).replace("<rss", f"{doctype}<rss", 1)
    text = text.replace('<?xml version="1.0"?>', f'<?xml version="1.0" encoding="{encoding}"?>')
    summary = await import_(text.encode(encoding), "google-merchant")
    assert summary.error
    assert summary.records == 0
    assert await rows("select 1 from products where shop_id = %s") == []


async def test_malformed_xml_keeps_what_came_before(import_):
    many = "".join(item(id=f"A{n}", description="x" * 500) for n in range(500))
    summary = await import_(RSS.format(many + "<item><broken></item>"), "google-merchant")
    assert "malformed" in summary.error
    assert "after item 500" in summary.error
    assert summary.variants_added == 500


async def test_an_endless_element_is_refused(import_):
    summary = await import_(RSS.format(item(description="x" * (11 * 2**20))), "google-merchant")
    assert summary.error
