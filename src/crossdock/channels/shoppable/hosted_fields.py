"""The fields of the hosted checkout's forms, and what is said of a wrong one."""

from collections.abc import Mapping
from functools import cache
from typing import Final

from crossdock.channels.shoppable.checkout_fields import ADDRESS, COUNTRY, MISSING
from crossdock.gate import (
    CARD_DECLINED,
    CARD_FIELDS,
    CARD_MISTAKES,
    CARD_NAMES,
    CARD_SHOWN_AGAIN,
    Mistake,
)
from crossdock.kit.countries import country_codes
from crossdock.kit.display import country_name

_SAME: Final = ("email", "phone")
# Fields are in the order in which the forms show them, in which mistakes are told too.
_PLACE: Final = tuple(name for name in ADDRESS.values() if name not in _SAME)
DELIVERY: Final = (
    "shipping_email",
    "shipping_phone",
    *(f"shipping_{name}" for name in _PLACE),
    COUNTRY["shipping"],
    "opt_in",
)
_BILLING: Final = (*(f"billing_{name}" for name in _PLACE), COUNTRY["billing"])
# What a refused form is shown with again; a card's number and code never are.
PAYMENT: Final = ("billing", *_BILLING, *CARD_SHOWN_AGAIN)
PAYMENT_ORDER: Final = (*CARD_FIELDS, *_BILLING)
_NAMES: Final = {
    "first_name": "first name",
    "last_name": "last name",
    "street1": "street and number",
    "city": "city",
    "state": "state, province or region",
    "postal_code": "postal code",
    "phone": "phone number",
    "email": "e-mail address",
    **CARD_NAMES,
    "country": "country",
    "country_code": "country",
}
_INVALID: Final = {
    "email": "Enter an e-mail address like name@example.com.",
    **CARD_MISTAKES,
    "country": "Choose a country.",
    "country_code": "Choose a country.",
}


def delivery_of(form: Mapping[str, str]) -> dict[str, str]:
    """The fields of the first step, each there."""
    return {name: form.get(name, "") for name in DELIVERY}


def checkout_of(
    form: Mapping[str, str], *, delivery: Mapping[str, str], cart_id: str, campaign: str
) -> dict[str, str]:
    """The fields of a checkout, as the API calls them, of both steps.

    The bill goes where the goods go unless the form says otherwise, and to the same mailbox always.
    """
    if form.get("billing") == "other":
        billing = {name: form.get(name, "") for name in _BILLING}
    else:
        billing = {f"billing_{name}": delivery.get(f"shipping_{name}", "") for name in _PLACE}
        billing[COUNTRY["billing"]] = delivery.get(COUNTRY["shipping"], "")
    billing |= {f"billing_{name}": delivery.get(f"shipping_{name}", "") for name in _SAME}
    card = {name: form.get(name, "") for name in CARD_FIELDS}
    more = {"cartId": cart_id, "campaign": campaign, "language": "en"}
    return {**delivery, **billing, **card, **more}


def mistakes_of(wrong: Mapping[str, str], *, names: tuple[str, ...]) -> list[Mistake]:
    """What to say of each wrong field, in the form's order; `names` are the form's fields."""
    order = {name: place for place, name in enumerate(names)}
    found = [Mistake(field=name, text=_text(name, why)) for name, why in wrong.items()]
    return sorted(found, key=lambda mistake: order.get(mistake.field, len(order)))


@cache
def countries() -> tuple[tuple[str, str], ...]:
    """Codes and names of all countries, by name."""
    found = [(code, country_name(code)) for code in country_codes()]
    return tuple(sorted(found, key=lambda pair: pair[1]))


def _text(name: str, why: str) -> str:
    field = name.removeprefix("shipping_").removeprefix("billing_")
    if why == "declined":
        return CARD_DECLINED
    if why == MISSING and field.startswith("country"):
        return _INVALID["country"]
    called = _NAMES.get(field, field.replace("_", " "))
    if why == MISSING:
        return f"Enter the {called}."
    return _INVALID.get(field, f"The {called} is too long.")
