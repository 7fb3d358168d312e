"""What a product asks of an order for it, as the texts of fields that people type in: a row for each custom field."""

import re
from collections.abc import Mapping
from typing import Final, get_args

import msgspec

from crossdock.errors import Invalid
from crossdock.kit.languages import gettext, lazy
from crossdock.shop.catalogue import CustomField, CustomFieldType, OrderTerms, OrderTermsChanges

TYPES: Final = get_args(CustomFieldType)
ROWS: Final = 20
"""As many fields as a product may have; the page shows those that are there, and some that are empty."""
SPARE_ROWS: Final = 3
BOUND_MAX: Final = 10_000
_NAME_MAX: Final = 64
_TEXT_MAX: Final = 200
_CELLS: Final = ("name", "type", "required", "placeholder", "regex")
ORDER_TERMS: Final = (
    *("least", "most"),
    *(f"field{row}-{cell}" for row in range(ROWS) for cell in _CELLS),
)
"""The fields of the form."""
_WHOLE: Final = re.compile(r"[0-9]{1,6}", re.ASCII)
_WORDS: Final = {
    "quantity_max": lazy("The most of one order cannot be below the least."),
    "custom_fields": lazy("Each field that a buyer fills in needs a name of its own."),
    "name": lazy("The name of a field that a buyer fills in must be visible, in one line."),
    "regex": lazy(
        "The pattern of a field must be a regular expression, without references back and looks ahead."
    ),
}


def order_terms_texts(terms: OrderTerms) -> dict[str, str]:
    """Every field with the text that is stored."""
    texts = {"least": str(terms.quantity_min or ""), "most": str(terms.quantity_max or "")}
    none = CustomField(name="")
    for row in range(ROWS):
        field = terms.custom_fields[row] if row < len(terms.custom_fields) else none
        texts |= {
            f"field{row}-name": field.name,
            f"field{row}-type": field.type,
            f"field{row}-required": "yes" if field.required else "no",
            f"field{row}-placeholder": field.placeholder,
            f"field{row}-regex": field.regex,
        }
    return texts


def changed_order_terms(changed: Mapping[str, str], stored: OrderTerms) -> OrderTermsChanges:
    """What is changed; a row without a name is no field any more. Raises Invalid `invalid_input` in words."""
    typed = {name: text.replace("\x00", "") for name, text in changed.items()}
    texts = order_terms_texts(stored) | {n: t for n, t in typed.items() if n in ORDER_TERMS}
    rows = ({cell: texts[f"field{row}-{cell}"].strip() for cell in _CELLS} for row in range(ROWS))
    return OrderTermsChanges(
        quantity_min=_bound(texts["least"]),
        quantity_max=_bound(texts["most"]),
        custom_fields=tuple(_field(row) for row in rows if row["name"]),
    )


def worded(error: Invalid) -> Invalid:
    """The core's refusal of such terms in words of the page; any other as it is."""
    field = str(error.data.get("field", "")).rpartition(".")[2]
    words = _WORDS.get(field)
    return error if words is None else Invalid("invalid_input", str(words), error.data)


def filled_rows(texts: Mapping[str, str]) -> range:
    """The rows that the page shows: up to the last one that has something, and some more."""
    filled = [row for row in range(ROWS) if texts[f"field{row}-name"]]
    return range(min(ROWS, (filled[-1] + 1 if filled else 0) + SPARE_ROWS))


def order_terms_label(name: str) -> str:
    """What a field of the form is called; '' for one of others."""
    words = {"least": gettext("At least"), "most": gettext("At most")}
    row, _, cell = name.removeprefix("field").partition("-")
    if not row.isdecimal():
        return words.get(name, "")
    words = {
        "name": gettext("Name"),
        "type": gettext("Kind"),
        "required": gettext("Required"),
        "placeholder": gettext("Example"),
        "regex": gettext("Pattern"),
    }
    return gettext("Field %(number)s") % {"number": int(row) + 1} + f": {words[cell]}"


def _field(row: Mapping[str, str]) -> CustomField:
    long = len(row["name"]) > _NAME_MAX or any(
        len(row[cell]) > _TEXT_MAX for cell in ("placeholder", "regex")
    )
    if long:
        raise Invalid(
            "invalid_input",
            gettext("A field's name has at most 64 characters, its example and its pattern 200."),
        )
    kind = row["type"] if row["type"] in TYPES else "text"
    return CustomField(
        name=row["name"],
        type=msgspec.convert(kind, CustomFieldType),
        required=row["required"] == "yes",
        placeholder=row["placeholder"],
        regex=row["regex"],
    )


def _bound(text: str) -> int | None:
    text = text.strip()
    if not text:
        return None
    if not _WHOLE.fullmatch(text) or not 1 <= int(text) <= BOUND_MAX:
        raise Invalid(
            "invalid_input",
            gettext("Write how many an order has as a whole number up to 10,000, not as %(text)s.")
            % {"text": text[:100]},
        )
    return int(text)
