"""The fields by which a product says what an order for it has: bounds, and what its buyer fills in (spec 13)."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import UNSET

from crossdock.channels.shoppex_reseller.fields import Fields
from crossdock.channels.shoppex_reseller.openapi import FLAG, TEXT
from crossdock.shop.catalogue import CustomField, CustomFieldType, OrderTermsChanges

BOUND_MAX: Final = 10_000
FIELDS_MAX: Final = 20
NAME_MAX: Final = 64
PLACEHOLDER_MAX: Final = 200
REGEX_MAX: Final = 200
_TYPES: Final[dict[str, CustomFieldType]] = {
    "TEXT": "text",
    "TEXTAREA": "textarea",
    "NUMBER": "number",
    "CHECKBOX": "checkbox",
}
_BOUND: Final = {"type": ["integer", "null"], "minimum": 1, "maximum": BOUND_MAX}
TERMS_SENT: Final[dict[str, dict[str, Any]]] = {
    "quantity_min": _BOUND,
    "quantity_max": _BOUND,
    "custom_fields": {
        "type": ["array", "null"],
        "maxItems": FIELDS_MAX,
        "items": {
            "type": "object",
            "required": ["name"],
            "properties": {
                "name": {"type": "string", "minLength": 1, "maxLength": NAME_MAX},
                "type": {"type": "string", "enum": list(_TYPES.values())},
                "required": FLAG,
                "placeholder": TEXT,
                "regex": {"type": ["string", "null"], "maxLength": REGEX_MAX},
            },
        },
    },
}


class ShownCustomField(msgspec.Struct, frozen=True, kw_only=True):
    """What a buyer fills in; `regex` null is any answer."""

    name: str
    type: str
    required: bool
    placeholder: str
    regex: str | None


def shown_custom_fields(asked: Sequence[CustomField]) -> list[ShownCustomField]:
    """The fields as they are told."""
    return [
        ShownCustomField(
            name=each.name,
            type=each.type,
            required=each.required,
            placeholder=each.placeholder,
            regex=each.regex or None,
        )
        for each in asked
    ]


def read_order_terms(fields: Fields) -> OrderTermsChanges:
    """What is given of them; what is wrong is noted. Null is no bound, and no fields."""
    bounds = {
        name: fields.whole(name, least=1, most=BOUND_MAX, nullable=True)
        for name in ("quantity_min", "quantity_max")
    }
    listed = fields.objects("custom_fields", most=FIELDS_MAX, nullable=True)
    asked = tuple(_field(each) for each in listed or ())
    return OrderTermsChanges(
        quantity_min=bounds["quantity_min"] if fields.given("quantity_min") else UNSET,
        quantity_max=bounds["quantity_max"] if fields.given("quantity_max") else UNSET,
        custom_fields=asked if fields.given("custom_fields") else UNSET,
    )


def _field(each: Fields) -> CustomField:
    name = each.text("name", required=True, longest=NAME_MAX) or ""
    if not name.isprintable():
        each.refuse("name", "must be printable")
    return CustomField(
        name=name,
        type=each.choice("type", _TYPES) or "text",
        required=each.flag("required", nullable=True) or False,
        placeholder=each.text("placeholder", nullable=True, longest=PLACEHOLDER_MAX) or "",
        regex=each.text("regex", nullable=True, longest=REGEX_MAX) or "",
    )
