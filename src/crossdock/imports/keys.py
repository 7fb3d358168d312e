"""Keys of variants whose SKU is absent or shared: from the product's handle and the option values.

Shopify and WooCommerce let variants share a SKU; here a SKU is a key. The given one stays as the
merchant's.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain, count

import msgspec

from crossdock.imports.items import Finding, Read, RowRefused
from crossdock.shop.catalogue import ProductRecord, VariantRecord, slug_of

_KEY_MAX = 255


def derived_key(handle: str, values: Iterable[str]) -> str:
    """The key of a variant without a SKU: 'felt-clog-37'; a long one is cut, with a hash."""
    values = list(values)
    key = "-".join([handle, *map(slug_of, values)])
    return key if len(key) <= _KEY_MAX else f"{key[:200]}-{_mark(handle, values)}"


def _mark(handle: str, values: Iterable[str]) -> str:
    return hashlib.blake2b("\0".join([handle, *values]).encode(), digest_size=6).hexdigest()


class Keys:
    """The keys of one file's variants; it remembers 64 bits of each and its row."""

    def __init__(self) -> None:
        self._rows: dict[int, int] = {}

    def settle(
        self, item: Read, product: ProductRecord, merchant: str
    ) -> Iterator[tuple[int, VariantRecord] | Finding]:
        """The variants with their rows under keys of their own, and a finding about each shared SKU.

        A variant with the SKU and the options of another of its product is refused as its double.
        """
        rows = item.variant_rows or (item.row,) * len(product.variants)
        counts = Counter(variant.sku for variant in product.variants)
        first: dict[str, int] = {}
        seen: set[tuple[str, tuple[tuple[str, str], ...]]] = set()
        for place, (row, variant) in enumerate(zip(rows, product.variants, strict=True)):
            sku = variant.sku
            before = first.get(sku) or self._rows.get(_hash(merchant, sku), 0)
            first.setdefault(sku, row)
            if counts[sku] == 1 and not before:
                self._rows[_hash(merchant, sku)] = row
                yield row, variant
                continue
            spare = item.spare_keys[place] if item.spare_keys else ""
            identity = (sku, tuple(variant.options.items()))
            if identity in seen and not spare:
                reason = f"is that of row {before} too, and so are the options"
                yield RowRefused("sku", reason, sku).at(row)
                continue
            seen.add(identity)
            changed = self._renamed(product, variant, spare, merchant, row)
            self._rows.setdefault(_hash(merchant, sku), row)
            yield row, changed
            if before:
                reason = f"is that of row {before} too; this variant's key is {changed.sku}"
                yield RowRefused("sku", reason, sku).at(row, is_warning=True)

    def _renamed(
        self, product: ProductRecord, variant: VariantRecord, spare: str, merchant: str, row: int
    ) -> VariantRecord:
        sku, values = variant.sku, list(variant.options.values())
        derived = derived_key(product.handle, values)
        given = variant.merchant_sku or ("" if values and sku == derived else sku)
        others = {other.sku for other in product.variants if other is not variant}
        mark = f"{derived[:200]}-{_mark(product.handle, [sku, *values])}"
        choices = chain([derived, spare, mark], (f"{mark}-{number}" for number in count(2)))
        key = next(
            choice
            for choice in choices
            if choice and choice not in others and _hash(merchant, choice) not in self._rows
        )
        self._rows[_hash(merchant, key)] = row
        return msgspec.structs.replace(variant, sku=key, merchant_sku=given)


def _hash(merchant: str, key: str) -> int:
    return hash(f"{merchant}\0{key}")
