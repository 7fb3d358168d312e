"""A file of another format: refused at once, with what was expected, what was found and what to do."""

import gzip
import io
import json
import zipfile

import pytest

from tests.support.processes import run_command

SHOPIFY = "Handle,Title,Vendor,Variant SKU,Variant Price\n" + "m,M,V,S,1\n" * 300
GOOGLE = "id\ttitle\tlink\tprice\tavailability\n" + "A\tMug\tx\t9 USD\tin_stock\n" * 300
WOOCOMMERCE = "ID,Type,SKU,Name,Regular price\n" + "1,simple,A,A,1\n" * 300
JSON_LINES = '{"sku": "a", "name": "A", "retail": "1.50"}\n' * 300
FEED = (
    '<?xml version="1.0"?>\n<rss xmlns:g="http://base.google.com/ns/1.0"><channel>'
    + "<item><g:id>A</g:id><title>Mug</title><g:price>9 USD</g:price></item>" * 300
    + "</channel></rss>"
)
OURS = {
    "shopify-csv": [SHOPIFY],
    "google-merchant": [GOOGLE, FEED],
    "woocommerce-csv": [WOOCOMMERCE],
    "jsonl": [JSON_LINES, "[" + ",".join(JSON_LINES.splitlines()) + "]"],
}
MIXED_UP = [
    (given, text, real) for given in OURS for real, texts in OURS.items() if real != given for text in texts
]  # fmt: skip


@pytest.mark.parametrize(("given", "text", "real"), MIXED_UP)
async def test_another_format_of_ours_is_named(import_, rows, given, text, real):
    summary = await import_(text, given)
    assert (summary.refused, summary.records, summary.findings) == (0, 0, [])
    assert f"not {given}: expected" in summary.error
    assert f"use --format {real}" in summary.error
    assert await rows("select 1 from products where shop_id = %s") == []


async def test_the_needed_and_the_found_columns_are_named(import_):
    summary = await import_(GOOGLE, "shopify-csv")
    assert summary.error == (
        "The file is not shopify-csv: expected a table with the columns Handle (or URL handle) and Title; "
        "found one without Handle (or URL handle): id, title, link, price, availability. "
        "It looks like google-merchant: use --format google-merchant. "
        "For any other table or JSON, describe the columns in a map: --map FILE"
    )


@pytest.mark.parametrize("format_name", ["shopify-csv", "google-merchant", "woocommerce-csv"])
async def test_a_table_of_nobody_is_referred_to_a_map(import_, format_name):
    names = ",".join(f"column {number}" for number in range(9))
    summary = await import_(f"{names}\n" + "1,2,3,4,5,6,7,8,9\n" * 300, format_name)
    assert "column 0, column 1" in summary.error
    assert "column 5 and 3 more" in summary.error
    assert "--map FILE" in summary.error
    assert "looks like" not in summary.error
    assert summary.refused == 0


@pytest.mark.parametrize(
    ("header", "format_name", "missing"),
    [
        ("slug,sku,name,price,compare_at_price,status", "woocommerce-csv", "one without Regular price (or Sale price,"),
        ("id,title,body,author", "google-merchant", "one without price (or availability, quantity, image_link)"),
        ("Product Handle,Product Title,Variant SKU", "shopify-csv", "one without Handle (or URL handle) and Title"),
    ],
)  # fmt: skip
async def test_a_table_with_some_of_our_columns_is_not_ours_yet(
    import_, header, format_name, missing
):
    cells = ",".join("1" for _ in header.split(","))
    summary = await import_(f"{header}\n" + f"{cells}\n" * 300, format_name)
    assert missing in summary.error
    assert (summary.records, summary.refused) == (0, 0)


def zipped(*names):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), "x")
    return buffer.getvalue()


@pytest.mark.parametrize("format_name", OURS)
@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + bytes(range(256)), "a PDF document"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a picture"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), "save its sheet as CSV"),
        (zipped("[Content_Types].xml", "xl/workbook.xml"), "an Excel workbook; save its sheet"),
        (zipped("mimetype", "content.xml"), "an OpenDocument file"),
        (zipped(), "an empty zip"),
        (gzip.compress(gzip.compress(SHOPIFY.encode(), mtime=0), mtime=0), "compressed more than once"),
        (b"BZh91AY&SY" + bytes(99), "compressed with bzip2; unpack it first"),
        (bytes(257) + b"ustar\x0000", "a tar archive"),
    ],
    ids=["pdf", "png", "xls", "xlsx", "ods", "empty zip", "gzip in gzip", "bzip2", "tar"],
)  # fmt: skip
async def test_what_is_no_text_is_named(import_, content, kind, format_name):
    summary = await import_(content, format_name)
    assert f"The file is {kind}" in summary.error or kind in summary.error
    assert summary.refused == 0


@pytest.mark.parametrize("format_name", OURS)
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<!DOCTYPE html>\n<html>\n<body>404<br></body>\n</html>\n", "an HTML page"),
        ("<html><body>404</body></html>", "an HTML page"),
        ('<?xml version="1.0"?>\n<urlset><url/></urlset>', "XML with the root <urlset>"),
    ],
)
async def test_markup_of_another_kind_is_named(import_, text, found, format_name):
    assert found in (await import_(text, format_name)).error


BLOG = "<item><title>News</title><link>x</link><guid>1</guid></item>"
ATOM = "<entry><id>urn:1</id><title>News</title></entry>"


@pytest.mark.parametrize(
    "feed",
    [
        f"<rss><channel>{BLOG * 50}</channel></rss>",
        f'<feed xmlns="http://www.w3.org/2005/Atom">{ATOM}</feed>',
    ],
)
async def test_a_feed_of_news_is_not_imported_as_goods(import_, rows, feed):
    summary = await import_(feed, "google-merchant")
    assert "a feed whose items have" in summary.error
    assert (summary.records, summary.refused) == (0, 0)
    assert await rows("select 1 from products where shop_id = %s") == []


OBJECTS = [{"id": number, "title": "Mug", "variants": []} for number in range(300)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("\n".join(map(json.dumps, OBJECTS)), "objects with id, title, variants (has an unknown field"),
        (json.dumps(OBJECTS), "objects with id, title, variants"),
        (json.dumps({"products": OBJECTS}, indent=2), "JSON of another shape"),
        ("some\nplain\ntext\n", "a table with the columns some"),
    ],
    ids=["lines", "array", "one object", "text"],
)  # fmt: skip
async def test_json_of_another_shape_is_told_by_its_keys(import_, text, found):
    summary = await import_(text, "jsonl")
    assert found in summary.error
    assert (summary.records, summary.refused) == (0, 0)


async def test_one_good_line_among_the_first_lets_the_others_be_refused_one_by_one(import_):
    summary = await import_("oops\n" * 40 + JSON_LINES.splitlines()[0], "jsonl")
    assert (summary.products_added, summary.refused, summary.error) == (1, 40, "")


@pytest.mark.parametrize(
    ("text", "format_name"), [("", "shopify-csv"), ("", "google-merchant"), ("", "jsonl"), ("\n \n", "shopify-csv")]
)  # fmt: skip
async def test_an_empty_file_is_said_to_be_empty(import_, text, format_name):
    assert (await import_(text, format_name)).error == "The file is empty"


async def test_empty_rows_before_the_header_are_passed_over(import_):
    header, row, *_ = SHOPIFY.splitlines()
    summary = await import_(f"\n,,,,\n{header}\n{row}\nx,X,V,Y\n", "shopify-csv")
    assert summary.refusals == [(5, "", "has 4 cells where the header has 5")]
    assert summary.products_added == 1


async def test_columns_that_a_map_makes_count(import_):
    text = (
        "GTIN-14,Name,Brand Name,Images,Size,Format,Author,Publisher,Ingredients\n1,Tea,B,,,,,,\n"
    )
    assert (await import_(text, "shopify-csv")).error
    summary = await import_(text, "shopify-csv", map_name="datakick.toml")
    assert (summary.products_added, summary.error) == (1, "")


async def test_the_command_exits_with_2_and_one_line(database_url, tmp_path, shop):
    path = tmp_path / "feed.tsv"
    path.write_text(GOOGLE)
    result = run_command(
        "import", str(path), "--format", "shopify-csv", "--shop", shop.slug,
        settings={"database_url": database_url, "data_dir": tmp_path},
    )  # fmt: skip
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("crossdock: The file is not shopify-csv: expected")
    assert "Row" not in result.stderr
