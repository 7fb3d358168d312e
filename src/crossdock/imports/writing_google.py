"""Products as a Google Merchant feed: RSS 2.0 with the g: namespace, one item per variant sold.

The items pass the receiver's rules (its product data specification, as of late 2026): required
fields are there where the catalogue has them, numbers of trade items are valid, at most ten further
pictures, no empty details, no purchase cost. It has no place for: disabled products and variants,
translations, promotions, tags, merchant skus, a supplier's pool, rates of VAT. Options are product
details too, in their order. A key that is too long for its element is shortened there, and whole in
a product detail.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from xml.sax.saxutils import escape  # nosec B406: it writes XML, nothing is parsed

import nh3

from crossdock.imports import fields
from crossdock.imports.google_columns import KEPT_FIELDS, OPTION_FIELDS
from crossdock.imports.google_details import (
    HANDLE_DETAIL,
    KEY_SECTION,
    OPTION_SECTION,
    SKU_DETAIL,
    USERS_DETAIL,
)
from crossdock.imports.google_values import ALWAYS, NEVER
from crossdock.imports.holding import GOOGLE
from crossdock.imports.own_columns import GENDERS, USERS
from crossdock.imports.reading import Reading
from crossdock.imports.reading_again import google_again
from crossdock.imports.shipping_terms import PARTS, term_text
from crossdock.imports.writing_tables import on_hand, sold_variants
from crossdock.kit.money import format_minor
from crossdock.shop.catalogue import (
    AttributeUse,
    ProductRecord,
    VariantRecord,
    normalise_gtin,
    variant_name,
)
from crossdock.shop.shops import Shop, product_page

_AVAILABILITY = {"instock": "in_stock", "outofstock": "out_of_stock", "onbackorder": "backorder"}
_KNOWN = frozenset((*OPTION_FIELDS, *KEPT_FIELDS))
_ALLOWED = {
    "condition": frozenset({"new", "refurbished", "used"}),
    "gender": frozenset({"male", "female", "unisex"}),
    "age_group": frozenset({"newborn", "infant", "toddler", "kids", "adult"}),
    "size_type": frozenset({"regular", "petite", "maternity", "big", "tall", "plus"}),
    "adult": frozenset({"yes", "no"}),
    "energy_efficiency_class": frozenset(["A+++", "A++", "A+", "A", "B", "C", "D", "E", "F", "G"]),
}
_LENGTHS = {"color": 100, "size": 100, "material": 200, "pattern": 100, "unit_pricing_measure": 100}
_DATED = frozenset({"preorder", "backorder"})
"""Availabilities that need a date."""
_MULTIPACK = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
_DATE_LENGTH_MAX = 25
_KEY_MAX = 50
_KEY_DIGITS = 10
_TITLE_MAX = 150
_DESCRIPTION_MAX = 5_000
_BRAND_MAX = 70
_DETAIL_NAME_MAX = 140
_DETAIL_MAX = 1_000
_FURTHER_MAX = 10
_HIGHLIGHT_MAX = 150
_PATHS_MAX = 750
_GRAMS_MAX = 1_000_000
_MILLIMETRES = range(10, 4_001)
_WITHIN = ("20", "21", "22", "23", "24", "25", "26", "27", "28", "29")
"""Numbers that a shop gives for itself, which no receiver takes."""
_NEEDED = ("link", "description", "image_link", "price")

Element = tuple[str, str]
Detail = tuple[str, str, str]


class GoogleWriter:
    """Writes each variant that is sold as one item."""

    parts = GOOGLE
    attributes_left_out: Sequence[str] = ()

    def __init__(self, *, shop: Shop, attributes: AttributeUse) -> None:
        self._reading = Reading(currency=shop.currency, merchant="")
        self._shop = shop

    def held(self, product: ProductRecord) -> list[VariantRecord]:
        """The variants that are sold."""
        return sold_variants(product) if product.enabled else []

    def start(self) -> str:
        """The start of the document and of its channel."""
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            '<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0">\n<channel>\n'
            f"<title>{_text(self._shop.name)}</title>\n"
        )

    def product(self, product: ProductRecord) -> str:
        """The items of the variants that are sold."""
        return "".join(self._item(product, variant) for variant in self.held(product))

    def again(self, product: ProductRecord) -> ProductRecord | None:
        """The product as an import into an empty shop makes it, None for one that is not written."""
        return google_again((self.parts_of(product, v) for v in self.held(product)), self._reading)

    def end(self) -> str:
        """The end of the channel and of the document."""
        return "</channel>\n</rss>\n"

    def _item(self, product: ProductRecord, variant: VariantRecord) -> str:
        elements, details = self.parts_of(product, variant)
        lines = [_element(name, text) for name, text in elements]
        return f"<item>\n{''.join(lines)}{''.join(map(_detail, details))}</item>\n"

    def parts_of(
        self, product: ProductRecord, variant: VariantRecord
    ) -> tuple[list[Element], list[Detail]]:
        """The elements of an item, none of them empty, and its details."""
        found = [*self._of_product(product, variant), *self._of_variant(product, variant)]
        elements = [(name, text) for name, text in found if text]
        return elements, list(_details(product, variant))

    def missing(self, product: ProductRecord) -> Iterator[str]:
        """What the receiver needs of the items and they do not have, once for each item."""
        for variant in self.held(product):
            found = dict(self.parts_of(product, variant)[0])
            yield from (name for name in _NEEDED if name not in found)
            if found["availability"] in _DATED and "availability_date" not in found:
                yield "availability_date"

    def _of_product(self, product: ProductRecord, variant: VariantRecord) -> Iterator[Element]:
        name = variant_name(
            product.name, option_names=product.option_names, options=variant.options
        )
        yield "title", name if len(name) <= _TITLE_MAX else f"{name[: _TITLE_MAX - 1].rstrip()}…"
        yield "item_group_title", product.name
        yield "description", _description(product)
        if self._shop.product_url:
            page = self._shop.product_url
            yield "link", product_page(page, handle=product.handle, sku=variant.sku)
        if len(product.brand) <= _BRAND_MAX:
            yield "brand", product.brand
        yield "external_seller_id", product.merchant
        for path in product.categories:
            if len(text := fields.path_text(path)) <= _PATHS_MAX:
                yield "product_type", text
        main = _main_picture(product, variant)
        further = [image.url for image in product.images if image.url != main]
        for url in further[:_FURTHER_MAX]:
            yield "additional_image_link", url
        condition = product.attributes.get("condition", "")
        is_said = _is_element(product, variant, "condition", condition)
        yield "condition", condition if is_said else "new"
        for name, text in product.attributes.items():
            if name != "condition" and _is_element(product, variant, name, text):
                yield name, text

        if not _gender(product, variant) and "gender" not in product.option_names:
            yield "gender", GENDERS.get(product.target_users, "")
        for text in product.features:
            if len(text) <= _HIGHLIGHT_MAX:
                yield "product_highlight", text
        for term in () if product.free_shipping else product.shipping_terms:
            yield "shipping", term_text(term, currency=self._shop.currency)

    def _of_variant(self, product: ProductRecord, variant: VariantRecord) -> Iterator[Element]:
        gtin = variant.upc if is_public_gtin(variant.upc) else ""
        yield "id", short_key(variant.sku)
        yield "item_group_id", short_key(product.handle)
        yield "gtin", gtin
        yield "mpn", variant.part_number if len(variant.part_number) <= _BRAND_MAX else ""
        if not gtin and not (product.brand and variant.part_number):
            yield "identifier_exists", "no"
        yield "price", self._price(variant.retail_minor)
        if _is_reduced(variant):
            yield "sale_price", self._price(variant.sale_minor)
            if variant.sale_starts_at or variant.sale_ends_at:
                starts_at, ends_at = variant.sale_starts_at or ALWAYS, variant.sale_ends_at or NEVER
                yield "sale_price_effective_date", f"{starts_at.isoformat()}/{ends_at.isoformat()}"
        yield "availability", _availability(variant)
        yield "image_link", _main_picture(product, variant)
        if variant.stock_managed:
            yield "quantity", str(on_hand(variant, "own") or 0)
        if 0 < variant.weight_g <= _GRAMS_MAX:
            yield "shipping_weight", f"{variant.weight_g} g"
        for side in ("length", "width", "height"):
            if (size := getattr(variant, f"{side}_mm")) is not None and size in _MILLIMETRES:
                yield f"shipping_{side}", f"{size // 10}.{size % 10} cm"
        for name in product.option_names:
            text = variant.options.get(name, "")
            if name in OPTION_FIELDS and _is_allowed(name, text):
                yield name, text

    def _price(self, minor: int | None) -> str:
        currency = self._shop.currency
        return "" if minor is None else f"{format_minor(minor, currency)} {currency}"


def short_key(text: str) -> str:
    """The key, or where it is too long its start and the start of its hash."""
    if len(text) <= _KEY_MAX:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:_KEY_DIGITS]
    return f"{text[: _KEY_MAX - _KEY_DIGITS - 1].rstrip()}-{digest}"


def is_public_gtin(text: str) -> bool:
    """Whether it is a number that the receiver takes: valid, and not one for use within a shop."""
    gtin = normalise_gtin(text)
    return gtin is not None and not gtin[1:].startswith(_WITHIN)


def _is_allowed(name: str, text: str) -> bool:
    if name == "multipack":
        return _MULTIPACK.fullmatch(text) is not None
    if name == "availability_date":
        return _is_date(text)
    return text in _ALLOWED[name] if name in _ALLOWED else len(text) <= _LENGTHS.get(name, 100)


def _is_date(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return len(text) <= _DATE_LENGTH_MAX


def _is_reduced(variant: VariantRecord) -> bool:
    """Whether there is a sale price that the receiver takes: one below the price."""
    retail, sale = variant.retail_minor, variant.sale_minor
    return sale is not None and (retail is None or sale < retail)


def _description(product: ProductRecord) -> str:
    """The description, as plain text where HTML would be too long, else the name."""
    text = product.description or product.name
    if len(text) <= _DESCRIPTION_MAX:
        return text
    plain = nh3.clean(text, tags=set())
    return plain if len(plain) <= _DESCRIPTION_MAX else f"{plain[: _DESCRIPTION_MAX - 9]}…"


def _main_picture(product: ProductRecord, variant: VariantRecord) -> str:
    return variant.image or next((image.url for image in product.images), "")


def _availability(variant: VariantRecord) -> str:
    """What is said of the status, else what the stock implies."""
    if variant.stock_status:
        return _AVAILABILITY[variant.stock_status]
    is_there = not variant.stock_managed or bool(on_hand(variant, "own"))
    return "in_stock" if is_there else "out_of_stock"


def _is_element(product: ProductRecord, variant: VariantRecord, name: str, text: str) -> bool:
    """Whether an attribute has an element of its own in the variant's item."""
    if name == "availability_date" and _availability(variant) not in _DATED:
        return False
    return name in _KNOWN and name not in product.option_names and _is_allowed(name, text)


def _is_detail(name: str, text: str) -> bool:
    return bool(text) and len(name) <= _DETAIL_NAME_MAX and len(text) <= _DETAIL_MAX


def _gender(product: ProductRecord, variant: VariantRecord) -> str:
    """The attribute `gender`, where it is an element of the item."""
    said = product.attributes.get("gender", "")
    return said if _is_element(product, variant, "gender", said) else ""


def _details(product: ProductRecord, variant: VariantRecord) -> Iterator[Detail]:
    for name, key in ((SKU_DETAIL, variant.sku), (HANDLE_DETAIL, product.handle)):
        if len(key) > _KEY_MAX:
            yield KEY_SECTION, name, key
    if product.target_users != USERS.get(_gender(product, variant), "unknown"):
        yield KEY_SECTION, USERS_DETAIL, product.target_users
    for name, text in product.attributes.items():
        if not _is_element(product, variant, name, text) and _is_detail(name, text):
            yield "", name, text
    for name in product.option_names:
        if _is_detail(name, text := variant.options.get(name, "")):
            yield OPTION_SECTION, name, text


def _element(name: str, text: str) -> str:
    if name == "shipping":
        named = zip(PARTS, text.split(":"), strict=False)
        inner = "".join(f"<g:{part}>{_text(found)}</g:{part}>" for part, found in named if found)
        return f"<g:shipping>{inner}</g:shipping>\n"
    return (
        f"<{name}>{_text(text)}</{name}>\n"
        if name == "title"
        else f"<g:{name}>{_text(text)}</g:{name}>\n"
    )


def _detail(detail: Detail) -> str:
    section, name, value = detail
    section = f"<g:section_name>{_text(section)}</g:section_name>" if section else ""
    return (
        f"<g:product_detail>{section}"
        f"<g:attribute_name>{_text(name)}</g:attribute_name>"
        f"<g:attribute_value>{_text(value)}</g:attribute_value>"
        "</g:product_detail>\n"
    )


def _text(text: str) -> str:
    return escape(text, {"\r": "&#13;"})
