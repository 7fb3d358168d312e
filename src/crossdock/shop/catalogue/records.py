"""What an importer hands to the catalogue: one product with its variants, in our words.

All texts are already trimmed; money is minor units of `currency`; nothing here is a database id.
`docs/reference/jsonl.md` is generated from these structures.
"""

from datetime import date, datetime
from typing import Any, Literal

import msgspec

Pool = Literal["own", "supplier"]
StockStatus = Literal["instock", "outofstock", "onbackorder"]


class Promotion(msgspec.Struct, frozen=True, kw_only=True):
    """A price for a time: `price_minor` from `starts_at` (inclusive) to `ends_at` (exclusive)."""

    price_minor: int
    starts_at: datetime
    ends_at: datetime


class Image(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A picture of the product; `variant_sku` is set where it shows one variant only."""

    url: str
    alt: str = ""
    variant_sku: str = ""


class StockRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What a pool ('own' or 'supplier') holds: `on_hand` is set by an adjusting entry."""

    pool: Pool
    on_hand: int
    warning_level: int = 0
    best_before: date | None = None
    best_before_alert: str = ""


class VariantRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is sold and counted. `upc` keeps the digits as given; `options` by option name.

    `currency` may repeat the product's; a pool without a stock record is left as it is.
    """

    sku: str
    merchant_sku: str = ""
    part_number: str = ""
    upc: str = ""
    options: dict[str, str] = {}
    attributes: dict[str, str] = {}
    image: str | None = None
    retail_minor: int | None = None
    sale_minor: int | None = None
    sale_starts_at: datetime | None = None
    sale_ends_at: datetime | None = None
    cost_minor: int | None = None
    vat_bp: int = 0
    weight_g: int = 0
    length_mm: int | None = None
    width_mm: int | None = None
    height_mm: int | None = None
    origin: str = "SC"
    stock_managed: bool = True
    stock_status: StockStatus | None = None
    enabled: bool = True
    stock: tuple[StockRecord, ...] = ()
    promotions: tuple[Promotion, ...] = ()


class ProductRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One product of one merchant. `handle` is its stable key inside the merchant.

    `categories` are paths of names from the root, `translations` maps a language to
    {"name", "description"}, `attributes` are free specs (colour, size and material among them),
    `extra_handling` is {"price_minor": int, "description": {language: text}} or None.
    """

    handle: str
    name: str
    merchant: str
    currency: str
    variants: tuple[VariantRecord, ...]
    description: str = ""
    brand: str = ""
    translations: dict[str, dict[str, str]] = {}
    attributes: dict[str, str] = {}
    categories: tuple[tuple[str, ...], ...] = ()
    images: tuple[Image, ...] = ()
    tags: tuple[str, ...] = ()
    related_handles: tuple[str, ...] = ()
    option_names: tuple[str, ...] = ()
    extra_handling: dict[str, Any] | None = None
    enabled: bool = True
    featured: bool = False
    virtual: bool = False
    sold_without_stock: bool = False
    requires_serial: bool = False
    sort: int = 0


class MerchantRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A seller of record. Merchants are the same when their names make the same slug."""

    name: str
    email: str | None = None
    country: str | None = None
    terms: dict[str, Any] = {}
    enabled: bool = True


class CategoryRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One node of the tree: `path` is the names from the root, its own name last.

    `names` and `descriptions` map languages to texts, `images` a role ('icon', 'banner') to an URL.
    """

    path: tuple[str, ...]
    names: dict[str, str] = {}
    descriptions: dict[str, str] = {}
    images: dict[str, str] = {}
    enabled: bool = True
    sort: int = 0


class BlogPostRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A post in one language; `slug` and `language` are its key. `content` is HTML."""

    slug: str
    title: str
    content: str
    language: str
    published_at: datetime
    image: str = ""
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
