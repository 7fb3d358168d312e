"""What pages for people outside the console share: headers, templates of form fields, a card's fields."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec

from crossdock.errors import Invalid
from crossdock.kit.languages import lazy
from crossdock.kit.numbers import read_number
from crossdock.shop.payments import Card, checked_card

CARD_FIELDS: Final = ("card_name", "card_number", "expiry_month", "expiry_year", "security_code")
CARD_SHOWN_AGAIN: Final = ("card_name", "expiry_month", "expiry_year")
"""A card's number and code are never shown again."""
CARD_MISSING: Final = {
    "card_name": lazy("Enter the name on the card."),
    "card_number": lazy("Enter the card number."),
    "expiry_month": lazy("Enter the month in which the card expires."),
    "expiry_year": lazy("Enter the year in which the card expires."),
    "security_code": lazy("Enter the security code."),
}
CARD_MISTAKES: Final = {
    "card_number": lazy("Check the card number: one of its digits seems to be wrong."),
    "expiry_month": lazy(
        "Enter the month as 1 to 12, as on the card. The card must not have expired."
    ),
    "expiry_year": lazy("Enter the year as on the card. The card must not have expired."),
    "security_code": lazy("The security code has 3 or 4 digits."),
}
CARD_DECLINED: Final = lazy("The card was declined. Nothing was charged. Try another card.")
_OF_CORE: Final = {
    "card_number": "card_number",
    "card_month": "expiry_month",
    "card_year": "expiry_year",
    "card_code": "security_code",
}
_NUMBER_MAX: Final = 4
_CENTURY: Final = 2000


class Mistake(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with a field."""

    field: str
    text: str


def page_headers(
    *,
    images: str = "'self' data:",
    framed_by: Sequence[str] = (),
    leads_to: Sequence[str] = (),
    nonce: str = "",
) -> dict[str, str]:
    """The response headers of a page for one person; `images` are the permitted image sources.

    `leads_to` are further origins, or schemes with their colon, that its forms may lead to. `framed_by`
    are the origins whose pages may show it in a frame; a browser that knows this rule ignores
    X-Frame-Options, which every response of the server has. Scripts run where they have the `nonce`;
    they may make styles by it and call this server.
    Referrer-Policy: no-referrer is set on every response of the server.
    """
    framers = " ".join(framed_by) or "'none'"
    targets = " ".join(["'self'", *leads_to])
    styles, scripts = "'self'", ""
    if nonce:
        styles = f"'self' 'nonce-{nonce}'"
        scripts = f"script-src 'nonce-{nonce}'; connect-src 'self'; "
    return {
        "Cache-Control": "no-store",
        "X-Robots-Tag": "noindex, nofollow",
        "Content-Security-Policy": (
            f"default-src 'none'; style-src {styles}; {scripts}img-src {images}; "
            f"base-uri 'none'; form-action {targets}; "
            f"frame-ancestors {framers}"
        ),
    }


def read_card(form: Mapping[str, str], *, now: datetime) -> Card | list[Mistake]:
    """The card in a form, or what is wrong with its fields, in their order."""
    given = {name: form.get(name, "").strip() for name in CARD_FIELDS}
    wrong = {name: CARD_MISSING[name] for name in CARD_FIELDS if not given[name]}
    try:
        card = checked_card(
            number=given["card_number"],
            month=_number(given["expiry_month"]),
            year=_year(given["expiry_year"]),
            code=given["security_code"],
            now=now,
        )
    except Invalid as error:
        names = [_OF_CORE[field] for field in error.data["fields"]]
        wrong = {name: CARD_MISTAKES[name] for name in names} | wrong
    if wrong:
        return [Mistake(field=name, text=str(wrong[name])) for name in CARD_FIELDS if name in wrong]
    return card


def _number(text: str) -> int:
    """The number; 0, which is no month and no year, for any other text."""
    return read_number(text, digits_max=_NUMBER_MAX) or 0


def _year(text: str) -> int:
    """The year, of which two digits are enough."""
    found = _number(text)
    return found + _CENTURY if 0 < found < 100 else found
