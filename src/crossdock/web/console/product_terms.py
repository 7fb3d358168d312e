"""How a product is shipped and whom it is for, as the texts of fields that people type in."""

import re
from collections.abc import Mapping
from typing import Final, get_args

import msgspec

from crossdock.errors import Invalid
from crossdock.kit.countries import find_country, no_country
from crossdock.kit.languages import gettext
from crossdock.kit.money import format_minor, parse_typed_amount
from crossdock.shop.catalogue import DayRange, ProductTerms, ShippingTerm, TargetUsers

USERS: Final = get_args(TargetUsers)
TERMS: Final = ("shipping", "free", "days", "terms", "countries", "users", "features")
"""The fields of the form."""
_DAYS: Final = re.compile(r"([0-9]{1,4})(?:\s*[-–]\s*([0-9]{1,4}))?", re.ASCII)
_FEATURES_MAX: Final = 5
_DAYS_MAX: Final = 1_000
_FEATURE_MAX: Final = 1_000


def terms_texts(terms: ProductTerms, *, currency: str) -> dict[str, str]:
    """Every field with the text that is stored."""
    return {
        "shipping": format_minor(terms.shipping_minor, currency),
        "free": "yes" if terms.free_shipping else "no",
        "days": _days_text(terms.shipping_days),
        "terms": "\n".join(_term_text(term, currency) for term in terms.shipping_terms),
        "countries": ", ".join(terms.ships_to),
        "users": terms.target_users,
        "features": "\n".join(terms.features),
    }


def changed_terms(
    changed: Mapping[str, str], stored: ProductTerms, *, currency: str
) -> ProductTerms:
    """The stored ones with what is changed. Raises Invalid `invalid_input` in the words of the field."""
    values: dict[str, object] = {}
    if (text := changed.get("shipping")) is not None:
        values["shipping_minor"] = _amount(text, currency)
    if (text := changed.get("free")) is not None:
        values["free_shipping"] = text == "yes"
    if (text := changed.get("days")) is not None:
        values["shipping_days"] = _days(text)
    if (text := changed.get("terms")) is not None:
        values["shipping_terms"] = _terms(text, currency)
    if (text := changed.get("countries")) is not None:
        values["ships_to"] = _countries(text)
    if (text := changed.get("users")) is not None:
        values["target_users"] = text if text in USERS else "unknown"
    if (text := changed.get("features")) is not None:
        values["features"] = _features(text)
    return msgspec.structs.replace(stored, **values)


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.replace("\x00", "").splitlines() if line.strip()]


def _days_text(days: DayRange | None) -> str:
    return f"{days[0]}-{days[1]}" if days else ""


def _term_text(term: ShippingTerm, currency: str) -> str:
    parts = (term.courier, format_minor(term.price_minor, currency), _days_text(term.days))
    return " ".join(filter(None, parts))


def _amount(text: str, currency: str) -> int:
    minor = parse_typed_amount(text.strip() or "0", currency=currency)
    if minor < 0:
        raise _wrong(
            gettext("Shipping cannot cost less than nothing: %(text)s.") % {"text": text[:100]}
        )
    return minor


def _days(text: str) -> DayRange | None:
    if not text.strip():
        return None
    match = _DAYS.fullmatch(text.strip())
    least, most = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
    if least > most or most > _DAYS_MAX:
        raise _wrong(gettext("Write days as 3-10, not as %(text)s.") % {"text": text[:100]})
    return least, most


def _terms(text: str, currency: str) -> tuple[ShippingTerm, ...]:
    found: dict[str, ShippingTerm] = {}
    for line in _lines(text):
        term = _term(line, currency)
        if term.courier in found:
            raise _wrong(gettext("The courier %(code)s is there twice.") % {"code": term.courier})
        found[term.courier] = term
    return tuple(found.values())


def _term(line: str, currency: str) -> ShippingTerm:
    courier, *rest = line.split(maxsplit=2)
    if not rest or re.fullmatch(r"[A-Z]{2}[A-Z0-9]{1,30}", courier) is None:
        message = gettext(
            "Write a courier's code, a price and days in each line, as IN19A04 2.50 3-10, not %(text)s."
        ) % {"text": line[:100]}
        raise _wrong(message)
    if find_country(courier[:2]) is None:
        raise _wrong(no_country(courier[:2]))
    days = _days(rest[1]) if len(rest) > 1 else None
    return ShippingTerm(courier=courier, price_minor=_amount(rest[0], currency), days=days)


def _countries(text: str) -> tuple[str, ...]:
    codes = [code for code in re.split(r"[\s,;]+", text.replace("\x00", "")) if code]
    unknown = next((code for code in codes if find_country(code) is None), None)
    if unknown is not None:
        raise _wrong(no_country(unknown))
    return tuple(dict.fromkeys(code.upper() for code in codes))


def _features(text: str) -> tuple[str, ...]:
    lines = tuple(dict.fromkeys(_lines(text)))
    if len(lines) > _FEATURES_MAX or any(len(line) > _FEATURE_MAX for line in lines):
        raise _wrong(gettext("At most five features, of 1,000 characters each."))
    return lines


def _wrong(message: str) -> Invalid:
    return Invalid("invalid_input", message)
