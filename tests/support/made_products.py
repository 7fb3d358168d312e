"""Products that hypothesis makes up, and how they come back from a file."""

from hypothesis import strategies as st

from crossdock.imports.items import Read
from crossdock.imports.opening import open_source
from crossdock.imports.reading import Reading
from crossdock.shop.catalogue import AttributeUse, Image, ProductRecord, VariantRecord, plain_text
from crossdock.shop.shops import Shop
from crossdock.shop.stock import StockRecord

SHOP = Shop(
    id=1, slug="s", name="Shop & Söhne", currency="USD", country="US", languages=("en",),
    time_zone="UTC",
)  # fmt: skip
NASTY = [
    "=1+1", "-5", "+a", "@x", "'=q", "''-", "a,b", 'say "hi"', "a;b\tc", "two\nlines", "\\", "\\,",
    "a\\,b", "<b>", "&amp;", "&gt; >", "A > B", "茶 ☕", "É", "NULL", "\\N", "{x}", "a|b", "]]>", "id:7",
    "0", "true", "'90", "''7", "\\n",
]  # fmt: skip

letters = st.characters(
    codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\x7f\ufeff"
)
texts = (
    st.one_of(st.sampled_from(NASTY), st.text(letters, min_size=1, max_size=12))
    .map(plain_text)
    .filter(bool)
)
words = texts.filter(lambda text: "\n" not in text)
keys = st.text("abcXYZ0189-_./=+", min_size=1, max_size=12)
amounts = st.integers(0, 10**7)
urls = keys.map(lambda key: f"https://img.example/{key}?a=1,2&b=3")


@st.composite
def products(draw, *, count=4, variants_max=3):
    """Products with all their parts; handles and skus differ."""
    found = []
    for number in range(draw(st.integers(1, count))):
        names = draw(st.lists(words, max_size=2, unique=True))
        variants = tuple(
            draw(variant(f"S{number}-{index}", names))
            for index in range(draw(st.integers(1, variants_max)) if names else 1)
        )
        found.append(
            ProductRecord(
                handle=f"{draw(keys)}-{number}",
                name=draw(words),
                merchant=draw(words),
                currency="USD",
                variants=variants,
                description=draw(
                    st.sampled_from(["", "Plain.", "<p>A &amp; B</p>", "<i>x</i>\ny"])
                ),
                brand=draw(st.one_of(st.just(""), words)),
                attributes=draw(st.dictionaries(words, texts, max_size=3)),
                categories=tuple(draw(st.lists(st.tuples(words, words), max_size=2, unique=True))),
                images=tuple(
                    Image(url=url) for url in draw(st.lists(urls, max_size=3, unique=True))
                ),
                tags=tuple(draw(st.lists(words, max_size=3, unique=True))),
                option_names=tuple(names),
                enabled=draw(st.booleans()),
                featured=draw(st.booleans()),
                virtual=draw(st.booleans()),
                sort=draw(st.integers(-5, 5)),
            )
        )
    return found


@st.composite
def variant(draw, sku, names):
    """A variant with a value for each option."""
    managed = draw(st.booleans())
    retail = draw(st.integers(2, 10**7))
    return VariantRecord(
        sku=f"{draw(st.sampled_from(['', '=', '-', 'x,', chr(39) + '+']))}{sku}",
        upc=draw(st.sampled_from(["", "036000291452", "4006381333931", "123"])),
        part_number=draw(st.one_of(st.just(""), words)),
        options={name: draw(words) for name in names},
        image=draw(st.one_of(st.none(), urls)),
        retail_minor=retail,
        sale_minor=draw(st.one_of(st.none(), st.integers(1, retail - 1))),
        weight_g=draw(st.integers(0, 10**6)),
        origin=draw(st.sampled_from(["SC", "*", "Supplier"])),
        stock_managed=managed,
        stock=(StockRecord(pool="own", on_hand=draw(st.integers(0, 99))),) if managed else (),
    )


def use_of(records):
    """How the records use attributes."""
    names = sorted({name for record in records for name in record.attributes})
    most = max((len(r.attributes) + len(r.option_names) for r in records), default=0)
    return AttributeUse(names, len(names), most)


def read_back(records, *, writer, reader, tmp_path):
    """What is read of a file of that writer."""
    path = tmp_path / "file"
    made = writer(shop=SHOP, attributes=use_of(records))
    text = made.start() + "".join(made.product(record) for record in records) + made.end()
    path.write_bytes(text.encode())
    with open_source(path) as source:
        items = list(reader(source, Reading(currency="USD", merchant="Nobody")))
    assert all(isinstance(item, Read) for item in items), [
        item for item in items if not isinstance(item, Read)
    ]
    return items


def written_and_read(records, *, writer, reader, tmp_path):
    """The records as they come back."""
    items = read_back(records, writer=writer, reader=reader, tmp_path=tmp_path)
    return [item.record for item in items]
