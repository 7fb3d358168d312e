"""The JSON Lines format: one object per line, or one array of objects; see docs/reference/jsonl.md.

The `type` of a line is product (the default), category, blog_post or merchant. A product has
`variants`, or the fields of its only variant next to its own.
"""

import re
import typing
from collections.abc import Callable, Iterator
from contextlib import suppress
from decimal import Decimal
from functools import partial
from typing import Any

import msgspec

from crossdock.errors import Invalid
from crossdock.imports import fields
from crossdock.imports.decoder_words import in_words
from crossdock.imports.encodings import (
    LINE_MAX,
    bounded_chunks,
    bounded_lines,
    detect_encoding,
    start_of_text,
)
from crossdock.imports.items import (
    DROPPED,
    Finding,
    Item,
    Read,
    RowRefused,
    Unreadable,
    shown,
)
from crossdock.imports.json_arrays import elements
from crossdock.imports.json_values import tidied, with_zone, without_controls, without_decimals
from crossdock.imports.keys import derived_key
from crossdock.imports.layouts import foreign, found_names
from crossdock.imports.map_checking import Sources, check_targets
from crossdock.imports.odd_cells import Odd, without
from crossdock.imports.opening import Source
from crossdock.imports.reading import Reading
from crossdock.imports.recognising import other_text
from crossdock.imports.records import SALE_PARTS, convert_anyway
from crossdock.kit.money import parse_amount
from crossdock.shop.catalogue import (
    EVERYTHING,
    BlogPostRecord,
    CategoryRecord,
    MerchantRecord,
    ProductRecord,
    VariantRecord,
    slug_of,
)


class ProductLine(
    ProductRecord, frozen=True, kw_only=True, tag="product", forbid_unknown_fields=True
):
    """A product; `merchant` and `currency` default to those of the import and the shop."""

    merchant: str = ""
    currency: str = ""


class CategoryLine(
    CategoryRecord, frozen=True, kw_only=True, tag="category", forbid_unknown_fields=True
):
    """A node of the category tree."""


class BlogPostLine(
    BlogPostRecord, frozen=True, kw_only=True, tag="blog_post", forbid_unknown_fields=True
):
    """A blog post."""


class MerchantLine(
    MerchantRecord, frozen=True, kw_only=True, tag="merchant", forbid_unknown_fields=True
):
    """A merchant."""


Line = ProductLine | CategoryLine | BlogPostLine | MerchantLine

_decode = msgspec.json.Decoder(Line).decode
_decode_loosely = msgspec.json.Decoder(float_hook=Decimal).decode
_WHERE = re.compile(r" - at `\$\.?(.*)`$", re.DOTALL)
_VARIANT_FIELDS = frozenset(VariantRecord.__struct_fields__) - {"attributes", "enabled"}
_AMOUNTS = {"retail": "retail_minor", "sale": "sale_minor", "cost": "cost_minor"}
_KINDS: dict[str, Any] = {
    "category": CategoryLine, "blog_post": BlogPostLine, "merchant": MerchantLine,
}  # fmt: skip
_KNOWN = frozenset(
    {"type", "on_hand", "supplier_on_hand", "category_path", *_AMOUNTS}.union(
        *(kind.__struct_fields__ for kind in (*typing.get_args(Line), VariantRecord))
    )
)
_BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_FOREIGN = (
    "is not JSON",
    "is not an object",
    "has an unknown field",
    "is missing required field",
)
_Read = Callable[[Any, int], list[Item]]
_CONTROL_BYTES = bytes(code for code in range(32) if code not in b"\t\n\r")
_FOREIGN_MIN = 3
_HELD_MAX = 50


def read_jsonl(source: Source, reading: Reading) -> Iterator[Item]:
    """Yield the records of the file; a malformed line is refused, a malformed array ends the reading.

    Raises Unreadable at once for text that is not JSON and for objects of another shape.
    """
    if not source.stream.peek(1):
        raise Unreadable("The file is empty")
    check_targets(reading.map, known=_KNOWN, plain=str)
    encoding = reading.map.encoding or detect_encoding(source.stream)
    start = start_of_text(source.stream, encoding=encoding)
    sources = Sources(reading.map)
    if start.startswith("["):
        numbered = enumerate(elements(bounded_chunks(source.stream, encoding=encoding)), start=1)
        read: _Read = partial(_from_object, reading=reading, sources=sources)
        yield from _read_each(numbered, read, start=start)
    else:
        lines = enumerate(_byte_lines(source, encoding), start=1)
        filled = ((number, line) for number, line in lines if not line.isspace())
        read = partial(_read_line, reading=reading, sources=sources)
        yield from _read_each(filled, read, start=start)
    yield from sources.missed()


def _read_each(values: Iterator[tuple[int, Any]], read: _Read, *, start: str) -> Iterator[Item]:
    """Read each value. Raises Unreadable if none of the first ones is a record of this format."""
    first: Any = None
    held: list[list[Item]] = []
    for number, value in values:
        first = first if held else value
        held.append(read(value, number))
        if not _is_foreign(held[-1]) or len(held) == _HELD_MAX:
            break
    is_telling = len(held) >= _FOREIGN_MIN or not start.startswith(("{", "["))
    if held and is_telling and all(map(_is_foreign, held)):
        raise _foreign(first, getattr(held[0][-1], "reason", ""), start)
    for items in held:
        yield from items
    for number, value in values:
        yield from read(value, number)


def _is_foreign(items: list[Item]) -> bool:
    """Whether a value was refused for its overall shape, not for a value in it."""
    last = items[-1] if items else None
    return isinstance(last, Finding) and last.reason.startswith(_FOREIGN)


def _foreign(value: Any, reason: str, start: str) -> Unreadable:
    """The error about a file whose lines or elements are not records, from the first of them."""
    if not start.startswith(("{", "[")):
        return other_text(start, format_name="jsonl")
    if isinstance(value, bytes):
        with suppress(*_BROKEN):
            value = _decode_loosely(value)
    if isinstance(value, dict):
        return foreign("jsonl", found=f"objects with {found_names(list(value))} ({reason})")
    return foreign("jsonl", found="JSON of another shape")


def _byte_lines(source: Source, encoding: str) -> Iterator[bytes]:
    """Lines in UTF-8; a UTF-8 file is not decoded and encoded again."""
    if not encoding.startswith("utf-8"):
        for text in bounded_lines(source.stream, encoding=encoding):
            yield text.encode()
        return
    stream = source.stream
    line = stream.readline(LINE_MAX + 1).removeprefix(b"\xef\xbb\xbf")
    number = 1
    while line:
        if len(line) > LINE_MAX:
            raise Unreadable(f"A line is longer than {LINE_MAX} bytes", position=f"line {number}")
        yield line
        line = stream.readline(LINE_MAX + 1)
        number += 1


def _read_line(line: bytes, number: int, reading: Reading, sources: Sources) -> list[Item]:
    if reading.map.is_empty and not _may_have_control(line):
        try:
            return [_item(_decode(line), number, reading)]
        except _BROKEN:
            pass  # the slow path reads the short forms and reports what is wrong
    found: list[Item] = []
    try:
        value = _decode_loosely(line)
    except _BROKEN as error:
        clean = line.translate(None, _CONTROL_BYTES)
        try:
            value = _decode_loosely(clean)
        except _BROKEN:
            return [_not_json(line, number, error)]
        found = [RowRefused("", DROPPED, _text(line)).at(number, is_warning=True)]
    return found + _from_object(value, number, reading, sources)


def _may_have_control(line: bytes) -> bool:
    """Whether the line may contain a forbidden control character, escaped or literal."""
    return (b"\\u" in line and (b"\\u00" in line or b"\\uff" in line.lower())) or (
        b"\xef\xbf" in line and (b"\xef\xbf\xbe" in line or b"\xef\xbf\xbf" in line)
    )


def _not_json(line: bytes, number: int, error: Exception) -> Finding:
    why = "it is nested too deeply" if isinstance(error, RecursionError) else error
    return Finding(row=number, field="", reason=f"is not JSON: {why}", value=shown(_text(line)))


def _text(line: bytes) -> str:
    return line.decode(errors="replace").strip()


def _from_object(value: Any, row: int, reading: Reading, sources: Sources) -> list[Item]:
    """A decoded object, mapped and completed, as a record after warnings about values in it.

    Nothing when the map leaves it out.
    """
    odd = Odd(row)
    try:
        if not isinstance(value, dict):
            raise RowRefused("", "is not an object", value)
        value = without_controls(value, "", odd)
        if not reading.map.is_empty:
            sources.look(value)
            mapped = reading.map.apply_to_object(value, currency=reading.currency)
            if mapped is None:
                return []
            value = tidied(mapped)
        value = {"type": "product", **with_zone(value, reading.zone)}
        if value["type"] == "product":
            return _product(_completed(value, reading, odd), odd, reading)
        if "terms" in value:
            value["terms"] = without_decimals(value["terms"])
        try:
            line = msgspec.convert(value, Line)
        except msgspec.ValidationError:
            line = convert_anyway(value, _kind_of(value["type"]), odd)
        return [*odd.findings, _item(line, row, reading)]
    except RowRefused as refusal:
        return [*odd.findings, refusal.at(row)]
    except (msgspec.ValidationError, Invalid) as error:
        return [*odd.findings, _refusal(error, value, row)]


def _kind_of(name: Any) -> Any:
    return _KINDS.get(name, Line) if isinstance(name, str) else Line


def _product(value: dict[str, Any], odd: Odd, reading: Reading) -> list[Item]:
    """A product; what of it cannot be read stays as it was."""
    unread = frozenset(odd.others)
    with suppress(msgspec.ValidationError):
        read = _item(msgspec.convert(value, Line), odd.row, reading)
        parts = without(EVERYTHING, unread) if unread else None
        return [*odd.findings, msgspec.structs.replace(read, parts=parts)]
    if not isinstance(value.get("variants"), list):
        raise RowRefused("variants", "is not a list", value.get("variants", ""))
    variants = []
    for place, given in enumerate(value["variants"]):
        of_variant = Odd(odd.row)
        if not isinstance(given, dict):
            raise RowRefused(f"variants[{place}]", "is not an object", given)
        variant = convert_anyway(given, VariantRecord, of_variant)
        variants.append(variant)
        unread |= of_variant.unread(variant.sku)
        odd.findings += [
            msgspec.structs.replace(finding, field=f"variants[{place}].{finding.field}")
            for finding in of_variant.findings
        ]
    of_product = Odd(odd.row)
    line = convert_anyway(value | {"variants": ()}, ProductLine, of_product)
    read = _item(msgspec.structs.replace(line, variants=tuple(variants)), odd.row, reading)
    parts = without(EVERYTHING, unread | of_product.unread(""))
    return [*odd.findings, *of_product.findings, msgspec.structs.replace(read, parts=parts)]


def _completed(value: dict[str, Any], reading: Reading, odd: Odd) -> dict[str, Any]:
    """Expand a product's short form: one variant, amounts in major units, bare quantities."""
    value = dict(value)
    if "variants" not in value:
        given = {name: value.pop(name) for name in _VARIANT_FIELDS | set(_AMOUNTS) if name in value}
        for short, pool in (("on_hand", "own"), ("supplier_on_hand", "supplier")):
            if short in value:
                given["stock"] = [
                    *given.get("stock", ()),
                    {"pool": pool, "on_hand": value.pop(short)},
                ]
        if "category_path" in value:
            value["categories"] = [*value.get("categories", ()), value.pop("category_path")]
        value["variants"] = [given]
        if "handle" not in value and "sku" in given:
            value["handle"] = slug_of(str(given["sku"]))
    handle = value.get("handle")
    currency = value.get("currency") or reading.currency
    if isinstance(value["variants"], list):
        value["variants"] = [
            _with_amounts(_with_key(variant, handle), currency, reading, odd)
            if isinstance(variant, dict)
            else variant
            for variant in value["variants"]
        ]
    return value


def _with_key(variant: dict[str, Any], handle: Any) -> dict[str, Any]:
    """The variant; one without a sku gets the one that its product's handle and its options make."""
    options = variant.get("options", {})
    if variant.get("sku") or not handle or not isinstance(handle, str):
        return variant
    is_named = isinstance(options, dict) and all(isinstance(v, str) for v in options.values())
    return {**variant, "sku": derived_key(handle, options.values() if is_named else ())}


def _with_amounts(
    variant: dict[str, Any], currency: str, reading: Reading, odd: Odd
) -> dict[str, Any]:
    variant = dict(variant)
    for short, name in _AMOUNTS.items():
        if short in variant:
            try:
                variant[name] = _minor(variant.pop(short), short, currency, reading)
            except RowRefused as refusal:
                odd.add(refusal, ())
                left_out = SALE_PARTS if name in SALE_PARTS else {name}
                variant = {key: given for key, given in variant.items() if key not in left_out}
                odd.others.update((str(variant.get("sku", "")), each) for each in left_out)
    return variant


def _minor(amount: Any, name: str, currency: str, reading: Reading) -> int | None:
    if isinstance(amount, bool) or not isinstance(amount, str | int | Decimal):
        raise RowRefused(name, "is not an amount", amount)
    if isinstance(amount, str) and reading.decimal_comma:
        return fields.amount(amount, field=name, currency=currency, decimal_comma=True)
    try:
        return parse_amount(amount, currency=currency)
    except Invalid as error:
        raise RowRefused(name, error.data["reason"], amount) from error


def _item(line: Line, row: int, reading: Reading) -> Read:
    if not isinstance(line, ProductLine):
        return Read(row=row, record=line)
    spare = f"{line.handle}-{slug_of(line.name)}" if _is_made(line) else ""
    if not line.merchant or not line.currency:
        line = msgspec.structs.replace(
            line,
            merchant=line.merchant or reading.merchant,
            currency=line.currency or reading.currency,
        )
    return Read(row=row, record=line, spare_handle=spare)


def _is_made(line: ProductLine) -> bool:
    """Whether the handle is what the sku of the only variant makes."""
    return len(line.variants) == 1 and line.handle in {
        line.variants[0].sku,
        slug_of(line.variants[0].sku),
    }


def _refusal(error: Exception, value: Any, row: int) -> Finding:
    message = getattr(error, "message", str(error))
    match = _WHERE.search(message)
    path = match[1] if match else ""
    reason = message[: match.start()] if match else message
    return Finding(row=row, field=path, reason=in_words(reason), value=shown(_at(value, path)))


def _at(value: Any, path: str) -> Any:
    """The part of a value at a path such as `variants[0].sku`, or None."""
    for step in re.findall(r"[^.\[\]]+", path):
        try:
            value = value[int(step)] if isinstance(value, list) else value[step]
        except (KeyError, IndexError, ValueError, TypeError):
            return ""
    return "" if isinstance(value, dict | list) else value
