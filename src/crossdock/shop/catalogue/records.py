"""The records that importers pass to the catalogue: products with their variants, in the core's terms.

All texts are already trimmed; money is minor units of `currency`; nothing here is a database id.
`docs/reference/jsonl.md` is generated from these structures.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from crossdock.kit.countries import find_country, no_country
from crossdock.kit.money import MINOR_MAX
from crossdock.shop.catalogue.order_terms import Bound, CustomFields, OrderTerms, fault_of
from crossdock.shop.stock import StockRecord

HTML_MAX = 500_000

StockStatus = Literal["instock", "outofstock", "onbackorder"]
Key = Annotated[str, Meta(min_length=1, max_length=255)]
Name = Annotated[str, Meta(min_length=1, max_length=500)]
Short = Annotated[str, Meta(max_length=255)]
Text = Annotated[str, Meta(max_length=10_000)]
Html = Annotated[str, Meta(max_length=HTML_MAX)]
Url = Annotated[str, Meta(max_length=4_000)]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$")]
Amount = Annotated[int, Meta(ge=0, le=MINOR_MAX)]
Rate = Annotated[int, Meta(ge=0, le=10_000)]
Measure = Annotated[int, Meta(ge=0, le=10**9)]
Moment = Annotated[datetime, Meta(tz=True)]
Labels = Annotated[dict[Key, Text], Meta(max_length=1_000)]
CategoryPath = Annotated[tuple[Key, ...], Meta(min_length=1, max_length=20)]
Language = Annotated[str, Meta(pattern="^[a-z]{2,3}([-_][A-Za-z0-9]{2,8})*$")]
Languages = Annotated[dict[Language, Html], Meta(max_length=200)]
Translation = dict[Literal["name", "description"], Html]
Sort = Annotated[int, Meta(ge=-(2**31), lt=2**31)]
Country = Annotated[str, Meta(pattern="^[A-Z]{2}$")]
Courier = Annotated[str, Meta(pattern="^[A-Z]{2}[A-Z0-9]{1,30}$")]
Days = Annotated[int, Meta(ge=0, le=1_000)]
DayRange = tuple[Days, Days]
"""The least and the most days that something takes."""
Feature = Annotated[str, Meta(min_length=1, max_length=1_000)]
TargetUsers = Literal["all", "men", "women", "unknown"]


class Promotion(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A price for a time: `price_minor` from `starts_at` (inclusive) to `ends_at` (exclusive)."""

    price_minor: Amount
    starts_at: Moment
    ends_at: Moment


class Image(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A picture of the product; `variant_sku` is set where it shows one variant only."""

    url: Annotated[Url, Meta(min_length=1)]
    alt: Text = ""
    variant_sku: Short = ""


class ExtraHandling(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What handling costs beyond shipping, and why, in each language."""

    price_minor: Amount
    description: Languages = {}


class ShippingTerm(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Shipping to one country by one courier, instead of the product's own price and time.

    `courier` is the courier's code, which begins with the country of destination.
    """

    courier: Courier
    price_minor: Amount
    days: DayRange | None = None

    def __post_init__(self) -> None:
        """Raises ValueError for an unknown country and for days that run backwards."""
        if find_country(self.country) is None:
            raise ValueError(no_country(self.country))
        refuse_backward(self.days)

    @property
    def country(self) -> str:
        """The country of destination, ISO 3166-1 alpha-2."""
        return self.courier[:2]


def refuse_backward(days: DayRange | None) -> None:
    """Raises ValueError for a range whose end is before its start."""
    if days is not None and days[0] > days[1]:
        raise ValueError("the most days are fewer than the least")


class VariantRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that is sold and counted. `upc` keeps the digits as given; `options` by option name.

    `currency` may repeat the product's; a pool without a stock record is left as it is.
    """

    sku: Key
    merchant_sku: Short = ""
    part_number: Short = ""
    upc: Short = ""
    options: Labels = {}
    attributes: Labels = {}
    image: Url | None = None
    retail_minor: Amount | None = None
    sale_minor: Amount | None = None
    sale_starts_at: Moment | None = None
    sale_ends_at: Moment | None = None
    cost_minor: Amount | None = None
    vat_bp: Rate = 0
    weight_g: Measure = 0
    length_mm: Measure | None = None
    width_mm: Measure | None = None
    height_mm: Measure | None = None
    origin: Short = "SC"
    stock_managed: bool = True
    stock_status: StockStatus | None = None
    enabled: bool = True
    stock: tuple[StockRecord, ...] = ()
    promotions: tuple[Promotion, ...] = ()


class ProductRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One product of one merchant. `handle` is its stable key inside the merchant.

    `categories` are paths of names from the root, `translations` maps a language to
    {"name", "description"}, `attributes` are free specs (colour, size and material among them).
    What shipping costs and how long it takes is the product's, so that it is the same for all its variants.
    Where `is_complete` is false, variants that the record leaves out stay as they are.
    """

    handle: Key
    name: Name
    merchant: Key
    currency: Currency
    variants: tuple[VariantRecord, ...]
    description: Html = ""
    brand: Short = ""
    translations: dict[Language, Translation] = {}
    attributes: Labels = {}
    categories: tuple[CategoryPath, ...] = ()
    images: tuple[Image, ...] = ()
    video: Url = ""
    tags: tuple[Key, ...] = ()
    related_handles: tuple[Key, ...] = ()
    option_names: tuple[Key, ...] = ()
    extra_handling: ExtraHandling | None = None
    enabled: bool = True
    featured: bool = False
    virtual: bool = False
    sold_without_stock: bool = False
    requires_serial: bool = False
    shipping_minor: Amount = 0
    free_shipping: bool = False
    shipping_days: DayRange | None = None
    shipping_terms: Annotated[tuple[ShippingTerm, ...], Meta(max_length=300)] = ()
    ships_to: Annotated[tuple[Country, ...], Meta(max_length=300)] = ()
    target_users: TargetUsers = "unknown"
    features: Annotated[tuple[Feature, ...], Meta(max_length=5)] = ()
    sort: Sort = 0
    quantity_min: Bound | None = None
    quantity_max: Bound | None = None
    custom_fields: CustomFields = ()
    is_complete: bool = True

    @property
    def order_terms(self) -> OrderTerms:
        """What it asks of an order for it."""
        return OrderTerms(
            quantity_min=self.quantity_min,
            quantity_max=self.quantity_max,
            custom_fields=self.custom_fields,
        )

    def __post_init__(self) -> None:
        """Raises ValueError for days that run backwards, an unknown country and a courier named twice.

        Likewise for terms of an order that cannot be.
        """
        if self.shipping_days is not None:
            refuse_backward(self.shipping_days)
        if self.ships_to:
            unknown = [code for code in self.ships_to if find_country(code) is None]
            if unknown:
                raise ValueError(no_country(unknown[0]))
        if self.shipping_terms and len({term.courier for term in self.shipping_terms}) < len(
            self.shipping_terms
        ):
            raise ValueError("a courier has two shipping terms")
        if (self.quantity_max or self.custom_fields) and (fault := fault_of(self.order_terms)):
            raise ValueError(f"{fault.field} {fault.reason}")


class MerchantRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A seller of record. Merchants are the same when their names make the same slug.

    Amounts are minor units of the shop's currency; `terms` are a channel's own and mean nothing here.
    """

    name: Key
    email: Short | None = None
    country: Country | None = None
    terms: dict[str, Any] = {}
    shipping_flat_minor: Amount = 0
    free_shipping_from_minor: Annotated[int, Meta(ge=1, le=MINOR_MAX)] | None = None
    commission_bp: Rate = 0
    customer_service_url: Url = ""
    return_policy_url: Url = ""
    connector: Short = ""
    enabled: bool = True

    def __post_init__(self) -> None:
        """Raises ValueError for two capital letters that are not a country code."""
        if self.country is not None and find_country(self.country) is None:
            raise ValueError(no_country(self.country))


class CategoryRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One node of the tree: `path` is the names from the root, its own name last.

    `names` and `descriptions` map languages to texts, `images` a role ('icon', 'banner') to an URL.
    """

    path: CategoryPath
    names: Languages = {}
    descriptions: Languages = {}
    images: Labels = {}
    enabled: bool = True
    sort: Sort = 0


class BlogPostRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A post in one language; `slug` and `language` are its key. `content` is HTML."""

    slug: Key
    title: Name
    content: Html
    language: Language
    published_at: Moment
    image: Url = ""
    enabled: bool = True


class UpsertCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What a batch did; `unchanged` counts products that were already as the record says."""

    products_added: int = 0
    products_changed: int = 0
    products_unchanged: int = 0
    variants_added: int = 0
    variants_changed: int = 0
    variants_disabled: int = 0
    stock_changed: int = 0

    @property
    def wrote_anything(self) -> bool:
        """Whether the batch changed a row."""
        return any(
            (
                self.products_added,
                self.products_changed,
                self.variants_added,
                self.variants_changed,
                self.variants_disabled,
                self.stock_changed,
            )
        )
