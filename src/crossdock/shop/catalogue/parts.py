"""Which parts of a product a file format can express."""

from collections.abc import Callable

import msgspec

from crossdock.shop.catalogue.records import ProductRecord, VariantRecord


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of products and variants that a format, or one file in that format, can express.

    | | |
    |---|---|
    | `attributes` | names of the attributes that it can express, None for any |
    | `categories_max`, `options_max` | how many categories and options |
    | `image_texts` | whether pictures have texts |
    | `pools` | the stock pools, each with a count and nothing else |
    | `shows_every_sale` | whether a missing sale means no sale, not that the format cannot express it |
    | `shares_enabled` | whether one cell enables both a product and its only variant |
    | `lends_pictures` | whether a variant without a picture shows the product's first one, and the reverse |
    | `shows` | exports a stored product; values that are the same in the file keep their stored form |
    | `unread` | (sku, field) of cells that could not be read; '' for the product's own |
    """

    product: frozenset[str]
    variant: frozenset[str]
    attributes: frozenset[str] | None = None
    categories_max: int = 1_000
    options_max: int = 1_000
    image_texts: bool = False
    pools: frozenset[str] = frozenset({"own"})
    shows_every_sale: bool = True
    shares_enabled: bool = False
    lends_pictures: bool = False
    shows: Callable[[ProductRecord], ProductRecord | None] | None = None
    unread: frozenset[tuple[str, str]] = frozenset()

    def product_fields(self) -> frozenset[str]:
        """The product's fields that were read."""
        return self.product - self._unread("")

    def variant_fields(self, sku: str) -> frozenset[str]:
        """The fields of that variant that were read."""
        return self.variant - self._unread(sku)

    def _unread(self, sku: str) -> frozenset[str]:
        return frozenset(name for of, name in self.unread if of == sku)


_KEYS = frozenset({"handle", "name", "merchant", "currency", "variants", "is_complete"})


def _defaults(kind: type[msgspec.Struct], *, keys: frozenset[str]) -> dict[str, object]:
    found = {field.name: field.default for field in msgspec.structs.fields(kind)}
    return {name: default for name, default in found.items() if name not in keys}


PRODUCT_PARTS = _defaults(ProductRecord, keys=_KEYS)
VARIANT_PARTS = _defaults(VariantRecord, keys=frozenset({"sku", "stock"}))
EVERYTHING = Parts(
    product=frozenset(PRODUCT_PARTS),
    variant=frozenset(VARIANT_PARTS),
    pools=frozenset({"own", "supplier"}),
    image_texts=True,
)
"""Of a format that holds all; to be narrowed by what could not be read."""
