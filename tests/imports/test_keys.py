"""Variants whose SKU is shared or absent: none is lost, and each keeps its own key from file to file."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossdock.imports.checking import Checker
from crossdock.imports.items import Finding, Read
from crossdock.imports.keys import derived_key
from crossdock.shop.catalogue import ProductRecord, VariantRecord

STORED = (
    "select p.handle, v.sku, v.merchant_sku, l.on_hand from variants v join products p on p.id = v.product_id"
    " left join stock_levels l on l.variant_id = v.id and l.pool = 'own'"
    " where v.shop_id = %s order by p.handle, v.position"
)
SHOPIFY = (
    "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Inventory Tracker,"
    "Variant Inventory Qty,Variant Price\n"
    "sock,Sock,Size,S,TW,shopify,5,4\n"
    "sock,,,M,TW,shopify,6,4\n"
    "sock,,,L,,shopify,7,4\n"
    "hat,Hat,Title,Default Title,TW,shopify,8,9\n"
)
WOOCOMMERCE = (
    "ID,Type,SKU,Name,Published,Stock,Regular price,Parent,Attribute 1 name,Attribute 1 value(s)\n"
    '1,variable,SH,Shoe,1,,,,Size,"40, 41"\n'
    "2,variation,SH,,1,5,9,SH,Size,40\n"
    "3,variation,SH,,1,6,9,SH,Size,41\n"
    "4,variation,,,1,7,9,SH,Size,\n"
    "5,simple,HO,Horn,1,8,2,,,\n"
    "6,simple,HO,Shoehorn,1,8,2,,,\n"
    ",simple,,Lace,1,9,1,,,\n"
)
FEED = '<rss xmlns:g="http://base.google.com/ns/1.0"><channel>{}</channel></rss>'
GOOGLE = FEED.format(
    "".join(
        f"<item>{i}<title>{t}</title><g:price>4 USD</g:price><g:quantity>{q}</g:quantity>{g}</item>"
        for i, t, q, g in [
            ("<g:id>GL</g:id>", "Glove", 5, "<g:item_group_id>gl</g:item_group_id><g:size>S</g:size>"),
            ("<g:id>GL</g:id>", "Glove", 6, "<g:item_group_id>gl</g:item_group_id><g:size>M</g:size>"),
            ("<g:id>GL</g:id>", "Glove box", 7, ""),
            ("", "Mitten", 8, ""),
        ]
    )
)  # fmt: skip
JSONL = "\n".join(
    map(
        json.dumps,
        [
            {"handle": "bag", "name": "Bag", "option_names": ["size"], "variants": [
                {"sku": "BG", "options": {"size": "S"}, "stock": [{"pool": "own", "on_hand": 5}]},
                {"sku": "BG", "options": {"size": "M"}, "stock": [{"pool": "own", "on_hand": 6}]},
                {"options": {"size": "L"}, "stock": [{"pool": "own", "on_hand": 7}]}]},
            {"sku": "BG", "name": "Bag tag", "on_hand": 8},
            {"sku": "BG", "name": "Bag hook", "on_hand": 9},
        ],
    )
)  # fmt: skip


@pytest.mark.parametrize(
    ("format_name", "text", "stored", "warned"),
    [
        ("shopify-csv", SHOPIFY,
         [("hat", "hat", "TW", 8), ("sock", "sock-s", "TW", 5), ("sock", "sock-m", "TW", 6),
          ("sock", "sock-l", "", 7)],
         [(3, 2), (5, 2)]),
        ("woocommerce-csv", WOOCOMMERCE,
         [("SH", "SH-40", "SH", 5), ("SH", "SH-41", "SH", 6), ("SH", "id-4", "", 7),
          ("HO", "HO", "", 8), ("id-6", "id-6", "HO", 8), ("lace", "lace", "", 9)],
         [(7, 6), (4, 3)]),
        ("google-merchant", GOOGLE,
         [("GL", "GL", "", 7), ("gl", "gl-s", "GL", 5), ("gl", "gl-m", "GL", 6),
          ("mitten", "mitten", "", 8)],
         [(1, 3), (2, 1)]),
        ("jsonl", JSONL,
         [("bag", "bag-s", "BG", 5), ("bag", "bag-m", "BG", 6), ("bag", "bag-l", "", 7),
          ("bg", "bg", "BG", 8), ("bg-bag-hook", "bg-bag-hook", "BG", 9)],
         [(1, 1), (2, 1), (3, 1)]),
    ],
)  # fmt: skip
async def test_shared_and_absent_skus_lose_no_variant(
    import_, rows, format_name, text, stored, warned
):
    summary = await import_(text, format_name)
    assert (summary.refusals, summary.error) == ([], "")
    found = await rows(STORED)
    assert sorted(found) == sorted(stored)
    shared = [f for f in summary.findings if f.field == "sku"]
    assert [(f.row, f"is that of row {row} too" in f.reason) for f, (_, row) in zip(shared, warned, strict=True)] == [
        (row, True) for row, _ in warned
    ]  # fmt: skip
    again = await import_(text, format_name)
    assert (again.products_unchanged, again.variants_changed) == (len({h for h, *_ in stored}), 0)


async def test_rows_with_one_sku_and_the_same_options_are_one_variant(import_, rows):
    text = SHOPIFY + "hat,Hat,,Default Title,TW,shopify,1,9\n"
    summary = await import_(text, "shopify-csv")
    assert summary.refusals == [(6, "sku", "is that of row 5 too, and so are the options")]
    assert ("hat", "hat", "TW", 8) in await rows(STORED)


async def test_two_parents_with_one_sku_keep_their_variations(import_, rows):
    text = (
        "ID,Type,SKU,Name,Stock,Regular price,Parent,Attribute 1 name,Attribute 1 value(s)\n"
        "1,variable,P,Pan,,,,Size,S\n2,variation,,,1,5,id:1,Size,S\n"
        "3,variable,P,Pot,,,,Size,S\n4,variation,,,2,6,id:3,Size,S\n"
    )
    assert (await import_(text, "woocommerce-csv")).refusals == []
    assert [row[0] for row in await rows(STORED)] == ["P", "id-3"]


keys = st.sampled_from(["A", "B", "h0-x", "h1"])


@given(
    st.lists(
        st.lists(st.tuples(keys, st.sampled_from(["x", "X", "y"])), min_size=1, max_size=4),
        max_size=4,
    )
)
def test_every_variant_gets_a_key_of_its_own_or_is_a_double(products):
    checker = Checker(currency="USD")
    kept, refused, given = [], 0, 0
    for number, variants in enumerate(products):
        record = ProductRecord(
            handle=f"h{number}", name="N", merchant="M", currency="USD", option_names=("o",),
            variants=tuple(
                VariantRecord(sku=sku or derived_key(f"h{number}", [value]), options={"o": value}, retail_minor=1)
                for sku, value in variants
            ),
        )  # fmt: skip
        given += len(variants)
        for item in checker.check(Read(row=number + 2, record=record)):
            if isinstance(item, Finding):
                refused += not item.is_warning
            elif isinstance(item.record, ProductRecord):
                kept += [variant.sku for variant in item.record.variants]
    doubles = sum(len(variants) - len(set(variants)) for variants in products)
    assert len(set(kept)) == len(kept) == given - doubles
    assert refused == doubles
