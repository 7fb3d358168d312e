"""What each method reads of `data`: a field that does not stand here is not read (spec sections 6 to 15).

Values are as lenient as the clients need, so their types say what may come and the readers judge it.
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
ShopId = Annotated[Whole, Meta(description="What clients send; the token says whose shop it is.")]


class Auth(TypedDict):
    """Who calls."""

    shopid: Whole
    timestamp: Annotated[Any, _values(type=["number", "string"])]
    salt: Annotated[str, Meta(min_length=1, max_length=256)]
    token: Annotated[str, Meta(pattern="^[0-9A-Fa-f]{128}$")]


class OrderAddress(TypedDict):
    """Who gets the goods, or the invoice."""

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
    """An order to be entered."""

    external_order_id: Annotated[Any, _values(type=["string", "integer"], maxLength=191)]
    created_at: Annotated[Any, _values(type=["string", "integer"])]
    shipping_address: OrderAddress
    items: Annotated[list[OrderItem], Meta(min_length=1)]
    external_order_reference: NotRequired[Text]
    release: NotRequired[Annotated[Any, Meta(description="Whether it is to be released at once.")]]
    updated_at: NotRequired[Annotated[Any, _values(type=["string", "integer", "null"])]]
    comment: NotRequired[Text]
    comment_packing: NotRequired[Text]
    billing_address: NotRequired[OrderAddress]
    shipping_method: NotRequired[Text]
    shipping_company: NotRequired[Text]
    language: NotRequired[Text]


class GetOrder(TypedDict):
    """One order, by either number."""

    order_id: NotRequired[Whole]
    external_order_id: NotRequired[Text]


class CancelOrder(TypedDict):
    """One order."""

    order_id: NotRequired[Whole]


class GetStock(TypedDict):
    """A page of stock items, or those that are named."""

    sku: NotRequired[Whole]
    limit: NotRequired[Whole]
    offset: NotRequired[Whole]
    reference: NotRequired[Text]


class GetProducts(TypedDict):
    """Products by their numbers or categories."""

    product_id: NotRequired[Wholes]
    category_id: NotRequired[Wholes]
    offset: NotRequired[Whole]


class GetCategories(TypedDict):
    """Categories by their numbers."""

    category_id: NotRequired[Wholes]
    offset: NotRequired[Whole]


class GetBlogPosts(TypedDict):
    """Blog posts by their numbers."""

    post_id: NotRequired[Wholes]
    offset: NotRequired[Whole]


class NearAddress(TypedDict):
    """Where a pick-up point is looked for."""

    zip: Text
    country: Text


class Pudo(TypedDict):
    """Near which address."""

    address: NotRequired[NearAddress]


class ReturnedItem(TypedDict):
    """Goods that come back."""

    sku: Whole
    amount: Whole
    reason: NotRequired[Text]


class CreateRetourAnnouncement(TypedDict):
    """What comes back of an order."""

    shop_id: NotRequired[ShopId]
    order_id: NotRequired[Whole]
    items: NotRequired[list[ReturnedItem]]


class GetRetourSettings(TypedDict):
    """Whose settings."""

    shop_id: NotRequired[ShopId]


class Nothing(TypedDict):
    """A method that needs no data."""


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
