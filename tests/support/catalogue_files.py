"""Catalogue files of any size from a seed, in the formats that `crossdock import` reads."""

import csv
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

COLOURS = ("black", "white", "red", "green", "blue", "sand", "olive", "navy")
SIZES = ("XS", "S", "M", "L", "XL", "XXL")
WORDS = ("canvas", "harbour", "steel", "linen", "travel", "garden", "classic", "folding", "oak")
THINGS = ("bag", "lamp", "chair", "jacket", "bottle", "shelf", "tent", "kettle", "clock")
SHOPIFY_COLUMNS = (
    "Handle", "Title", "Body (HTML)", "Vendor", "Type", "Tags", "Published", "Option1 Name",
    "Option1 Value", "Option2 Name", "Option2 Value", "Variant SKU", "Variant Grams",
    "Variant Inventory Tracker", "Variant Inventory Qty", "Variant Price", "Variant Barcode",
    "Image Src", "Status",
)  # fmt: skip


@dataclass(frozen=True)
class MadeVariant:
    """One SKU of a made catalogue."""

    sku: str
    colour: str
    size: str
    price_minor: int
    on_hand: int
    barcode: str


@dataclass(frozen=True)
class MadeProduct:
    """A product with one to eight variants."""

    handle: str
    title: str
    vendor: str
    variants: tuple[MadeVariant, ...]


def made_products(count: int, *, seed: int, prefix: str) -> Iterator[MadeProduct]:
    """Products with `count` variants in all; the same for the same seed."""
    rng = random.Random(seed)
    made = 0
    while made < count:
        number = min(rng.choice((1, 1, 2, 4, 8)), count - made)
        title = f"{rng.choice(WORDS).title()} {rng.choice(THINGS)} {made}"
        options = rng.sample([(c, s) for c in COLOURS for s in SIZES], number)
        variants = tuple(
            MadeVariant(
                sku=f"{prefix}-{made + place}",
                colour=colour,
                size=size,
                price_minor=rng.randint(199, 99_999),
                on_hand=rng.choice((0, 1, 5, rng.randint(2, 5_000))),
                barcode=_barcode(made + place),
            )
            for place, (colour, size) in enumerate(options)
        )
        yield MadeProduct(f"{prefix}-p{made}", title, rng.choice(("Norden", "Vela")), variants)
        made += number


def write_jsonl(path: Path, products: Iterator[MadeProduct]) -> dict[str, int]:
    """One product a line; the stock by SKU."""
    stock: dict[str, int] = {}
    with path.open("w", encoding="utf-8") as file:
        for product in products:
            file.write(json.dumps(_line(product)) + "\n")
            stock |= {variant.sku: variant.on_hand for variant in product.variants}
    return stock


def write_shopify_csv(path: Path, products: Iterator[MadeProduct]) -> dict[str, int]:
    """One variant a row, the product's own cells in its first; the stock by SKU."""
    stock: dict[str, int] = {}
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, SHOPIFY_COLUMNS, restval="")
        writer.writeheader()
        for product in products:
            for place, variant in enumerate(product.variants):
                writer.writerow(_row(product, variant, is_first=place == 0))
                stock[variant.sku] = variant.on_hand
    return stock


def _line(product: MadeProduct) -> dict[str, object]:
    return {
        "type": "product",
        "handle": product.handle,
        "name": product.title,
        "brand": product.vendor,
        "option_names": ["Colour", "Size"],
        "variants": [
            {
                "sku": variant.sku,
                "upc": variant.barcode,
                "options": {"Colour": variant.colour, "Size": variant.size},
                "retail_minor": variant.price_minor,
                "stock": [{"pool": "own", "on_hand": variant.on_hand}],
            }
            for variant in product.variants
        ],
    }


def _row(product: MadeProduct, variant: MadeVariant, *, is_first: bool) -> dict[str, str]:
    own = {
        "Title": product.title,
        "Body (HTML)": f"<p>{product.title}</p>",
        "Vendor": product.vendor,
        "Published": "true",
        "Option1 Name": "Colour",
        "Option2 Name": "Size",
        "Status": "active",
    }
    return {
        "Handle": product.handle,
        "Option1 Value": variant.colour,
        "Option2 Value": variant.size,
        "Variant SKU": variant.sku,
        "Variant Grams": "250",
        "Variant Inventory Tracker": "shopify",
        "Variant Inventory Qty": str(variant.on_hand),
        "Variant Price": f"{variant.price_minor // 100}.{variant.price_minor % 100:02}",
        "Variant Barcode": variant.barcode,
        **(own if is_first else {}),
    }


def _barcode(number: int) -> str:
    """A UPC with its check digit."""
    digits = f"{number:011d}"
    odd, even = sum(map(int, digits[::2])), sum(map(int, digits[1::2]))
    return digits + str(-(3 * odd + even) % 10)
