"""A label..."""

import io
import logging
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from crossdock.errors import Invalid
from crossdock.kit.logging import configure_logging
from crossdock.shop.customers import Address
from crossdock.shop.warehouse import Parcel
from crossdock.shop.warehouse.carriers.code128 import bars
from crossdock.shop.warehouse.carriers.fonts import LabelFonts
from crossdock.shop.warehouse.carriers.label import TIE, Label, make_label
from crossdock.shop.warehouse.carriers.label_pdf import label_pdf
from crossdock.shop.warehouse.carriers.label_zpl import escaped, label_zpl
from tests.support.labels import read_zpl
from tests.support.warehousing import RECEIVER

ONLY_OURS = LabelFonts(usual=())
_ANY = st.characters(max_codepoint=0x24F)  # every one in our fonts, and control characters
_DEJAVU = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"


@pytest.fixture
def log_stream() -> Iterator[io.StringIO]:
    """What the server would log at its most talkative."""
    stream = io.StringIO()
    configure_logging(level="debug", format="json", stream=stream)
    yield stream
    structlog.reset_defaults()
    logging.getLogger().handlers.clear()
    logging.getLogger().setLevel(logging.WARNING)


def _label(
    receiver: Address = RECEIVER,
    *,
    number: str = "XDI0VPEBOWFBZAV2",
    weight_g: int = 1250,
    **changes: str,
) -> Label:
    parcel = Parcel(
        key="1",
        sender=Address(company="Shop", country="BE"),
        receiver=receiver,
        reference=changes.get("reference", "W-1"),
        weight_g=weight_g,
        language=changes.get("language", "nl"),
    )
    return make_label(parcel, carrier="DEMO", service="STANDARD", number=number, fonts=ONLY_OURS)


def test_says_who_where_and_what_in_the_language_of_the_receiver() -> None:
    label = _label()

    assert label.captions == ("Afzender", "Aan", "Referentie", "Gewicht")
    assert label.who == ("Noor Peeters",)
    assert label.where == ("Veemarkt 7\xa0/\xa02",)
    assert (label.town, label.country, label.weight) == ("2800 Mechelen", "BELGIË", "1.250\xa0kg")
    assert _label(language="xx").captions[0] == "From"


@pytest.mark.parametrize(
    ("language", "country", "named"),
    [
        ("nl", "DE", "Duitsland"),
        ("fr", "US", "États-Unis"),
        ("en", "TZ", "Tanzania"),
        ("de", "AT", "Österreich"),
        ("nl", "vn", "Vietnam"),
        ("xx", "BE", "Belgium"),
        ("nl", "ZZ", "ZZ"),
        ("nl", "", ""),
    ],
)
def test_names_the_country_in_its_language(language: str, country: str, named: str) -> None:
    label = _label(Address(first_name="An", country=country), language=language)

    assert label.country == named.upper()


def test_names_the_sender_s_country_in_its_language_too() -> None:
    assert _label().sender == ("Shop", "België")
    assert _label(language="fr").sender == ("Shop", "Belgique")


def test_captions_nothing_that_is_not_there() -> None:
    bare = _label(reference=" ", weight_g=0)

    assert bare.captions == ("Afzender", "Aan", "", "")
    assert (bare.reference, bare.weight) == ("", "")
    zpl = label_zpl(bare, fonts=ONLY_OURS)
    assert "Gewicht" not in zpl
    assert "Referentie" not in zpl
    assert "Gewicht" in label_zpl(_label(), fonts=ONLY_OURS)


@pytest.mark.parametrize(
    ("address", "lines"),
    [
        (Address(street="Kerkstraat", house_number="12"), ("Kerkstraat 12",)),
        (
            Address(street="Kerkstraat", house_number="12", box=" A", address_2="A "),
            ("Kerkstraat 12 / A",),
        ),
        (
            Address(street="Kerkstraat", house_number="12", box="A", address_2="Back door"),
            ("Kerkstraat 12 / A", "Back door"),
        ),
        (Address(address_1="1 High Street", address_2="Unit 4"), ("1 High Street", "Unit 4")),
        (Address(address_1="1 High Street", box="4", address_2="4"), ("1 High Street / 4",)),
        (Address(box="4", address_2="4"), ("4",)),
        (Address(address_1="Kerkstraat", house_number="12"), ("Kerkstraat 12",)),
        (Address(address_1="Rue du 4 Août", house_number="4"), ("Rue du 4 Août 4",)),
        (
            Address(street="Kerkstraat", house_number="12", address_1="Kerkstraat 12, A"),
            ("Kerkstraat 12", "Kerkstraat 12, A"),
        ),
        (
            Address(street="Kerkstraat", house_number="12", box="A", address_1="Kerkstraat 12 / A"),
            ("Kerkstraat 12 / A",),
        ),
        (
            Address(street="Main Street", house_number="128", box="Apt 4", country="US"),
            ("128 Main Street / Apt 4",),
        ),
    ],
)
def test_says_each_part_of_the_street_once(address: Address, lines: tuple[str, ...]) -> None:
    label = _label(address)

    assert tuple(line.replace(TIE, " ") for line in label.where) == lines
    said = [picture.comment for picture in read_zpl(label_zpl(label, fonts=ONLY_OURS))]
    assert [said.count(line) for line in lines] == [1] * len(lines)


@pytest.mark.parametrize(
    ("country", "town"),
    [
        ("BE", "62701 Springfield IL"),
        ("US", "Springfield, IL 62701"),
        ("CA", "Springfield IL 62701"),
        ("GB", "Springfield 62701 IL"),
        ("JP", "Springfield, IL 62701"),
        ("AE", "Springfield IL 62701"),
        ("ZZ", "62701 Springfield IL"),
    ],
)
def test_orders_the_town_as_its_country_does(country: str, town: str) -> None:
    address = Address(postcode="62701", city="Springfield", state="IL", country=country)

    assert _label(address).town == town
    assert _label(Address(city="Springfield", country=country)).town == "Springfield"


def test_as_pdf_is_one_a6_page() -> None:
    pdf = label_pdf(_label(), fonts=ONLY_OURS)

    assert pdf.startswith(b"%PDF-")
    assert pdf.count(b"/Type /Page\n") == 1
    box = re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf)
    assert box is not None
    assert [round(float(side) * 25.4 / 72) for side in box.groups()] == [105, 148]


def test_as_pdf_draws_the_bars_of_the_number() -> None:
    pdf = label_pdf(_label(), fonts=ONLY_OURS)
    streams = [
        zlib.decompress(s)
        for s in re.findall(rb"stream\n(.*?)\nendstream", pdf, re.DOTALL)
        if s[:1] == b"x"
    ]
    content = next(s for s in streams if b" re f" in s)

    drawn = [
        float(width) for width in re.findall(rb"[\d.]+ [\d.]+ ([\d.]+) -?[\d.]+ re f", content)
    ]

    widths = bars("XDI0VPEBOWFBZAV2")[::2]
    assert len(drawn) == len(widths)
    module = drawn[0] / widths[0]
    assert [round(width / module) for width in drawn] == widths


@settings(max_examples=20, deadline=None)
@given(
    texts=st.lists(st.text(_ANY, max_size=80), min_size=6, max_size=6),
    reference=st.text(_ANY, max_size=80),
)
def test_can_be_made_of_any_text(texts: list[str], reference: str) -> None:
    names = ("first_name", "last_name", "company", "street", "postcode", "city")
    label = _label(Address(**dict(zip(names, texts, strict=True))), reference=reference)

    assert label_pdf(label, fonts=ONLY_OURS).startswith(b"%PDF-")
    zpl = label_zpl(label, fonts=ONLY_OURS)
    assert re.fullmatch(r"(\^[A-Z][^\^~]*)+", zpl)
    assert zpl.count("^XA") == zpl.count("^XZ") == 1
    zpl.encode()


def test_as_pdf_tells_the_log_nothing(log_stream: io.StringIO) -> None:
    label_pdf(_label(), fonts=ONLY_OURS)

    assert log_stream.getvalue() == ""


def test_knows_which_letters_it_cannot_write() -> None:
    assert ONLY_OURS.missing("Żółć Ελένη Новиков ½ Ἀ Ա ქ Ẵ ɛ") == ""
    assert ONLY_OURS.missing("A東京東") == "東京"


def test_writes_other_spellings_of_a_letter_and_drops_what_nobody_sees() -> None:
    label = _label(
        Address(first_name="Zo\u0065\u0308", last_name="１２\u200b\u00ad", city="A\u00a0\nB")
    )

    assert label.who == ("Zoë 12",)
    assert label.town == "A B"


@pytest.mark.skipif(not Path(_DEJAVU).is_file(), reason="no such font here")
def test_finds_letters_in_fonts_that_are_named() -> None:
    fonts = LabelFonts([_DEJAVU], usual=())

    assert fonts.missing("ⵜⵉⴼⵉⵏⴰⵖ") == ""
    assert fonts.missing("שלום") == "שלום"  # it has them, but not from right to left
    faces = [run.path.name for run in fonts.runs("Rue ⵜⵉ", bold=False)]
    assert faces == ["DejaVuSansCondensed.ttf", "DejaVuSans.ttf"]


def test_survives_a_font_that_is_none(tmp_path: Path) -> None:
    broken = tmp_path / "broken.ttf"
    broken.write_bytes(b"not a font")

    assert LabelFonts([str(broken), str(tmp_path / "absent.ttf")], usual=()).others == ()


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("^XZ^XA", "_5EXZ_5EXA"),
        ("~JA", "_7EJA"),
        ("a_b", "a_5Fb"),
        ("a\\&b", "a_5C&b"),
        ("a\nb\x00", "a_0Ab_00"),
        ("é東", "é東"),
        ("\u2028", "_E2_80_A8"),
    ],
)
def test_as_zpl_escapes_what_could_be_a_command(text: str, written: str) -> None:
    assert escaped(text) == written


def test_as_zpl_carries_its_number_as_code_128_and_its_texts_as_pictures() -> None:
    zpl = label_zpl(_label(Address(first_name="Zoë", company="A^XZ~JA")), fonts=ONLY_OURS)

    assert "^BCN,192,N,N,N^FH^FDXDI0VPEBOWFBZAV2^FS" in zpl
    assert "^FX Zoë\n" in zpl
    assert "^FX A XZ JA\n" in zpl
    assert (zpl.count("^XZ"), zpl.count("~")) == (1, 0)


@pytest.mark.parametrize("number", ["", "é", "x" * 49, "a\nb"])
def test_of_a_number_that_is_no_bar_code_is_refused(number: str) -> None:
    with pytest.raises(Invalid):
        bars(number)
    with pytest.raises(Invalid):
        label_zpl(_label(number=number), fonts=ONLY_OURS)


def test_bars_are_those_of_the_standard() -> None:
    # Start B, 'A', check 34, stop.
    assert bars("A") == [int(w) for w in "211214" + "111323" + "131123" + "2331112"]
    assert sum(bars("CROSSDOCK-0042")) == 11 * (14 + 2) + 13
