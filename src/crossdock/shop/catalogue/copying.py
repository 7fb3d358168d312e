"""Records as lines of PostgreSQL's COPY text format, built before the transaction that writes them.

What is known only inside the transaction (ids, whether the merchant is enabled) comes first in a
line; the rest, its tail, is built once, and the product's hash is computed from it.
"""

import hashlib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from crossdock.db.copying import NULL, copy_text, copy_value
from crossdock.shop.catalogue.identifiers import normalise_gtin
from crossdock.shop.catalogue.parts import Parts
from crossdock.shop.catalogue.records import ProductRecord, Promotion, VariantRecord
from crossdock.shop.catalogue.texts import clean_html
from crossdock.shop.stock import StockRecord

# Increase it when rows are encoded differently: a re-import then writes every row again.
_HASH_VERSION = b"5"

PRODUCT_COLUMNS = (
    "shop_id, id, merchant_id, source_hash, created_at, updated_at, "
    "handle, name, description, brand, translations, attributes, images, video, extra_handling, tags, "
    "related_handles, option_names, enabled, featured, virtual, sold_without_stock, "
    "requires_serial, shipping_minor, free_shipping, shipping_days, shipping_terms, ships_to, "
    "target_users, features, sort, quantity_min, quantity_max, custom_fields"
)
VARIANT_COLUMNS = (
    "shop_id, id, product_id, merchant_id, listed, created_at, updated_at, "
    "sku, merchant_sku, part_number, upc, gtin14, name, options, attributes, image, position, "
    "currency, retail_minor, sale_minor, sale_starts_at, sale_ends_at, cost_minor, vat_bp, "
    "weight_g, length_mm, width_mm, height_mm, origin, stock_managed, stock_status, enabled"
)

_encode = msgspec.json.Encoder(order="sorted").encode


class PreparedVariant(msgspec.Struct, frozen=True):
    """A variant ready to be copied; `sellable` means that its record allows listing it."""

    sku: str
    tail: str
    sellable: bool
    stock: tuple[StockRecord, ...]
    promotions: tuple[Promotion, ...]


class PreparedProduct(msgspec.Struct, frozen=True):
    """A product ready to be copied, with the hash of everything but its stock.

    With `parts` its source has only these: the other fields are taken from the stored product,
    which needs the `record`. `patterns` are those that answers to its custom fields must have.
    """

    merchant: str
    handle: str
    tail: str
    hash: bytes
    categories: tuple[tuple[str, ...], ...]
    variants: tuple[PreparedVariant, ...]
    is_complete: bool = True
    parts: Parts | None = None
    record: ProductRecord | None = None
    patterns: tuple[str, ...] = ()


def prepare(
    records: Iterable[ProductRecord], *, parts: Parts | None = None
) -> list[PreparedProduct]:
    """Prepare records for writing without the database; a pure function that may run in a thread."""
    return [prepare_product(record, parts=parts) for record in records]


def variant_name(product_name: str, *, option_names: Sequence[str], options: dict[str, str]) -> str:
    """The name that a buyer sees: the product's and, if it has options, ' - Red / XL'."""
    values = [options[name] for name in option_names if options.get(name)]
    return f"{product_name} - {' / '.join(values)}" if values else product_name


def prepare_product(
    record: ProductRecord, *, parts: Parts | None = None, places: Sequence[int] = ()
) -> PreparedProduct:
    """Prepare one record; `places` are the positions of its variants, by default their order."""
    tail = "\t".join(_product_fields(record))
    variants = tuple(
        _prepare_variant(record, variant, position)
        for position, variant in zip(
            places or range(len(record.variants)), record.variants, strict=True
        )
    )
    return PreparedProduct(
        record.merchant,
        record.handle,
        tail,
        _hash(record, tail, variants, parts),
        record.categories,
        variants,
        record.is_complete,
        parts,
        record if parts else None,
        tuple(field.regex for field in record.custom_fields if field.regex),
    )


def _product_fields(record: ProductRecord) -> tuple[str, ...]:
    translations = {
        language: {
            key: clean_html(text) if key == "description" else text for key, text in texts.items()
        }
        for language, texts in record.translations.items()
    }
    return (
        copy_text(record.handle),
        copy_text(record.name),
        copy_text(clean_html(record.description)),
        copy_text(record.brand),
        _json(translations),
        _json(record.attributes),
        _json(record.images),
        _json({"url": record.video}) if record.video else NULL,
        _json(record.extra_handling) if record.extra_handling is not None else NULL,
        _array(record.tags),
        _array(record.related_handles),
        _array(record.option_names),
        copy_value(record.enabled),
        copy_value(record.featured),
        copy_value(record.virtual),
        copy_value(record.sold_without_stock),
        copy_value(record.requires_serial),
        str(record.shipping_minor),
        copy_value(record.free_shipping),
        _array([str(days) for days in record.shipping_days]) if record.shipping_days else NULL,
        _json(record.shipping_terms),
        _array(record.ships_to),
        record.target_users,
        _array(record.features),
        str(record.sort),
        NULL if record.quantity_min is None else str(record.quantity_min),
        NULL if record.quantity_max is None else str(record.quantity_max),
        _json(record.custom_fields),
    )


def _prepare_variant(
    record: ProductRecord, variant: VariantRecord, position: int
) -> PreparedVariant:
    name = (
        variant_name(record.name, option_names=record.option_names, options=variant.options)
        if record.option_names
        else record.name
    )
    tail = "\t".join(_variant_fields(variant, name, position, record.currency))
    sellable = record.enabled and variant.enabled and variant.retail_minor is not None
    return PreparedVariant(variant.sku, tail, sellable, variant.stock, variant.promotions)


def _variant_fields(
    variant: VariantRecord, name: str, position: int, currency: str
) -> tuple[str, ...]:
    texts = (
        variant.sku,
        variant.merchant_sku,
        variant.part_number,
        variant.upc,
        name,
        variant.image or "",
        variant.origin,
    )
    joined = "".join(texts)
    if not joined.isprintable() or "\\" in joined:
        texts = tuple(map(copy_text, texts))  # type: ignore[assignment]
    sku, merchant_sku, part_number, upc, name, image, origin = texts
    return (
        sku,
        merchant_sku,
        part_number,
        upc,
        (upc and normalise_gtin(variant.upc)) or NULL,
        name,
        _json(variant.options) if variant.options else "{}",
        _json(variant.attributes) if variant.attributes else "{}",
        image or NULL,
        str(position),
        currency,
        NULL if variant.retail_minor is None else str(variant.retail_minor),
        NULL if variant.sale_minor is None else str(variant.sale_minor),
        NULL if variant.sale_starts_at is None else variant.sale_starts_at.isoformat(),
        NULL if variant.sale_ends_at is None else variant.sale_ends_at.isoformat(),
        NULL if variant.cost_minor is None else str(variant.cost_minor),
        str(variant.vat_bp),
        str(variant.weight_g),
        NULL if variant.length_mm is None else str(variant.length_mm),
        NULL if variant.width_mm is None else str(variant.width_mm),
        NULL if variant.height_mm is None else str(variant.height_mm),
        origin,
        "t" if variant.stock_managed else "f",
        variant.stock_status or NULL,
        "t" if variant.enabled else "f",
    )


def _hash(
    record: ProductRecord,
    tail: str,
    variants: Sequence[PreparedVariant],
    parts: Parts | None = None,
) -> bytes:
    digest = hashlib.blake2b(_HASH_VERSION, digest_size=16)
    digest.update("\n".join([tail, *(variant.tail for variant in variants)]).encode())
    if record.categories:
        digest.update(_encode(sorted(record.categories)))
    if not record.is_complete:
        digest.update(b"partial")
    promotions = [(variant.sku, variant.promotions) for variant in variants if variant.promotions]
    if promotions:
        digest.update(_encode(promotions))
    if parts:
        digest.update(_spoken_of(parts.product, parts.variant, parts.attributes))
    if parts and parts.unread:
        digest.update(_encode(sorted(parts.unread)))
    return digest.digest()


@lru_cache(maxsize=64)
def _spoken_of(
    product: frozenset[str], variant: frozenset[str], attributes: frozenset[str] | None
) -> bytes:
    """What a source speaks of: an empty cell clears a field, a column that is not there does not."""
    return _encode((sorted(product), sorted(variant), attributes and sorted(attributes)))


def _json(value: Any) -> str:
    if not value:
        return "{}" if isinstance(value, dict) else "[]"
    return copy_text(_encode(value).decode())


def _array(values: Sequence[str]) -> str:
    if not values:
        return "{}"
    quoted = (value.replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return copy_text("{" + ",".join(f'"{value}"' for value in quoted) + "}")
