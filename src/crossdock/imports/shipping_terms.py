"""Shipping terms as a Google feed writes them: `IN::19A04:2.50 USD:::3:9`, several parted by commas.

The service is a courier's code without its country; of any other name its letters and digits make the code.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Final

from crossdock.imports import fields
from crossdock.imports.items import RowRefused
from crossdock.imports.reading import Reading
from crossdock.kit.money import format_minor
from crossdock.shop.catalogue import ShippingTerm

PARTS: Final = (
    *("country", "region", "service", "price", "min_handling_time", "max_handling_time"),
    *("min_transit_time", "max_transit_time"),
)
_NEEDED: Final = {"country", "price"}
COLUMNS: Final = {"shipping": PARTS} | {
    f"shipping {' '.join(parts).replace('_', ' ')}": parts
    for count in range(len(_NEEDED), len(PARTS) + 1)
    for parts in combinations(PARTS, count)
    if set(parts) >= _NEEDED
}
"""The plain names of a table's column, such as `shipping(country:price)`, with the parts of its cells."""
_OTHER_PLACES: Final = ("postal_code", "location_id", "location_group_name")
_SERVICE_MAX: Final = 30
_UNNAMED: Final = "STANDARD"
_NOT_CODE: Final = re.compile(r"[^A-Z0-9]+")


def packed_term(parts: Mapping[str, str]) -> str:
    """The elements of one `shipping` as a table's cell has them."""
    region = next(filter(None, (parts.get(n) for n in ("region", *_OTHER_PLACES))), "")
    found = [({**parts, "region": region}.get(name, "")).replace(":", " ") for name in PARTS]
    return ":".join(found).rstrip(":")


def term_text(term: ShippingTerm, *, currency: str) -> str:
    """The inverse of `read_terms` for one of them."""
    text = (
        f"{term.country}::{term.courier[2:]}:{format_minor(term.price_minor, currency)} {currency}"
    )
    return f"{text}:::{term.days[0]}:{term.days[1]}" if term.days else text


def read_terms(
    texts: Iterable[str], *, field: str, reading: Reading, parts: Sequence[str] = PARTS
) -> tuple[ShippingTerm, ...]:
    """The terms, each text one of them. Raises RowRefused for the field."""
    found: dict[str, ShippingTerm] = {}
    for text in texts:
        term = _term(text, field, reading, parts)
        if term.courier in found:
            raise RowRefused(field, "names a service of a country twice", text)
        found[term.courier] = term
    return tuple(found.values())


def _term(text: str, field: str, reading: Reading, parts: Sequence[str]) -> ShippingTerm:
    given = [part.strip() for part in text.split(":")]
    if len(given) > len(parts):
        raise RowRefused(field, f"has more parts than {':'.join(parts)}", text)
    named = dict(zip(parts, given, strict=False))
    if named.get("region"):
        raise RowRefused(field, "is for a part of a country, not for all of it", text)
    price = fields.price(
        named.get("price", ""),
        field=field,
        currency=reading.currency,
        decimal_comma=reading.decimal_comma,
    )
    if price is None:
        raise RowRefused(field, "has no price", text)
    country = named["country"].upper()
    service = _NOT_CODE.sub("", named.get("service", "").upper())[:_SERVICE_MAX]
    try:
        return ShippingTerm(
            courier=f"{country}{service or _UNNAMED}" if len(country) == len("US") else "",
            price_minor=price,
            days=_days(named, field),
        )
    except ValueError as error:
        raise RowRefused(field, str(error), text) from error


def _days(named: Mapping[str, str], field: str) -> tuple[int, int] | None:
    """The days of handling and of transit together; how long handling takes says nothing alone."""
    if not named.get("max_transit_time"):
        return None
    least, most = (
        sum(
            fields.quantity(named.get(f"{edge}_{what}_time", ""), field=field) or 0
            for what in ("handling", "transit")
        )
        for edge in ("min", "max")
    )
    return least, most
