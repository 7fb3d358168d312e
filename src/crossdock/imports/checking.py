"""The checks of a record that are the same for every format."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import chain
from operator import is_not

import msgspec

from crossdock.imports.items import Finding, Item, Read, Record, shown
from crossdock.imports.keys import Keys
from crossdock.imports.odd_cells import without
from crossdock.kit.email import is_email
from crossdock.kit.texts import has_ink
from crossdock.shop.catalogue import (
    EVERYTHING,
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
_UNSAFE = "is not an image URL; it must begin with https:// or http://, or be a path"
_UNSAFE_VIDEO = _UNSAFE.replace("an image", "a video")


class Checker:
    """Checks the records of one file, in its order; it remembers every handle and sku by a hash."""

    def __init__(self, *, currency: str) -> None:
        self._currency = currency
        self._handles: dict[int, int] = {}
        self._keys = Keys()
        self._slugs: dict[str, str] = {}
        self._is_price_missed = False

    def check(self, item: Item) -> Iterator[Item]:
        """The item without its refused variants, and the findings about them."""
        if isinstance(item, Read) and isinstance(item.record, ProductRecord):
            yield from self._check_product(item, item.record)
        elif isinstance(item, Read) and (reason := _other_reason(item.record)):
            yield Finding(row=item.row, field=reason[0], reason=reason[1])
        else:
            yield item

    def _check_product(self, item: Read, product: ProductRecord) -> Iterator[Item]:
        product, item, odd = _without_odd_parts(product, item)
        yield from odd
        merchant = self._slug(product.merchant)
        product = self._with_handle(item, product, merchant)
        if reason := self._product_reason(item.row, product, merchant):
            yield Finding(row=item.row, field=reason[0], reason=reason[1], value=shown(reason[2]))
            return
        kept: list[VariantRecord] = []
        refused = 0
        for found in self._keys.settle(item, product, merchant):
            if isinstance(found, Finding):
                refused += not found.is_warning
                yield found
                continue
            row, variant = found
            if unfit := _key_reason(variant.sku):
                refused += 1
                yield Finding(row=row, field="sku", reason=unfit, value=shown(variant.sku))
                continue
            kept.append(variant)
            yield from _odd(variant, row)
            if variant.retail_minor is None:
                yield from self._without_price(variant, row, item.parts)
        if not kept:
            return
        is_changed = refused or any(map(is_not, kept, product.variants))
        if is_changed:
            item = _with_parts(item, before=product.variants, after=kept)
            product = msgspec.structs.replace(
                product, variants=tuple(kept), is_complete=product.is_complete and not refused
            )
        yield msgspec.structs.replace(item, record=product)

    def _with_handle(self, item: Read, product: ProductRecord, merchant: str) -> ProductRecord:
        """The product under its spare handle where the one that its sku made came before."""
        if not item.spare_handle or hash(f"{merchant}\0{product.handle}") not in self._handles:
            return product
        return msgspec.structs.replace(product, handle=item.spare_handle)

    def _without_price(
        self, variant: VariantRecord, row: int, parts: Parts | None
    ) -> Iterator[Finding]:
        """One warning per variant without a price, or a single one where the table has no price column."""
        if parts is None or "retail_minor" in parts.variant:
            reason = "is missing; the variant is kept but not listed"
            yield _warning(row, "price", reason, variant.sku)
        elif not self._is_price_missed:
            self._is_price_missed = True
            reason = "has no column; prices stay as they are, and new variants are not listed"
            yield _warning(row, "price", reason, "")

    def _product_reason(
        self, row: int, product: ProductRecord, merchant: str
    ) -> tuple[str, str, str] | None:
        if product.currency != self._currency:
            return "currency", f"is not the shop's, which is {self._currency}", product.currency
        if not product.variants:
            return "variants", "has none", ""
        if unseen := _unseen(product, "handle", "name", "merchant"):
            return unseen, _UNSEEN, ""
        if padded := next(filter(_is_padded, (product.handle, product.merchant)), None):
            return "handle or merchant", _PADDED, padded
        key = hash(f"{merchant}\0{product.handle}")
        if key in self._handles:
            before = f"came before in this file, in row {self._handles[key]}"
            return "handle", f"{before}; a product's rows stand together", product.handle
        self._handles[key] = row
        return None

    def _slug(self, merchant: str) -> str:
        slug = self._slugs.get(merchant)
        if slug is None:
            slug = self._slugs[merchant] = slug_of(merchant)
        return slug


def _with_parts(
    item: Read, *, before: Sequence[VariantRecord], after: Sequence[VariantRecord]
) -> Read:
    """The parts that could not be read, under the variants' new keys."""
    if item.parts is None or not item.parts.unread:
        return item
    keys: dict[str, list[str]] = {"": [""]}
    for variant in before:
        keys.setdefault(variant.sku, []).append(variant.sku)
    for variant in after:
        keys.setdefault(variant.merchant_sku, []).append(variant.sku)
    unread = frozenset(
        (key, name) for sku, name in item.parts.unread for key in keys.get(sku, (sku,))
    )
    return msgspec.structs.replace(item, parts=without(item.parts, unread))


def _without_odd_parts(
    product: ProductRecord, item: Read
) -> tuple[ProductRecord, Read, list[Finding]]:
    """The product without what no catalogue can have, and a warning about each."""
    rows = item.variant_rows or (item.row,) * len(product.variants)
    found = [
        (_warning(row, field, f"{reason}; left out", value), sku, field)
        for row, sku, field, reason, value in chain(
            ((item.row, "", *odd) for odd in _odd_of_product(product)),
            (
                (row, variant.sku, *odd)
                for row, variant in zip(rows, product.variants, strict=True)
                for odd in _odd_of_variant(variant)
            ),
        )
    ]
    if not found:
        return product, item, []
    unread = frozenset(
        (sku, name) for _, sku, field in found for name in _FIELDS.get(field, (field,))
    )
    product = msgspec.structs.replace(
        product,
        categories=tuple(path for path in product.categories if not is_too_deep(path)),
        images=tuple(image for image in product.images if not _is_unsafe(image.url)),
        video="" if _is_unsafe(product.video) else product.video,
        variants=tuple(
            msgspec.structs.replace(
                variant, **{name: _EMPTY[name] for sku, name in unread if sku == variant.sku}
            )
            for variant in product.variants
        ),
    )
    parts = without(item.parts or EVERYTHING, unread - {("", "images"), ("", "categories")})
    return product, msgspec.structs.replace(item, parts=parts), [warning for warning, _, _ in found]


_FIELDS = {"sale": ("sale_minor", "sale_starts_at", "sale_ends_at")}
_EMPTY = dict.fromkeys(("image", *_FIELDS["sale"])) | {"promotions": (), "stock": ()}


def _odd_of_product(product: ProductRecord) -> Iterator[tuple[str, str, str]]:
    for path in product.categories:
        if is_too_deep(path):
            yield "categories", _TOO_DEEP, " > ".join(path)
    for image in product.images:
        if _is_unsafe(image.url):
            yield "images", _UNSAFE, image.url
    if _is_unsafe(product.video):
        yield "video", _UNSAFE_VIDEO, product.video


def _odd_of_variant(variant: VariantRecord) -> Iterator[tuple[str, str, str]]:
    if variant.image and _is_unsafe(variant.image):
        yield "image", _UNSAFE, variant.image
    for moment in (variant.sale_starts_at, variant.sale_ends_at):
        if _is_far(moment):
            yield "sale", _FAR, str(moment)
    if variant.promotions and (reason := _promotions_reason(variant)):
        yield "promotions", reason, variant.sku
    if len(variant.stock) > 1 and len({s.pool for s in variant.stock}) < len(variant.stock):
        yield "stock", "has one pool twice", variant.sku


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
        return "email", "is not an e-mail address"
    return None


def _unseen(record: Record, *names: str) -> str:
    """The first of these fields in which nothing can be seen, or ''."""
    return next((name for name in names if not has_ink(getattr(record, name))), "")


def _key_reason(sku: str) -> str:
    if not has_ink(sku):
        return _UNSEEN
    return _PADDED if _is_padded(sku) else ""


def _is_padded(key: str) -> bool:
    return key.strip() != key


def _is_far(moment: datetime | None) -> bool:
    return moment is not None and not 1900 <= moment.year <= 9000


def _is_unsafe(url: str) -> bool:
    """Whether the URL is neither http(s) nor a bare path."""
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
