"""Builds this channel's objects for orders, stock and the catalogue (spec sections 5, 7, 9 to 12)."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from crossdock.channels.shopwedo.answers import (
    CategoryAnswer,
    ExtraHandling,
    FourTexts,
    Moment,
    PickupAnswer,
    PostAnswer,
    ProductAnswer,
    ReturnSettings,
    Shipment,
    ShownAddress,
    ShownItem,
    ShownOrder,
    ShownPicture,
    ShownPromotion,
    ShownStock,
)
from crossdock.channels.shopwedo.keeping import KeptOrder, kept_line, kept_order
from crossdock.channels.shopwedo.states import ORDER_STATES, stock_state
from crossdock.kit.money import to_decimal
from crossdock.shop.catalogue import ShownCategoryTree, ShownImage, ShownPost, ShownProduct
from crossdock.shop.customers import Address
from crossdock.shop.orders import LineView, OrderView
from crossdock.shop.partners import Partner
from crossdock.shop.stock import StockItem
from crossdock.shop.warehouse import DemoCarrier, PickupPoint

PROMOTION_PRICE = "promotion_price"
DISCOUNT, DISCOUNTED = "discount", "discounted"
LANGUAGES = ("nl", "fr", "en", "de")
WAREHOUSE_ID = 1
RETURN_DAYS = 14
RETURN_REASONS = [
    {"nl": "Past niet", "fr": "Ne convient pas", "en": "Does not fit", "de": "Passt nicht"},
    {"nl": "Beschadigd", "fr": "Endommagé", "en": "Damaged", "de": "Beschädigt"},
]
_CATEGORY_IMAGES = ("foreground", "background", "product")
_MOMENT_BEFORE = timedelta(microseconds=1)
_MOMENT = "%Y-%m-%d %H:%M:%S"
_PHP_CHARS = len("2026-03-01 09:30:00.000000")


class Showing:
    """Turns the core's structs into this channel's objects, in one partner's zone and currency."""

    def __init__(self, *, partner: Partner, now: datetime, public_url: str) -> None:
        self._zone = partner.zone
        self._base = public_url.rstrip("/")
        self._zone_name = partner.time_zone
        self._currency = partner.currency
        self._tells_discounted = partner.settings.get(PROMOTION_PRICE) == DISCOUNTED
        self._now = now
        self._told: dict[datetime, Moment] = {}

    def order(
        self, order: OrderView, *, serials: Mapping[int, Sequence[str]], shop_id: int
    ) -> ShownOrder:
        """The order object of section 7.2; `serials` by line number."""
        status, word = ORDER_STATES[order.fulfilment_state]
        kept = kept_order(order.channel_data)
        shipping = _address(order.shipping)
        return {
            "order_id": order.id,
            "parent_order_id": order.parent_id or 0,
            "external_order_id": order.partner_order_id,
            "external_order_reference": kept.external_reference,
            "shop_id": shop_id,
            "app_id": False,
            "app_name": False,
            "warehouse_id": WAREHOUSE_ID,
            "created_at": self._as_written(kept.created_at) or self.moment(order.placed_at),
            "status": status,
            "status_string": word,
            "customer_id": order.customer_id or False,
            "payment_method": "EXTERN",
            "paid_at": False,
            "desired_delivery_date": False,
            "shipping_method": kept.shipping_method,
            "shipping_company": kept.shipping_company,
            "shipping_address": shipping,
            "billing_address": _address(order.billing) if kept.has_billing else shipping,
            "shipping": self._shipments(order, kept) or False,
            "shipped_at": self.moment(order.shipped_at),
            "comment": order.comments,
            "comment_packing": kept.comment_packing,
            "language": order.language,
            "items": [_item(line, serials.get(line.line_no, ())) for line in order.lines],
        }

    def _shipments(self, order: OrderView, kept: KeptOrder) -> list[Shipment]:
        return [
            {
                "provider": _provider(package.carrier, kept.shipping_company),
                "code": package.tracking_number,
                "tracking_url": package.tracking_url,
                "shipped_at": self.moment(package.shipped_at),
            }
            for package in order.packages
            if package.shipped_at is not None
        ]

    def stock_item(self, item: StockItem) -> ShownStock:
        """The stock item of section 9.2."""
        status, word = stock_state(item)
        return {
            "sku": item.variant_id,
            "reference": item.sku,
            "reference2": item.merchant_sku or item.sku,
            "description": item.name,
            "warehouse_id": WAREHOUSE_ID,
            "weight": item.weight_g,
            "items_in_box": 1,
            "level": item.on_hand,
            "atp": item.available,
            "master_atp": item.available,
            "status": status,
            "status_string": word,
            "tht_alert": item.best_before_alert,
            "tht_date": self._midnight(item.best_before),
            "last_update": self.moment(item.updated_at),
            "last_atp_update": self.moment(item.last_stock_change),
        }

    def product(self, product: ShownProduct) -> ProductAnswer:
        """The product of section 10."""
        return {
            "product_id": product.id,
            "product_parent_id": product.parent_id,
            "sku": product.variant_id,
            "name": _texts(product.translations, "name", product.name),
            "description": _texts(product.translations, "description", product.description),
            "price": self._amount(product.price_minor or 0),
            "VAT": float(Decimal(product.vat_bp) / 100),
            "promotions": list(self._promotions(product)),
            "status": _product_status(product),
            "extra_handling": self._extra_handling(product.extra_handling),
            "barcode": product.upc,
            "ATP": product.available,
            "weight": float(product.weight_g),
            "sort": product.sort,
            "is_featured": product.featured,
            "is_virtual": product.virtual,
            "is_nostock": product.sold_without_stock or not product.managed,
            "images": [self._image(image) for image in product.images],
            "categories": [
                {"id": category.id, "name": _four(category.names, category.name)}
                for category in product.categories
            ],
            "childs": product.children,
            "related_products": product.related,
        }

    def _promotions(self, product: ShownProduct) -> Iterator[ShownPromotion]:
        """What each promotion takes off `price`, or the price that it makes (seeds/002, getProducts).

        One that takes nothing off is none where discounts are told.
        """
        usual = product.price_minor or 0
        for promotion in product.promotions:
            minor = promotion.price_minor
            if not self._tells_discounted:
                minor = usual - minor
                if minor <= 0:
                    continue
            yield {
                "price": self._amount(minor),
                "start": self._day(promotion.starts_at),
                "end": self._day(promotion.ends_at - _MOMENT_BEFORE),
            }

    def category(self, tree: ShownCategoryTree) -> CategoryAnswer:
        """The category of section 11."""
        foreground, background, product = (
            self._link(tree.images.get(name, "")) for name in _CATEGORY_IMAGES
        )
        return {
            "category_id": tree.id,
            "category_parent_id": tree.parent_id,
            "name": _four(tree.names, tree.name),
            "description": _four(tree.descriptions),
            "sort": tree.sort,
            "images": {"foreground": foreground, "background": background, "product": product},
            "status": int(tree.enabled),
            "childs": tree.children,
        }

    def post(self, post: ShownPost) -> PostAnswer:
        """The blog post of section 12."""
        return {
            "post_id": post.id,
            "title": post.title,
            "content": post.content,
            "language": post.language,
            "date": post.published_at.astimezone(self._zone).strftime(_MOMENT),
            "image": self._link(post.image),
            "status": int(post.enabled and post.published_at <= self._now),
        }

    def moment(self, value: datetime | None) -> Moment | bool:
        """A time as PHP's DateTime in JSON, or false. Rows of one import share the object."""
        if value is None:
            return False
        if value not in self._told:
            self._told[value] = self._php(value.astimezone(self._zone))
        return self._told[value]

    def _image(self, image: ShownImage) -> ShownPicture:
        shown: ShownPicture = {"src": self._link(image.url), "alt": image.alt}
        if image.variant_id is not None:
            shown["product_child_id"] = image.variant_id
        return shown

    def _link(self, url: str) -> str:
        """An absolute URL: a path on this server gets the public URL in front."""
        is_own = url.startswith("/") and not url.startswith("//")
        return self._base + url if is_own else url

    def _php(self, local: datetime) -> Moment:
        text = local.isoformat(" ", "microseconds")[:_PHP_CHARS]
        return {"date": text, "timezone_type": 3, "timezone": self._zone_name}

    def _as_written(self, text: str) -> Moment | None:
        """A time that the client sent without a zone, returned as it was sent."""
        if not text:
            return None
        return {"date": f"{text}.000000", "timezone_type": 3, "timezone": self._zone_name}

    def _midnight(self, day: date | None) -> Moment | bool:
        if day is None:
            return False
        return self._php(datetime(day.year, day.month, day.day, tzinfo=self._zone))

    def _day(self, moment: datetime) -> str:
        return moment.astimezone(self._zone).strftime("%Y-%m-%d")

    def _amount(self, minor: int) -> float:
        return float(to_decimal(minor, self._currency))

    def _extra_handling(self, value: dict[str, Any] | None) -> ExtraHandling | None:
        if not value:
            return None
        return {
            "price": self._amount(int(value.get("price_minor", 0))),
            "description": _four(value.get("description") or {}),
        }


def pickup_point(point: PickupPoint) -> PickupAnswer:
    """A pick-up point as the shop plug-ins expect it (spec 15); the distance is in kilometres."""
    return {
        "pugoCarrier": point.carrier,
        "pugoId": point.code,
        "pugoName": point.name,
        "pugoDistance": float(point.distance_km),
        "pugoLatitude": float(point.latitude),
        "pugoLongitude": float(point.longitude),
        "pugoHours": point.hours,
        "pugoAddress": {
            "street": point.street,
            "number": point.number,
            "zip": point.zip_code,
            "city": point.city,
            "countryIso2": point.country,
        },
    }


def return_settings(settings: dict[str, Any]) -> ReturnSettings:
    """The partner's return settings; `return_reasons` is a JSON string, because clients parse it again.

    A setting with an unexpected type is replaced by its default.
    """
    reasons, days, texts = (settings.get(name) for name in ("reasons", "days", "confirmation_text"))
    words = texts if isinstance(texts, dict) else {}
    nl, fr, en, de = (str(words.get(language, "")) for language in LANGUAGES)
    return {
        "return_status": int(bool(settings.get("enabled", True))),
        "return_reasons": msgspec.json.encode(
            reasons if reasons and isinstance(reasons, list) else RETURN_REASONS
        ).decode(),
        "return_day_amount": days if isinstance(days, int) else RETURN_DAYS,
        "return_other_status": int(bool(settings.get("allows_other_reason", True))),
        "return_settings_logo": str(settings.get("logo", "")),
        "return_settings_background": str(settings.get("background", "")),
        "return_settings_color": str(settings.get("color", "")),
        "return_confirmation_text_nl": nl,
        "return_confirmation_text_fr": fr,
        "return_confirmation_text_en": en,
        "return_confirmation_text_de": de,
    }


def keyed_by_sku(items: Sequence[ShownStock]) -> dict[str, ShownStock]:
    """getStock's object: how PHP encodes an array that is indexed by id (spec 9.1)."""
    return {str(item["sku"]): item for item in items}


def _provider(carrier: str, asked_for: str) -> str:
    """The carrier; the demo carrier is shown as the one that the shop asked for (spec 6.2)."""
    return asked_for if carrier == DemoCarrier.name and asked_for else carrier


def _product_status(product: ShownProduct) -> int:
    if not product.enabled or product.price_minor is None:
        return 0
    return 2 if product.is_counted and product.available <= 0 else 1


def _item(line: LineView, serials: Sequence[str]) -> ShownItem:
    kept = kept_line(line.channel_data)
    return {
        "sku": line.variant_id,
        "amount": line.quantity,
        "name": line.name,
        "comment": kept.comment,
        "external_orderline_id": kept.external_line_id,
        "serialnumber": list(serials),
        "picked": line.picked,
    }


def _address(address: Address) -> ShownAddress:
    """All twelve keys, blank as ''; an address of another channel has its street in `address_1`."""
    return {
        "firstname": address.first_name,
        "lastname": address.last_name,
        "company": address.company,
        "vat": address.vat,
        "street": address.street or address.address_1,
        "number": address.house_number,
        "box": address.box or address.address_2,
        "zip": address.postcode,
        "city": address.city,
        "country_iso2": address.country,
        "email": address.email,
        "phone": address.phone,
    }


def _texts(translations: dict[str, dict[str, str]], key: str, default: str) -> FourTexts:
    return _four({lang: texts.get(key, "") for lang, texts in translations.items()}, default)


def _four(texts: dict[str, str], default: str = "") -> FourTexts:
    """The four languages; a missing text falls back to the default, then English, then any."""
    spare = default or texts.get("en") or next((text for text in texts.values() if text), "")
    nl, fr, en, de = (texts.get(language) or spare for language in LANGUAGES)
    return {"nl": nl, "fr": fr, "en": en, "de": de}
