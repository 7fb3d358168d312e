"""Products as Shopify's CSV, with the header names that every version of it reads.

It cannot express more than one category and three options, disabled variants, translations,
promotions, sale dates, the supplier's pool, VAT rates or dimensions. Columns of our own are the last:
Merchant, Origin, and metafields of how a product is shipped and whom it is for.
"""

from collections.abc import Iterator, Sequence

from crossdock.imports import fields
from crossdock.imports.holding import SHOPIFY
from crossdock.imports.own_columns import OWN, metafield, own_texts
from crossdock.imports.reading import Reading
from crossdock.imports.reading_again import shopify_again
from crossdock.imports.tables import COLUMNS_MAX
from crossdock.imports.writing_tables import TableText, number_text, on_hand, sold_variants
from crossdock.kit.money import format_minor
from crossdock.shop.catalogue import AttributeUse, ProductRecord, VariantRecord, slug_of
from crossdock.shop.shops import Shop

_COLUMNS = [
    "Handle",
    "Title",
    "Body (HTML)",
    "Vendor",
    "Product Category",
    "Type",
    "Tags",
    "Published",
    "Option1 Name",
    "Option1 Value",
    "Option2 Name",
    "Option2 Value",
    "Option3 Name",
    "Option3 Value",
    "Variant SKU",
    "Variant Grams",
    "Variant Inventory Tracker",
    "Variant Inventory Qty",
    "Variant Inventory Policy",
    "Variant Fulfillment Service",
    "Variant Price",
    "Variant Compare At Price",
    "Variant Requires Shipping",
    "Variant Taxable",
    "Variant Barcode",
    "Image Src",
    "Image Position",
    "Image Alt Text",
    "Gift Card",
    "Google Shopping / MPN",
    "Variant Image",
    "Variant Weight Unit",
    "Cost per item",
    "Status",
    "Merchant",
    "Origin",
    *map(metafield, OWN.values()),
]

ATTRIBUTES_MAX = COLUMNS_MAX - len(_COLUMNS)
"""Maximum number of attribute columns, the most frequent first; an import reads no more."""


class ShopifyWriter:
    """Writes each product as a group of rows."""

    parts = SHOPIFY

    def __init__(self, *, shop: Shop, attributes: AttributeUse) -> None:
        self._reading = Reading(currency=shop.currency, merchant="")
        self._currency = shop.currency
        kept = sorted(attributes.names[:ATTRIBUTES_MAX])
        self.attributes_left_out: Sequence[str] = attributes.names[ATTRIBUTES_MAX:]
        self._attributes = {
            name: f"{name} (product.metafields.custom.{slug_of(name)})" for name in kept
        }
        self._table = TableText([*_COLUMNS, *self._attributes.values()])

    def held(self, product: ProductRecord) -> list[VariantRecord]:
        """The variants that are not disabled."""
        return sold_variants(product)

    def start(self) -> str:
        """The header."""
        return self._table.header()

    def product(self, product: ProductRecord) -> str:
        """The product's rows: its variants, then the images beyond the number of variants."""
        return self._table.rows(self._rows(product))

    def again(self, product: ProductRecord) -> ProductRecord | None:
        """The product as an import into an empty shop makes it, None for one that is not written."""
        return shopify_again(self._rows(product), self._reading)

    def missing(self, product: ProductRecord) -> Sequence[str]:
        """Nothing."""
        return ()

    def end(self) -> str:
        """Nothing."""
        return ""

    def _rows(self, product: ProductRecord) -> Iterator[dict[str, str]]:
        variants = self.held(product)
        if not variants:
            return
        for index in range(max(len(variants), len(product.images))):
            row = {"Handle": product.handle}
            if index == 0:
                row |= self._head(product)
            if index < len(variants):
                row |= self._variant(product, variants[index])
            if index < len(product.images):
                image = product.images[index]
                row |= {
                    "Image Src": image.url,
                    "Image Position": str(index + 1),
                    "Image Alt Text": image.alt,
                }
            yield row

    def _head(self, product: ProductRecord) -> dict[str, str]:
        names = product.option_names[:3] or ("Title",)
        return {
            "Title": product.name,
            "Body (HTML)": product.description,
            "Vendor": product.brand,
            "Product Category": fields.path_text(product.categories[0])
            if product.categories
            else "",
            "Tags": fields.join_list(product.tags),
            "Published": "TRUE" if product.enabled else "FALSE",
            "Status": "active" if product.enabled else "draft",
            "Gift Card": "FALSE",
            "Merchant": product.merchant,
            **self._own(product),
            **{f"Option{index} Name": name for index, name in enumerate(names, start=1)},
            **{
                self._attributes[name]: text
                for name, text in product.attributes.items()
                if name in self._attributes
            },
        }

    def _variant(self, product: ProductRecord, variant: VariantRecord) -> dict[str, str]:
        retail, sale = variant.retail_minor, variant.sale_minor
        has_dates = variant.sale_starts_at or variant.sale_ends_at
        on_sale = retail is not None and sale is not None and sale < retail and not has_dates
        options = [variant.options.get(name, "") for name in product.option_names[:3]]
        if not product.option_names and len(product.variants) == 1:
            options = ["Default Title"]
        return {
            **{f"Option{index} Value": text for index, text in enumerate(options, start=1)},
            "Variant SKU": variant.sku,
            "Variant Grams": str(variant.weight_g),
            "Variant Weight Unit": "g",
            "Variant Inventory Tracker": "shopify" if variant.stock_managed else "",
            "Variant Inventory Qty": number_text(on_hand(variant, "own")),
            "Variant Inventory Policy": "continue" if product.sold_without_stock else "deny",
            "Variant Fulfillment Service": "manual",
            "Variant Price": self._price(sale if on_sale else retail),
            "Variant Compare At Price": self._price(retail) if on_sale else "",
            "Variant Requires Shipping": "FALSE" if product.virtual else "TRUE",
            "Variant Taxable": "TRUE",
            "Variant Barcode": variant.upc,
            "Variant Image": variant.image or "",
            "Google Shopping / MPN": variant.part_number,
            "Cost per item": self._price(variant.cost_minor),
            "Origin": variant.origin,
        }

    def _own(self, product: ProductRecord) -> dict[str, str]:
        texts = own_texts(product, currency=self._currency)
        return {metafield(OWN[field]): text for field, text in texts.items()}

    def _price(self, minor: int | None) -> str:
        return "" if minor is None else format_minor(minor, self._currency)
