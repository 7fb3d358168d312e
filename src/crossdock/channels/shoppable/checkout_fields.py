"""The body of a checkout: every field is read and checked, and each wrong one is told (spec 7.1)."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from crossdock.channels.plumbing import Unreadable, read_document, whole
from crossdock.channels.shoppable.errors import WireError
from crossdock.errors import Invalid
from crossdock.kit.countries import find_country, no_country
from crossdock.kit.email import is_email
from crossdock.kit.texts import visible
from crossdock.shop.customers import Address, missing_fields
from crossdock.shop.payments import Card, checked_card

MISSING: Final = "missing"
INVALID: Final = "invalid"
_KINDS: Final = ("shipping", "billing")
# field of an address: what it is called on the wire, behind `shipping_` or `billing_`; as a form shows them
ADDRESS: Final = {
    "first_name": "first_name",
    "last_name": "last_name",
    "company": "company",
    "address_1": "street1",
    "address_2": "street2",
    "city": "city",
    "state": "state",
    "postcode": "postal_code",
    "phone": "phone",
    "email": "email",
}
_REGIONAL: Final = ("city", "state", "postal_code")
_OPTIONAL: Final = ("company", "street2")
_CARD: Final = ("card_name", "card_number", "expiry_month", "expiry_year", "security_code")
# field of a card: what it is called on the wire
CARD: Final = {
    "card_number": "card_number",
    "card_month": "expiry_month",
    "card_year": "expiry_year",
    "card_code": "security_code",
}
COUNTRY: Final = {"shipping": "shipping_country_code", "billing": "billing_country"}
_COUNTRY_ALIAS: Final = "shipping_country"
REQUIRED: Final = (
    "cartId",
    *(f"{kind}_{name}" for kind in _KINDS for name in ADDRESS.values() if name not in _OPTIONAL),
    "billing_country",
    *_CARD,
)
KNOWN: Final = (
    *REQUIRED,
    *(f"{kind}_{name}" for kind in _KINDS for name in _OPTIONAL),
    COUNTRY["shipping"],
    "currency",
    "campaign",
    "opt_in",
    "language",
)
_READ: Final = (*KNOWN, _COUNTRY_ALIAS)
_TEXT_MAX: Final = 500
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_YES: Final = frozenset({"true", "1", "yes", "on"})


class Fields(msgspec.Struct, frozen=True, kw_only=True):
    """What a shopper gives; the card's repr hides its number. `currency` is '' where none is named."""

    cart_id: str
    shipping: Address
    billing: Address
    card: Card
    currency: str
    campaign: str
    opt_in: bool
    language: str


def read_checkout(body: bytes, *, content_type: str, now: datetime) -> Fields:
    """What the body says. Raises WireError 400 with the `fields` that are missing or invalid."""
    try:
        document = read_document(body, content_type=content_type)
    except Unreadable:
        document = None
    if not isinstance(document, dict):
        raise refused({}, text="The body is no JSON object.")
    return read_fields(_texts(document), now=now)


def read_fields(
    given: Mapping[str, str], *, now: datetime, regions_by_country: bool = False
) -> Fields:
    """The same of texts by name, as a form has them; they are cleaned first.

    With `regions_by_country` city, state and postal code are missing only where post to the country
    needs them; the protocol asks for them everywhere.
    """
    given = cleaned(given)
    wrong = _wrong_texts(given, kinds=_KINDS, required=REQUIRED, lax=regions_by_country)
    billing = _country(given.get("billing_country", ""), "billing", wrong)
    shipping_text = given.get(COUNTRY["shipping"]) or given.get(_COUNTRY_ALIAS) or billing
    shipping = _country(shipping_text, "shipping", wrong)
    currency = given.get("currency", "").upper()
    if currency and not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
        wrong["currency"] = INVALID
    if regions_by_country:
        _note_regions(given, "shipping", wrong, country=shipping)
        _note_regions(given, "billing", wrong, country=billing)
    card = _card(given, wrong, now=now)
    if wrong or card is None:
        raise refused(wrong, hints=_hints(given, wrong))
    return Fields(
        cart_id=given["cartId"],
        shipping=_address(given, "shipping", country=shipping),
        billing=_address(given, "billing", country=billing),
        card=card,
        currency=currency,
        campaign=given.get("campaign", ""),
        opt_in=given.get("opt_in", "").lower() in _YES,
        language=given.get("language", ""),
    )


def cleaned(given: Mapping[str, str]) -> dict[str, str]:
    """The texts without the blanks around them; '' for one that shows nothing.

    Control characters become blanks: a line break in a field would break labels and messages.
    """
    return {name: visible(_CONTROLS.sub(" ", text)) for name, text in given.items()}


def read_delivery(given: Mapping[str, str]) -> Address:
    """The shipping address of a form. Raises WireError 400 with the `fields` that are wrong."""
    required = [name for name in REQUIRED if name.startswith("shipping_")]
    required.append(COUNTRY["shipping"])
    wrong = _wrong_texts(given, kinds=("shipping",), required=required, lax=True)
    country = _country(given.get(COUNTRY["shipping"], ""), "shipping", wrong)
    _note_regions(given, "shipping", wrong, country=country)
    if wrong:
        raise refused(wrong, hints=_hints(given, wrong))
    return _address(given, "shipping", country=country)


def is_delivered_to(address: Address, given: Mapping[str, str]) -> bool:
    """Whether the fields of a form, if they are right, are this shipping address."""
    try:
        return read_delivery(given) == address
    except WireError:
        return False


def wire_name(kind: str, field: str) -> str:
    """What the field of an address is called, behind `shipping_` or `billing_`."""
    if field == "country":
        return COUNTRY[kind]
    return f"{kind}_{ADDRESS[field]}"


def refused(
    wrong: Mapping[str, str], *, text: str = "", hints: Iterable[str] = (), **more: Any
) -> WireError:
    """The refusal of a checkout, with the fields that are wrong."""
    said = text or " ".join((f"Check these fields: {', '.join(wrong)}.", *hints))
    return WireError(400, said, status=400, body={"fields": dict(wrong), **more})


def _wrong_texts(
    given: Mapping[str, str], *, kinds: Iterable[str], required: Iterable[str], lax: bool
) -> dict[str, str]:
    """What is missing, too long, or no e-mail address."""
    may_lack = {f"{kind}_{name}" for kind in kinds for name in _REGIONAL} if lax else set()
    wrong = {name: MISSING for name in required if name not in may_lack and not given.get(name)}
    wrong |= {
        name: INVALID
        for name in (f"{kind}_email" for kind in kinds)
        if given.get(name) and not is_email(given[name])
    }
    return wrong | {name: INVALID for name in _READ if len(given.get(name, "")) > _TEXT_MAX}


def _note_regions(
    given: Mapping[str, str], kind: str, wrong: dict[str, str], *, country: str
) -> None:
    """Note what post to the country needs; a city where the country itself is not known."""
    for field in missing_fields(_address(given, kind, country=country), contact=True):
        wrong.setdefault(wire_name(kind, field), MISSING)


def _texts(document: Mapping[str, Any]) -> dict[str, str]:
    """The texts; whole numbers and true or false as texts, others left out."""
    found = {}
    for name, value in document.items():
        if isinstance(value, bool):
            found[name] = "true" if value else "false"
        elif isinstance(value, str | int):
            found[name] = str(value)
    return found


def _country(text: str, kind: str, wrong: dict[str, str]) -> str:
    country = find_country(text) if len(text) == 2 else None
    if text and country is None:
        wrong[COUNTRY[kind]] = INVALID
    return country or ""


def _hints(given: Mapping[str, str], wrong: Mapping[str, str]) -> list[str]:
    """What is no country, once each, with the code that was probably meant."""
    names = [name for name in COUNTRY.values() if wrong.get(name) == INVALID]
    texts = [given.get(name) or given.get(_COUNTRY_ALIAS, "") for name in names]
    return [no_country(text) for text in dict.fromkeys(texts)]


def _card(given: Mapping[str, str], wrong: dict[str, str], *, now: datetime) -> Card | None:
    """The card; None, and each field that is wrong noted, where it can be none."""
    try:
        return checked_card(
            number=given.get("card_number", ""),
            month=_number(given.get("expiry_month", "")),
            year=_year(_number(given.get("expiry_year", "")), now=now),
            code=given.get("security_code", ""),
            now=now,
        )
    except Invalid as error:
        for field in error.data["fields"]:
            wrong.setdefault(CARD[field], INVALID)
        return None


def _number(text: str) -> int:
    found = whole(text)
    return found if found is not None and 0 <= found <= 9_999 else 0


def _year(year: int, *, now: datetime) -> int:
    """A year of two digits is one of this century."""
    return year + now.year // 100 * 100 if 0 < year < 100 else year


def _address(given: Mapping[str, str], kind: str, *, country: str) -> Address:
    values = {field: given.get(f"{kind}_{name}", "") for field, name in ADDRESS.items()}
    return Address(country=country, **values)
