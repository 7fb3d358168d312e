"""JSON Lines of our own: one object a line, or one array of objects; docs/reference/jsonl.md.

A line is a "product", "category", "blog_post" or "merchant" by its "type" (a product without one).
A product may have its `variants`, or the fields of its only variant beside its own.
"""

import json
import math
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
from crossdock.imports.encodings import (
    LINE_MAX,
    bounded_chunks,
    bounded_lines,
    detect_encoding,
    start_of_text,
)
from crossdock.imports.items import CONTROL, Finding, Item, Read, RowRefused, Unreadable, shown
from crossdock.imports.layouts import foreign, found_names
from crossdock.imports.map_checking import Sources, check_targets
from crossdock.imports.opening import Source
from crossdock.imports.reading import Reading
from crossdock.imports.recognising import other_text
from crossdock.kit.money import parse_amount
from crossdock.shop.catalogue import (
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
    """A product; `merchant` and `currency` may be left out for those of the import and the shop."""

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
_SPACE = re.compile("[ \\t\\r\\n\\ufeff]*")
_WHERE = re.compile(r" - at `\$\.?(.*)`$", re.DOTALL)
_VARIANT_FIELDS = frozenset(VariantRecord.__struct_fields__) - {"attributes", "enabled"}
_AMOUNTS = {"retail": "retail_minor", "sale": "sale_minor", "cost": "cost_minor"}
_KNOWN = frozenset(
    {"type", "on_hand", "supplier_on_hand", "category_path", *_AMOUNTS}.union(
        *(kind.__struct_fields__ for kind in (*typing.get_args(Line), VariantRecord))
    )
)
_BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_FOREIGN = (
    "is not JSON",
    "is not an object",
    "Object contains unknown field",
    "Object missing required field",
)
_Read = Callable[[Any, int], Item | None]
_FOREIGN_MIN = 3
_HELD_MAX = 50
_DIGITS_MAX = 100


def read_jsonl(source: Source, reading: Reading) -> Iterator[Item]:
    """The records of the file; a malformed line is refused, a malformed array stops the reading.

    A file of other text or of other objects is Unreadable at once.
    """
    if not source.stream.peek(1):
        raise Unreadable("The file is empty")
    check_targets(reading.map, known=_KNOWN, plain=str)
    encoding = reading.map.encoding or detect_encoding(source.stream)
    start = start_of_text(source.stream, encoding=encoding)
    sources = Sources(reading.map)
    if start.startswith("["):
        elements = enumerate(_elements(bounded_chunks(source.stream, encoding=encoding)), start=1)
        read: _Read = partial(_from_object, reading=reading, sources=sources)
        yield from _read_each(elements, read, start=start)
    else:
        lines = enumerate(_byte_lines(source, encoding), start=1)
        filled = ((number, line) for number, line in lines if not line.isspace())
        read = partial(_read_line, reading=reading, sources=sources)
        yield from _read_each(filled, read, start=start)
    yield from sources.missed()


def _read_each(values: Iterator[tuple[int, Any]], read: _Read, *, start: str) -> Iterator[Item]:
    """What is read of each value. Raises Unreadable when none of the first ones is of our kind."""
    first: Any = None
    held: list[Item | None] = []
    for number, value in values:
        first = first if held else value
        held.append(read(value, number))
        if not _is_foreign(held[-1]) or len(held) == _HELD_MAX:
            break
    is_telling = len(held) >= _FOREIGN_MIN or not start.startswith(("{", "["))
    if held and is_telling and all(map(_is_foreign, held)):
        raise _foreign(first, getattr(held[0], "reason", ""), start)
    yield from filter(None, held)
    for number, value in values:
        if item := read(value, number):
            yield item


def _is_foreign(item: Item | None) -> bool:
    """Whether a value was refused for what it is altogether, not for a value in it."""
    return isinstance(item, Finding) and item.reason.startswith(_FOREIGN)


def _foreign(value: Any, reason: str, start: str) -> Unreadable:
    """The error about a file whose lines or elements are not ours, by the first of them."""
    if not start.startswith(("{", "[")):
        return other_text(start, format_name="jsonl")
    if isinstance(value, bytes):
        with suppress(*_BROKEN):
            value = _decode_loosely(value)
    if isinstance(value, dict):
        return foreign("jsonl", found=f"objects with {found_names(list(value))} ({reason})")
    return foreign("jsonl", found="JSON of another shape")


def _byte_lines(source: Source, encoding: str) -> Iterator[bytes]:
    """Lines in UTF-8; a file in UTF-8 is not decoded and encoded again."""
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


def _read_line(line: bytes, number: int, reading: Reading, sources: Sources) -> Item | None:
    if reading.map.is_empty and not _may_have_control(line):
        try:
            return _item(_decode(line), number, reading)
        except msgspec.ValidationError:
            pass  # the slow way knows the short forms, and tells what is wrong
        except _BROKEN as error:
            return _not_json(line, number, error)
    try:
        value = _decode_loosely(line)
    except _BROKEN as error:
        return _not_json(line, number, error)
    return _from_object(value, number, reading, sources)


def _may_have_control(line: bytes) -> bool:
    """Whether a character may be in it that no text has, escaped or as it is."""
    return (b"\\u" in line and (b"\\u00" in line or b"\\uff" in line.lower())) or (
        b"\xef\xbf" in line and (b"\xef\xbf\xbe" in line or b"\xef\xbf\xbf" in line)
    )


def _not_json(line: bytes, number: int, error: Exception) -> Finding:
    why = "it is nested too deeply" if isinstance(error, RecursionError) else error
    return Finding(row=number, field="", reason=f"is not JSON: {why}", value=shown(_text(line)))


def _text(line: bytes) -> str:
    return line.decode(errors="replace").strip()


def _elements(chunks: Iterator[str]) -> Iterator[Any]:
    """The elements of a JSON array one by one; little more than one is in memory at a time."""
    text = _Text(chunks)
    text.skip("[")
    count = 0
    while not text.skip("]"):
        if count and not text.skip(","):
            raise Unreadable("The array has no comma or end", position=f"after element {count}")
        count += 1
        yield text.take(count)
    if not text.is_at_end():
        raise Unreadable("The array goes on after its end", position=f"after element {count}")


class _Text:
    """Text that grows by chunks as it is needed and forgets what was taken."""

    def __init__(self, chunks: Iterator[str]) -> None:
        self._chunks = chunks
        self._text = ""
        self._at = 0
        self._decode = json.JSONDecoder(
            parse_float=Decimal, parse_int=_whole, parse_constant=_no_constant
        ).raw_decode

    def skip(self, mark: str) -> bool:
        """Pass over white space and, when it comes next, the mark; whether it did."""
        while True:
            self._at = _SPACE.match(self._text, self._at).end()  # type: ignore[union-attr]
            if self._at < len(self._text) or not self._grow():
                break
        if self._text.startswith(mark, self._at):
            self._at += len(mark)
            return True
        return False

    def is_at_end(self) -> bool:
        """Whether only white space is left."""
        self.skip("")
        return self._at >= len(self._text)

    def take(self, number: int) -> Any:
        """The next element. Raises Unreadable when it is malformed, cut off or too large."""
        self.skip("")
        while True:
            try:
                value, self._at = self._decode(self._text, self._at)
                return value
            except (ValueError, RecursionError) as error:
                too_large = len(self._text) - self._at > LINE_MAX
                if too_large or not self._grow():
                    why = "it is nested too deeply" if isinstance(error, RecursionError) else error
                    reason = "is too large" if too_large else f"is malformed: {why}"
                    raise Unreadable(f"The array {reason}", position=f"element {number}") from error

    def _grow(self) -> bool:
        more = next(self._chunks, "")
        self._text = self._text[self._at :] + more
        self._at = 0
        return bool(more)


def _whole(digits: str) -> int:
    if len(digits) > _DIGITS_MAX:
        raise ValueError(f"a number has {len(digits)} digits")
    return int(digits)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _from_object(value: Any, row: int, reading: Reading, sources: Sources) -> Item | None:
    """A decoded object, mapped and completed, as a record; None when the map leaves it out."""
    try:
        if not isinstance(value, dict):
            raise RowRefused("", "is not an object", value)
        _refuse_controls(value, "")
        if not reading.map.is_empty:
            sources.look(value)
            mapped = reading.map.apply_to_object(value, currency=reading.currency)
            if mapped is None:
                return None
            value = mapped
        value = {"type": "product", **value}
        if value["type"] == "product":
            value = _completed(value, reading)
        elif "terms" in value:
            value["terms"] = _without_decimals(value["terms"])
        return _item(msgspec.convert(value, Line), row, reading)
    except RowRefused as refusal:
        return refusal.at(row)
    except (msgspec.ValidationError, Invalid) as error:
        return _refusal(error, value, row)


def _without_decimals(value: Any) -> Any:
    """Free terms as they are stored: a number with a fraction is a float there."""
    if isinstance(value, Decimal):
        if not math.isfinite(number := float(value)):
            raise RowRefused("terms", "has a number that is too large", value)
        return number
    if isinstance(value, dict):
        return {name: _without_decimals(part) for name, part in value.items()}
    return list(map(_without_decimals, value)) if isinstance(value, list) else value


def _refuse_controls(value: Any, path: str) -> None:
    if isinstance(value, str):
        if CONTROL.search(value):
            raise RowRefused(path, "has a control character", value)
    elif isinstance(value, dict):
        for name, part in value.items():
            _refuse_controls(name, path)
            _refuse_controls(part, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for part in value:
            _refuse_controls(part, path)


def _completed(value: dict[str, Any], reading: Reading) -> dict[str, Any]:
    """The long form of a product's short form: one variant, amounts in major units, bare quantities."""
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
    currency = value.get("currency") or reading.currency
    if isinstance(value["variants"], list):
        value["variants"] = [
            _with_amounts(variant, currency, reading) if isinstance(variant, dict) else variant
            for variant in value["variants"]
        ]
    return value


def _with_amounts(variant: dict[str, Any], currency: str, reading: Reading) -> dict[str, Any]:
    variant = dict(variant)
    for short, name in _AMOUNTS.items():
        if short in variant:
            variant[name] = _minor(variant.pop(short), short, currency, reading)
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
    if not line.merchant or not line.currency:
        line = msgspec.structs.replace(
            line,
            merchant=line.merchant or reading.merchant,
            currency=line.currency or reading.currency,
        )
    return Read(row=row, record=line)


def _refusal(error: Exception, value: Any, row: int) -> Finding:
    message = getattr(error, "message", str(error))
    match = _WHERE.search(message)
    path = match[1] if match else ""
    reason = message[: match.start()] if match else message
    return Finding(row=row, field=path, reason=reason, value=shown(_at(value, path)))


def _at(value: Any, path: str) -> Any:
    """The part of a value that a path such as `variants[0].sku` leads to, or nothing."""
    for step in re.findall(r"[^.\[\]]+", path):
        try:
            value = value[int(step)] if isinstance(value, list) else value[step]
        except (KeyError, IndexError, ValueError, TypeError):
            return ""
    return "" if isinstance(value, dict | list) else value
