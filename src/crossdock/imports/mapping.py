"""A map file: turns the columns of another table, or the keys of other objects, into a known format.

docs/guides/import.md describes it with examples.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from crossdock.errors import Invalid
from crossdock.imports.encodings import ENCODINGS
from crossdock.imports.items import CONTROL, RowRefused, Unreadable, shown
from crossdock.kit.money import format_minor
from crossdock.kit.numbers import read_number
from crossdock.shop.catalogue import HTML_MAX, plain_text

ROW_MAX = 8 * 2**20
"""Characters that the fields of one row have together, more than a line of any file."""
_SEVERAL = str | tuple[str, ...]


class FileRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the file is written, where this cannot be detected."""

    encoding: str = ""
    delimiter: str = ""
    decimal_comma: bool = False


class RowRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which rows are imported: columns with a value of `only`, and with none of `skip`."""

    only: dict[str, _SEVERAL] = {}
    skip: dict[str, _SEVERAL] = {}


class Field(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"source": "from"}):
    """Where one field comes from; the steps are applied in the order listed here.

    `when`: only in rows where these columns have these values, else empty. `pair`: the value after
    `pair=` in a packed column. `match`: group 1 of the pattern, else empty. `values`: replaces whole
    values. `split` and `join`: splits a list and joins it anew. `minor_units`: 1999 becomes 19.99.
    """

    source: _SEVERAL = ()
    constant: Any = None
    when: dict[str, _SEVERAL] = {}
    pair: str = ""
    pair_separator: str = ","
    match: str = ""
    replace: dict[str, str] = {}
    values: dict[str, Any] = {}
    split: str = ""
    join: str = " "
    minor_units: bool = False
    prefix: str = ""
    default: Any = None
    as_list: bool = False


class AttributeRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Columns that become attributes: by name, by prefix (which is removed), or packed in one column."""

    columns: dict[str, str] = {}
    prefixes: tuple[str, ...] = ()
    packed: str = ""
    packed_separator: str = ","
    packed_skip: tuple[str, ...] = ()


class FieldMap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole map. A field given as a string is the name of its column."""

    file: FileRules = FileRules()
    rows: RowRules = RowRules()
    fields: dict[str, str | Field] = {}
    attributes: AttributeRules = AttributeRules()
    source: bytes = b""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to map."""
        return not (self.fields or self.rows.only or self.rows.skip or self.has_attributes)

    @property
    def has_attributes(self) -> bool:
        """Whether columns become attributes."""
        rules = self.attributes
        return bool(rules.columns or rules.prefixes or rules.packed)

    @property
    def encoding(self) -> str:
        """The encoding that it sets, or ''."""
        return self.file.encoding

    def apply_to_row(self, row: Mapping[str, str], *, currency: str) -> dict[str, str] | None:
        """A table's row with the mapped columns added to its own; None if the row is skipped."""
        if not self._counts(row):
            return None
        mapped = dict(row)
        left = ROW_MAX
        for target, field in self.fields.items():
            value = _value(field, row, currency=currency)
            text = "" if value is None else _text(value)
            left -= len(text)
            if left < 0:
                raise RowRefused("", f"has more than {ROW_MAX} characters in its fields")
            if self.file.decimal_comma and isinstance(field, Field) and field.minor_units:
                text = text.replace(".", ",")
            mapped[target] = text
        return mapped

    def apply_to_object(
        self, value: Mapping[str, Any], *, currency: str = ""
    ) -> dict[str, Any] | None:
        """An object of the mapped fields only, without empty ones; None if it is skipped."""
        if not self._counts(value):
            return None
        mapped = {
            target: found
            for target, field in self.fields.items()
            if (found := _value(field, value, currency=currency)) not in (None, "", [])
        }
        attributes = self.attributes_of(value)
        return {**mapped, "attributes": attributes} if attributes else mapped

    def attributes_of(self, row: Mapping[str, Any]) -> dict[str, str]:
        """The attributes from the row's columns, without empty ones."""
        rules = self.attributes
        found = {name: _text(_look(row, column)) for name, column in rules.columns.items()}
        for prefix in rules.prefixes:
            for column, value in row.items():
                if column.startswith(prefix):
                    found[column[len(prefix) :].strip("_")] = _text(value)
        if rules.packed:
            pairs = _pairs(_text(_look(row, rules.packed)), rules.packed_separator)
            found |= {k: v for k, v in pairs.items() if k not in rules.packed_skip}
        return {name: text for name, text in found.items() if text}

    def finds(self, value: Mapping[str, Any], names: Sequence[str]) -> bool:
        """Whether an object has a value under one of these names or paths."""
        return any(_look(value, name) not in (None, "", []) for name in names)

    def attribute_names(self, header: Sequence[str]) -> frozenset[str] | None:
        """The attributes that a table's columns can make; None for any, from a packed column."""
        rules = self.attributes
        if rules.packed:
            return None
        return frozenset(rules.columns) | frozenset(
            column[len(prefix) :].strip("_")
            for prefix in rules.prefixes
            for column in header
            if column.startswith(prefix)
        )

    def _counts(self, row: Mapping[str, Any]) -> bool:
        if not self.rows.only and not self.rows.skip:
            return True
        return _agrees(row, self.rows.only) and not any(
            _agrees(row, {column: values}) for column, values in self.rows.skip.items()
        )


def load_map(path: Path) -> FieldMap:
    """The map in a TOML file. Raises Unreadable if it is not a valid map."""
    try:
        source = path.read_bytes()
    except OSError as error:
        raise Unreadable(f"The map {path} cannot be read: {error.strerror}") from error
    return parse_map(source, name=f"The map {path}")


def parse_map(source: bytes, *, name: str = "The map", is_from_page: bool = False) -> FieldMap:
    """The map in a TOML text; `name` begins what is said of it. Raises Unreadable if it is not valid.

    A map from a page has no patterns: one that tries every way holds up the process that all shops share.
    """
    try:
        values = _spaced(tomllib.loads(source.decode()))
        field_map = msgspec.convert({**values, "source": source}, FieldMap)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Unreadable(f"{name} is not TOML: {error}") from error
    except msgspec.ValidationError as error:
        raise Unreadable(f"{name} is wrong: {error}") from error
    if is_from_page and any(isinstance(f, Field) and f.match for f in field_map.fields.values()):
        raise Unreadable(
            f"{name}: `match` works in maps of the command `crossdock import` alone, not on this page"
        )
    _check(field_map, name)
    _refuse_controls(values, name)
    return field_map


def _spaced(values: dict[str, Any]) -> dict[str, Any]:
    """The map with a space for each no-break space in the names of columns, as headers are read."""
    found = dict(values)
    for part in ("rows", "fields", "attributes"):
        if part in found:
            found[part] = _with_names(found[part], part)
    return found


def _with_names(value: Any, place: str) -> Any:
    if isinstance(value, dict):
        is_named = place in {"rows", "fields", "only", "skip", "when"}
        return {
            plain_text(key) if is_named else key: _with_names(
                part, "column" if place in {"fields", "columns"} and isinstance(part, str) else key
            )
            for key, part in value.items()
        }
    if isinstance(value, list):
        return [_with_names(part, place) for part in value]
    if place == "prefixes" and isinstance(value, str):
        return value.replace("\u00a0", " ").replace("\u202f", " ")
    is_column = place in {"column", "from", "packed"}
    return plain_text(value) if is_column and isinstance(value, str) else value


def _check(field_map: FieldMap, name: str) -> None:
    if field_map.encoding and field_map.encoding not in ENCODINGS:
        raise Unreadable(f"{name}: the encoding is not one of {', '.join(ENCODINGS)}")
    if len(field_map.file.delimiter) > 1:
        raise Unreadable(f"{name}: the delimiter is more than one character")
    for target, field in field_map.fields.items():
        if isinstance(field, Field) and field.match:
            try:
                if _pattern(field.match).groups < 1:
                    raise Unreadable(f"{name}: the pattern of {target} has no group")
            except re.error as error:
                raise Unreadable(f"{name}: the pattern of {target}: {error}") from error


def _refuse_controls(value: Any, name: str) -> None:
    """Raises Unreadable for a control character in the map."""
    if isinstance(value, str) and CONTROL.search(value):
        raise Unreadable(f"{name}: {shown(value)!r} has a control character")
    if isinstance(value, dict | list):
        for part in value.items() if isinstance(value, dict) else value:
            _refuse_controls(list(part) if isinstance(part, tuple) else part, name)


_pattern = lru_cache(maxsize=200)(re.compile)


def _value(field: str | Field, row: Mapping[str, Any], *, currency: str) -> Any:
    if isinstance(field, str):
        return _look(row, field)
    if field.when and not _agrees(row, field.when):
        return field.default
    if field.constant is not None:
        return field.constant
    value = _gather(field, row)
    if field.as_list:
        return _as_list(field, value) if value not in (None, "") else field.default
    return _converted(field, value, currency=currency)


def _converted(field: Field, value: Any, *, currency: str) -> Any:
    text = _changed(field, "" if value is None else _text(value))
    if text == "":
        return field.default
    if field.values and text in field.values:
        return field.values[text]
    if field.minor_units:
        return _from_minor(text, currency)
    if not _changes(field):
        return value
    return field.prefix + text


def _gather(field: Field, row: Mapping[str, Any]) -> Any:
    if isinstance(field.source, str):
        return _look(row, field.source)
    values = [value for column in field.source if (value := _look(row, column)) not in (None, "")]
    return values if field.as_list else _joined(field.join, [_text(value) for value in values])


def _changes(field: Field) -> bool:
    return bool(field.pair or field.match or field.replace or field.split or field.prefix)


def _changed(field: Field, text: str) -> str:
    if field.pair:
        text = _pairs(text, field.pair_separator).get(field.pair, "")
    if field.match:
        found = _pattern(field.match).search(text)
        text = (found[1] or "") if found else ""
    for old, new in field.replace.items():
        _check_growth(len(text), len(text) + text.count(old) * (len(new) - len(old)))
        text = text.replace(old, new)
    if field.split:
        text = _joined(
            field.join, [part.strip() for part in text.split(field.split) if part.strip()]
        )
    return text


def _joined(join: str, parts: list[str]) -> str:
    size = sum(map(len, parts))
    _check_growth(size, size + len(join) * (len(parts) - 1))
    return join.join(parts)


def _check_growth(before: int, after: int) -> None:
    """Raise RowRefused before a text grows past the largest size of any field."""
    if after > HTML_MAX and after > before:
        raise RowRefused("", f"would be longer than {HTML_MAX} characters by the map")


def _as_list(field: Field, value: Any) -> list[Any]:
    parts = value if isinstance(value, list) else [value]
    if field.split:
        parts = [part.strip() for part in _text(value).split(field.split) if part.strip()]
    return [field.values.get(_text(part), part) for part in parts]


def _look(row: Mapping[str, Any], name: str) -> Any:
    """The column of that name, else the value at a dotted path."""
    if name in row or "." not in name:
        return row.get(name)
    value: Any = row
    for step in name.split("."):
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, list):
            place = read_number(step)
            value = value[place] if place is not None and place < len(value) else None
        else:
            return None
    return value


def _agrees(row: Mapping[str, Any], wanted: Mapping[str, _SEVERAL]) -> bool:
    return all(
        _text(_look(row, column)) in ((values,) if isinstance(values, str) else values)
        for column, values in wanted.items()
    )


def _pairs(text: str, separator: str) -> dict[str, str]:
    """Parse `size=XS,color=Black`; a part without the separator belongs to the value before it."""
    pairs: dict[str, str] = {}
    last = ""
    for part in text.split(separator):
        name, sign, value = part.partition("=")
        if sign:
            last = name.strip()
            pairs[last] = value.strip()
        elif last:
            pairs[last] += separator + part
    return pairs


def _from_minor(text: str, currency: str) -> str:
    try:
        return format_minor(int(text), currency)
    except (ValueError, Invalid) as error:
        raise RowRefused("", "is not a whole number of minor units", text) from error


def _text(value: Any) -> str:
    """A value of a table or an object as text: true, 2.5, a list joined by commas."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value.normalize(), "f") if abs(value.adjusted()) < 40 else str(value)
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return str(value)
