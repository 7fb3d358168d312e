"""What holds for every record, whatever format it came in."""

import re
from collections.abc import Iterator

import msgspec

from crossdock.imports.items import Finding, Item, Read, shown
from crossdock.shop.catalogue import ProductRecord, VariantRecord, normalise_gtin, slug_of

_SCHEME = re.compile(r"\s*[a-z][a-z0-9+.-]*\s*:", re.IGNORECASE)
_WEB = ("https://", "http://")
_UNSAFE = "is no address of a picture; it must begin with https:// or http://, or be a path"


class Checker:
    """Checks the records of one file, in its order; it remembers 64 bits of every handle and sku."""

    def __init__(self, *, currency: str) -> None:
        self._currency = currency
        self._handles: set[int] = set()
        self._skus: set[int] = set()
        self._slugs: dict[str, str] = {}

    def check(self, item: Item) -> Iterator[Item]:
        """The item, without the variants that are refused, and what there is to say about it."""
        if isinstance(item, Read) and isinstance(item.record, ProductRecord):
            yield from self._check_product(item, item.record)
        else:
            yield item

    def _check_product(self, item: Read, product: ProductRecord) -> Iterator[Item]:
        merchant = self._slug(product.merchant)
        if reason := self._product_reason(product, merchant):
            yield Finding(row=item.row, field=reason[0], reason=reason[1], value=shown(reason[2]))
            return
        kept: list[VariantRecord] = []
        rows = item.variant_rows or (item.row,) * len(product.variants)
        refused = 0
        for row, variant in zip(rows, product.variants, strict=True):
            if broken := self._variant_reason(variant, merchant):
                refused += 1
                yield Finding(row=row, field=broken[0], reason=broken[1], value=shown(variant.sku))
                continue
            kept.append(variant)
            yield from _odd(variant, row)
        if not kept:
            return
        if refused:
            product = msgspec.structs.replace(product, variants=tuple(kept), is_complete=False)
        yield msgspec.structs.replace(item, record=product)

    def _product_reason(self, product: ProductRecord, merchant: str) -> tuple[str, str, str] | None:
        if product.currency != self._currency:
            return "currency", f"is not the shop's, which is {self._currency}", product.currency
        if not product.variants:
            return "variants", "has none", ""
        if bad := next(filter(_is_unsafe, (image.url for image in product.images)), None):
            return "images", _UNSAFE, bad
        key = hash(f"{merchant}\0{product.handle}")
        if key in self._handles:
            return (
                "handle",
                "came before in this file; a product's rows stand together",
                product.handle,
            )
        self._handles.add(key)
        return None

    def _variant_reason(self, variant: VariantRecord, merchant: str) -> tuple[str, str] | None:
        key = hash(f"{merchant}\0{variant.sku}")
        if key in self._skus:
            return "sku", "came before in this file"
        if variant.image and _is_unsafe(variant.image):
            return "image", _UNSAFE
        if variant.promotions:
            if len({p.starts_at for p in variant.promotions}) < len(variant.promotions):
                return "promotions", "has two that start at the same time"
            if any(p.starts_at >= p.ends_at for p in variant.promotions):
                return "promotions", "has one that ends before it starts"
        if len(variant.stock) > 1 and len({s.pool for s in variant.stock}) < len(variant.stock):
            return "stock", "has one pool twice"
        self._skus.add(key)
        return None

    def _slug(self, merchant: str) -> str:
        slug = self._slugs.get(merchant)
        if slug is None:
            slug = self._slugs[merchant] = slug_of(merchant)
        return slug


def _is_unsafe(url: str) -> bool:
    """Whether the address is neither of the web nor a path on its own."""
    if url.startswith(_WEB):
        return False
    return _SCHEME.match(url) is not None and not url.lower().startswith(_WEB)


def _odd(variant: VariantRecord, row: int) -> Iterator[Finding]:
    if variant.upc and normalise_gtin(variant.upc) is None:
        yield _warning(row, "upc", "is no valid GTIN; kept as it is, not compared", variant.upc)
    if variant.retail_minor is None:
        yield _warning(row, "price", "is missing; the variant is kept but not listed", variant.sku)
    elif variant.sale_minor is not None and variant.sale_minor > variant.retail_minor:
        reason = "is above the price, and is what buyers pay while the sale runs"
        yield _warning(row, "sale price", reason, variant.sku)
    starts_at, ends_at = variant.sale_starts_at, variant.sale_ends_at
    if starts_at and ends_at and ends_at <= starts_at:
        yield _warning(row, "sale", "ends before it starts, and never runs", variant.sku)


def _warning(row: int, field: str, reason: str, value: str) -> Finding:
    return Finding(row=row, field=field, reason=reason, value=shown(value), is_warning=True)
