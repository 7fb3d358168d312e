"""A VAT number that a person enters is checked by its state's rules."""

import pytest

from crossdock.errors import Invalid
from crossdock.shop.customers.vat import check_vat


@pytest.mark.parametrize(
    ("number", "country"),
    [
        ("BE0403019261", ""),
        ("be 0403.019.261", "BE"),
        ("0403.019.261", "BE"),
        ("NL004495445B01", "NL"),
        ("EL094259216", "GR"),
        ("094259216", "GR"),
        ("12-3456789", "US"),
        ("GB anything", "GB"),
        ("", "BE"),
        ("whatever it is", ""),
    ],
)
def test_a_right_number_and_one_from_elsewhere_pass(number, country):
    check_vat(number, country=country)


@pytest.mark.parametrize(
    ("number", "country", "state"),
    [
        ("BE0403019262", "", "BE"),
        ("BE0403019262", "US", "BE"),
        ("0403019262", "be", "BE"),
        ("NL1", "NL", "NL"),
        ("EL094259217", "GR", "EL"),
    ],
)
def test_a_wrong_one_is_refused_with_a_hint(number, country, state):
    with pytest.raises(Invalid) as refusal:
        check_vat(number, country=country)
    assert refusal.value.data == {"field": "vat"}
    assert f"is no VAT number of {state}: " in refusal.value.message
    assert "or leave it out" in refusal.value.message
