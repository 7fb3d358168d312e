"""A label as it comes out of the printer..."""

import re
import unicodedata
from itertools import combinations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crossdock.errors import Invalid
from crossdock.shop.customers import Address
from crossdock.shop.warehouse import Parcel
from crossdock.shop.warehouse.carriers.code128 import bars
from crossdock.shop.warehouse.carriers.fonts import LabelFonts
from crossdock.shop.warehouse.carriers.label import Label, make_label
from crossdock.shop.warehouse.carriers.label_pdf import label_pdf
from crossdock.shop.warehouse.carriers.label_zpl import label_zpl
from crossdock.shop.warehouse.carriers.rendering import render_label
from tests.support.labels import Box, Picture, read_pdf, read_zpl

FONTS = LabelFonts(usual=())
NUMBER = "XDI0VPEBOWFBZAV2"
SENDER = Address(
    company="Magazijn Mechelen", street="Kade", house_number="1", city="Mechelen", country="BE"
)
_LATIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SPECIAL = {
    "AM": "աբգդեզէըթժիլխԱԲԳԴԵԶ",
    "AZ": _LATIN + "əğıöüçşƏĞİÖÜÇŞ",
    "BG": "абвгдежзийклмнопрстуфхцчшщъьюяАБВГДЕЖЗИЙ",
    "CY": "αβγδεζηθάέήίόύώϊΰΑΒΓΔΆΈ",
    "CZ": _LATIN + "áčďéěíňóřšťúůýžÁČĎÉĚÍŇÓŘŠŤÚŮÝŽ",
    "DE": _LATIN + "äöüßÄÖÜ",
    "DK": _LATIN + "æøåÆØÅ",
    "EE": _LATIN + "äõöüšžÄÕÖÜŠŽ",
    "ES": _LATIN + "áéíñóúüÁÉÍÑÓÚÜªº",
    "FR": _LATIN + "àâæçéèêëîïôœùûüÿÀÂÆÇÉÈÊËÎÏÔŒÙÛÜŸ",
    "GE": "აბგდევზთიკლმნოპჟრსტუფქღყშჩცძწჭხჯჰ",
    "GH": _LATIN + "ɛɔŋƐƆŊ",
    "GR": "αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰΑΒΓΔΕΖἈῆ",
    "HU": _LATIN + "áéíóöőúüűÁÉÍÓÖŐÚÜŰ",
    "IS": _LATIN + "áðéíóúýþæöÁÐÉÍÓÚÝÞÆÖ",
    "KZ": "абвгдеәғқңөұүһіӘҒҚҢӨҰҮҺІ",
    "LT": _LATIN + "ąčęėįšųūžĄČĘĖĮŠŲŪŽ",
    "LV": _LATIN + "āčēģīķļņšūžĀČĒĢĪĶĻŅŠŪŽ",
    "MT": _LATIN + "ċġħżĊĠĦŻ",
    "NG": _LATIN + "ɓɗƙẹọṣƁƊƘẸỌṢ",
    "PL": _LATIN + "ąćęłńóśźżĄĆĘŁŃÓŚŹŻ",
    "RO": _LATIN + "ăâîșțşţĂÂÎȘȚ",
    "RS": "абвгдђежзијклљмнњопрстћуфхцчџшЂЉЊЋЏ",
    "TR": _LATIN + "çğıöşüÇĞİÖŞÜ",
    "UA": "абвгґдеєжзиіїйклмнопрстуфхцчшщьюяҐЄІЇ",
    "VN": _LATIN + "ăâđêôơưẮẰẲẴẶẤẦẨẪẬếềểễệốồổỗộớờởỡợứừửữựỳỵỷỹ",
}
_PLAIN = ["AT", "AU", "BE", "BR", "CA", "CH", "FI", "GB", "HR", "IE", "IN", "IT", "JP", "LU", "MX"]
_PLAIN += ["NL", "NO", "NZ", "PT", "SE", "SG", "SI", "SK", "US", "ZA"]
COUNTRIES = {
    **dict.fromkeys(_PLAIN, _LATIN),
    **_SPECIAL,
}
assert len(COUNTRIES) >= 40


@st.composite
def addresses(draw: st.DrawFn) -> Address:
    """A receiver in one of the countries, in letters of its language; short and very long."""
    country = draw(st.sampled_from(sorted(COUNTRIES)))
    letters = st.text(st.sampled_from(COUNTRIES[country]), min_size=1, max_size=24)

    def words(most: int) -> str:
        return " ".join(draw(st.lists(letters, min_size=1, max_size=most)))

    digits = st.text(st.sampled_from("0123456789"), min_size=1, max_size=6)
    phone = draw(st.sampled_from(["", "+32 15 55 01 00"]))
    return Address(
        first_name=words(2),
        last_name=words(3),
        company=draw(st.sampled_from(["", words(5)])),
        street=words(6),
        house_number=draw(
            st.sampled_from(["", draw(digits), f"{draw(digits)}-{draw(digits)} bis"])
        ),
        box=draw(st.sampled_from(["", words(2)])),
        address_2=draw(st.sampled_from(["", words(5)])),
        postcode=draw(st.sampled_from(["", draw(digits), f"{draw(digits)} AB"])),
        city=words(3),
        state=draw(st.sampled_from(["", words(2)])),
        country=country,
        phone=phone,
    )


references = st.text(st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_#/ W"), max_size=80)


def parcel_to(receiver: Address, *, reference: str = "W-1", weight_g: int = 1250) -> Parcel:
    return Parcel(
        key="1",
        sender=SENDER,
        receiver=receiver,
        reference=reference,
        weight_g=weight_g,
        language="nl",
    )


def made(receiver: Address, *, reference: str, weight_g: int) -> Label:
    parcel = parcel_to(receiver, reference=reference, weight_g=weight_g)
    return make_label(parcel, carrier="DEMO", service="STANDARD", number=NUMBER, fonts=FONTS)


def rendered(receiver: Address, *, reference: str = "W-1") -> tuple[bytes, str]:
    parcel = parcel_to(receiver, reference=reference)
    return render_label(parcel, carrier="DEMO", service="STANDARD", number=NUMBER, fonts=FONTS)


def squeezed(text: str) -> str:
    """The text without blanks, so that a place where a row ends does not matter."""
    return "".join(unicodedata.normalize("NFC", text).split())


C18 = Address(
    first_name="Anneke",
    last_name="Jansen",
    street="Burgemeester van Heemstra Havensingel",
    house_number="128",
    box="3e verdieping",
    postcode="6512 AA",
    city="Nijmegen",
    country="NL",
    phone="+31 24 555 0100",
)
_STREET = ("street", "house_number", "box", "address_2", "postcode", "city", "state")
FIELDS = ("first_name", "last_name", "company", *_STREET, "phone")


@settings(max_examples=120, deadline=None)
@given(receiver=addresses(), reference=references, weight_g=st.integers(0, 1_000_000))
@example(receiver=C18, reference="N" * 35, weight_g=1_000_000)
@example(receiver=C18, reference="W" * 64, weight_g=1_000_000)
def test_as_pdf_has_every_character_and_no_text_over_another(
    receiver: Address, reference: str, weight_g: int
) -> None:
    label = made(receiver, reference=reference, weight_g=weight_g)

    _check_pdf(label_pdf(label, fonts=FONTS), receiver=receiver, reference=reference)


@settings(max_examples=60, deadline=None)
@given(receiver=addresses(), reference=references, weight_g=st.integers(0, 1_000_000))
@example(receiver=C18, reference="N" * 35, weight_g=1_000_000)
@example(receiver=C18, reference="W" * 64, weight_g=1_000_000)
def test_as_zpl_has_every_character_and_no_text_over_another(
    receiver: Address, reference: str, weight_g: int
) -> None:
    label = made(receiver, reference=reference, weight_g=weight_g)

    _check_zpl(label_zpl(label, fonts=FONTS), receiver=receiver, reference=reference)


def _check_pdf(pdf: bytes, *, receiver: Address, reference: str) -> None:
    printed = read_pdf(pdf)
    assert (round(printed.width), round(printed.height)) == (105, 148)
    text = squeezed(printed.text)
    for field in FIELDS:
        assert squeezed(getattr(receiver, field)) in text, field
    assert squeezed(reference) in text
    for box in printed.boxes:
        assert min(box.left, box.top) >= 3
        assert box.right <= printed.width - 3
        assert box.bottom <= printed.height - 3
    for one, other in combinations(printed.boxes, 2):
        assert not one.overlaps(other, by=0.05)


def _check_zpl(zpl: str, *, receiver: Address, reference: str) -> None:
    pictures = read_zpl(zpl)
    text = squeezed("".join(picture.comment for picture in pictures))
    for field in FIELDS:
        assert squeezed(getattr(receiver, field)) in text, field
    assert squeezed(reference) in text
    boxes = [picture.box for picture in pictures] + _others(zpl)
    for box in boxes:
        assert min(box.left, box.top) >= 0
        assert box.right <= 812
        assert box.bottom <= 1218
    for one, other in combinations(boxes, 2):
        assert not one.overlaps(other)
    for picture in pictures:
        _has_its_letters(picture)


def _others(zpl: str) -> list[Box]:
    """The boxes of the rules and of the bar code."""
    boxes = [
        Box(x, y, x + width, y + height)
        for x, y, width, height in (
            map(int, found) for found in re.findall(r"\^FO(\d+),(\d+)\^GB(\d+),(\d+),\d+\^FS", zpl)
        )
    ]
    found = re.search(r"\^BY(\d),3,\d+\n\^FO(\d+),(\d+)\^BCN,(\d+),N,N,N\^FH\^FD(.*)\^FS", zpl)
    assert found is not None
    module, x, y, height = map(int, found.groups()[:4])
    quiet = 10 * module
    width = sum(bars(found[5])) * module
    return [*boxes, Box(x - quiet, y, x + width + quiet, y + height)]


def _has_its_letters(picture: Picture) -> None:
    """Black dots for each letter, and none where the picture's edge could cut one."""
    assert picture.columns.count("1") >= len(squeezed(picture.comment))
    assert picture.columns[0] == picture.columns[-1] == "0"
    assert picture.rows[0] == picture.rows[-1] == 0


def test_wraps_between_street_and_number() -> None:
    _, zpl = rendered(C18)

    by_text = {picture.comment: picture for picture in read_zpl(zpl)}
    letters = by_text["Burgemeester van Heemstra Havensingel"].columns.replace("0", " ").split()
    assert len(letters) >= len("BurgemeestervanHeemstraHavensingel") - 4
    assert {"128 / 3e verdieping", "6512 AA Nijmegen", "NEDERLAND"} <= set(by_text)


def test_of_a_vietnamese_name_in_capitals_keeps_its_marks() -> None:
    _, zpl = rendered(Address(first_name="ẲẴỖỄ", city="Huế", country="VN"))

    picture = next(picture for picture in read_zpl(zpl) if picture.comment == "ẲẴỖỄ")
    _has_its_letters(picture)
    assert sum(row != 0 for row in picture.rows) > 40


@pytest.mark.parametrize(
    ("address", "field", "characters"),
    [
        (Address(first_name="東京", city="Kyoto", country="JP"), "receiver.first_name", "東京"),
        (Address(first_name="An", city="דרך", country="IL"), "receiver.city", "דרך"),
        (Address(first_name="An", street="شارع", country="AE"), "receiver.street", "شارع"),
        (Address(first_name="An", street="हिन्दी", country="IN"), "receiver.street", "हिन्दी"),
        (Address(first_name="An 😊", country="BE"), "receiver.first_name", "😊"),
        (Address(first_name="An", box="\ue000", country="BE"), "receiver.box", "\ue000"),
    ],
)
def test_refuses_letters_that_it_cannot_print(
    address: Address, field: str, characters: str
) -> None:
    with pytest.raises(Invalid) as refused:
        rendered(address)

    assert refused.value.data["field"] == field
    assert set(refused.value.data["characters"]) <= set(characters)
    assert field in refused.value.message
    assert (characters[0] if characters.isprintable() else "U+E000") in refused.value.message


@pytest.mark.parametrize(
    ("address", "reference", "field"),
    [
        (Address(first_name="An", street="Lange Straat " * 200), "", "receiver.street"),
        (Address(first_name="M" * 2000), "", "receiver.first_name"),
        (Address(first_name="An"), "W" * 2000, "reference"),
    ],
)
def test_refuses_what_does_not_fit(address: Address, reference: str, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        rendered(address, reference=reference)

    assert refused.value.data == {"field": field}
    assert f"{field} has " in refused.value.message


def test_takes_every_field_at_the_length_that_channels_take() -> None:
    street = ("Avenue des Combattants de la Libération " * 7)[:255].strip()
    receiver = Address(first_name="Anne", last_name="Martin", street=street, house_number="128")

    pdf, _ = rendered(receiver, reference="R" * 191)

    assert squeezed(street + "128") in squeezed(read_pdf(pdf).text)
    assert "R" * 191 in squeezed(read_pdf(pdf).text)
