"""What tables have no column of their own for: how a product is shipped, whom it is for, what an order for it has."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from crossdock.imports import fields
from crossdock.imports.decoder_words import in_words
from crossdock.imports.items import CONTROL, RowRefused
from crossdock.imports.layouts import plain_name
from crossdock.imports.reading import Reading
from crossdock.imports.shipping_terms import read_terms, term_text
from crossdock.imports.tables import METAFIELDS
from crossdock.kit.countries import find_country, no_country
from crossdock.kit.money import format_minor
from crossdock.shop.catalogue import (
    CustomField,
    CustomFields,
    DayRange,
    OrderTerms,
    ProductRecord,
    fault_of,
)

OWN: Final = {
    "shipping_minor": "Shipping price",
    "free_shipping": "Free shipping",
    "shipping_days": "Shipping days",
    "shipping_terms": "Shipping terms",
    "ships_to": "Ships to",
    "target_users": "Target users",
    "features": "Features",
    "quantity_min": "Minimum quantity",
    "quantity_max": "Maximum quantity",
    "custom_fields": "Custom fields",
}
"""The fields, each with the name of its column in a table that has no other."""
EXTENSIONS: Final = {
    "target_users": ("meta wc gla gender",),
    "quantity_min": ("meta minimum allowed quantity",),
    "quantity_max": ("meta maximum allowed quantity",),
}
"""What extensions of WooCommerce call the same."""
USERS: Final = {
    "all": "all", "unisex": "all", "men": "men", "male": "men", "women": "women", "female": "women",
    "unknown": "unknown",
}  # fmt: skip
GENDERS: Final = {"all": "unisex", "men": "male", "women": "female"}
"""Whom goods are for, in the words of feeds."""
_DAYS: Final = re.compile(
    r"([0-9]{1,4})(?: ?[-–] ?([0-9]{1,4}))?(?: days?)?", re.ASCII | re.IGNORECASE
)

Names = Mapping[str, tuple[str, ...]]
"""For each field, the plain names of the columns that may have it."""


def own_names(own: Callable[[str], str], **others: tuple[str, ...]) -> Names:
    """The columns of a format: its own, which `own` makes of each name, `others`, and the bare names."""
    return {
        field: (plain_name(own(name)), *others.get(field, ()), plain_name(name))
        for field, name in OWN.items()
    }


def meta(name: str) -> str:
    """The column in WooCommerce's tables."""
    return f"Meta: _{name.lower().replace(' ', '_')}"


def metafield(name: str) -> str:
    """The column in Shopify's tables, where it is one of the product's metafields."""
    return f"{name} (product.metafields.{METAFIELDS}.{name.lower().replace(' ', '_')})"


def read_own(cells: Callable[[str], str], *, names: Names, reading: Reading) -> dict[str, Any]:
    """The fields of a product's row. Raises RowRefused for the column of one that cannot be read."""
    found: dict[str, Any] = {}
    for field, columns in names.items():
        column, text = next(((c, t) for c in columns if (t := cells(c))), ("", ""))
        if text:
            found[field] = _READ[field](text, column, reading)
            if field == "quantity_max" and _is_below(found):
                raise RowRefused(column, "is below the minimum", text)
    return found


def _is_below(found: Mapping[str, Any]) -> bool:
    least, most = found.get("quantity_min"), found["quantity_max"]
    return least is not None and most is not None and most < least


def own_texts(product: ProductRecord, *, currency: str) -> dict[str, str]:
    """The inverse of `read_own`: a text for each field, '' for one that is as it is by default."""
    days = product.shipping_days
    terms = [term_text(term, currency=currency) for term in product.shipping_terms]
    return {
        "shipping_minor": format_minor(product.shipping_minor, currency)
        if product.shipping_minor
        else "",
        "free_shipping": "yes" if product.free_shipping else "",
        "shipping_days": f"{days[0]}-{days[1]} days" if days else "",
        "shipping_terms": fields.join_list(terms),
        "ships_to": fields.join_list(product.ships_to),
        "target_users": GENDERS.get(product.target_users, ""),
        "features": fields.join_list(product.features),
        "quantity_min": str(product.quantity_min or ""),
        "quantity_max": str(product.quantity_max or ""),
        "custom_fields": msgspec.json.encode(product.custom_fields).decode()
        if product.custom_fields
        else "",
    }


def target_users(text: str, *, field: str) -> str:
    """'Unisex', 'women', or several as in 'Male; Female'. Raises RowRefused."""
    said = {USERS.get(word.strip().casefold()) for word in text.split(";")}
    if None in said:
        raise RowRefused(field, "is not all, men, women or unknown", text)
    return next(iter(said)) or "" if len(said) == 1 else "all"


def _price(text: str, field: str, reading: Reading) -> int:
    price = fields.price(
        text, field=field, currency=reading.currency, decimal_comma=reading.decimal_comma
    )
    return price or 0


def day_range(text: str, *, field: str) -> DayRange:
    """'3-10 days', '3-10' or '5'. Raises RowRefused."""
    match = _DAYS.fullmatch(text)
    if match is None:
        raise RowRefused(field, "is not a number of days, as 3-10", text)
    least, most = int(match[1]), int(match[2] or match[1])
    if least > most:
        raise RowRefused(field, "has fewer days at its end than at its start", text)
    return least, most


def _bound(text: str, field: str, reading: Reading) -> int | None:
    """A quantity; 0 is none, as shops' own plugins write it. One out of bounds is told with the record."""
    return fields.quantity(text, field=field, decimal_comma=reading.decimal_comma) or None


_READ: Final[Mapping[str, Callable[[str, str, Reading], Any]]] = {
    "shipping_minor": _price,
    "free_shipping": lambda text, field, _: fields.flag(text, field=field, default=False),
    "shipping_days": lambda text, field, _: day_range(text, field=field),
    "shipping_terms": lambda text, field, reading: read_terms(
        fields.split_list(text), field=field, reading=reading
    ),
    "ships_to": lambda text, field, _: countries(text, field=field),
    "target_users": lambda text, field, _: target_users(text, field=field),
    "features": lambda text, _, __: tuple(dict.fromkeys(fields.split_list(text))),
    "quantity_min": _bound,
    "quantity_max": _bound,
    "custom_fields": lambda text, field, _: custom_fields(text, field=field),
}


def custom_fields(text: str, *, field: str) -> tuple[CustomField, ...]:
    """The JSON of a product's `custom_fields` in JSON Lines. Raises RowRefused."""
    try:
        found: tuple[CustomField, ...] = _decode_fields(text)
    except (msgspec.DecodeError, RecursionError) as error:
        reason, _, where = str(error).partition(" - at ")
        place = f" at {where.strip('`')}" if where else ""
        raise RowRefused(
            field, f"is not a list of fields in JSON: {in_words(reason)}{place}", text
        ) from error
    if any(CONTROL.search(part) for each in found for part in (each.placeholder, each.regex)):
        raise RowRefused(field, "has control characters", text)
    if fault := fault_of(OrderTerms(custom_fields=found)):
        raise RowRefused(field, f"cannot be: {fault.field} {fault.reason}", text)
    return found


_decode_fields = msgspec.json.Decoder(CustomFields).decode


def countries(text: str, *, field: str) -> tuple[str, ...]:
    """'US, CN'. Raises RowRefused for a code that no country has."""
    codes = tuple(dict.fromkeys(code.upper() for code in fields.split_list(text)))
    unknown = next((code for code in codes if find_country(code) is None), None)
    if unknown:
        raise RowRefused(field, no_country(unknown), text)
    return codes
