"""Which parts of a product a file format can express."""

from collections.abc import Callable

import msgspec

from crossdock.shop.catalogue.records import ProductRecord, VariantRecord


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of a product and of its variants that a format, or one file in it, holds.

    | | |
    |---|---|
    | `attributes` | the names that it holds, None for any |
    | `categories_max`, `options_max` | how many of them |
    | `image_texts` | whether pictures have their texts |
    | `pools` | the stock pools; of stock, a count alone |
    | `shows_every_sale` | whether no sale may mean more than that none can be shown |
    | `shares_enabled` | whether one cell says it of a product and its only variant |
    | `lends_pictures` | whether a variant's picture and the product's first stand for each other |
    | `shows` | a stored product as the format would show it now: what is so in the file stays as it is |
    | `unread` | fields that it holds but that could not be read, each with its sku, '' for the product |
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
