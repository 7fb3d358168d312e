"""The bodies of calls about products and Skus (spec section 12.2).

They have the values of the schema's fields under the names of the calls, and no null but in `cover_video`
and `msrp`. `times` has the `time_updated` of products and Skus by their numbers; 0 for all others.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from crossdock.channels.shoppo.ids import Kind
from crossdock.channels.shoppo.pictures import IMAGE_TYPES, Pictures
from crossdock.channels.shoppo.products import (
    CATEGORY_FIELDS,
    MERCHANT_FIELDS,
    product_fields,
    sku_fields,
)
from crossdock.channels.shoppo.rows import ImageRow, ProductRow, SkuRow, VideoRow
from crossdock.channels.shoppo.shipping import CONFIG_FIELDS
from crossdock.channels.shoppo.subjects import Call, Read
from crossdock.shop.search import OptionNames

Times = Mapping[int, int]
Put = Callable[[Any, Call], Any]

_TEXT = ""


class Bodies:
    """Makes the bodies from the schema's fields."""

    def __init__(self, pictures: Pictures, *, options: OptionNames) -> None:
        product = product_fields(pictures)
        sku = sku_fields(pictures, options=options)
        self._product: dict[str, Put] = {
            **_texts(product, {"identifier": "identifier", "brand": "brand"}),
            "tags": lambda row, call: list(product["tags"](row, call) or ()),
            **_texts(product, {"name": "name", "description": "description"}),
            "features": lambda row, call: list(product["features"](row, call)),
            "inventory": product["inventory"],
            "target_user_type": product["targetUserType"],
            "enabled": product["enabled"],
            **_texts(product, {"category_id": "categoryId"}),
            "consumer_category": _many(product["consumerCategories"], _category),
            "cover_image": _one(product["coverImage"], _image),
            "white_background_image": _one(product["whiteBackgroundImage"], _image),
            "cover_video": lambda row, call: _video(
                product["coverVideo"](row, call), product["coverImage"](row, call), call
            ),
            "extra_images": _many(product["extraImages"], _image),
            "merchant": _one(product["merchant"], _merchant),
        }
        self._sku: dict[str, Put] = {
            **_texts(
                sku,
                {
                    "identifier": "identifier",
                    "description": "description",
                    "color": "color",
                    "size": "size",
                },
            ),
            **{name: sku[name] for name in ("inventory", "price", "msrp", "enabled")},
            "shipping_price": sku["shippingPrice"],
            **_texts(sku, {"shipping_time": "shippingTime"}),
            **_texts(sku, {name: name for name in ("length", "width", "height", "weight")}),
            "cover_image": _one(sku["coverImage"], _image),
            "global_shipping_config": _many(sku["shippingConfig"], _config),
            "merchant": _one(sku["merchant"], _merchant),
        }

    def product(self, row: ProductRow, call: Call, *, times: Times) -> dict[str, Any]:
        """A product with its Skus."""
        return {
            "product_id": call.ids.encode(Kind.PRODUCT, row.number),
            **{name: put(row, call) for name, put in self._product.items()},
            "skus": [self.sku(each, call, times=times) for each in row.skus],
            "time_updated": times.get(row.number, 0),
        }

    def sku(self, row: SkuRow, call: Call, *, times: Times) -> dict[str, Any]:
        """A Sku."""
        product_id = call.ids.encode(Kind.PRODUCT, row.product.number)
        return {
            "sku_id": call.ids.encode(Kind.SKU, row.number),
            "product_id": product_id,
            "product": {"id": product_id, "identifier": row.product.record.handle},
            **{name: put(row, call) for name, put in self._sku.items()},
            "time_updated": times.get(row.number, 0),
        }


def _texts(fields: Mapping[str, Read], names: Mapping[str, str]) -> dict[str, Put]:
    """Texts by their names in the call; "" for what is not known."""

    def put(read: Read) -> Put:
        return lambda row, call: read(row, call) or _TEXT

    return {name: put(fields[field]) for name, field in names.items()}


def _one(read: Read, put: Put) -> Put:
    return lambda row, call: put(read(row, call), call)


def _many(read: Callable[[Any, Call], Sequence[Any]], put: Put) -> Put:
    return lambda row, call: [put(each, call) for each in read(row, call)]


def _image(row: ImageRow, call: Call) -> dict[str, Any]:
    read = IMAGE_TYPES["Image"]
    image_id = read["id"](row, call)
    return {
        "id": image_id,
        "original_id": image_id,
        "checksum": row.checksum,
        "original_width": row.width,
        "original_height": row.height,
        "original_url": row.url,
        "main_color": row.main_color,
        "type": row.type,
        "versions": [
            {"filename": each.filename, "height": each.height, "width": each.width}
            for each in row.versions
        ],
        "schema": _TEXT,
    }


def _video(row: VideoRow | None, cover: ImageRow, call: Call) -> dict[str, Any] | None:
    """A video; `cover` is told of one that has none of its own, because it is elsewhere."""
    if row is None:
        return None
    video_id = IMAGE_TYPES["Video"]["id"](row, call)
    return {
        "id": video_id,
        "original_id": video_id,
        "checksum": row.checksum,
        "raw_path": row.url,
        "hls_path": row.hls_url or _TEXT,
        "cover_image": _image(row.cover or cover, call),
    }


_CATEGORY = {"id": "id", "original_id": "originalId", "category_id": "categoryId", "path": "path"}
_CONFIG = {
    "country_courier_code": "CountryCourierCode",
    "shipping_price": "shippingPrice",
    "shipping_time": "shippingTime",
}


def _category(row: Any, call: Call) -> dict[str, Any]:
    return {name: CATEGORY_FIELDS[field](row, call) for name, field in _CATEGORY.items()}


def _config(row: Any, call: Call) -> dict[str, Any]:
    return {name: CONFIG_FIELDS[field](row, call) for name, field in _CONFIG.items()}


def _merchant(row: Any, call: Call) -> dict[str, Any]:
    return {name: MERCHANT_FIELDS[name](row, call) for name in ("id", "name")}
