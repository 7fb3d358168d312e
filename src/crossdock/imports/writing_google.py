"""Products as a Google Merchant feed: RSS 2.0 with the g: namespace, one item per variant sold.

It cannot express disabled products and variants, translations, promotions, tags, merchant SKUs,
a supplier's pool or VAT rates. Options are written as product details too, in their order.
"""

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape  # nosec B406: it writes XML, nothing is parsed

from crossdock.imports import fields
from crossdock.imports.google_merchant import (
    ALWAYS,
    KEPT_FIELDS,
    NEVER,
    OPTION_FIELDS,
    OPTION_SECTION,
)
from crossdock.imports.holding import GOOGLE
from crossdock.imports.writing_tables import on_hand, sold_variants
from crossdock.kit.money import format_minor
from crossdock.shop.catalogue import AttributeUse, ProductRecord, VariantRecord, variant_name
from crossdock.shop.shops import Shop

_AVAILABILITY = {"instock": "in_stock", "outofstock": "out_of_stock", "onbackorder": "backorder"}
_KNOWN = frozenset((*OPTION_FIELDS, *KEPT_FIELDS))

Element = tuple[str, str]


class GoogleWriter:
    """Writes each variant that is sold as one item."""

    parts = GOOGLE
    attributes_left_out: Sequence[str] = ()

    def __init__(self, *, shop: Shop, attributes: AttributeUse) -> None:
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

    def end(self) -> str:
        """The end of the channel and of the document."""
        return "</channel>\n</rss>\n"

    def _item(self, product: ProductRecord, variant: VariantRecord) -> str:
        elements = [*self._of_product(product), *self._of_variant(product, variant)]
        lines = [f"<g:{name}>{_text(text)}</g:{name}>\n" for name, text in elements if text]
        name = variant_name(
            product.name, option_names=product.option_names, options=variant.options
        )
        title = f"<title>{_text(name)}</title>\n"
        return f"<item>\n{title}{''.join(lines)}{''.join(_details(product, variant))}</item>\n"

    def _of_product(self, product: ProductRecord) -> Iterator[Element]:
        yield "item_group_title", product.name
        yield "description", product.description
        yield "brand", product.brand
        yield "external_seller_id", product.merchant
        for path in product.categories:
            yield "product_type", fields.path_text(path)
        for image in product.images:
            yield "additional_image_link", image.url
        for name, text in product.attributes.items():
            if name in _KNOWN and name not in product.option_names:
                yield name, text

    def _of_variant(self, product: ProductRecord, variant: VariantRecord) -> Iterator[Element]:
        yield "id", variant.sku
        yield "item_group_id", product.handle
        yield "gtin", variant.upc
        yield "mpn", variant.part_number
        yield "price", self._price(variant.retail_minor)
        yield "sale_price", self._price(variant.sale_minor)
        yield "cost_of_goods_sold", self._price(variant.cost_minor)
        if variant.sale_starts_at or variant.sale_ends_at:
            starts_at, ends_at = variant.sale_starts_at or ALWAYS, variant.sale_ends_at or NEVER
            yield "sale_price_effective_date", f"{starts_at.isoformat()}/{ends_at.isoformat()}"
        yield "availability", _AVAILABILITY.get(variant.stock_status or "", "")
        yield "image_link", variant.image or next((i.url for i in product.images), "")
        if variant.stock_managed:
            yield "quantity", str(on_hand(variant, "own") or 0)
        if variant.weight_g:
            yield "shipping_weight", f"{variant.weight_g} g"
        for side in ("length", "width", "height"):
            if (size := getattr(variant, f"{side}_mm")) is not None:
                yield f"shipping_{side}", f"{size} mm"
        for name in product.option_names:
            if name in OPTION_FIELDS:
                yield name, variant.options.get(name, "")

    def _price(self, minor: int | None) -> str:
        currency = self._shop.currency
        return "" if minor is None else f"{format_minor(minor, currency)} {currency}"


def _details(product: ProductRecord, variant: VariantRecord) -> Iterator[str]:
    for name, text in product.attributes.items():
        if name not in _KNOWN:
            yield _detail("", name, text)
    for name in product.option_names:
        yield _detail(OPTION_SECTION, name, variant.options.get(name, ""))


def _detail(section: str, name: str, value: str) -> str:
    return (
        "<g:product_detail>"
        f"<g:section_name>{_text(section)}</g:section_name>"
        f"<g:attribute_name>{_text(name)}</g:attribute_name>"
        f"<g:attribute_value>{_text(value)}</g:attribute_value>"
        "</g:product_detail>\n"
    )


def _text(text: str) -> str:
    return escape(text, {"\r": "&#13;"})
