"""The fields that each method reads from `data`; others are ignored (spec sections 6 to 15).

The types are for the OpenAPI document; the readers validate, as leniently as the clients need.
"""

from typing import Annotated, Any, NotRequired, TypedDict

from msgspec import Meta


def _values(**schema: Any) -> Meta:
    return Meta(extra_json_schema=schema)


Text = Annotated[Any, _values(type=["string", "number", "null"])]
Whole = Annotated[Any, _values(type=["integer", "string"])]
Wholes = Annotated[
    Any,
    _values(
        anyOf=[
            {"type": ["integer", "string"]},
            {"type": "array", "items": {"type": ["integer", "string"]}},
        ]
    ),
]
ShopId = Annotated[Whole, Meta(description="Ignored: the token determines the shop.")]


class Auth(TypedDict):
    """The authentication object."""

    shopid: Whole
    timestamp: Annotated[Any, _values(type=["number", "string"])]
    salt: Annotated[str, Meta(min_length=1, max_length=256)]
    token: Annotated[str, Meta(pattern="^[0-9A-Fa-f]{128}$")]


class OrderAddress(TypedDict):
    """The receiver's or the billing address."""

    street: Text
    number: Text
    zip: Text
    city: Text
    country_iso2: Text
    email: Text
    phone: Text
    firstname: NotRequired[Text]
    lastname: NotRequired[Text]
    company: NotRequired[Text]
    vat: NotRequired[Text]
    box: NotRequired[Text]


class OrderItem(TypedDict):
    """One line of an order."""

    sku: Whole
    amount: Whole
    skuType: NotRequired[Annotated[Any, _values(enum=["reference", "barcode", "", None])]]
    name: NotRequired[Text]
    comment: NotRequired[Text]
    price: NotRequired[Text]
    external_orderline_id: NotRequired[Text]


class CreateOrder(TypedDict):
    """An order to create."""

    external_order_id: Annotated[Any, _values(type=["string", "integer"], maxLength=191)]
    created_at: Annotated[Any, _values(type=["string", "integer"])]
    shipping_address: OrderAddress
    items: Annotated[list[OrderItem], Meta(min_length=1)]
    external_order_reference: NotRequired[Text]
    release: NotRequired[Annotated[Any, Meta(description="Whether to release the order at once.")]]
    updated_at: NotRequired[Annotated[Any, _values(type=["string", "integer", "null"])]]
    comment: NotRequired[Text]
    comment_packing: NotRequired[Text]
    billing_address: NotRequired[OrderAddress]
    shipping_method: NotRequired[Text]
    shipping_company: NotRequired[Text]
    language: NotRequired[Text]


class GetOrder(TypedDict):
    """An order by either number."""

    order_id: NotRequired[Whole]
    external_order_id: NotRequired[Text]


class CancelOrder(TypedDict):
    """The order to cancel."""

    order_id: NotRequired[Whole]


class GetStock(TypedDict):
    """A page of stock items, or one item."""

    sku: NotRequired[Whole]
    limit: NotRequired[Whole]
    offset: NotRequired[Whole]
    reference: NotRequired[Text]


class GetProducts(TypedDict):
    """Filters by product or category."""

    product_id: NotRequired[Wholes]
    category_id: NotRequired[Wholes]
    offset: NotRequired[Whole]


class GetCategories(TypedDict):
    """Filters by category."""

    category_id: NotRequired[Wholes]
    offset: NotRequired[Whole]


class GetBlogPosts(TypedDict):
    """Filters by post."""

    post_id: NotRequired[Wholes]
    offset: NotRequired[Whole]


class NearAddress(TypedDict):
    """The address to search near."""

    zip: Text
    country: Text


class Pudo(TypedDict):
    """A search for pick-up points."""

    address: NotRequired[NearAddress]


class ReturnedItem(TypedDict):
    """Returned goods."""

    sku: Whole
    amount: Whole
    reason: NotRequired[Text]


class CreateRetourAnnouncement(TypedDict):
    """A return of an order's items."""

    shop_id: NotRequired[ShopId]
    order_id: NotRequired[Whole]
    items: NotRequired[list[ReturnedItem]]


class GetRetourSettings(TypedDict):
    """Whose settings."""

    shop_id: NotRequired[ShopId]


class Nothing(TypedDict):
    """No fields."""


REQUESTS: dict[str, type] = {
    "authTest": Nothing,
    "createOrder": CreateOrder,
    "getOrder": GetOrder,
    "cancelOrder": CancelOrder,
    "getStock": GetStock,
    "getProducts": GetProducts,
    "getCategories": GetCategories,
    "getBlogPosts": GetBlogPosts,
    "pudo": Pudo,
    "getRetourSettings": GetRetourSettings,
    "createRetourAnnouncement": CreateRetourAnnouncement,
}
