"""The fields of each method's response (spec sections 5 to 15); built by showing.py and methods.py."""

from typing import Any, NotRequired, TypedDict

from crossdock.kit.schemas import schema_of


class Moment(TypedDict):
    """A time, as PHP's DateTime is encoded in JSON."""

    date: str
    timezone_type: int
    timezone: str


class FourTexts(TypedDict):
    """A text in each of the four languages."""

    nl: str
    fr: str
    en: str
    de: str


class ShownAddress(TypedDict):
    """An address; all twelve keys are present, blank ones ''."""

    firstname: str
    lastname: str
    company: str
    vat: str
    street: str
    number: str
    box: str
    zip: str
    city: str
    country_iso2: str
    email: str
    phone: str


class ShownItem(TypedDict):
    """A line of an order."""

    sku: int
    amount: int
    name: str
    comment: str
    external_orderline_id: int | str
    serialnumber: list[str]
    picked: int


class Shipment(TypedDict):
    """A shipped parcel."""

    provider: str
    code: str
    tracking_url: str
    shipped_at: Moment | bool


class ShownOrder(TypedDict):
    """An order with its shipments; an absent value is false."""

    order_id: int
    parent_order_id: int
    external_order_id: str
    external_order_reference: str
    shop_id: int
    app_id: bool
    app_name: bool
    warehouse_id: int
    created_at: Moment | bool
    status: int
    status_string: str
    customer_id: int | bool
    payment_method: str
    paid_at: bool
    desired_delivery_date: bool
    shipping_method: str
    shipping_company: str
    shipping_address: ShownAddress
    billing_address: ShownAddress
    shipping: list[Shipment] | bool
    shipped_at: Moment | bool
    comment: str
    comment_packing: str
    language: str
    items: list[ShownItem]


class ShownStock(TypedDict):
    """A stock item."""

    sku: int
    reference: str
    reference2: str
    description: str
    warehouse_id: int
    weight: int
    items_in_box: int
    level: int
    atp: int
    master_atp: int
    status: int
    status_string: str
    tht_alert: str
    tht_date: Moment | bool
    last_update: Moment | bool
    last_atp_update: Moment | bool


class ShownPromotion(TypedDict):
    """What is taken off the product's price from the first day to the last.

    For a partner with the setting `promotion_price=discounted` it is the price on these days.
    """

    price: float
    start: str
    end: str


class ShownPicture(TypedDict):
    """An image; `product_child_id` is set if it shows one variant."""

    src: str
    alt: str
    product_child_id: NotRequired[int]


class NamedCategory(TypedDict):
    """A category that a product is in."""

    id: int
    name: FourTexts


class ExtraHandling(TypedDict):
    """An extra handling charge."""

    price: float
    description: FourTexts


class ProductAnswer(TypedDict):
    """A product or a variant."""

    product_id: int
    product_parent_id: int
    sku: int
    name: FourTexts
    description: FourTexts
    price: float
    VAT: float
    promotions: list[ShownPromotion]
    status: int
    extra_handling: ExtraHandling | None
    barcode: str
    ATP: int
    weight: float
    sort: int
    is_featured: bool
    is_virtual: bool
    is_nostock: bool
    images: list[ShownPicture]
    categories: list[NamedCategory]
    childs: list[int]
    related_products: list[int]


class CategoryImages(TypedDict):
    """Image URLs, '' for none."""

    foreground: str
    background: str
    product: str


class CategoryAnswer(TypedDict):
    """A node of the category tree."""

    category_id: int
    category_parent_id: int
    name: FourTexts
    description: FourTexts
    sort: int
    images: CategoryImages
    status: int
    childs: list[int]


class PostAnswer(TypedDict):
    """A blog post in one language."""

    post_id: int
    title: str
    content: str
    language: str
    date: str
    image: str
    status: int


class PickupAddress(TypedDict):
    """The address of a pick-up point."""

    street: str
    number: str
    zip: str
    city: str
    countryIso2: str


class PickupAnswer(TypedDict):
    """A pick-up point; the distance is in kilometres."""

    pugoCarrier: str
    pugoId: str
    pugoName: str
    pugoDistance: float
    pugoLatitude: float
    pugoLongitude: float
    pugoHours: dict[str, Any]
    pugoAddress: PickupAddress


class PickupList(TypedDict):
    """The pick-up points, nearest first."""

    results: list[PickupAnswer]


class Created(TypedDict):
    """The number of the created order."""

    order_id: int


class Cancelled(TypedDict):
    """The order that was cancelled."""

    order_id: int
    status_string: str


class Announced(TypedDict):
    """The return that was announced."""

    retour_id: int
    order_id: int
    status: str


class ReturnSettings(TypedDict):
    """The shop's return settings; `return_reasons` is a JSON string."""

    return_status: int
    return_reasons: str
    return_day_amount: int
    return_other_status: int
    return_settings_logo: str
    return_settings_background: str
    return_settings_color: str
    return_confirmation_text_nl: str
    return_confirmation_text_fr: str
    return_confirmation_text_en: str
    return_confirmation_text_de: str


class NothingToSay(TypedDict):
    """An empty response."""


def _listed(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": schema}


_ORDER = schema_of(ShownOrder)
_STOCK = schema_of(ShownStock)
ANSWERS: dict[str, dict[str, Any]] = {
    "authTest": schema_of(NothingToSay),
    "createOrder": schema_of(Created),
    "getOrder": _listed({"anyOf": [_ORDER, _listed(_ORDER)]}),
    "cancelOrder": schema_of(Cancelled),
    "getStock": {"anyOf": [{"type": "object", "additionalProperties": _STOCK}, _listed(_STOCK)]},
    "getProducts": _listed(schema_of(ProductAnswer)),
    "getCategories": _listed(schema_of(CategoryAnswer)),
    "getBlogPosts": _listed(schema_of(PostAnswer)),
    "pudo": schema_of(PickupList),
    "getRetourSettings": schema_of(ReturnSettings),
    "createRetourAnnouncement": schema_of(Announced),
}
