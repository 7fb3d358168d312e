"""Which fields each format can express; JSON Lines expresses all of them."""

from collections.abc import Collection, Mapping, Sequence

import msgspec

from crossdock.imports.own_columns import OWN
from crossdock.shop.catalogue import Parts

_PRODUCT = frozenset({"description", "brand", "attributes", "categories", "images", "option_names"})
_VARIANT = frozenset(
    {"upc", "part_number", "options", "image", "retail_minor", "sale_minor", "weight_g"}
    | {"stock_managed", "enabled"}
)
_SIZES = frozenset({"length_mm", "width_mm", "height_mm"})
_DATES = frozenset({"sale_starts_at", "sale_ends_at"})

SHOPIFY = Parts(
    product=_PRODUCT | {"tags", "enabled", "virtual", "sold_without_stock", *OWN},
    variant=_VARIANT | {"cost_minor", "origin"},
    categories_max=1,
    options_max=3,
    image_texts=True,
    shows_every_sale=False,
)
WOOCOMMERCE = Parts(
    product=_PRODUCT
    | {"tags", "enabled", "virtual", "sold_without_stock", "related_handles", "featured", "sort"}
    | OWN.keys(),
    variant=_VARIANT | _SIZES | _DATES | {"merchant_sku", "origin", "stock_status"},
    pools=frozenset({"own", "supplier"}),
)
GOOGLE = Parts(
    product=_PRODUCT | {"shipping_terms", "target_users", "features"},
    variant=_VARIANT | _SIZES | _DATES | {"cost_minor", "stock_status"},
    lends_pictures=True,
)

Filled = Mapping[str, Sequence[str]]
"""For each field, the plain names of the columns that fill it."""


def narrowed(parts: Parts, *, columns: Collection[str], product: Filled, variant: Filled) -> Parts:
    """The parts that these columns can fill; parts with no column of their own are kept."""

    def held(names: frozenset[str], filled: Filled) -> frozenset[str]:
        return frozenset(
            name
            for name in names
            if name not in filled or any(column in columns for column in filled[name])
        )

    return msgspec.structs.replace(
        parts, product=held(parts.product, product), variant=held(parts.variant, variant)
    )


PARTS = {"shopify-csv": SHOPIFY, "woocommerce-csv": WOOCOMMERCE, "google-merchant": GOOGLE}
