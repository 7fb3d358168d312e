"""Records made from parts, checked against the same bounds that JSON Lines are decoded with."""

import re
from typing import Any

import msgspec

from crossdock.imports.items import RowRefused
from crossdock.shop.catalogue import ProductRecord, VariantRecord

_WHERE = re.compile(r" - at `\$\.?(\w+).*`$", re.DOTALL)

_WORDS = {
    r"Expected `str` of length >= 1": "is missing",
    r"Expected `str` of length <= (\d+)": "is longer than {} characters",
    r"Expected `(?:array|object)` of length <= (\d+)": "has more than {} parts",
    r"Expected `int` <= (\d+)": "is above {}",
    r"Expected `int` >= (-?\d+)": "is below {}",
    r"Expected `str` matching regex .*A-Z.*": "is not a currency code of three capitals",
}


def checked_variant(**parts: Any) -> VariantRecord:
    """The variant. Raises RowRefused naming the part that is out of bounds."""
    record: VariantRecord = _checked(VariantRecord(**parts), VariantRecord)
    return record


def checked_product(**parts: Any) -> ProductRecord:
    """The product, whose variants were checked before. Raises RowRefused likewise."""
    variants = parts.pop("variants")
    product: ProductRecord = _checked(ProductRecord(variants=(), **parts), ProductRecord)
    return msgspec.structs.replace(product, variants=variants)


def _checked(record: Any, kind: Any) -> Any:
    values = {name: getattr(record, name) for name in record.__struct_fields__}
    try:
        return msgspec.convert(values, kind, from_attributes=True)
    except msgspec.ValidationError as error:
        match = _WHERE.search(str(error))
        name = match[1] if match else ""
        reason = str(error)[: match.start()] if match else str(error)
        raise RowRefused(name, _in_words(reason), values.get(name, "")) from error


def _in_words(reason: str) -> str:
    """What the decoder says of a bound, for whoever filled in the table."""
    for pattern, words in _WORDS.items():
        if match := re.fullmatch(pattern, reason):
            return words.format(*match.groups())
    return reason
