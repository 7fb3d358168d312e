"""Complete records with the stored values that their source format cannot express."""

from collections.abc import Mapping, Sequence

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.catalogue.copying import PreparedProduct, prepare_product
from crossdock.shop.catalogue.merchants import Merchant, ensure_merchants
from crossdock.shop.catalogue.merging import completed
from crossdock.shop.catalogue.reading_back import PRODUCT_FIELDS, VARIANT_FIELDS
from crossdock.shop.catalogue.records import ProductRecord, VariantRecord

Key = tuple[int, str]
"""A merchant's id and a handle or sku of it."""


class StoredVariant(msgspec.Struct, frozen=True):
    """A stored variant with its product and its position there."""

    product_id: int
    position: int
    record: VariantRecord


class StoredProduct(msgspec.Struct, frozen=True):
    """A stored product without its variants; no record if nothing about it changes."""

    id: int
    record: ProductRecord | None


async def keep_other_parts(
    tx: Transaction, *, shop_id: int, products: Sequence[PreparedProduct]
) -> Sequence[PreparedProduct]:
    """Complete the products that have `parts` with their stored values; see `Parts`.

    Their hashes stay those of the source, so that a repeated import is recognised.
    """
    if not any(product.parts for product in products):
        return products
    names = dict.fromkeys(product.merchant for product in products)
    merchants = await ensure_merchants(tx, shop_id=shop_id, names=names)
    stored = await _stored_products(tx, shop_id=shop_id, products=products, merchants=merchants)
    open_ = [
        product
        for product in products
        if (found := stored.get(_key(product, merchants))) is None or found.record
    ]
    variants = await _stored_variants(tx, shop_id=shop_id, products=open_, merchants=merchants)
    return [
        _completed(product, merchants[product.merchant].id, stored, variants)
        for product in products
    ]


def _key(product: PreparedProduct, merchants: Mapping[str, Merchant]) -> Key:
    return merchants[product.merchant].id, product.handle


def _completed(
    product: PreparedProduct,
    merchant_id: int,
    stored: Mapping[Key, StoredProduct],
    variants: Mapping[Key, StoredVariant],
) -> PreparedProduct:
    found = stored.get((merchant_id, product.handle))
    if product.parts is None or product.record is None or (found and found.record is None):
        return product
    mine = [variants.get((merchant_id, variant.sku)) for variant in product.record.variants]
    if found is None and not any(mine):
        return product
    record = completed(
        product.record,
        stored=found.record if found else None,
        variants=[variant.record if variant else None for variant in mine],
        parts=product.parts,
    )
    places = _places(found.id if found else 0, mine)
    return msgspec.structs.replace(prepare_product(record, places=places), hash=product.hash)


def _places(product_id: int, variants: Sequence[StoredVariant | None]) -> Sequence[int]:
    """The variants' positions: the stored ones if the order is unchanged."""
    places: list[int] = []
    for variant in variants:
        after = places[-1] + 1 if places else 0
        is_own = variant is not None and variant.product_id == product_id
        place = variant.position if variant is not None and is_own else after
        if place < after:
            return range(len(variants))
        places.append(place)
    return places


async def _stored_products(
    tx: Transaction,
    *,
    shop_id: int,
    products: Sequence[PreparedProduct],
    merchants: Mapping[str, Merchant],
) -> dict[Key, StoredProduct]:
    rows = await tx.all(
        _PRODUCTS,
        {
            "shop": shop_id,
            "merchants": "\x1f".join(str(merchants[p.merchant].id) for p in products),
            "handles": "\x1f".join(p.handle for p in products),
            "hashes": "\x1f".join(p.hash.hex() for p in products),
        },
    )
    return {
        (merchant_id, handle): StoredProduct(key, _decode_product(text) if text else None)
        for merchant_id, handle, key, text in rows
    }


async def _stored_variants(
    tx: Transaction,
    *,
    shop_id: int,
    products: Sequence[PreparedProduct],
    merchants: Mapping[str, Merchant],
) -> dict[Key, StoredVariant]:
    keys = [(str(merchants[p.merchant].id), v.sku) for p in products for v in p.variants]
    if not keys:
        return {}
    rows = await tx.all(
        _VARIANTS,
        {
            "shop": shop_id,
            "merchants": "\x1f".join(merchant for merchant, _ in keys),
            "skus": "\x1f".join(sku for _, sku in keys),
        },
    )
    return {
        (merchant_id, sku): StoredVariant(product_id, position, _decode_variant(text))
        for merchant_id, sku, product_id, position, text in rows
    }


_decode_product = msgspec.json.Decoder(ProductRecord).decode
_decode_variant = msgspec.json.Decoder(VariantRecord).decode

_PRODUCTS = f"""
select p.merchant_id, p.handle, p.id,
       case when p.source_hash is distinct from decode(x.hash, 'hex')
            then json_build_object({PRODUCT_FIELDS}, 'variants', '[]'::json)::text end
from unnest(string_to_array(%(merchants)s, e'\\x1f')::bigint[],
            string_to_array(%(handles)s, e'\\x1f'), string_to_array(%(hashes)s, e'\\x1f'))
         as x (merchant_id, handle, hash)
join products p on p.shop_id = %(shop)s and p.merchant_id = x.merchant_id and p.handle = x.handle
join shops s on s.id = p.shop_id
join merchants m on m.shop_id = p.shop_id and m.id = p.merchant_id
"""

_VARIANTS = f"""
select v.merchant_id, v.sku, v.product_id, v.position, json_build_object({VARIANT_FIELDS})::text
from unnest(string_to_array(%(merchants)s, e'\\x1f')::bigint[],
            string_to_array(%(skus)s, e'\\x1f')) as x (merchant_id, sku)
join variants v on v.shop_id = %(shop)s and v.merchant_id = x.merchant_id and v.sku = x.sku
"""
