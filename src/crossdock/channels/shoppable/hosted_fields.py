"""The fields of the hosted checkout's forms, and what is said of a wrong one."""

from collections.abc import Mapping
from typing import Final

from crossdock.channels.shoppable.checkout_fields import ADDRESS, COUNTRY, MISSING
from crossdock.gate import (
    CARD_DECLINED,
    CARD_FIELDS,
    CARD_MISSING,
    CARD_MISTAKES,
    CARD_SHOWN_AGAIN,
    Mistake,
)
from crossdock.kit.languages import lazy, spoken

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
_MISSING: Final = {
    "first_name": lazy("Enter the first name."),
    "last_name": lazy("Enter the last name."),
    "street1": lazy("Enter the street and number."),
    "city": lazy("Enter the city."),
    "state": lazy("Enter the state, province or region."),
    "postal_code": lazy("Enter the postal code."),
    "phone": lazy("Enter the phone number."),
    "email": lazy("Enter the e-mail address."),
    **CARD_MISSING,
    "country": lazy("Choose a country."),
    "country_code": lazy("Choose a country."),
}
_INVALID: Final = {
    "email": lazy("Enter an e-mail address like name@example.com."),
    **CARD_MISTAKES,
    "country": lazy("Choose a country."),
    "country_code": lazy("Choose a country."),
}
_TOO_LONG: Final = lazy("This is too long.")


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
    more = {"cartId": cart_id, "campaign": campaign, "language": spoken()}
    return {**delivery, **billing, **card, **more}


def mistakes_of(wrong: Mapping[str, str], *, names: tuple[str, ...]) -> list[Mistake]:
    """What to say of each wrong field, in the form's order; `names` are the form's fields."""
    order = {name: place for place, name in enumerate(names)}
    found = [Mistake(field=name, text=_text(name, why)) for name, why in wrong.items()]
    return sorted(found, key=lambda mistake: order.get(mistake.field, len(order)))


def _text(name: str, why: str) -> str:
    field = name.removeprefix("shipping_").removeprefix("billing_")
    if why == "declined":
        return CARD_DECLINED
    texts = _MISSING if why == MISSING else _INVALID
    return texts.get(field, _TOO_LONG)
