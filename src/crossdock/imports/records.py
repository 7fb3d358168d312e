"""Builds records and checks them against the bounds of the JSON Lines format."""

import re
from typing import Any

import msgspec

from crossdock.imports.decoder_words import in_words
from crossdock.imports.items import RowRefused
from crossdock.imports.odd_cells import Odd
from crossdock.shop.catalogue import ProductRecord, VariantRecord

_WHERE = re.compile(r" - at `(?:key in )?\$\.?(\w+).*`$", re.DOTALL)
SALE_PARTS = frozenset({"sale_minor", "sale_starts_at", "sale_ends_at"})
"""A sale whose time cannot be read is none: it would begin at once, or never end."""
_NEEDED = frozenset({"sku", "handle", "merchant", "currency", "variants", "type", "path", "slug"})
"""Without these there is no record. A name that is too long is cut, one that is missing is not made up."""
_NAME_MAX = 500


def checked_variant(odd: Odd, **parts: Any) -> VariantRecord:
    """The variant, without what is out of bounds, which `odd` tells.

    Raises RowRefused for a part without which there is none.
    """
    record: VariantRecord = _checked(VariantRecord(**parts), VariantRecord, odd)
    return record


def checked_product(odd: Odd, **parts: Any) -> ProductRecord:
    """The product, whose variants were checked before. Raises RowRefused likewise."""
    variants = parts.pop("variants")
    product: ProductRecord = _checked(ProductRecord(variants=(), **parts), ProductRecord, odd)
    return msgspec.structs.replace(product, variants=variants)


def _checked(record: Any, kind: Any, odd: Odd) -> Any:
    return convert_anyway(
        {name: getattr(record, name) for name in record.__struct_fields__}, kind, odd
    )


def convert_anyway(values: dict[str, Any], kind: Any, odd: Odd) -> Any:
    """A record of these values, without those that are out of bounds or of another kind.

    Raises RowRefused for a value without which there is no record, and for a name it does not know.
    """
    values = dict(values)
    types = _types_of(kind)
    while True:
        try:
            return msgspec.convert(values, kind, from_attributes=True)
        except msgspec.ValidationError as error:
            refusal = _refusal(error, values)
            name = refusal.field
            if name not in types or name not in values or not _can_go(name, values[name]):
                raise refusal from error
            group = SALE_PARTS if name in SALE_PARTS else {name}
            others = sorted(each for each in group - {name} if values.get(each) is not None)
            what = "the rest" if name == "name" else "the value"
            odd.add(refusal, group, what=what, with_it=others)
            _take_out(values, name, types[name])
            values = {each: value for each, value in values.items() if each not in others}


def _types_of(kind: Any) -> dict[str, Any]:
    """The types of a struct's fields; of a union, none: which of its structs it is cannot be left out."""
    is_struct = isinstance(kind, type) and issubclass(kind, msgspec.Struct)
    return {field.name: field.type for field in msgspec.structs.fields(kind)} if is_struct else {}


def _can_go(name: str, value: Any) -> bool:
    return name not in _NEEDED and not (name == "name" and not (isinstance(value, str) and value))


def _refusal(error: msgspec.ValidationError, values: dict[str, Any]) -> RowRefused:
    match = _WHERE.search(str(error))
    name = match[1] if match else ""
    reason = str(error)[: match.start()] if match else str(error)
    return RowRefused(name, in_words(reason), values.get(name, ""))


def _take_out(values: dict[str, Any], name: str, kind: Any) -> None:
    """Leave of a value what is in bounds: the parts of a list that are, the start of a name."""
    value = values.pop(name)
    if name == "name":
        values[name] = value[:_NAME_MAX].strip()
    elif isinstance(value, dict):
        kept = {key: part for key, part in value.items() if _fits({key: part}, kind)}
        if _fits(kept, kind):
            values[name] = kept
    elif isinstance(value, list | tuple):
        parts = [part for part in value if _fits([part], kind)]
        if _fits(parts, kind):
            values[name] = parts


def _fits(value: Any, kind: Any) -> bool:
    try:
        msgspec.convert(value, kind, from_attributes=True)
    except msgspec.ValidationError:
        return False
    return True
