"""Goods as this channel tells them: one product with nested colours and sizes (spec 5.1, 5.2)."""

import html
import re
from collections.abc import Iterable
from decimal import Decimal

from msgspec import UNSET, UnsetType, structs

from crossdock.channels.shoppable.answers import (
    WireColor,
    WireCoupon,
    WireProduct,
    WireSize,
)
from crossdock.channels.shoppable.wire import amount
from crossdock.shop.catalogue import Goods, GoodsVariant
from crossdock.shop.pricing import OfferedCoupon
from crossdock.shop.search import OptionNames, Traits, keyword, traits_of

COUPON_TYPES = {"$off": "amount_off", "%off": "percent_off", "free_shipping": "free_shipping"}
_TYPES = {kind: written for written, kind in COUPON_TYPES.items()}
_TAG = re.compile(r"<[^>]*>")
_PERCENT = Decimal(10_000)


class Showing:
    """Renders goods; `base` is put before pictures that stand on this server."""

    def __init__(self, *, options: OptionNames, base: str) -> None:
        self._options = options
        self._base = base.rstrip("/")

    def product(self, goods: Goods, *, currency: str) -> WireProduct:
        """The product with all its SKUs, and the first one's fields beside its own."""
        return _Product(goods, options=self._options, base=self._base, currency=currency).shown()


class _Product:
    """One product on its way to the wire."""

    def __init__(self, goods: Goods, *, options: OptionNames, base: str, currency: str) -> None:
        self._goods = goods
        self._base = base
        self._currency = currency
        self._colour_names = options.color
        self._traits = {
            each.id: traits_of(options, goods.attributes, each.attributes, each.options)
            for each in goods.variants
        }

    def shown(self) -> WireProduct:
        goods, colors = self._goods, self._colors()
        first = self._variant(colors[0].sizes[0].id)
        terms, deepest = goods.terms, next(iter(goods.categories), None)
        category = " > ".join(deepest.path) if deepest else UNSET
        sku = structs.asdict(colors[0].sizes[0])
        pictures = self._pictures(
            [*goods.pictures(first), *(each.url for each in goods.images)],
            *([each.image] for each in goods.variants if each.image),
        )
        return WireProduct(
            part_number=str(goods.id),
            name=goods.name,
            brand=goods.brand,
            merchant=goods.merchant,
            merchant_id=str(goods.merchant_id),
            description=plain(goods.description),
            image=pictures[0] if pictures else "",
            alt_images=pictures,
            **{name: sku[name] for name in _FLATTENED},
            price=self._amount(min(each.lowest.price_minor for each in goods.variants)),
            on_sale=any(each.lowest.sale_minor is not None for each in goods.variants),
            active=any(each.can_buy for each in goods.variants),
            free_shipping=goods.ships_free(first),
            shipping_charge=self._amount(goods.shipping_minor(first)),
            ship_free_min=self._amount(terms.free_shipping_from_minor or 0),
            ship_flat_rate=self._amount(terms.shipping_flat_minor),
            delivery_fee=self._amount(0),
            category=category,
            category_id=str(deepest.id) if deepest else UNSET,
            merchant_tax_path=category,
            customer_service_url=terms.customer_service_url or UNSET,
            return_policy_url=terms.return_policy_url or UNSET,
            merchant_item_id=goods.handle or UNSET,
            material=self._traits[first.id].material or UNSET,
            weight=f"{first.weight_g} g" if first.weight_g else UNSET,
            dimensions=_dimensions(first),
            coupons=[self._coupon(each) for each in first.lowest.coupons],
            color=colors[0].color or UNSET,
            colors=colors,
        )

    def _variant(self, sku: str) -> GoodsVariant:
        return next(each for each in self._goods.variants if wire_sku(each.id) == sku)

    def _colors(self) -> list[WireColor]:
        """The SKUs by colour, each in the order of its first one."""
        groups: dict[str, list[GoodsVariant]] = {}
        for variant in self._goods.variants:
            groups.setdefault(keyword(self._traits[variant.id].color), []).append(variant)
        return [self._color(variants) for variants in groups.values()]

    def _color(self, variants: list[GoodsVariant]) -> WireColor:
        first = variants[0]
        return WireColor(
            color=self._traits[first.id].color,
            retail_price=self._amount(first.retail_minor),
            sale_price=self._optional(first.lowest.sale_minor),
            images=self._pictures(*(self._goods.pictures(each) for each in variants)),
            sizes=[self._size(each) for each in variants],
        )

    def _size(self, variant: GoodsVariant) -> WireSize:
        lowest = variant.lowest
        sku = wire_sku(variant.id)
        return WireSize(
            id=sku,
            sku=sku,
            size=size_of(variant.options, self._traits[variant.id], self._colour_names) or UNSET,
            upc=variant.upc or UNSET,
            merchant_sku=variant.merchant_sku or variant.sku or UNSET,
            price=self._amount(lowest.price_minor),
            retail_price=self._amount(variant.retail_minor),
            sale_price=self._optional(lowest.sale_minor),
            discount_price=self._optional(lowest.discount_minor),
            url=self._goods.page(variant),
            active=variant.can_buy,
        )

    def _coupon(self, coupon: OfferedCoupon) -> WireCoupon:
        part = Decimal(coupon.percent_bp or 0) / _PERCENT
        off = self._amount(coupon.amount_minor or 0)
        return WireCoupon(
            code=coupon.code,
            type=_TYPES[coupon.kind],
            threshold=self._amount(coupon.threshold_minor),
            amount=part if coupon.kind == "percent_off" else off,
        )

    def _pictures(self, *groups: Iterable[str]) -> list[str]:
        urls = dict.fromkeys(url for group in groups for url in group if url)
        return [self._absolute(url) for url in urls]

    def _absolute(self, url: str) -> str:
        is_own = url.startswith("/") and not url.startswith("//")
        return self._base + url if is_own else url

    def _amount(self, minor: int) -> Decimal:
        return amount(minor, self._currency)

    def _optional(self, minor: int | None) -> Decimal | UnsetType:
        return UNSET if minor is None else self._amount(minor)


# Fields of the first SKU that stand beside the product's own as well.
_FLATTENED = (
    "id",
    "sku",
    "size",
    "upc",
    "merchant_sku",
    "retail_price",
    "sale_price",
    "discount_price",
    "url",
)


def wire_sku(variant_id: int) -> str:
    """The SKU by which this channel names a variant: `id` and `sku` on the wire."""
    return str(variant_id)


def size_of(options: dict[str, str], traits: Traits, colour_names: frozenset[str]) -> str:
    """What tells the SKUs of one colour apart: the options beside the colour, else the size."""
    chosen = [text for name, text in options.items() if text and keyword(name) not in colour_names]
    return " / ".join(chosen) or traits.size


def plain(text: str) -> str:
    """HTML as words."""
    return " ".join(html.unescape(_TAG.sub(" ", text)).split())


def _dimensions(variant: GoodsVariant) -> str | UnsetType:
    sides = (variant.length_mm, variant.width_mm, variant.height_mm)
    return f"{' x '.join(map(str, sides))} mm" if all(sides) else UNSET
