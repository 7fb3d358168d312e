"""GTIN of 8, 12, 13 and 14 digits are one number space with a check digit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import ean

from crossdock.shop.catalogue import digits_of, normalise_gtin
from crossdock.shop.catalogue.identifiers import check_digit

bodies = st.one_of(*(st.text("0123456789", min_size=n, max_size=n) for n in (7, 11, 12, 13)))


@pytest.mark.parametrize(
    ("text", "gtin14"),
    [
        ("96385074", "00000096385074"),
        ("036000291452", "00036000291452"),
        ("4006381333931", "04006381333931"),
        ("10614141000415", "10614141000415"),
        ("0 36000 29145 2", "00036000291452"),
        ("978-0-306-40615-7", "09780306406157"),
    ],
)
def test_a_valid_number_is_compared_as_fourteen_digits(text, gtin14):
    assert normalise_gtin(text) == gtin14


@pytest.mark.parametrize(
    "text",
    ["", "0", "036000291453", "12345", "00000000", "03600029145", "0360002914521234", "ABC36000291452",
     "٠٣٦٠٠٠٢٩١٤٥٢", "036000291452\n", "-036000291452"],
)  # fmt: skip
def test_what_is_no_gtin_has_no_normal_form(text):
    assert normalise_gtin(text) is None


@given(bodies)
def test_agrees_with_the_standard_library_of_numbers(body):
    number = body + check_digit(body)
    expected = ean.is_valid(number) and set(number) != {"0"}
    assert (normalise_gtin(number) is not None) == expected


@given(bodies, st.integers(0, 12), st.integers(1, 9))
def test_one_wrong_digit_is_noticed(body, place, step):
    number = list(body + check_digit(body))
    place %= len(number)
    number[place] = str((int(number[place]) + step) % 10)
    assert normalise_gtin("".join(number)) is None


@given(st.text("0123456789", min_size=11, max_size=11).filter(lambda body: body.strip("0")))
def test_leading_zeros_make_no_difference(body):
    upc = body + check_digit(body)
    assert normalise_gtin(upc) == normalise_gtin("0" + upc) == normalise_gtin("00" + upc)


def test_digits_are_shown_without_what_stands_between_them():
    assert digits_of("978-0-306-40615-7") == "9780306406157"
    assert digits_of("SKU-1") == "SKU-1"
