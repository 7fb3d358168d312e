"""The body of an order, field by field: what does not stand here is not read (spec 4.2).

The values' types say what may come; wire.py judges it.
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

    product_id: Annotated[Any, _whole("A product's id; digits in quotes are read as well.")]
    quantity: Annotated[Any, _whole("How many.", maximum=QUANTITY_MAX)]


class OrderBody(TypedDict):
    """An order for the partner's customer."""

    items: Annotated[
        list[ItemBody],
        Meta(
            min_length=1,
            description="What is ordered. The same product in several items counts as the sum.",
        ),
    ]
    id_order_partner: Annotated[
        Any,
        _values(
            "Your own order number. Each is good for one order, for ever.",
            type=["string", "number"],
            maxLength=NUMBER_LENGTH_MAX,
        ),
    ]
    comments: NotRequired[
        Annotated[
            Any,
            _values(
                "A word for whoever packs the order.",
                type=["string", "null"],
                maxLength=COMMENTS_LENGTH_MAX,
            ),
        ]
    ]
    tax_id: NotRequired[Annotated[Any, Meta(description="Kept with the order as it comes.")]]
    resale_tax: NotRequired[Annotated[Any, Meta(description="Kept with the order as it comes.")]]
