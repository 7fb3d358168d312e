"""What the catalogue and the product call answer (spec sections 3, 4.5, 4.6 and 5.1).

A field that may be UNSET is left out where there is nothing to say.
"""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from crossdock.channels.shoppable.wire import Amount

Text = str | UnsetType


class WireSize(Struct, frozen=True, kw_only=True):
    """One SKU: a colour in a size."""

    id: Annotated[str, Meta(description="The SKU, which a cart takes.")]
    sku: Annotated[str, Meta(description="The same as `id`.")]
    size: Annotated[Text, Meta(description="Left out where the product has no sizes.")] = UNSET
    upc: Text = UNSET
    merchant_sku: Annotated[Text, Meta(description="The merchant's own SKU.")] = UNSET
    price: Annotated[Amount, Meta(description="The lowest of the prices beside it.")]
    retail_price: Amount
    sale_price: Annotated[Amount | UnsetType, Meta(description="While it is on sale.")] = UNSET
    discount_price: Annotated[
        Amount | UnsetType, Meta(description="After coupons, where one lowers the price.")
    ] = UNSET
    url: Annotated[str, Meta(description="Its page in the shop, if there is one.")]
    url2: None = None
    active: Annotated[bool, Meta(description="Whether it can be bought now.")]


class WireColor(Struct, frozen=True, kw_only=True):
    """A colour with its SKUs; a product without colours has one without a name."""

    color: str
    retail_price: Amount
    sale_price: Amount | UnsetType = UNSET
    images: list[str]
    sizes: list[WireSize]


class WireCoupon(Struct, frozen=True, kw_only=True):
    """A coupon that is good for the product."""

    code: str
    type: Annotated[str, Meta(description="`$off`, `%off` or `free_shipping`.")]
    threshold: Annotated[Amount, Meta(description="It counts for prices above this.")]
    amount: Annotated[
        Amount, Meta(description="What `$off` takes off; for `%off` the fraction, 0.1 for 10 %.")
    ]


class WireProduct(Struct, frozen=True, kw_only=True):
    """A product, its first SKU's fields beside its own."""

    part_number: str
    name: str
    brand: str
    merchant: str
    merchant_id: str
    description: str
    url: str
    image: str
    alt_images: Annotated[list[str], Meta(description="All pictures; the first is `image`.")]
    retail_price: Annotated[Amount, Meta(description="Of the first SKU.")]
    sale_price: Annotated[
        Amount | UnsetType, Meta(description="Of the first SKU, while it is on sale.")
    ] = UNSET
    discount_price: Annotated[
        Amount | UnsetType, Meta(description="Of the first SKU, where a coupon lowers its price.")
    ] = UNSET
    price: Annotated[Amount, Meta(description="The lowest of all SKUs' prices.")]
    on_sale: bool
    active: bool
    free_shipping: bool
    shipping_charge: Annotated[Amount, Meta(description="For each unit.")]
    ship_free_min: Annotated[
        Amount, Meta(description="The merchant ships free from this on; 0: never by the amount.")
    ]
    ship_flat_rate: Annotated[Amount, Meta(description="The merchant's, once for a cart.")]
    delivery_fee: Amount
    category: Annotated[Text, Meta(description="`Level 1 > Level 2`, the deepest one.")] = UNSET
    category_id: Text = UNSET
    merchant_tax_path: Text = UNSET
    customer_service_url: Text = UNSET
    return_policy_url: Text = UNSET
    merchant_item_id: Text = UNSET
    merchant_sku: Text = UNSET
    material: Text = UNSET
    weight: Text = UNSET
    dimensions: Text = UNSET
    coupons: list[WireCoupon]
    color: Text = UNSET
    size: Text = UNSET
    upc: Text = UNSET
    id: str
    sku: str
    colors: list[WireColor]


class WireMetadata(Struct, frozen=True, kw_only=True):
    """The page, and how much the index knew."""

    rows: int
    offset: int
    returned: int
    as_of: Annotated[int, Meta(description="The last event that the search index knew.")]


class WireCategoryValue(Struct, frozen=True, kw_only=True):
    """A category of the result, its levels joined by ` > `."""

    category: str
    category_id: str
    count: int


class WireMerchantValue(Struct, frozen=True, kw_only=True):
    """A merchant of the result."""

    merchant: str
    merchant_id: str
    count: int


class WireBrandValue(Struct, frozen=True, kw_only=True):
    """A brand of the result."""

    brand: str
    count: int


class WireSizeValue(Struct, frozen=True, kw_only=True):
    """A size of the result."""

    size: str
    count: int


class WireColorValue(Struct, frozen=True, kw_only=True):
    """A colour of the result."""

    color: str
    count: int


class WireNavigation(Struct, frozen=True, kw_only=True):
    """How many products of the result have which value; facets that were not asked are left out."""

    categories: list[WireCategoryValue] | UnsetType = UNSET
    merchants: list[WireMerchantValue] | UnsetType = UNSET
    brands: list[WireBrandValue] | UnsetType = UNSET
    sizes: list[WireSizeValue] | UnsetType = UNSET
    colors: list[WireColorValue] | UnsetType = UNSET


class WireCatalogue(Struct, frozen=True, kw_only=True):
    """A page of the catalogue."""

    metadata: WireMetadata
    count: Annotated[int, Meta(description="How many products match, on all pages.")]
    query_time: Annotated[int, Meta(description="Milliseconds.")]
    navigation: WireNavigation
    previous_page_url: Annotated[str, Meta(description="Empty on the first page.")]
    next_page_url: Annotated[str, Meta(description="Empty on the last page.")]
    products: list[WireProduct]
