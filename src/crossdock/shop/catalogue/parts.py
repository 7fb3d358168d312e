"""Which parts of a product a file format can express."""

from collections.abc import Iterator

import msgspec

from crossdock.shop.catalogue.records import ProductRecord, VariantRecord
from crossdock.shop.stock import StockRecord


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
_EMPTY: tuple[object, ...] = ("", None, {}, ())


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


def left_out_of_product(product: ProductRecord, parts: Parts) -> Iterator[str]:
    """The fields of the product that the format cannot express, by their JSON Lines names."""
    yield from _left_out(product, PRODUCT_PARTS, parts.product)
    if len(product.categories) > parts.categories_max:
        yield "categories after the first"
    if len(product.option_names) > parts.options_max:
        yield f"option_names after the first {parts.options_max}"
    if not parts.image_texts and any(image.alt for image in product.images):
        yield "images.alt"


def left_out_of_variant(variant: VariantRecord, parts: Parts) -> Iterator[str]:
    """The same for a variant."""
    for name in _left_out(variant, VARIANT_PARTS, parts.variant):
        yield f"variants.{name}"
    for record in variant.stock:
        if record.pool not in parts.pools and record.on_hand:
            yield f"variants.stock of the pool {record.pool}"
    if any(map(_has_more_than_a_count, variant.stock)):
        yield "variants.stock but for on_hand"


def _left_out(
    record: msgspec.Struct, defaults: dict[str, object], held: frozenset[str]
) -> Iterator[str]:
    for name, default in defaults.items():
        if name not in held and (value := getattr(record, name)) != default and value not in _EMPTY:
            yield name


def _has_more_than_a_count(record: StockRecord) -> bool:
    return bool(record.warning_level or record.best_before or record.best_before_alert)
