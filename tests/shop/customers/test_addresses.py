"""An address is complete when it has what post to its country needs, and not more."""

import msgspec
import pytest

from crossdock.kit.countries import country_codes
from crossdock.shop.customers import Address, missing_fields

WHOLE = Address(
    first_name="Ada",
    last_name="Moreno",
    email="ada@moreno.example",
    phone="+32 15 55 02 00",
    address_1="1 Harbour Way",
    city="Town",
    state="State",
    postcode="1234",
    country="BE",
)


def missing(country: str, *lacking: str) -> tuple[str, ...]:
    blank = dict.fromkeys(lacking, " ")
    return missing_fields(msgspec.structs.replace(WHOLE, country=country, **blank), contact=True)


@pytest.mark.parametrize(
    ("country", "lacking"),
    [
        ("IE", ("postcode", "state")),
        ("HK", ("postcode", "state")), ("HK", ("postcode", "city")),
        ("AE", ("postcode", "state")), ("AE", ("postcode", "city")),
        ("KR", ("state",)),
        ("SG", ("city", "state")),
        ("JP", ("state",)), ("JP", ("city",)),
        ("CO", ("postcode", "state")), ("ID", ("state",)),
        ("GI", ("city", "state", "postcode")), ("MO", ("city", "state", "postcode")),
        ("BE", ("state",)), ("GB", ("state",)), ("NL", ("state",)), ("DE", ("state",)),
        ("PA", ("postcode", "state")), ("GH", ("postcode", "state")),
    ],
)  # fmt: skip
def test_may_lack_what_its_country_does_not_need(country, lacking):
    assert missing(country, *lacking) == ()


@pytest.mark.parametrize(
    ("country", "lacking", "told"),
    [
        ("US", ("state",), ("state",)), ("US", ("postcode",), ("postcode",)),
        ("US", ("city", "state", "postcode"), ("city", "state", "postcode")),
        ("CA", ("state",), ("state",)), ("AU", ("state",), ("state",)),
        ("BE", ("postcode",), ("postcode",)), ("BE", ("city",), ("city",)),
        ("IE", ("city",), ("city",)),
        ("HK", ("city", "state"), ("city",)), ("AE", ("city", "state"), ("city",)),
        ("JP", ("city", "state"), ("city",)), ("JP", ("postcode",), ("postcode",)),
        ("KR", ("city",), ("city",)), ("KR", ("postcode",), ("postcode",)),
        ("SG", ("postcode",), ("postcode",)),
        ("CR", ("state",), ("state",)), ("CR", ("postcode",), ()),
    ],
)  # fmt: skip
def test_needs_what_its_country_needs(country, lacking, told):
    assert missing(country, *lacking) == told


def test_of_every_country_a_whole_address_is_complete_and_an_empty_one_is_not():
    for country in country_codes():
        assert missing(country) == (), country
        assert missing(country, "address_1") == ("address_1",), country
        assert missing_fields(Address(country=country), contact=False)[:3] == (
            "first_name", "last_name", "address_1",
        )  # fmt: skip


@pytest.mark.parametrize("country", ["", "UK", "XX", "ß"])
def test_a_country_that_is_none_is_missing(country):
    assert missing(country) == ("country",)


@pytest.mark.parametrize(
    ("country", "postcode"),
    [
        ("BE", "B-2800"),
        ("NL", "1234ab"),
        ("GB", "sw1a1aa"),
        ("IE", "D02"),
        ("US", "33101-12"),
        ("JP", "?"),
    ],
)
def test_no_postcode_is_refused_for_its_form(country, postcode):
    odd = msgspec.structs.replace(WHOLE, country=country, postcode=postcode)
    assert missing_fields(odd, contact=True) == ()
