"""What a product asks of an order for it: how many of it, and what its buyer fills in (spec shoppex_reseller 13)."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType
from psycopg.types.json import Jsonb

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid, Refused
from crossdock.kit.texts import has_ink

CustomFieldType = Literal["text", "textarea", "number", "checkbox"]
FIELDS_MAX: Final = 20
BOUND_MAX: Final = 10_000
NAME_MAX: Final = 64
PLACEHOLDER_MAX: Final = 200
PATTERN_MAX: Final = 200
ANSWER_MAX: Final = 2_000
_NUMBER: Final = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?", re.ASCII)
_SLOW: Final = re.compile(r"\\[1-9]|\(\?<?[=!]")
"""What makes a match take long: references back, and a look ahead or behind, which may hold another."""
_NO_PATTERN: Final = "is not a regular expression, or one that is too much"

Bound = Annotated[int, Meta(ge=1, le=BOUND_MAX)]


class CustomField(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a buyer fills in; `regex` is found somewhere in the answer, '' is any answer."""

    name: Annotated[str, Meta(min_length=1, max_length=NAME_MAX)]
    type: CustomFieldType = "text"
    required: bool = False
    placeholder: Annotated[str, Meta(max_length=PLACEHOLDER_MAX)] = ""
    regex: Annotated[str, Meta(max_length=PATTERN_MAX)] = ""


CustomFields = Annotated[tuple[CustomField, ...], Meta(max_length=FIELDS_MAX)]


class OrderTerms(msgspec.Struct, frozen=True, kw_only=True):
    """The bounds of one order, None for none, and what is filled in."""

    quantity_min: Bound | None = None
    quantity_max: Bound | None = None
    custom_fields: CustomFields = ()


class OrderTermsChanges(msgspec.Struct, frozen=True, kw_only=True):
    """New terms; what is UNSET stays as it is, and a bound that is None is none."""

    quantity_min: int | UnsetType | None = UNSET
    quantity_max: int | UnsetType | None = UNSET
    custom_fields: tuple[CustomField, ...] | UnsetType = UNSET


async def set_order_terms(
    tx: Transaction,
    *,
    shop_id: int,
    product_id: int,
    known: OrderTerms,
    changes: OrderTermsChanges,
    now: datetime,
) -> None:
    """Change what a locked product asks of orders from now on.

    Raises Invalid `invalid_input` with the `field`: for an upper bound below the lower one, more than FIELDS_MAX
    fields, two of one name and a `regex` that is none.
    """
    given = {
        name: each for name, each in msgspec.structs.asdict(changes).items() if each is not UNSET
    }
    if not given:
        return
    terms = msgspec.structs.replace(known, **given)
    if fault := fault_of(terms):
        raise Invalid("invalid_input", fault.reason, {"field": fault.field})
    await _require_patterns(tx, fields=terms.custom_fields)
    await tx.run(
        "update products set quantity_min = %s, quantity_max = %s, custom_fields = %s,"
        " source_hash = null, updated_at = %s where shop_id = %s and id = %s",
        (
            terms.quantity_min,
            terms.quantity_max,
            Jsonb(msgspec.to_builtins(terms.custom_fields)),
            now,
            shop_id,
            product_id,
        ),
    )


class TermsFault(msgspec.Struct, frozen=True):
    """What of a product's terms cannot be, as `custom_fields[0].name`, and why."""

    field: str
    reason: str


def fault_of(terms: OrderTerms) -> TermsFault | None:
    """What no product can have; whether a pattern is one, only the database knows: see `wrong_patterns`."""
    least, most, fields = terms.quantity_min, terms.quantity_max, terms.custom_fields
    if most is not None and most < (least or 1):
        return TermsFault("quantity_max", "must not be below quantity_min")
    if len(fields) > FIELDS_MAX or len({each.name.lower() for each in fields}) < len(fields):
        return TermsFault("custom_fields", f"must be at most {FIELDS_MAX} with different names")
    for place, field in enumerate(fields):
        if not has_ink(field.name) or not field.name.isprintable():
            return TermsFault(f"custom_fields[{place}].name", "must be printable")
        if len(field.regex) > PATTERN_MAX or _SLOW.search(field.regex):
            return TermsFault(f"custom_fields[{place}].regex", _NO_PATTERN)
    return None


async def wrong_patterns(tx: Transaction, *, patterns: Sequence[str]) -> set[str]:
    """Those that are no regular expressions of the database."""
    rows = await tx.all(
        "select x.pattern from unnest(%s::text[]) x (pattern) where not is_pattern(x.pattern)",
        (list(patterns),),
    )
    return {row[0] for row in rows}


def require_in_bounds(name: str, terms: OrderTerms, *, quantity: int) -> None:
    """Raise Refused `quantity_out_of_range` for less or more of the product than one order has."""
    least, most = terms.quantity_min, terms.quantity_max
    if quantity >= (least or 1) and (most is None or quantity <= most):
        return
    bounds = f"at least {least or 1}" if most is None else f"{least or 1} to {most}"
    data = {"min_quantity": least, "max_quantity": most}
    raise Refused("quantity_out_of_range", f"An order has {bounds} of {name}.", data)


async def require_answers(
    tx: Transaction,
    *,
    fields: Sequence[CustomField],
    answers: Mapping[str, Any],
    within: str = "custom_fields",
) -> None:
    """Raise Invalid `invalid_input` with the `field`, below `within`, where an answer is missing or wrong.

    Answers under other names are nobody's business here.
    """
    patterns: list[tuple[str, str, str]] = []
    for field in fields:
        answer = answers.get(field.name)
        place = f"{within}.{field.name}"
        if answer is None or answer is False or answer == "":  # a 0 is an answer
            if field.required:
                raise Invalid("invalid_input", "is required", {"field": place})
            continue
        if fault := _fault(field, answer):
            raise Invalid("invalid_input", fault, {"field": place})
        if field.regex:
            patterns.append((place, str(answer), field.regex))
    if patterns and (wrong := await _first_mismatch(tx, patterns=patterns)):
        raise Invalid("invalid_input", "does not have the form that is asked for", {"field": wrong})


def _fault(field: CustomField, answer: Any) -> str:
    """What is wrong with an answer of this type; '' for nothing."""
    if field.type == "checkbox":
        return "" if answer is True else "must be true or false"
    if isinstance(answer, bool) or len(str(answer)) > ANSWER_MAX:
        return f"must be a text of at most {ANSWER_MAX} characters"
    is_number = _NUMBER.fullmatch(str(answer).strip()) is not None
    return "must be a number" if field.type == "number" and not is_number else ""


async def _first_mismatch(
    tx: Transaction, *, patterns: Sequence[tuple[str, str, str]]
) -> str | None:
    places, answers, regexes = (list(each) for each in zip(*patterns, strict=True))
    found: str | None = await tx.value(
        "select x.place from unnest(%s::text[], %s::text[], %s::text[]) with ordinality"
        " x (place, answer, regex, number) where not x.answer ~ x.regex order by x.number limit 1",
        (places, answers, regexes),
    )
    return found


async def _require_patterns(tx: Transaction, *, fields: Sequence[CustomField]) -> None:
    patterns = [field.regex for field in fields if field.regex]
    wrong = await wrong_patterns(tx, patterns=patterns) if patterns else set()
    for place, field in enumerate(fields):
        if field.regex in wrong:
            raise Invalid("invalid_input", _NO_PATTERN, {"field": f"custom_fields[{place}].regex"})
