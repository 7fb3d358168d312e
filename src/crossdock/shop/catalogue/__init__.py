"""The catalogue: products, variants, merchants, categories, blog posts, and how they are written."""

from crossdock.shop.catalogue.blog_posts import upsert_blog_posts
from crossdock.shop.catalogue.bulk import upsert_prepared, upsert_products
from crossdock.shop.catalogue.categories import is_too_deep, upsert_categories
from crossdock.shop.catalogue.copying import PreparedProduct, prepare, variant_name
from crossdock.shop.catalogue.identifiers import digits_of, normalise_gtin
from crossdock.shop.catalogue.import_runs import ImportRun, Refusal, advance_run, open_run
from crossdock.shop.catalogue.listing import (
    Listing,
    SellableRow,
    open_listing,
    read_version,
    read_versions,
)
from crossdock.shop.catalogue.merchants import upsert_merchants
from crossdock.shop.catalogue.naming import VariantName, known_names
from crossdock.shop.catalogue.offers import Offer, offers
from crossdock.shop.catalogue.parts import (
    EVERYTHING,
    PRODUCT_PARTS,
    VARIANT_PARTS,
    Parts,
)
from crossdock.shop.catalogue.reading_back import (
    AttributeUse,
    read_attribute_use,
    stream_blog_posts,
    stream_categories,
    stream_merchants,
    stream_products,
    use_snapshot,
)
from crossdock.shop.catalogue.records import (
    BlogPostRecord,
    CategoryRecord,
    ExtraHandling,
    Image,
    MerchantRecord,
    ProductRecord,
    Promotion,
    UpsertCounts,
    VariantRecord,
)
from crossdock.shop.catalogue.selling import (
    MerchantName,
    MerchantTerms,
    MerchantView,
    add_merchant,
    list_merchants,
    merchant_record,
    merchants_in_sight,
    read_merchant,
    set_merchant,
)
from crossdock.shop.catalogue.showcase import (
    ShownCategoryTree,
    ShownImage,
    ShownPost,
    ShownProduct,
    all_categories,
    all_posts,
    all_products,
    list_categories,
    list_posts,
    list_products,
    take_turn,
)
from crossdock.shop.catalogue.statistics import has_statistics, refresh_statistics
from crossdock.shop.catalogue.texts import clean_html, html_once, plain_text, slug_of

__all__ = [
    "EVERYTHING",
    "PRODUCT_PARTS",
    "VARIANT_PARTS",
    "AttributeUse",
    "BlogPostRecord",
    "CategoryRecord",
    "ExtraHandling",
    "Image",
    "ImportRun",
    "Listing",
    "MerchantName",
    "MerchantRecord",
    "MerchantTerms",
    "MerchantView",
    "Offer",
    "Parts",
    "PreparedProduct",
    "ProductRecord",
    "Promotion",
    "Refusal",
    "SellableRow",
    "ShownCategoryTree",
    "ShownImage",
    "ShownPost",
    "ShownProduct",
    "UpsertCounts",
    "VariantName",
    "VariantRecord",
    "add_merchant",
    "advance_run",
    "all_categories",
    "all_posts",
    "all_products",
    "clean_html",
    "digits_of",
    "has_statistics",
    "html_once",
    "is_too_deep",
    "known_names",
    "list_categories",
    "list_merchants",
    "list_posts",
    "list_products",
    "merchant_record",
    "merchants_in_sight",
    "normalise_gtin",
    "offers",
    "open_listing",
    "open_run",
    "plain_text",
    "prepare",
    "read_attribute_use",
    "read_merchant",
    "read_version",
    "read_versions",
    "refresh_statistics",
    "set_merchant",
    "slug_of",
    "stream_blog_posts",
    "stream_categories",
    "stream_merchants",
    "stream_products",
    "take_turn",
    "upsert_blog_posts",
    "upsert_categories",
    "upsert_merchants",
    "upsert_prepared",
    "upsert_products",
    "use_snapshot",
    "variant_name",
]
