"""What of a variant a shopper chooses by..."""

import pytest

from crossdock.shop.search import Traits, option_names, traits_of

NAMES = option_names(color=["Color", "Farbe"], size=["Size"], material=["Material"])


@pytest.mark.parametrize(
    ("labels", "traits"),
    [
        ([{}], Traits()),
        ([{"COLOR": "Red", "size": " M "}], Traits(color="Red", size=" M ")),
        ([{"Color": "Red"}, {"Farbe": "Rot"}, {"color": "Blue"}], Traits(color="Blue")),
        ([{"Color": "Red"}, {"Color": ""}], Traits(color="Red")),
        ([{"Material": "Oak", "Taille": "L"}, {"Material": "Steel"}], Traits(material="Steel")),
    ],
)
def test_is_what_its_options_say_else_its_attributes_else_its_products(labels, traits):
    assert traits_of(NAMES, *labels) == traits
