"""What the index knows of a SKU, whatever engine keeps it."""

import msgspec

from crossdock.shop.search.fields import FIELDS, Field
from crossdock.shop.search.words import keyword, split_words


class Category(msgspec.Struct, frozen=True, kw_only=True):
    """A category and the names from the root down to it; `parent_id` is None at the root."""

    id: int
    parent_id: int | None
    path: tuple[str, ...]


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A SKU that may be sold, with what it has of its product; amounts are minor units.

    `price_minor` is the lowest that anybody pays now, after sales and coupons, and `sale_minor` the
    price of a sale. `categories` are the product's with all their ancestors, `coupons` the codes that
    are good for it and `coupon_kinds` their kinds. `modified_s` is the product's last change.
    """

    product_id: int
    variant_id: int
    currency: str
    name: str
    retail_minor: int
    price_minor: int
    modified_s: int
    brand: str = ""
    merchant_id: int = 0
    merchant: str = ""
    categories: tuple[Category, ...] = ()
    colors: tuple[str, ...] = ()
    sizes: tuple[str, ...] = ()
    material: str = ""
    description: str = ""
    attributes: tuple[str, ...] = ()
    sale_minor: int | None = None
    coupons: tuple[str, ...] = ()
    coupon_kinds: tuple[str, ...] = ()
    sku: str = ""
    upcs: tuple[str, ...] = ()
    part_number: str = ""
    merchant_sku: str = ""
    merchant_item_id: str = ""
    shipping_charge_minor: int | None = None
    ship_free_minor: int | None = None
    ship_flat_minor: int | None = None

    @property
    def is_on_sale(self) -> bool:
        """Whether it is sold below its retail price now, coupons apart."""
        return self.sale_minor is not None

    def texts(self) -> dict[str, list[str]]:
        """The values of the text fields, each as words that a blank separates; empty ones left out."""
        path = [
            " ".join(category.path) for category in self.categories if self._is_deepest(category)
        ]
        values: dict[str, tuple[str, ...] | list[str]] = {
            "name": (self.name,),
            "brand": (self.brand,),
            "category": path,
            "merchant": (self.merchant,),
            "color": self.colors,
            "size": self.sizes,
            "material": (self.material,),
            "description": (self.description,),
            "attributes": self.attributes,
            "coupon": self.coupons,
        }
        split: dict[str, list[str]] = {
            field: [" ".join(words) for text in texts if (words := split_words(text))]
            for field, texts in values.items()
        }
        joined = [text for field in _JOINED for text in split[field]]
        split["everything"] = [" ".join(joined)] if joined else []
        return {field: texts for field, texts in split.items() if texts}

    def exacts(self) -> dict[str, list[str]]:
        """The values of the exact fields, folded; empty ones left out."""
        values: dict[str, tuple[str, ...]] = {
            "sku": (self.sku,),
            "upc": self.upcs,
            "part_number": (self.part_number,),
            "merchant_sku": (self.merchant_sku,),
            "merchant_item_id": (self.merchant_item_id,),
            "product_id": (str(self.product_id),),
            "variant_id": (str(self.variant_id),),
            "merchant_id": (str(self.merchant_id),),
            "category_id": tuple(str(category.id) for category in self.categories),
            "coupon_kind": self.coupon_kinds,
            "currency": (self.currency,),
            "on_sale": ("true" if self.is_on_sale else "false",),
        }
        folded = {field: [keyword(text) for text in texts] for field, texts in values.items()}
        return {field: texts for field, texts in folded.items() if any(texts)}

    def numbers(self) -> dict[str, int]:
        """The values of the number fields; missing ones left out."""
        values: dict[str, int | None] = {
            "price": self.price_minor,
            "retail_price": self.retail_minor,
            "sale_price": self.sale_minor,
            "shipping_charge": self.shipping_charge_minor,
            "ship_free_min": self.ship_free_minor,
            "ship_flat_rate": self.ship_flat_minor,
            "modified": self.modified_s,
        }
        return {field: value for field, value in values.items() if value is not None}

    def _is_deepest(self, category: Category) -> bool:
        return all(other.parent_id != category.id for other in self.categories)


_JOINED: tuple[Field, ...] = ("name", "brand", "category", "description")
assert all(FIELDS[field].kind == "text" for field in _JOINED)
