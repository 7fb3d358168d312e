"""Products as WooCommerce's CSV: simple ones, or variable ones with their variations.

It cannot express translations, promotions, VAT rates, costs, or a supplier's pool next to the own one
at origin SC. Other fields that WooCommerce lacks are written to Meta: columns.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime

from crossdock.imports import fields
from crossdock.imports.holding import WOOCOMMERCE
from crossdock.imports.own_columns import OWN, meta, own_texts
from crossdock.imports.reading import Reading
from crossdock.imports.reading_again import woocommerce_again
from crossdock.imports.woocommerce_csv import SHORT
from crossdock.imports.writing_tables import TableText, number_text, on_hand
from crossdock.kit.money import format_minor
from crossdock.shop.catalogue import AttributeUse, ProductRecord, VariantRecord, slug_of
from crossdock.shop.shops import Shop

_COLUMNS = [
    "ID",
    "Type",
    "SKU",
    "GTIN, UPC, EAN, or ISBN",
    "Name",
    "Published",
    "Is featured?",
    "Visibility in catalog",
    "Short description",
    "Description",
    "Date sale price starts",
    "Date sale price ends",
    "Tax status",
    "In stock?",
    "Stock",
    "Backorders allowed?",
    "Weight (g)",
    "Length (mm)",
    "Width (mm)",
    "Height (mm)",
    "Sale price",
    "Regular price",
    "Categories",
    "Tags",
    "Images",
    "Parent",
    "Upsells",
    "Position",
    "Brands",
    "Meta: _handle",
    "Meta: _merchant",
    "Meta: _stock_sc",
    "Meta: origen",
    "Meta: _part_number",
    "Meta: _merchant_sku",
    *map(meta, OWN.values()),
]
_STATUS = {"instock": "1", "outofstock": "0", "onbackorder": "backorder", None: ""}
_LINE_END = re.compile(r"(?<!\\)\n")
ATTRIBUTES_MAX = 2_000
"""Maximum number of options and attributes of one product, far above what a record may have."""


class WooCommerceWriter:
    """Writes a simple product as one row, a variable one as a parent row and its variations."""

    parts = WOOCOMMERCE
    attributes_left_out: Sequence[str] = ()

    def __init__(self, *, shop: Shop, attributes: AttributeUse) -> None:
        self._reading = Reading(currency=shop.currency, merchant="")
        self._currency = shop.currency
        self._parents: dict[int, str] = {}
        self._count = min(attributes.most, ATTRIBUTES_MAX)
        numbered = (
            f"Attribute {number} {what}"
            for number in range(1, self._count + 1)
            for what in ("name", "value(s)", "visible", "global")
        )
        self._table = TableText([*_COLUMNS, *numbered])

    def held(self, product: ProductRecord) -> Sequence[VariantRecord]:
        """All variants."""
        return product.variants

    def start(self) -> str:
        """The header."""
        return self._table.header()

    def product(self, product: ProductRecord) -> str:
        """The product's rows."""
        return self._table.rows(self._rows(product))

    def again(self, product: ProductRecord) -> ProductRecord | None:
        """The product as an import into an empty shop makes it, None for one that is not written."""
        return woocommerce_again(self._rows(product), self._reading)

    def missing(self, product: ProductRecord) -> Sequence[str]:
        """Nothing."""
        return ()

    def end(self) -> str:
        """Nothing."""
        return ""

    def _rows(self, product: ProductRecord) -> Iterator[dict[str, str]]:
        head = self._head(product)
        if len(product.variants) == 1 and not product.option_names:
            variant = product.variants[0]
            published = product.enabled and variant.enabled
            kind = "simple, virtual" if product.virtual else "simple"
            yield (
                self._variant(variant)
                | head
                | {
                    "Type": kind,
                    "SKU": variant.sku,
                    "Published": "1" if published else "-1",
                }
            )
            return
        if not product.variants:
            return
        parent = self._parent(product)
        yield head | {
            "Type": "variable, virtual" if product.virtual else "variable",
            "SKU": parent,
        }
        for variant in product.variants:
            yield self._variant(variant) | {
                "Type": "variation",
                "SKU": variant.sku,
                "Parent": parent,
                "Published": "1" if variant.enabled else "-1",
                **self._attributes(
                    {name: fields.join_list([text]) for name, text in variant.options.items()}
                ),
            }

    def _parent(self, product: ProductRecord) -> str:
        """The parent SKU that variations refer to: the handle, made unique where merchants share it."""
        sku = product.handle
        if self._parents.setdefault(hash(sku), product.merchant) != product.merchant:
            sku = f"{sku} {slug_of(product.merchant)}"
        return sku

    def _head(self, product: ProductRecord) -> dict[str, str]:
        options = {
            name: fields.join_list(
                list(
                    dict.fromkeys(v.options[name] for v in product.variants if v.options.get(name))
                )
            )
            for name in product.option_names
        }
        has_short = bool(product.description) and SHORT in product.attributes
        attributes = {n: t for n, t in product.attributes.items() if n != SHORT or not has_short}
        return {
            "Name": product.name,
            "Published": "1" if product.enabled else "-1",
            "Is featured?": "1" if product.featured else "0",
            "Visibility in catalog": "visible",
            "Description": _one_line(product.description),
            "Short description": _one_line(product.attributes[SHORT]) if has_short else "",
            "Tax status": "taxable",
            "Backorders allowed?": "1" if product.sold_without_stock else "0",
            "Categories": fields.join_list([fields.path_text(path) for path in product.categories]),
            "Tags": fields.join_list(product.tags),
            "Images": fields.join_list([image.url for image in product.images]),
            "Upsells": fields.join_list(product.related_handles),
            "Position": str(product.sort),
            "Brands": product.brand,
            "Meta: _handle": product.handle,
            "Meta: _merchant": product.merchant,
            **self._own(product),
            **self._attributes(options | attributes),
        }

    def _attributes(self, values: dict[str, str]) -> dict[str, str]:
        row = {}
        given = [(name, text) for name, text in values.items() if text][: self._count]
        for number, (name, text) in enumerate(given, start=1):
            row[f"Attribute {number} name"] = name
            row[f"Attribute {number} value(s)"] = text
        return row

    def _variant(self, variant: VariantRecord) -> dict[str, str]:
        own, supplier = on_hand(variant, "own"), on_hand(variant, "supplier")
        stock = (own or 0) + (supplier or 0) if variant.origin != "SC" else (own or 0)
        return {
            "GTIN, UPC, EAN, or ISBN": variant.upc,
            "Date sale price starts": _moment(variant.sale_starts_at),
            "Date sale price ends": _moment(variant.sale_ends_at),
            "In stock?": _STATUS[variant.stock_status],
            "Stock": number_text(stock) if variant.stock_managed else "",
            "Weight (g)": number_text(variant.weight_g or None),
            "Length (mm)": number_text(variant.length_mm),
            "Width (mm)": number_text(variant.width_mm),
            "Height (mm)": number_text(variant.height_mm),
            "Sale price": self._price(variant.sale_minor),
            "Regular price": self._price(variant.retail_minor),
            "Images": fields.join_list([variant.image]) if variant.image else "",
            "Meta: _stock_sc": number_text(own),
            "Meta: origen": variant.origin,
            "Meta: _part_number": variant.part_number,
            "Meta: _merchant_sku": variant.merchant_sku,
        }

    def _own(self, product: ProductRecord) -> dict[str, str]:
        texts = own_texts(product, currency=self._currency)
        return {meta(OWN[field]): text for field, text in texts.items()}

    def _price(self, minor: int | None) -> str:
        return "" if minor is None else format_minor(minor, self._currency)


def _one_line(text: str) -> str:
    r"""A description as WooCommerce writes one: `\n` for a line end, `\\n` for a typed `\n`.

    A line end after a backslash stays as it is, since it could not be told from the latter.
    """
    escaped = text.replace("\\n", "\\\\n")
    return _LINE_END.sub("\\\\n", escaped) if "\n" in escaped else escaped


def _moment(value: datetime | None) -> str:
    return "" if value is None else value.isoformat()
