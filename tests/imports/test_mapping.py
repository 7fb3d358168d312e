"""Map files: each step of a field, rows that count, attributes, and maps that are wrong."""

from decimal import Decimal

import msgspec
import pytest

from crossdock.imports.items import RowRefused, Unreadable
from crossdock.imports.mapping import FieldMap, load_map, parse_map


def mapped(row, *, currency="USD", **parts):
    return msgspec.convert(parts, FieldMap).apply_to_row(row, currency=currency)


ROW = {
    "a": "1",
    "b": "two",
    "c": "",
    "packed": "size=XS,color=Black,Blue",
    "list": "x| y |",
    "minor": "1999",
}


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("b", "two"),
        ("missing", ""),
        ({"constant": "k"}, "k"),
        ({"from": "b", "prefix": "p-"}, "p-two"),
        ({"from": "c", "prefix": "p-"}, ""),
        ({"from": "c", "default": "d"}, "d"),
        ({"from": "a", "values": {"1": "active"}}, "active"),
        ({"from": "b", "values": {"1": "active"}}, "two"),
        ({"from": ["a", "c", "b"], "join": " > "}, "1 > two"),
        ({"from": "packed", "pair": "size"}, "XS"),
        ({"from": "packed", "pair": "color"}, "Black,Blue"),
        ({"from": "packed", "pair": "none"}, ""),
        ({"from": "b", "match": "^(t.)"}, "tw"),
        ({"from": "b", "match": "^(x)"}, ""),
        ({"from": "b", "replace": {"t": "T", "w": "W"}}, "TWo"),
        ({"from": "list", "split": "|", "join": ", "}, "x, y"),
        ({"from": "minor", "minor_units": True}, "19.99"),
        ({"constant": "k", "when": {"a": "1"}}, "k"),
        ({"constant": "k", "when": {"a": ["2", "1"]}}, "k"),
        ({"constant": "k", "when": {"a": "2"}}, ""),
        ({"constant": "k", "when": {"a": "2"}, "default": "d"}, "d"),
    ],
)
def test_a_field_is_made_by_its_steps(field, text):
    assert mapped(ROW, fields={"target": field})["target"] == text


def test_minor_units_follow_the_currency():
    field = {"from": "minor", "minor_units": True}
    assert mapped(ROW, fields={"t": field}, currency="JPY")["t"] == "1999"
    assert mapped(ROW, fields={"t": field}, currency="KWD")["t"] == "1.999"
    with pytest.raises(RowRefused):
        mapped({"minor": "19.99"}, fields={"t": field})


@pytest.mark.parametrize(
    ("rules", "counts"),
    [
        ({"only": {"a": "1"}}, True),
        ({"only": {"a": ["1", "2"], "b": "two"}}, True),
        ({"only": {"a": "2"}}, False),
        ({"skip": {"a": "1"}}, False),
        ({"skip": {"a": ["2", "3"]}}, True),
    ],
)
def test_rows_count_by_their_values(rules, counts):
    assert (mapped(ROW, rows=rules) is not None) == counts


def test_an_object_has_only_what_is_mapped():
    value = {
        "id": 7,
        "price": Decimal("49.90"),
        "ean": ["123", "456"],
        "deep": {"x": True},
        "none": None,
    }
    fields = {
        "handle": {"from": "id", "prefix": "x-"}, "retail": "price", "upc": "ean.1", "deep": "deep.x",
        "gone": "none", "far": "ean.9", "odd": "ean.²",
        "all": {"from": "ean", "as_list": True, "values": {"123": "one"}},
    }  # fmt: skip
    field_map = msgspec.convert({"fields": fields}, FieldMap)
    assert field_map.apply_to_object(value) == {
        "handle": "x-7", "retail": Decimal("49.90"), "upc": "456", "deep": True, "all": ["one", "456"],
    }  # fmt: skip


def test_attributes_come_from_columns_prefixes_and_packed_ones():
    rules = {
        "columns": {"Size": "b"},
        "prefixes": ["attr_t_"],
        "packed": "p",
        "packed_skip": ["skip"],
    }
    field_map = msgspec.convert({"attributes": rules}, FieldMap)
    row = {"b": "two", "attr_t_colour_": "Red", "attr_t_none": "", "p": "x=1,skip=2,y=3|4"}
    assert field_map.attributes_of(row) == {"Size": "two", "colour": "Red", "x": "1", "y": "3|4"}
    assert field_map.attributes_of({"attr_t_n": Decimal("6.0"), "attr_t_b": False}) == {
        "n": "6",
        "b": "false",
    }


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("nonsense", "not TOML"),
        ("[feilds]\na = 'b'", "unknown field `feilds`"),
        ("[fields]\na = {form = 'b'}", "unknown field `form`"),
        ("[fields]\na = {from = 'b', match = '('}", "pattern of a"),
        ("[fields]\na = {from = 'b', match = 'x'}", "no group"),
        ("[file]\nencoding = 'ebcdic'", "encoding"),
        ("[file]\ndelimiter = ';;'", "delimiter"),
        ('[fields]\na = {constant = "a\\u001fb"}', "control character"),
        ('[rows]\nonly = {a = ["\\u0000"]}', "control character"),
    ],
)
def test_a_wrong_map_says_what_is_wrong(tmp_path, text, reason):
    path = tmp_path / "map.toml"
    path.write_text(text)
    with pytest.raises(Unreadable, match=reason):
        load_map(path)


TABLE = "Handle,Title,Variant SKU,Name,Price\n" + "m,M,S,Mug,5\n" * 3
OBJECTS = '{"sku": "a", "name": "A", "price": 5}\n{"sku": "b", "name": "B"}\n'
FEED = '<rss><channel><item><g:id xmlns:g="http://base.google.com/ns/1.0">1</g:id></item></channel></rss>'


@pytest.fixture
def mapped_import(import_, tmp_path, monkeypatch):
    """Import a text with a map given as a text."""

    async def run(text, format_name, source):
        (tmp_path / "map.toml").write_text(source)
        monkeypatch.setattr("tests.imports.conftest.MAPS", tmp_path)
        return await import_(text, format_name, map_name="map.toml")

    return run


@pytest.mark.parametrize(
    ("text", "format_name", "source", "error"),
    [
        (TABLE, "shopify-csv", "[fields]\nTitle = 'Nam'", "the table has no such column; did you mean 'Name'?"),
        (TABLE, "shopify-csv", "[fields]\nTitle = {from = ['a', 'b']}", "reads 'a' or 'b', but"),
        (TABLE, "shopify-csv", "[fields]\nTitle = {constant = 'x', when = {locale = 'en'}}", "reads 'locale'"),
        (TABLE, "shopify-csv", "[rows]\nonly = {locale = 'en'}", "reads 'locale'"),
        (TABLE, "shopify-csv", "[rows]\nskip = {locale = 'en'}", "reads 'locale'"),
        (TABLE, "shopify-csv", "[attributes.columns]\nSize = 'size'", "reads 'size'"),
        (TABLE, "shopify-csv", "[attributes]\npacked = 'more'", "reads 'more'"),
        (TABLE, "shopify-csv", "[fields]\nTitel = 'Name'", "the format does not have; did you mean 'title'?"),
        (TABLE, "woocommerce-csv", "[fields]\nHandel = 'Name'", "sets 'Handel'"),
        (TABLE, "google-merchant", "[fields]\nidd = 'Name'", "sets 'idd'"),
        (OBJECTS, "jsonl", "[fields]\nsku = 'sku'\nretial = 'price'", "did you mean 'retail'?"),
        (FEED, "google-merchant", "[fields]\ntitle = 'name'", "applies to tables and JSON"),
    ],
)  # fmt: skip
async def test_a_map_that_does_not_fit_is_refused_at_once(
    mapped_import, rows, text, format_name, source, error
):
    summary = await mapped_import(text, format_name, source)
    assert error in summary.error
    assert (summary.records, summary.refused) == (0, 0)
    assert await rows("select 1 from products where shop_id = %s") == []


async def test_a_column_with_a_default_may_be_missing(mapped_import, rows):
    source = "[fields]\nVendor = {from = 'maker', default = 'Acme'}\n'Glaze (product.metafields.x.y)' = 'Name'"
    assert (
        await mapped_import(TABLE.replace("m,M,S,Mug,5\n", "", 2), "shopify-csv", source)
    ).error == ""
    assert await rows("select brand, attributes from products where shop_id = %s") == [
        ("Acme", {"Glaze": "Mug"})
    ]


async def test_what_no_object_has_is_a_warning(mapped_import):
    source = (
        "[fields]\nsku = 'sku'\nname = 'name'\nretail = 'prise'\nbrand = {from = 'x', default = ''}"
    )
    summary = await mapped_import(OBJECTS, "jsonl", source)
    told = [finding.field for finding in summary.findings if "no object has it" in finding.reason]
    assert (told, summary.products_added, summary.refused) == (["prise"], 2, 0)


def test_the_guide_shows_a_map_that_loads(tmp_path):
    from tests.imports.conftest import MAPS

    guide = (MAPS.parents[2] / "docs" / "guides" / "import.md").read_text()
    path = tmp_path / "map.toml"
    path.write_text(guide.split("```toml\n")[1].split("```")[0])
    assert len(load_map(path).fields) == 11


COMMA = '[file]\ndecimal_comma = true\ndelimiter = ";"\n'


async def test_a_decimal_comma_is_read(mapped_import, rows):
    text = "Handle;Title;Variant SKU;Variant Price\nm;M;S;1.234,50\n"
    await mapped_import(text, "shopify-csv", '[file]\ndecimal_comma = true\ndelimiter = ";"\n')
    assert await rows("select retail_minor from variants where shop_id = %s") == [(123450,)]


async def test_a_decimal_comma_goes_with_minor_units_and_with_objects(mapped_import, rows):
    text = "Handle;Title;Variant SKU;cents\nm;M;S;1999\n"
    source = f'{COMMA}[fields]\n"Variant Price" = {{from = "cents", minor_units = true}}'
    await mapped_import(text, "shopify-csv", source)
    source = '[file]\ndecimal_comma = true\n[fields]\nsku = "n"\nname = "n"\nretail = "p"'
    await mapped_import('{"n": "a", "p": "1.234,5"}\n{"n": "b", "p": 7}', "jsonl", source)
    found = await rows("select sku, retail_minor from variants where shop_id = %s order by sku")
    assert found == [("S", 1999), ("a", 123450), ("b", 700)]


@pytest.mark.parametrize(
    "field",
    [
        {"from": "b", "replace": {"o": "x" * 1_000, "x": "y" * 1_000}},
        {"from": "b", "replace": {"": "y" * 200_000}},
        {"from": "list", "split": "|", "join": "y" * 600_000},
        {"from": ["a", "b"], "join": "y" * 600_000},
    ],
)
def test_a_text_does_not_grow_past_the_largest_field(field):
    with pytest.raises(RowRefused, match="longer than 500000"):
        mapped(ROW, fields={"target": field})


def test_a_row_does_not_grow_past_the_largest_line():
    fields = {f"t{n}": {"from": "b", "replace": {"t": "y" * 499_000}} for n in range(20)}
    with pytest.raises(RowRefused, match="in its fields"):
        mapped(ROW, fields=fields)


def test_a_long_text_that_a_step_does_not_grow_is_kept():
    row = {"long": "ab" * 400_000}
    field = {"from": "long", "replace": {"a": "c"}}
    assert mapped(row, fields={"t": field})["t"] == "cb" * 400_000


def test_a_map_of_a_page_has_no_patterns():
    source = b"""[fields]\n"Title" = { from = "a", match = "^((a+)+)$" }"""
    assert parse_map(source).fields
    with pytest.raises(Unreadable, match="`match` works in maps of the command"):
        parse_map(source, is_from_page=True)
