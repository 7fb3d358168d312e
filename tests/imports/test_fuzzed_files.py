"""Whatever bytes a file has: rows are taken or refused, or the file is unreadable; nothing else happens."""

import gzip
import random

import pytest

from crossdock.imports.batches import batches
from crossdock.imports.checking import Checker
from crossdock.imports.formats import READERS, reader_of
from crossdock.imports.items import Unreadable
from crossdock.imports.opening import open_source
from crossdock.imports.reading import Reading

SHOPIFY = (
    'Handle,Title,Body (HTML),Tags,Published,Option1 Name,Option1 Value,Variant SKU,Variant Grams,'
    'Variant Inventory Qty,Variant Price,Variant Compare At Price,Image Src,Product Category\n'
    'mug,Mug,"<p>Hot, ""good""</p>","a, b",true,Size,S,M-S,350.5,7,9.99,12.50,https://i.example/1.jpg,A > B\n'
    "mug,,,,,,L,M-L,400,-3,10,,,\n"
)  # fmt: skip
WOOCOMMERCE = (
    "ID,Type,SKU,Name,Published,Stock,Regular price,Sale price,Date sale price starts,Categories,Parent,"
    "Attribute 1 name,Attribute 1 value(s),Weight (kg)\n"
    '1,variable,MUG,Mug,1,,,,,"A > B, C\\, D",,Size,"S, L",\n'
    "2,variation,M-S,,1,4,10.00,8,2026-01-01,,MUG,Size,S,0.3\n"
)
FEED = (
    '<?xml version="1.0" encoding="UTF-8"?><rss xmlns:g="http://base.google.com/ns/1.0"><channel><item><g:id>A</g:id>'
    "<title>Mug &amp; <![CDATA[<b>]]></title><g:price>9.99 USD</g:price><g:shipping_weight>1.5 oz</g:shipping_weight>"
    "<g:sale_price>USD 8</g:sale_price><g:sale_price_effective_date>2026-01-01/2026-02-01</g:sale_price_effective_date>"
    "<g:product_type>A &gt; B</g:product_type><g:quantity>3</g:quantity></item></channel></rss>"
)
TSV = "id\ttitle\tprice\tavailability\tproduct detail\nA\tMug\t9.99 USD\tin stock\tS:n:v, T:m:w\n"
JSONL = (
    '{"sku": "a", "name": "A", "retail": "1.50", "on_hand": 2, "category_path": ["A", "B"]}\n'
    '{"type": "product", "handle": "m", "name": "M\\u00e9", "variants": [{"sku": "m", "options": {"S": "L"},'
    ' "stock": [{"pool": "own", "on_hand": 1}]}]}\n{"type": "merchant", "name": "M", "terms": {"a": 1.5}}\n'
)
FILES = [
    ("shopify-csv", SHOPIFY), ("woocommerce-csv", WOOCOMMERCE), ("google-merchant", FEED), ("google-merchant", TSV),
    ("jsonl", JSONL), ("jsonl", "[" + ",".join(JSONL.splitlines()) + "]"),
]  # fmt: skip
ROUNDS = 150
NASTY = [
    b"\0", b'"', b"'", b"\n", b"\r", b",", b";", b"\t", b"\\", b"<", b">", b"&", b"{", b"}", b"[", b"]", b"-",
    b"9" * 50, b"e999", b".", b"\xff", b"\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\\ud800", b"<!DOCTYPE x>", b"&x;",
    b"NaN", b"0x1", b"\xe2\x80\xa8", b"null", b"true",
]  # fmt: skip


def spoilt(draw, text):
    """The text with a few pieces put in, taken out or put elsewhere, maybe in another encoding."""
    content = text.encode(draw.choice(["utf-8", "utf-8", "utf-8", "utf-16", "utf-8-sig"]))
    for _ in range(draw.randint(1, 4)):
        place = draw.randint(0, len(content))
        end = place + draw.choice([0, 0, 1, 3, 40])
        piece = draw.choice([draw.choice(NASTY), draw.randbytes(3), content[end : end + 30]])
        content = content[:place] + piece + content[end:]
    return (
        gzip.compress(content, mtime=0)[: draw.randint(5, 400)] if draw.random() < 0.03 else content
    )


def read_whole(path, format_name):
    """Everything that is done with a file before the database; how it ended."""
    with open_source(path) as source:
        items = reader_of(format_name)(source, Reading(currency="USD", merchant="M"))
        return [batch.end for batch in batches(items, checker=Checker(currency="USD"), done=0)][-1]


def check(path, format_name, content):
    """The ending is one of both; anything else fails with the content."""
    path.write_bytes(content)
    try:
        end = read_whole(path, format_name)
    except Exception as error:
        raise AssertionError(f"{format_name}: {content!r}") from error
    assert end == "" or (isinstance(end, Unreadable) and len(end.message) > 10)


@pytest.mark.parametrize(("format_name", "text"), FILES)
def test_a_spoilt_file_ends_in_an_error_with_words_or_in_none(format_name, text, tmp_path):
    draw = random.Random()
    for _ in range(ROUNDS):
        check(tmp_path / "file", format_name, spoilt(draw, text))


@pytest.mark.parametrize("format_name", READERS)
def test_bytes_of_no_kind_end_in_an_error_with_words_or_in_none(format_name, tmp_path):
    draw = random.Random()
    for _ in range(ROUNDS):
        check(tmp_path / "file", format_name, draw.randbytes(draw.randint(0, 200)))


@pytest.mark.parametrize(
    ("content", "format_name"),
    [
        (b'{"sku": "a", "name": "A"}\n{"typ\xfc\xe3e": "merchant", "name": "M"}\n', "jsonl"),
        (b'[{"sku": "a", "name": "A", "x\\ud800": 1}]', "jsonl"),
        (b"\x82\xb1\x8cM\r\xa2", "jsonl"),
        (b"<rss><channel><item><g:id>A</g:id><g:price>1 USD</g:price></item></channel></rss>", "google-merchant"),
    ],
    ids=["latin-1 in a line", "half a character", "a return alone", "an undeclared prefix"],
)  # fmt: skip
def test_what_once_went_otherwise(content, format_name, tmp_path):
    check(tmp_path / "file", format_name, content)


@pytest.mark.parametrize(("format_name", "text"), FILES)
def test_the_files_that_are_spoilt_were_good(format_name, text, tmp_path):
    check(tmp_path / "file", format_name, text.encode())
    assert read_whole(tmp_path / "file", format_name) == ""


@pytest.mark.parametrize(
    "line",
    [
        b'{"type": "product", "handle": "m", "name": "M", "": 1, "variants": [{"sku": "m"}]}',
        b'{"type": "merchant", "name": "M", "": 1}',
        *(b'{"type": %s, "name": "M"}' % kind for kind in (b"[1]", b"{}", b"1.5", b"null", b'""')),
    ],
)
def test_a_field_or_a_type_that_is_none_is_refused(tmp_path, line):
    known = b'{"type": "merchant", "name": "M"}'
    check(tmp_path / "file", "jsonl", known + b"\n" + line)
    check(tmp_path / "file", "jsonl", b"[" + known + b"," + line + b"]")
