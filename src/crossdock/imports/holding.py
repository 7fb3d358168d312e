"""What each format has a place for; JSON Lines have one for everything."""

from crossdock.shop.catalogue import Parts

_PRODUCT = frozenset({"description", "brand", "attributes", "categories", "images", "option_names"})
_VARIANT = frozenset(
    {"upc", "part_number", "options", "image", "retail_minor", "sale_minor", "weight_g"}
    | {"stock_managed", "enabled"}
)
_SIZES = frozenset({"length_mm", "width_mm", "height_mm"})
_DATES = frozenset({"sale_starts_at", "sale_ends_at"})

SHOPIFY = Parts(
    product=_PRODUCT | {"tags", "enabled", "virtual", "sold_without_stock"},
    variant=_VARIANT | {"cost_minor", "origin"},
    categories_max=1,
    options_max=3,
    image_texts=True,
)
WOOCOMMERCE = Parts(
    product=_PRODUCT
    | {"tags", "enabled", "virtual", "sold_without_stock", "related_handles", "featured", "sort"},
    variant=_VARIANT | _SIZES | _DATES | {"merchant_sku", "origin", "stock_status"},
    pools=frozenset({"own", "supplier"}),
)
GOOGLE = Parts(
    product=_PRODUCT,
    variant=_VARIANT | _SIZES | _DATES | {"cost_minor", "stock_status"},
)
PARTS = {"shopify-csv": SHOPIFY, "woocommerce-csv": WOOCOMMERCE, "google-merchant": GOOGLE}
