"""What the calls of a cart answer (spec 6.2)."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from crossdock.channels.shoppable.wire import Amount


class WireAvailableMerchant(Struct, frozen=True, kw_only=True):
    """A merchant whose goods the token may sell."""

    id: str
    name: str


class WireNewCartSums(Struct, frozen=True, kw_only=True):
    """A new cart."""

    id: Annotated[str, Meta(description="A UUID, by which all calls name the cart.")]
    qty: int
    subtotal: Amount
    total: Amount


class WireNewCart(Struct, frozen=True, kw_only=True, rename={"merchants": "availableMerchants"}):
    """The answer to creating a cart."""

    cart: WireNewCartSums
    partner_id: int
    partner_name: str
    merchants: list[WireAvailableMerchant]


class WireCartItem(Struct, frozen=True, kw_only=True):
    """A line: so many of one SKU at the catalogue's price of now."""

    sku: str
    merchant_sku: str
    upc: str
    part_number: str
    brand: str
    qty: Annotated[int, Meta(description="What can be bought of the quantity that was put.")]
    name: str
    retail_price: Amount
    images: list[str]
    color: str
    size: str
    url: str
    url2: None = None
    url2_es: None = None
    marketplace: bool = False
    sale_price: Annotated[Amount | UnsetType, Meta(description="While it is on sale.")] = UNSET
    discount_price: Annotated[
        Amount | UnsetType, Meta(description="After coupons, where one lowers the price.")
    ] = UNSET
    price: Annotated[Amount, Meta(description="The lowest of the prices beside it.")]
    subtotal: Amount
    total: Amount
    modified_on: str


class WireCartMerchant(Struct, frozen=True, kw_only=True):
    """One merchant's lines, in the order of first addition."""

    id: str
    name: str
    customer_service_url: str
    return_policy_url: str
    shipping_flat_rate: Annotated[Amount, Meta(description="Once for all lines.")]
    ship_fee: Annotated[Amount, Meta(description="The same.")]
    shipping_fee: Annotated[Amount, Meta(description="The same.")]
    ship_free_min: Annotated[
        Amount, Meta(description="Ships free from this subtotal on; 0: never by the amount.")
    ]
    ship_min: Annotated[Amount, Meta(description="The same.")]
    subtotal: Amount
    total: Amount
    shipping_total: Amount
    items: list[WireCartItem]


class WireCartSums(Struct, frozen=True, kw_only=True):
    """The cart's sums; tax is not part of a cart."""

    id: str
    modified_on: str
    partner_id: int
    partner_name: str
    subtotal: Amount
    shipping_total: Amount
    total: Amount
    external_total: Amount
    qty: int


class WireCartSettings(
    Struct,
    frozen=True,
    kw_only=True,
    rename={"show_more": "showMoreFromCategory", "update_links": "updateLinks"},
):
    """What a page may show beside the cart; none of it is set here."""

    show_more: bool = False
    brands: str = ""
    merchants: str = ""
    update_links: bool = False


class WireCart(Struct, frozen=True, kw_only=True, rename={"own_partner_id": "partnerId"}):
    """A cart with its lines by merchant."""

    cart: WireCartSums
    merchants: list[WireCartMerchant]
    settings: WireCartSettings
    own_partner_id: int


class WireDone(Struct, frozen=True, kw_only=True):
    """What was done, for calls that answer no cart."""

    code: int
    message: str
