"""The fields of a search by their names on the wire, and what is asked of each (spec 4.3).

Names are singular. `active` is no field: whatever is found is active.
"""

import re
from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation
from typing import Final

import msgspec

from crossdock.kit.money import exponent
from crossdock.shop.search import (
    FIELDS,
    Bool,
    Everything,
    Field,
    Fuzzy,
    Node,
    Nothing,
    OneOf,
    Pattern,
    Phrase,
    Present,
    Range,
    Word,
)

ACTIVE: Final = "active"
# name on the wire: the fields of the index that hold it, one or two.
NAMES: Final[dict[str, tuple[Field, ...]]] = {
    "name": ("name",),
    "brand": ("brand",),
    "category": ("category",),
    "merchant": ("merchant",),
    "color": ("color",),
    "material": ("material",),
    "description": ("description",),
    "id": ("variant_id", "sku"),
    "sku": ("variant_id", "sku"),
    "upc": ("upc",),
    "part_number": ("product_id", "part_number"),
    "merchant_sku": ("merchant_sku", "sku"),
    "merchant_item_id": ("merchant_item_id",),
    "size": ("size",),
    "merchant_id": ("merchant_id",),
    "category_id": ("category_id",),
    "coupon": ("coupon",),
    "price": ("price",),
    "retail_price": ("retail_price",),
    "sale_price": ("sale_price",),
    "shipping_charge": ("shipping_charge",),
    "ship_free_min": ("ship_free_min",),
    "ship_flat_rate": ("ship_flat_rate",),
    "on_sale": ("on_sale",),
    "onSale": ("on_sale",),
}
_TRUE: Final = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_GTIN_DIGITS: Final = 14
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
_BEYOND_PRICES: Final = Decimal(10**14)


class Bound(msgspec.Struct, frozen=True):
    """One end of a range; without a text it is open."""

    text: str | None
    is_included: bool


class Asking:
    """Makes leaves of a query for the goods of one currency. `name` is None for all searched fields."""

    def __init__(self, *, currency: str) -> None:
        self._scale = exponent(currency)

    def word(self, name: str | None, text: str) -> Node:
        """A word, or a whole value."""
        if name == ACTIVE:
            return Everything() if _TRUE.get(text.lower()) else Nothing()
        return self._each(
            name, lambda field: self._value(field, text, Word(text=text, field=field))
        )

    def phrase(self, name: str | None, text: str, *, slop: int) -> Node:
        """Words that follow each other."""
        if name == ACTIVE:
            return self.word(name, text)
        return self._each(
            name,
            lambda field: self._value(field, text, Phrase(text=text, slop=slop, field=field)),
        )

    def pattern(self, name: str | None, pattern: str) -> Node:
        """A word, or a whole value, with `*` and `?`."""
        if not pattern.strip("*"):
            return self.present(name)
        if name == ACTIVE:
            return Nothing()
        return self._each(name, lambda field: Pattern(pattern=pattern, field=field))

    def fuzzy(self, name: str | None, text: str, *, distance: int) -> Node:
        """A word so many letters away."""
        if name == ACTIVE:
            return Nothing()

        def leaf(field: Field | None) -> Node:
            is_text = field is None or FIELDS[field].kind == "text"
            return (
                Fuzzy(text=text, distance=distance, field=field)
                if is_text and distance
                else Word(text=text, field=field)
            )

        return self._each(name, leaf)

    def present(self, name: str | None) -> Node:
        """Goods that have the field."""
        if name is None or name == ACTIVE:
            return Everything()
        return self._each(name, lambda field: Present(field=field) if field else Everything())

    def between(self, name: str, low: Bound, high: Bound) -> Node:
        """Values between two ends; numbers where the field holds numbers, else words."""
        if name == ACTIVE:
            return Nothing()

        def leaf(field: Field | None) -> Node:
            assert field is not None  # a range names its field
            if FIELDS[field].kind == "number":
                return self._numbers(field, low, high)
            return Range(
                field=field,
                low=low.text,
                high=high.text,
                include_low=low.is_included,
                include_high=high.is_included,
            )

        return self._each(name, leaf)

    def _each(self, name: str | None, leaf: Callable[[Field | None], Node]) -> Node:
        if name is None:
            return leaf(None)
        nodes = tuple(leaf(field) for field in NAMES[name])
        return nodes[0] if len(nodes) == 1 else Bool(should=nodes)

    def _value(self, field: Field | None, text: str, plain: Node) -> Node:
        """The leaf of a single value, as the field holds it."""
        if field == "on_sale":
            known = _TRUE.get(text.strip().lower())
            return Nothing() if known is None else Word(text=str(known).lower(), field=field)
        if field == "upc":
            return upc(text)
        if field is not None and FIELDS[field].kind == "number":
            end = Bound(text, is_included=True)
            return self._numbers(field, end, end)
        return plain

    def _numbers(self, field: Field, low: Bound, high: Bound) -> Node:
        """Between whole minor units; an end that is no number is no range."""
        try:
            least, most = (self._minor(end, is_low=end is low) for end in (low, high))
            if low is high:
                most = self._minor(high, is_low=False)
        except InvalidOperation:
            return Nothing()
        return Range(field=field, low=least, high=most)

    def _minor(self, end: Bound, *, is_low: bool) -> int | None:
        if end.text is None:
            return None
        return minor_bound(end.text, scale=self._scale, is_low=is_low, is_included=end.is_included)


def minor_bound(text: str, *, scale: int, is_low: bool, is_included: bool = True) -> int:
    """The last whole minor unit inside a bound; one beyond every price stands for any such bound.

    Raises InvalidOperation for a text that is no number.
    """
    if not _NUMBER.fullmatch(text.strip()):
        raise InvalidOperation
    value = max(-_BEYOND_PRICES, min(_BEYOND_PRICES, Decimal(text.strip())))
    exact = value.scaleb(scale)
    whole = int(exact.to_integral_value(rounding=ROUND_CEILING if is_low else ROUND_FLOOR))
    if is_included or whole != exact:
        return whole
    return whole + 1 if is_low else whole - 1


def upc(text: str) -> Node:
    """A trade number, with zeros in front or without (spec 5)."""
    written = text.strip()
    if not (written.isascii() and written.isdigit()) or len(written) > _GTIN_DIGITS:
        return Word(text=written, field="upc")
    spellings = dict.fromkeys((written, written.zfill(_GTIN_DIGITS), written.lstrip("0")))
    return OneOf(field="upc", values=tuple(each for each in spellings if each))
