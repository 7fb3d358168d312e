"""A merchant's contact and terms as people write them, on pages and in commands."""

import re
from collections.abc import Collection, Mapping
from typing import Any, Final

from crossdock.errors import Invalid
from crossdock.kit.countries import read_country
from crossdock.kit.email import is_email
from crossdock.kit.money import MINOR_MAX, format_minor, format_rate_bp, parse_amount, parse_rate_bp
from crossdock.shop.catalogue.selling import MerchantView

MERCHANT_WORDS: Final = (
    "email",
    "country",
    "shipping",
    "free_from",
    "share",
    "customer_service_url",
    "return_policy_url",
    "connector",
)
"""Amounts are in major units of the shop's currency, the share in percent."""
_EMAIL_MAX: Final = 254
_URL: Final = re.compile(r"https?://[!-~]{1,2000}", re.ASCII)


def merchant_changes(
    words: Mapping[str, str], *, currency: str, connectors: Collection[str]
) -> dict[str, Any]:
    """The fields of a MerchantRecord that these words give; an empty word takes away what was there.

    Raises Invalid `invalid_input` with the `field`.
    """
    changes: dict[str, Any] = {}
    for name, word in words.items():
        text = word.strip()
        try:
            changes |= _read(name, text, currency=currency, connectors=connectors)
        except Invalid as error:
            raise Invalid(error.code, error.message, {**error.data, "field": name}) from error
    return changes


def merchant_words(merchant: MerchantView, *, currency: str) -> dict[str, str]:
    """The words that `merchant_changes` reads as what the merchant has now."""
    terms = merchant.terms
    free_from = terms.free_shipping_from_minor
    return {
        "email": merchant.email or "",
        "country": merchant.country or "",
        "shipping": format_minor(terms.shipping_flat_minor, currency),
        "free_from": "" if free_from is None else format_minor(free_from, currency),
        "share": format_rate_bp(terms.commission_bp),
        "customer_service_url": terms.customer_service_url,
        "return_policy_url": terms.return_policy_url,
        "connector": terms.connector,
    }


def _read(name: str, text: str, *, currency: str, connectors: Collection[str]) -> dict[str, Any]:
    match name:
        case "email":
            return {"email": _email(text) if text else None}
        case "country":
            return {"country": read_country(text) if text else None}
        case "shipping":
            return {"shipping_flat_minor": _minor(text, currency, least=0) if text else 0}
        case "free_from":
            return {"free_shipping_from_minor": _minor(text, currency, least=1) if text else None}
        case "share":
            return {"commission_bp": parse_rate_bp(text) if text else 0}
        case "connector":
            return {"connector": _connector(text, connectors)}
        case _:
            return {name: _url(text)}


def _email(text: str) -> str:
    if not is_email(text) or len(text) > _EMAIL_MAX:
        raise Invalid("invalid_input", f"{text[:80]!r} is not an e-mail address.")
    return text


def _minor(text: str, currency: str, *, least: int) -> int:
    minor = parse_amount(text, currency=currency)
    if not least <= minor <= MINOR_MAX:
        raise Invalid(
            "invalid_input", f"{text[:40]!r} is less than {format_minor(least, currency)}."
        )
    return minor


def _url(text: str) -> str:
    if text and not _URL.fullmatch(text):
        raise Invalid(
            "invalid_input", f"{text[:80]!r} is not an address of a web page (https://...)."
        )
    return text


def _connector(text: str, connectors: Collection[str]) -> str:
    if text and text not in connectors:
        known = ", ".join(connectors) or "none"
        raise Invalid("invalid_input", f"There is no connector {text!r:.80}; known are {known}.")
    return text
