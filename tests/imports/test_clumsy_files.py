"""Files as clumsy and as hostile people make them: read, refused row by row, or refused with the place."""

import json
import os

import pytest

from crossdock.imports.grouping import ROWS_MAX, gathered
from crossdock.imports.items import Unreadable
from crossdock.imports.tables import CELL_MAX
from tests.support.processes import run_command

HEAD = "Handle,Title,Variant SKU,Variant Price,Variant Inventory Qty\n"
ROWS = "".join(f"h{n},Tea {n},S{n},1.50,{n}\n" for n in range(3))
FEED = '<rss xmlns:g="http://base.google.com/ns/1.0"><channel>{}</channel></rss>'
ITEM = "<item><g:id>{}</g:id><title>Tea</title><g:price>1 USD</g:price></item>"
WOOCOMMERCE = (
    "ID,Type,SKU,Name,Regular price,Sale price,Date sale price starts,Date sale price ends\n"
)


QUOTED = "".join(f'"{line}"\n' for line in (HEAD + ROWS).splitlines()).replace(",", '","')


@pytest.mark.parametrize(
    "content",
    [
        (HEAD + ROWS).encode("utf-8-sig"),
        f"\ufeff\ufeff{HEAD}{ROWS}".encode(),
        (HEAD + ROWS).replace("\n", "\r\n").encode(),
        (HEAD + ROWS).replace("\n", "\r").encode(),
        (HEAD + ROWS).replace(",", ";").encode(),
        f"sep=;\n{HEAD}{ROWS}".replace(",", ";").encode(),
        f'"sep=\t"\r\n{HEAD}{ROWS}'.replace(",", "\t").encode("utf-16"),
        f"sep=\t\n{HEAD}{ROWS}".replace(",", "\t").encode(),
        (HEAD + ROWS).encode("utf-16"),
        (HEAD + ROWS).encode("utf-16-be"),
        f"{HEAD}\n,,,,\n{ROWS}\n\n".encode(),
        QUOTED.encode(),
    ],
    ids=["mark", "two marks", "crlf", "cr", "semicolons", "sep", "sep in utf-16", "sep of tabs", "utf-16",
         "utf-16-be", "gaps", "quotes"],
)  # fmt: skip
async def test_a_table_is_read_however_it_was_saved(import_, content):
    summary = await import_(content, "shopify-csv")
    assert (summary.variants_added, summary.refused, summary.error) == (3, 0, "")


@pytest.mark.parametrize(
    ("tail", "position", "reason"),
    [
        ('x,"Tea,X,1,1\ny,Y,Y,1,1\n', "row 5, which begins in line 6", "no closing quote"),
        ('x,"Tea\n' + "z,Z,Z,1,1\n" * (CELL_MAX // 10), "row 5, which begins in line 6", "no closing quote"),
        ('x,"5" pipe",X,1,1\n', "row 5, which begins", "a quote inside a cell is written twice"),
        (f"x,{'y' * 5_000_000},X,1,1\n", "line 6", "A line is longer than"),
        (f"x,{'y' * 2_000_000},X,1,1\n", "row 5", f"more than {CELL_MAX} characters"),
    ],
    ids=["quote open", "quote open for long", "quote inside", "long line", "long cell"],
)  # fmt: skip
async def test_a_malformed_table_keeps_whole_products_and_says_where(
    import_, rows, tail, position, reason
):
    start = HEAD + ROWS.replace("Tea 0", '"Tea\n0"')
    summary = await import_(start + tail, "shopify-csv")
    assert reason in summary.error
    assert position in summary.error
    assert await rows("select count(*) from variants where shop_id = %s") == [(3,)]


async def test_a_byte_of_another_encoding_is_told_with_its_line(import_):
    many = "".join(f"h{n},{'T' * 200},S{n},1,1\n" for n in range(2_000))
    content = (HEAD + many).encode() + "x,Größe,X,1,1\n".encode("latin-1")
    summary = await import_(content, "shopify-csv")
    assert "not valid utf-8 (byte f6); save the file as UTF-8, or set" in summary.error
    assert "(line 2002)" in summary.error


@pytest.mark.parametrize(
    ("row", "refusal"),
    [
        (f"{'x' * 256},X,X,1,1", ("handle", "is longer than 255 characters")),
        ("h0,Tea 0,Y,1,1",
         ("handle", "came before in this file, in row 2; a product's rows stand together")),
        (",X,X,1,1", ("Handle", "is missing")),
        ("x,X,X,1", ("", "has 4 cells where the header has 5")),
    ],
)  # fmt: skip
async def test_a_bad_row_is_refused_in_words(import_, row, refusal):
    summary = await import_(f"{HEAD}{ROWS}{row}\n", "shopify-csv")
    assert summary.refusals == [(5, *refusal)]
    assert (summary.variants_added, summary.error) == (3, "")


@pytest.mark.parametrize(
    ("row", "field", "reason"),
    [
        ("x,X\0,X,1,1", "Title", "has control characters, which are left out"),
        ("x,X,X,-1,1", "Variant Price", "is negative; the value is left out"),
        ("x,X,X,1,12345678901234567890", "Variant Inventory Qty", "is too large; the value is left out"),
        ("x,X,X,99999999999999999999,1", "Variant Price", "is too large; the value is left out"),
        ("x,X,X,5 €,1", "Variant Price",
         "is not an amount; write it as 1234.56; the value is left out"),
        (f"x,{'X' * 501},X,1,1", "name", "is longer than 500 characters; the rest is left out"),
    ],
)  # fmt: skip
async def test_an_odd_cell_costs_that_cell(import_, row, field, reason, rows):
    summary = await import_(f"{HEAD}{ROWS}{row}\n", "shopify-csv")
    assert (summary.refused, summary.variants_added) == (0, 4)
    assert (5, field, reason) in [(f.row, f.field, f.reason) for f in summary.findings]
    assert await rows("select left(name, 2) from products where shop_id = %s and handle = 'x'") in (
        [("X",)],
        [("XX",)],
    )


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", " JavaScript:x", "data:text/html;x", "file:///etc/passwd", "C:\\1.jpg"],
)
@pytest.mark.parametrize("column", ["Image Src", "Variant Image"])
async def test_an_address_that_is_none_of_the_web_is_left_out(import_, url, column):
    good = "b,B,B,HTTPS://i.example/1.jpg\nc,C,C,/1.jpg\n"
    text = f"Handle,Title,Variant SKU,{column}\na,A,A,{url}\n{good}"
    summary = await import_(text, "shopify-csv")
    [found] = [finding for finding in summary.findings if finding.field in {"image", "images"}]
    assert (found.row, found.is_warning) == (2, True)
    assert "must begin with https://" in found.reason
    assert (summary.refused, summary.variants_added) == (0, 3)


async def test_html_in_a_name_is_kept_as_text_and_in_a_description_cleaned(import_, rows):
    text = "Handle,Title,Body (HTML),Variant SKU\na,<b>A</b>,<b>A</b><script>x</script>,A\n"
    await import_(text, "shopify-csv")
    assert await rows("select name, description from products where shop_id = %s") == [
        ("<b>A</b>", "<b>A</b>")
    ]


async def test_two_columns_of_one_name_are_refused(import_):
    text = "Handle,Title,title,Variant SKU,Notes,Notes\na,A,B,S,x,y\n"
    summary = await import_(text, "shopify-csv")
    assert "The column title occurs twice, as column 2 and column 3" in summary.error
    assert summary.records == 0


async def test_a_sale_that_is_none_is_a_warning(import_):
    text = WOOCOMMERCE + (
        "1,simple,A,A,10,12,,\n2,simple,B,B,10,8,2026-03-01,2026-02-01\n3,simple,C,C,10,8,,\n"
    )
    summary = await import_(text, "woocommerce-csv")
    told = [(finding.row, finding.field, finding.is_warning) for finding in summary.findings]
    assert told == [(2, "sale price", True), (3, "sale", True)]


FAR = ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00")
PRODUCT = {"handle": "h", "name": "H", "variants": [{"sku": "h"}]}


@pytest.mark.parametrize(
    ("parts", "field", "reason"),
    [
        ({"handle": " h"}, "handle or merchant", "has white space around it"),
        ({"merchant": "m\n"}, "handle or merchant", "has white space around it"),
        ({"variants": [{"sku": "h "}]}, "sku", "has white space around it"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("escaped", [True, False])
async def test_what_could_not_be_stored_or_exported_is_refused(
    import_, parts, field, reason, escaped, export
):
    lines = [PRODUCT | parts, PRODUCT | {"handle": "ok", "variants": [{"sku": "ok"}]}]
    text = "\n".join(json.dumps(line, ensure_ascii=escaped) for line in lines)
    summary = await import_(text, "jsonl")
    [(row, name, why)] = summary.refusals
    assert (row, name, summary.products_added) == (1, field, 1)
    assert reason in why
    assert (await import_(await export("google-merchant"), "google-merchant")).error == ""


@pytest.mark.parametrize(
    ("parts", "field", "reason"),
    [
        ({"categories": [["茶" * 255] * 20]}, "categories", "names are too long together"),
        ({"variants": [{"sku": "h", "sale_starts_at": FAR[0]}]}, "sale", "is not a date of our time"),
        ({"variants": [{"sku": "h", "sale_ends_at": FAR[1]}]}, "sale", "is not a date of our time"),
        ({"variants": [{"sku": "h", "promotions": [{"price_minor": 1, "starts_at": FAR[0], "ends_at": FAR[1]}]}]},
         "promotions", "is not a date of our time"),
        ({"images": [{"url": "javascript:x"}]}, "images", "is not an image URL"),
        ({"video": "javascript:x"}, "video", "is not a video URL"),
        ({"name": "a\uffffb"}, "name", "has control characters"),
        ({"name": "a\ufffeb"}, "name", "has control characters"),
        ({"name": "a\u0003b"}, "name", "has control characters"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("escaped", [True, False])
async def test_what_no_catalogue_can_have_is_left_out(
    import_, parts, field, reason, escaped, export
):
    summary = await import_(json.dumps(PRODUCT | parts, ensure_ascii=escaped), "jsonl")
    [found] = [finding for finding in summary.findings if finding.field == field]
    assert (found.row, found.is_warning, summary.products_added) == (1, True, 1)
    assert reason in found.reason
    assert (await import_(await export("google-merchant"), "google-merchant")).error == ""


@pytest.mark.parametrize("frame", ["{}", "[{}]"])
async def test_the_terms_of_a_merchant_keep_their_numbers(import_, rows, frame):
    line = '{"type": "merchant", "name": "M", "terms": {"rate": 1.5, "days": [14, {"x": -0.25}]}}'
    assert (await import_(frame.format(line), "jsonl")).merchants_changed == 1
    assert await rows("select terms from merchants where shop_id = %s") == [
        ({"rate": 1.5, "days": [14, {"x": -0.25}]},)
    ]
    summary = await import_(frame.format(line.replace("1.5", "1e400")), "jsonl")
    assert summary.refusals == [(1, "terms", "has a number that is too large")]


async def test_other_kinds_of_lines_are_checked_too(import_):
    post = {"type": "blog_post", "slug": "p", "title": "P", "content": "", "language": "en"}
    lines = [post | {"published_at": FAR[0]}, {"type": "category", "path": ["茶" * 255] * 20}]
    summary = await import_("\n".join(map(json.dumps, lines)), "jsonl")
    assert [(row, field) for row, field, _ in summary.refusals] == [
        (1, "published_at"),
        (2, "path"),
    ]


async def test_of_two_lines_about_one_category_the_last_counts(import_, rows):
    category = {"type": "category"}
    lines = [category | {"path": ["A"], "sort": 1}, category | {"path": ["a"], "sort": 2}]
    for _ in range(2):
        await import_("\n".join(map(json.dumps, lines)), "jsonl")
        assert await rows("select name, sort from categories where shop_id = %s") == [("a", 2)]


async def test_a_product_may_have_more_rows_than_others_may_stand_apart(import_):
    rows = "".join(f",variation,V{n},,1,,,,P,Size,{n}\n" for n in range(5_100))
    head = WOOCOMMERCE.replace("\n", ",Parent,Attribute 1 name,Attribute 1 value(s)\n")
    summary = await import_(f"{head},variable,P,P,,,,,,Size,\n{rows}", "woocommerce-csv")
    assert (summary.products_added, summary.variants_added, summary.refused) == (1, 5_100, 0)


def test_the_rows_of_one_product_are_bounded():
    rows = gathered(iter(range(ROWS_MAX + 1)), keys_of=lambda _: ["mug"], kind=int)
    with pytest.raises(Unreadable, match=f"More than {ROWS_MAX} rows"):
        list(rows)


DEEP = "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize(
    ("text", "field", "reason"),
    [
        (f'{{"sku": "x", "name": "X", "a": {DEEP}}}', "", "it is nested too deeply"),
        (f'{{"sku": "x", "name": "X", "on_hand": {"9" * 5_000}}}', "", "is not JSON"),
        ('{"sku": "x", "name": "X", "retail": NaN}', "", "is not JSON"),
        ('{"sku": "x", "name": "\\u0000"}', "name", "is missing"),
    ],
    ids=["deep", "digits", "nan", "null escape"],
)
async def test_a_hostile_line_is_refused_and_the_rest_taken(import_, text, field, reason):
    summary = await import_(f'{{"sku": "a", "name": "A"}}\n{text}\n', "jsonl")
    [(row, name, why)] = summary.refusals
    assert (row, name, summary.products_added) == (2, field, 1)
    assert reason in why


@pytest.mark.parametrize(
    ("element", "reason"),
    [
        (f'{{"sku": "x", "a": {DEEP}}}', "nested too deeply"),
        (f'{{"sku": "x", "on_hand": {"9" * 5_000}}}', "a number has 5000 digits"),
    ],
    ids=["deep", "digits"],
)
async def test_a_hostile_element_stops_the_array(import_, element, reason):
    summary = await import_(f'[{{"sku": "a", "name": "A"}}, {element}]', "jsonl")
    assert reason in summary.error
    assert "element 2" in summary.error
    assert summary.products_added == 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (FEED.format(ITEM.format("A") + "<a>" * 1_000), "Excessive depth"),
        (FEED.format(ITEM.format("A"))[:-5], "malformed"),
    ],
    ids=["deep", "cut off"],
)
async def test_a_broken_feed_is_told_in_one_line(import_, text, reason):
    summary = await import_(text, "google-merchant")
    assert reason in summary.error
    assert "\n" not in summary.error
    assert "XML_PARSE" not in summary.error


async def test_an_atom_feed_has_its_own_id_beside_googles(import_, rows):
    entry = "<entry><id>urn:1</id><g:id>A</g:id><title>Tea</title><g:price>1 USD</g:price></entry>"
    feed = f'<feed xmlns="http://www.w3.org/2005/Atom" xmlns:g="http://base.google.com/ns/1.0">{entry}</feed>'
    await import_(feed, "google-merchant")
    assert await rows("select sku from variants where shop_id = %s") == [("A",)]


async def test_the_columns_without_a_meaning_are_named(import_):
    text = (
        HEAD.replace("\n", ",Gift Card,Notes,Glaze (product.metafields.a.b)\n") + "a,A,A,1,1,,,\n"
    )
    assert (await import_(text, "shopify-csv")).columns_unread == ["Gift Card", "Notes"]


@pytest.mark.parametrize(
    ("text", "format_name"),
    [(HEAD, "shopify-csv"), (FEED.format(""), "google-merchant"), ("[]", "jsonl"), ("\n", "jsonl")],
)  # fmt: skip
async def test_a_file_with_nothing_in_it_changes_nothing(import_, text, format_name):
    summary = await import_(text, format_name)
    assert (summary.records, summary.refused, summary.error) == (0, 0, "")


async def test_the_command_tells_of_a_file_with_nothing_in_it_and_of_what_is_no_file(
    database_url, tmp_path, shop
):
    path = tmp_path / "empty.csv"
    path.write_text(HEAD.replace("\n", ",Notes\n"))
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)

    def run(*arguments):
        command = ("import", *map(str, arguments), "--format", "shopify-csv", "--shop", shop.slug)
        return run_command(*command, settings={"database_url": database_url, "data_dir": tmp_path})

    told = run(path)
    assert (told.returncode, "There is nothing in the file" in told.stderr) == (0, True)
    assert "Columns without a meaning here: Notes." in told.stderr
    told = run(path, "--json")
    assert json.loads(told.stdout)["columns_unread"] == ["Notes"]
    told = run(fifo)
    assert (told.returncode, "save it to a file first" in told.stderr) == (2, True)


@pytest.mark.parametrize("unseen", ["\u200b", "\u3164", "\u0301"], ids=ascii)
async def test_a_name_of_which_nothing_can_be_seen_is_none(import_, unseen):
    variants = [{"sku": "seen"}, {"sku": unseen}]
    lines = [
        PRODUCT | {"handle": "a", "name": unseen},
        PRODUCT | {"handle": unseen},
        PRODUCT | {"handle": "b", "merchant": unseen},
        PRODUCT | {"handle": "c", "variants": variants},
        {"type": "merchant", "name": unseen},
        {"type": "category", "path": ["A", unseen]},
        {"type": "blog_post", "slug": "p", "title": unseen, "content": "", "language": "en",
         "published_at": "2026-01-01T00:00:00Z"},
    ]  # fmt: skip
    summary = await import_("\n".join(map(json.dumps, lines)), "jsonl")
    assert [(row, field) for row, field, _ in summary.refusals] == [
        (1, "name"), (2, "handle"), (3, "merchant"), (4, "sku"), (5, "name"), (6, "path"), (7, "title"),
    ]  # fmt: skip
    assert {reason for _, _, reason in summary.refusals} == {"holds nothing that can be seen"}
    assert summary.products_added == 1
