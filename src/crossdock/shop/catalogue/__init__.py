"""The catalogue: products, variants, merchants, categories, blog posts, and how they are written."""

from crossdock.shop.catalogue.bulk import upsert_prepared, upsert_products
from crossdock.shop.catalogue.copying import PreparedProduct, prepare
from crossdock.shop.catalogue.identifiers import digits_of, normalise_gtin
from crossdock.shop.catalogue.listing import (
    Listing,
    SellableRow,
    open_listing,
    read_version,
    read_versions,
)
from crossdock.shop.catalogue.records import (
    BlogPostRecord,
    CategoryRecord,
    Image,
    MerchantRecord,
    ProductRecord,
    Promotion,
    StockRecord,
    UpsertCounts,
    VariantRecord,
)
from crossdock.shop.catalogue.texts import clean_html, slug_of

__all__ = [
    "BlogPostRecord",
    "CategoryRecord",
    "Image",
    "Listing",
    "MerchantRecord",
    "PreparedProduct",
    "ProductRecord",
    "Promotion",
    "SellableRow",
    "StockRecord",
    "UpsertCounts",
    "VariantRecord",
    "clean_html",
    "digits_of",
    "normalise_gtin",
    "open_listing",
    "prepare",
    "read_version",
    "read_versions",
    "slug_of",
    "upsert_prepared",
    "upsert_products",
]
