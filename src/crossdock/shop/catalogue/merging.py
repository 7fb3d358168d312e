"""Merge a record that was read with the stored values that its source format cannot express."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from crossdock.shop.catalogue.parts import PRODUCT_PARTS, VARIANT_PARTS, Parts
from crossdock.shop.catalogue.records import CategoryPath, Image, ProductRecord, VariantRecord
from crossdock.shop.catalogue.texts import html_once, plain_text


def completed(
    read: ProductRecord,
    *,
    stored: ProductRecord | None,
    variants: Sequence[VariantRecord | None],
    parts: Parts,
) -> ProductRecord:
    """The merged product; `variants` are the stored variants with the skus of those that were read."""
    names = _option_names(read, stored, variants, parts) if stored else None
    merged = _product(read, stored, variants, parts) if stored else {}
    if names:
        merged["option_names"] = names
    merged["variants"] = tuple(
        msgspec.structs.replace(
            variant,
            **_variant(variant, before, parts, product=stored),
            **_hidden_options(variant, before, parts, shown=read.option_names if names else None),
        )
        if before
        else variant
        for variant, before in zip(read.variants, variants, strict=True)
    )
    found = msgspec.structs.replace(read, **merged)
    return _as_shown(read, found, stored, variants, parts) if stored and parts.shows else found


def _as_shown(
    read: ProductRecord,
    found: ProductRecord,
    stored: ProductRecord,
    variants: Sequence[VariantRecord | None],
    parts: Parts,
) -> ProductRecord:
    """Keep each stored value that the format would export exactly as the file has it."""
    known = tuple(
        msgspec.structs.replace(before, stock=given.stock)
        for given, before in zip(read.variants, variants, strict=True)
        if before
    )
    shown = parts.shows(msgspec.structs.replace(stored, variants=known)) if parts.shows else None
    if shown is None:
        return found
    shown_variants = {variant.sku: variant for variant in shown.variants}
    merged = tuple(
        _kept(given, one, before, shown_variants.get(given.sku), VARIANT_PARTS)
        for given, one, before in zip(read.variants, found.variants, variants, strict=True)
    )
    kept: ProductRecord = _kept(read, found, stored, shown, PRODUCT_PARTS)
    return msgspec.structs.replace(kept, variants=merged)


def _kept(read: Any, found: Any, stored: Any, shown: Any, names: Iterable[str]) -> Any:
    if stored is None or shown is None:
        return found
    same = {
        name: getattr(stored, name) for name in names if getattr(read, name) == getattr(shown, name)
    }
    return msgspec.structs.replace(found, **same)


def _product(
    read: ProductRecord,
    stored: ProductRecord,
    variants: Sequence[VariantRecord | None],
    parts: Parts,
) -> dict[str, object]:
    held = parts.product_fields()
    merged = _as_spelt(read, stored) | {
        name: getattr(stored, name) for name in PRODUCT_PARTS if name not in held
    }
    if "categories" in held:
        merged["categories"] = _categories(read, stored, parts)
    if "attributes" in held:
        merged["attributes"] = _attributes(read, stored, parts)
    if "images" in held:
        merged["images"] = _images(read, stored, parts)
    if parts.shares_enabled and not read.enabled and variants[0]:
        merged["enabled"] = stored.enabled and not variants[0].enabled
    return merged | _bounds(read, stored, merged)


def _bounds(
    read: ProductRecord, stored: ProductRecord, merged: Mapping[str, object]
) -> dict[str, object]:
    """Both bounds of an order as stored, where a source has one of them and it contradicts the other."""
    least, most = (merged.get(name, getattr(read, name)) for name in _BOUNDS)
    if isinstance(least, int) and isinstance(most, int) and most < least:
        return {name: getattr(stored, name) for name in _BOUNDS}
    return {}


_BOUNDS = ("quantity_min", "quantity_max")


def _variant(
    read: VariantRecord,
    before: VariantRecord,
    parts: Parts,
    *,
    product: ProductRecord | None,
) -> dict[str, object]:
    held = parts.variant_fields(read.sku)
    merged = _as_spelt(read, before) | {
        name: getattr(before, name) for name in VARIANT_PARTS if name not in held
    }
    if read.merchant_sku:
        merged["merchant_sku"] = read.merchant_sku
    merged |= _sale(read, before, parts, held)
    if parts.shares_enabled and not read.enabled:
        merged["enabled"] = before.enabled
    if product and parts.lends_pictures and "image" in held and not before.image and product.images:
        merged["image"] = None if read.image == product.images[0].url else read.image
    return merged


def _hidden_options(
    read: VariantRecord, before: VariantRecord, parts: Parts, *, shown: tuple[str, ...] | None
) -> dict[str, object]:
    """Stored values of options that the format cannot express."""
    if shown is None or "options" not in parts.variant:
        return {}
    kept = {name: text for name, text in before.options.items() if name not in shown}
    return {"options": read.options | kept} if kept else {}


def _as_spelt(read: msgspec.Struct, stored: msgspec.Struct) -> dict[str, object]:
    """Stored texts and lists that differ from the read ones only in white space, entities or repeats."""
    found: dict[str, object] = {}
    for name in stored.__struct_fields__:
        before = getattr(stored, name)
        if _plainly(name, before) == getattr(read, name):
            found[name] = before
    return found


def _plainly(name: str, value: object) -> object:
    if isinstance(value, str):
        return html_once(value).strip() if name == "description" else plain_text(value)
    if isinstance(value, dict):
        return {plain_text(key): _plainly("", text) for key, text in value.items()}
    if name in _LISTS and isinstance(value, tuple):
        return tuple(dict.fromkeys(map(plain_text, value)))
    return value


_LISTS = frozenset({"tags", "related_handles", "option_names"})


def _option_names(
    read: ProductRecord,
    stored: ProductRecord,
    variants: Sequence[VariantRecord | None],
    parts: Parts,
) -> tuple[str, ...] | None:
    """The stored option names if those that the format can express are the ones read, else None."""
    shown = tuple(
        name
        for name in stored.option_names[: parts.options_max]
        if any(variant and variant.options.get(name) for variant in variants)
    )
    return stored.option_names if tuple(map(plain_text, shown)) == read.option_names else None


def _categories(
    read: ProductRecord, stored: ProductRecord, parts: Parts
) -> tuple[CategoryPath, ...]:
    further = stored.categories[parts.categories_max :]
    return tuple(dict.fromkeys((*read.categories, *further)))


def _attributes(read: ProductRecord, stored: ProductRecord, parts: Parts) -> dict[str, str]:
    """The attributes read, and the stored ones that the format cannot express."""
    kept = {
        name: text
        for name, text in stored.attributes.items()
        if not text
        or name in read.option_names
        or (parts.attributes is not None and name not in parts.attributes)
    }
    return kept | read.attributes


def _images(read: ProductRecord, stored: ProductRecord, parts: Parts) -> tuple[Image, ...]:
    lent = {v.image for v in read.variants if v.image} if parts.lends_pictures else set()
    before = {image.url: image for image in stored.images}
    if _without(lent, [i.url for i in read.images]) == _without(lent, before):
        if not parts.image_texts:
            return stored.images
        texts = {image.url: image.alt for image in read.images}
        return tuple(_with_text(image, before, texts) for image in stored.images)
    return tuple(_known(image, before, parts) for image in read.images)


def _without(lent: set[str], urls: Iterable[str]) -> list[str]:
    return [url for url in urls if url not in lent]


def _with_text(image: Image, before: Mapping[str, Image], texts: Mapping[str, str]) -> Image:
    """The picture, with the source's text if that differs."""
    text = texts.get(image.url, "")
    return image if before[image.url].alt == text else msgspec.structs.replace(image, alt=text)


def _known(image: Image, before: Mapping[str, Image], parts: Parts) -> Image:
    known = before.get(image.url)
    if known is None:
        return image
    return msgspec.structs.replace(known, alt=image.alt) if parts.image_texts else known


def _sale(
    read: VariantRecord, stored: VariantRecord, parts: Parts, held: frozenset[str]
) -> dict[str, object]:
    """The sale after the import: the stored one if the format cannot express it or its dates."""
    has_dates = "sale_starts_at" in held
    if "sale_minor" not in held or (has_dates and _sale_of(read) != _NO_SALE):
        return {}
    is_hidden = read.sale_minor is None and not parts.shows_every_sale and not _is_plain(stored)
    is_same = read.sale_minor == stored.sale_minor
    source = stored if is_hidden or is_same else read
    return dict(zip(_SALE, _sale_of(source), strict=True))


_SALE = ("sale_minor", "sale_starts_at", "sale_ends_at")
_NO_SALE = (None, None, None)


def _sale_of(variant: VariantRecord) -> tuple[object, ...]:
    return tuple(getattr(variant, name) for name in _SALE)


def _is_plain(variant: VariantRecord) -> bool:
    """Whether the sale has no dates and is below the usual price."""
    has_dates = variant.sale_starts_at or variant.sale_ends_at
    sale, retail = variant.sale_minor, variant.retail_minor
    return not has_dates and sale is not None and retail is not None and sale < retail
