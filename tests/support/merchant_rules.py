"""The public rules of Google's product data specification (as of late 2026), as a checker of feeds.

https://support.google.com/merchants/answer/7052112
"""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal

from lxml import etree

NAMESPACE = "{http://base.google.com/ns/1.0}"
REQUIRED = ("id", "title", "description", "link", "image_link", "availability", "price")
LONGEST = {
    "id": 50, "title": 150, "description": 5000, "link": 2000, "image_link": 2000,
    "additional_image_link": 2000, "product_type": 750, "brand": 70, "mpn": 70, "gtin": 50, "color": 100,
    "size": 100, "material": 200, "pattern": 100, "item_group_id": 50, "sale_price_effective_date": 51,
    "availability_date": 25, "product_highlight": 150,
}  # fmt: skip
VALUES = {
    "availability": {"in_stock", "out_of_stock", "preorder", "backorder"},
    "condition": {"new", "refurbished", "used"},
    "identifier_exists": {"yes", "no", "true", "false"},
    "adult": {"yes", "no", "true", "false"},
    "gender": {"male", "female", "unisex"},
    "age_group": {"newborn", "infant", "toddler", "kids", "adult"},
    "size_type": {"regular", "petite", "maternity", "big", "tall", "plus"},
}
SEVERAL = {
    "additional_image_link": 10, "product_type": 1_000, "product_detail": 1_000, "shipping": 100,
    "product_highlight": 100,
}  # fmt: skip
_PRICE = re.compile(r"[0-9]+(?:\.[0-9]{1,3})? [A-Z]{3}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_WEIGHT = re.compile(r"[0-9]+(?:\.[0-9]+)? (?:lb|oz|g|kg)")
_LENGTH = re.compile(r"([0-9]+(?:\.[0-9]+)?) cm")
_URL = re.compile(r"https?://[^\s<>\"]+")


def broken_rules(feed: bytes) -> list[tuple[str, str, str]]:
    """(id, field, what is wrong) for every rule that an item breaks."""
    items = etree.fromstring(feed).findall("channel/item")
    found = [broken for item in items for broken in _of_item(item)]
    ids = [item.findtext(f"{NAMESPACE}id") or "" for item in items]
    return found + [(key, "id", "comes twice") for key in {i for i in ids if ids.count(i) > 1}]


def _of_item(item: etree._Element) -> Iterator[tuple[str, str, str]]:
    texts: dict[str, list[str]] = {}
    for child in item:
        name = str(child.tag).removeprefix(NAMESPACE)
        texts.setdefault(name, []).append("".join(map(str, child.itertext())).strip())
    key = texts.get("id", [""])[0]
    for name in REQUIRED:
        if not texts.get(name):
            yield key, name, "is missing"
    for name, values in texts.items():
        if len(values) > SEVERAL.get(name, 1):
            yield key, name, f"comes {len(values)} times"
        for value in values:
            if name != "product_detail" and (reason := _wrong(name, value)):
                yield key, name, reason
    has_gtin, has_mpn = "gtin" in texts, "brand" in texts and "mpn" in texts
    if not has_gtin and not has_mpn and texts.get("identifier_exists") != ["no"]:
        yield key, "identifier_exists", "is not no, but there is no identifier"
    if (
        texts.get("availability") in (["preorder"], ["backorder"])
        and "availability_date" not in texts
    ):
        yield key, "availability_date", "is missing"
    sale, price = texts.get("sale_price", [""])[0], texts.get("price", [""])[0]
    if sale and price and _number(sale) >= _number(price):
        yield key, "sale_price", "is not below the price"
    if "cost_of_goods_sold" in texts:
        yield key, "cost_of_goods_sold", "is nobody else's business"
    yield from _of_details(item, key)
    yield from _of_shipping(item, key)


def _of_details(item: etree._Element, key: str) -> Iterator[tuple[str, str, str]]:
    for detail in item.findall(f"{NAMESPACE}product_detail"):
        parts = {str(part.tag).removeprefix(NAMESPACE): part.text or "" for part in detail}
        if not parts.get("attribute_name") or not parts.get("attribute_value"):
            yield key, "product_detail", "is empty"
        if parts.get("section_name") == "":
            yield key, "product_detail", "has an empty section"


def _of_shipping(item: etree._Element, key: str) -> Iterator[tuple[str, str, str]]:
    for shipping in item.findall(f"{NAMESPACE}shipping"):
        if not _PRICE.fullmatch(shipping.findtext(f"{NAMESPACE}price") or ""):
            yield key, "shipping", "has no price"
        if not _COUNTRY.fullmatch(shipping.findtext(f"{NAMESPACE}country") or ""):
            yield key, "shipping", "has no country"


def _wrong(name: str, value: str) -> str:
    if not value:
        return "is empty"
    if len(value) > LONGEST.get(name, 5_000):
        return "is too long"
    if name in VALUES and value not in VALUES[name]:
        return f"is {value}"
    checks: dict[str, Callable[[str], object]] = {
        "gtin": _is_gtin,
        "availability_date": _is_moment,
        "sale_price_effective_date": _is_span,
        "shipping_weight": _WEIGHT.fullmatch,
        **dict.fromkeys(("price", "sale_price"), _PRICE.fullmatch),
        **dict.fromkeys(("shipping_length", "shipping_width", "shipping_height"), _is_length),
        **dict.fromkeys(("link", "image_link", "additional_image_link"), _URL.fullmatch),
    }
    return "" if name not in checks or checks[name](value) else f"is {value}"


def _number(text: str) -> Decimal:
    return Decimal(text.partition(" ")[0])


def _is_moment(text: str) -> bool:
    return datetime.fromisoformat(text) is not None


def _is_gtin(text: str) -> bool:
    """Digits with GS1's check digit, and no number that a shop gives out for itself (prefixes 2)."""
    if not text.isdigit() or len(text) not in {8, 12, 13, 14} or not int(text):
        return False
    digits = [int(digit) for digit in text.rjust(14, "0")]
    total = sum(digit * (3 if place % 2 == 0 else 1) for place, digit in enumerate(digits))
    return total % 10 == 0 and digits[1] != 2


def _is_length(text: str) -> bool:
    match = _LENGTH.fullmatch(text)
    return match is not None and 1 <= float(match[1]) <= 400


def _is_span(text: str) -> bool:
    start, end = text.split("/")
    return datetime.fromisoformat(start) < datetime.fromisoformat(end)
