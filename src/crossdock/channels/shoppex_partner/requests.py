"""The fields of an order's body; unknown fields are ignored (spec 4.2).

The types are for the OpenAPI document; wire.py validates.
"""

from typing import Annotated, Any, NotRequired, TypedDict

from msgspec import Meta

QUANTITY_MAX = 1_000_000
NUMBER_LENGTH_MAX = 191
COMMENTS_LENGTH_MAX = 2_000


def _values(description: str, **schema: Any) -> Meta:
    return Meta(description=description, extra_json_schema=schema)


def _whole(description: str, **schema: Any) -> Meta:
    return _values(
        description, type=["integer", "string"], pattern="^[0-9]{1,19}$", minimum=1, **schema
    )


class ItemBody(TypedDict):
    """One item."""

    product_id: Annotated[Any, _whole("A product's id; a string of digits is accepted too.")]
    quantity: Annotated[Any, _whole("How many.", maximum=QUANTITY_MAX)]


class OrderBody(TypedDict):
    """An order for the partner's customer."""

    items: Annotated[
        list[ItemBody],
        Meta(
            min_length=1,
            description="The items. Quantities of the same product in several items are added.",
        ),
    ]
    id_order_partner: Annotated[
        Any,
        _values(
            "Your order number. Each number can be used for one order only.",
            type=["string", "number"],
            maxLength=NUMBER_LENGTH_MAX,
        ),
    ]
    comments: NotRequired[
        Annotated[
            Any,
            _values(
                "A note for the warehouse.",
                type=["string", "null"],
                maxLength=COMMENTS_LENGTH_MAX,
            ),
        ]
    ]
    tax_id: NotRequired[Annotated[Any, Meta(description="Stored with the order unchanged.")]]
    resale_tax: NotRequired[Annotated[Any, Meta(description="Stored with the order unchanged.")]]
