"""What holds for every record, whatever format it came in."""

import re
from collections.abc import Iterator
from datetime import datetime

import msgspec

from crossdock.imports.items import Finding, Item, Read, Record, shown
from crossdock.kit.email import is_email
from crossdock.kit.texts import has_ink
from crossdock.shop.catalogue import (
    BlogPostRecord,
    CategoryRecord,
    MerchantRecord,
    Parts,
    ProductRecord,
    VariantRecord,
    is_too_deep,
    normalise_gtin,
    slug_of,
)

_UNSEEN = "holds nothing that can be seen"
_PADDED = "has white space around it"
_TOO_DEEP = "has a path whose names are too long together"
_FAR = "is not a date of our time"
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
        self._is_price_missed = False

    def check(self, item: Item) -> Iterator[Item]:
        """The item, without the variants that are refused, and what there is to say about it."""
        if isinstance(item, Read) and isinstance(item.record, ProductRecord):
            yield from self._check_product(item, item.record)
        elif isinstance(item, Read) and (reason := _other_reason(item.record)):
            yield Finding(row=item.row, field=reason[0], reason=reason[1])
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
            if variant.retail_minor is None:
                yield from self._without_price(variant, row, item.parts)
        if not kept:
            return
        if refused:
            product = msgspec.structs.replace(product, variants=tuple(kept), is_complete=False)
        yield msgspec.structs.replace(item, record=product)

    def _without_price(
        self, variant: VariantRecord, row: int, parts: Parts | None
    ) -> Iterator[Finding]:
        """A warning about each such variant, or one about a table that has no prices at all."""
        if parts is None or "retail_minor" in parts.variant:
            reason = "is missing; the variant is kept but not listed"
            yield _warning(row, "price", reason, variant.sku)
        elif not self._is_price_missed:
            self._is_price_missed = True
            reason = "has no column; prices stay as they are, and new variants are not listed"
            yield _warning(row, "price", reason, "")

    def _product_reason(self, product: ProductRecord, merchant: str) -> tuple[str, str, str] | None:
        if product.currency != self._currency:
            return "currency", f"is not the shop's, which is {self._currency}", product.currency
        if not product.variants:
            return "variants", "has none", ""
        if unseen := _unseen(product, "handle", "name", "merchant"):
            return unseen, _UNSEEN, ""
        if padded := next(filter(_is_padded, (product.handle, product.merchant)), None):
            return "handle or merchant", _PADDED, padded
        if far := next(filter(is_too_deep, product.categories), None):
            return "categories", _TOO_DEEP, " > ".join(far)
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
        if not has_ink(variant.sku):
            return "sku", _UNSEEN
        if _is_padded(variant.sku):
            return "sku", _PADDED
        if variant.image and _is_unsafe(variant.image):
            return "image", _UNSAFE
        if any(map(_is_far, (variant.sale_starts_at, variant.sale_ends_at))):
            return "sale", _FAR
        if variant.promotions and (reason := _promotions_reason(variant)):
            return "promotions", reason
        if len(variant.stock) > 1 and len({s.pool for s in variant.stock}) < len(variant.stock):
            return "stock", "has one pool twice"
        self._skus.add(key)
        return None

    def _slug(self, merchant: str) -> str:
        slug = self._slugs.get(merchant)
        if slug is None:
            slug = self._slugs[merchant] = slug_of(merchant)
        return slug


def _promotions_reason(variant: VariantRecord) -> str:
    promotions = variant.promotions
    if any(_is_far(p.starts_at) or _is_far(p.ends_at) for p in promotions):
        return _FAR
    if len({p.starts_at for p in promotions}) < len(promotions):
        return "has two that start at the same time"
    ends_early = any(p.starts_at >= p.ends_at for p in promotions)
    return "has one that ends before it starts" if ends_early else ""


def _other_reason(record: Record) -> tuple[str, str] | None:
    if isinstance(record, CategoryRecord) and is_too_deep(record.path):
        return "path", _TOO_DEEP
    if isinstance(record, BlogPostRecord) and _is_far(record.published_at):
        return "published_at", _FAR
    if isinstance(record, CategoryRecord) and not all(map(has_ink, record.path)):
        return "path", _UNSEEN
    if isinstance(record, BlogPostRecord) and (unseen := _unseen(record, "slug", "title")):
        return unseen, _UNSEEN
    if isinstance(record, MerchantRecord) and _unseen(record, "name"):
        return "name", _UNSEEN
    if isinstance(record, MerchantRecord) and record.email and not is_email(record.email):
        return "email", "is no e-mail address"
    return None


def _unseen(record: Record, *names: str) -> str:
    """The first of these fields in which nothing can be seen, or ''."""
    return next((name for name in names if not has_ink(getattr(record, name))), "")


def _is_padded(key: str) -> bool:
    return key.strip() != key


def _is_far(moment: datetime | None) -> bool:
    return moment is not None and not 1900 <= moment.year <= 9000


def _is_unsafe(url: str) -> bool:
    """Whether the address is neither of the web nor a path on its own."""
    if url.startswith(_WEB):
        return False
    return _SCHEME.match(url) is not None and not url.lower().startswith(_WEB)


def _odd(variant: VariantRecord, row: int) -> Iterator[Finding]:
    if variant.upc and normalise_gtin(variant.upc) is None:
        yield _warning(row, "upc", "is no valid GTIN; kept as it is, not compared", variant.upc)
    retail, sale = variant.retail_minor, variant.sale_minor
    if retail is not None and sale is not None and sale > retail:
        reason = "is above the price, and is what buyers pay while the sale runs"
        yield _warning(row, "sale price", reason, variant.sku)
    starts_at, ends_at = variant.sale_starts_at, variant.sale_ends_at
    if starts_at and ends_at and ends_at <= starts_at:
        yield _warning(row, "sale", "ends before it starts, and never runs", variant.sku)


def _warning(row: int, field: str, reason: str, value: str) -> Finding:
    return Finding(row=row, field=field, reason=reason, value=shown(value), is_warning=True)
