"""createOrder: what a partner sends, as the core's request (spec section 6)."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from crossdock.channels.shoppo.errors import WireError, bad_input, describe
from crossdock.channels.shoppo.ids import Kind
from crossdock.channels.shoppo.order_fields import LOGISTIC, SELLER_NAME, TRACKING_NUMBER
from crossdock.channels.shoppo.subjects import Call
from crossdock.db.unit_of_work import Transaction
from crossdock.errors import CrossdockError
from crossdock.kit.texts import visible
from crossdock.shop.catalogue import EVERY_PART, AssortedProduct, read_assortment
from crossdock.shop.customers import Address
from crossdock.shop.orders import (
    Depict,
    OrderItem,
    OrderRequest,
    Rule,
    address_is_filled,
    all_enabled,
    all_ship_there,
    origin_rule,
    variants_are_known,
)

RULES: Final[tuple[Rule, ...]] = (
    variants_are_known,
    all_enabled,
    all_ship_there,
    origin_rule,
    address_is_filled,
)
"""In the order of the spec."""
CODE_MAX: Final = 64
ITEMS_MAX: Final = 100
TEXT_MAX: Final = 255

_SOURCE = "graphql"
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")
_ADDRESS = {
    "recipientFirstName": "first_name",
    "recipientLastName": "last_name",
    "streetAddress1": "address_1",
    "streetAddress2": "address_2",
    "city": "city",
    "state": "state",
    "countryCode": "country",
    "zipcode": "postcode",
    "phoneNumber": "phone",
}
_FIELDS = {name: field for field, name in _ADDRESS.items()}


def read_text(text: str, *, field: str, most: int = TEXT_MAX) -> str:
    """The text without blanks around it. Raises WireError BAD_USER_INPUT for one that is too long."""
    if _NO_TEXT.search(text):
        raise bad_input(f"{field} has a character that is none.", field=field)
    if len(text.strip()) > most:
        raise bad_input(f"{field} has at most {most} characters.", field=field)
    return text.strip()


def read_required(text: str, *, field: str, most: int = TEXT_MAX) -> str:
    """As `read_text`; what shows nothing is refused as well."""
    found = read_text(text, field=field, most=most)
    if not visible(found):
        raise bad_input(f"{field} is empty.", field=field)
    return found


def read_request(call: Call, arguments: Mapping[str, Any]) -> tuple[OrderRequest, bytes]:
    """The order, and the hash by which the same order is known when it comes again.

    Raises WireError BAD_USER_INPUT, and SKU_NOT_FOUND for an id of no live Sku.
    """
    code = read_required(arguments["partnerOrderCode"], field="partnerOrderCode", most=CODE_MAX)
    items = _items(call, arguments["orderItems"])
    address, logistic = _address(arguments["shippingAddress"])
    kept = {LOGISTIC: logistic}
    for name, key in (("trackingNumber", TRACKING_NUMBER), ("partnerSellerName", SELLER_NAME)):
        text = arguments.get(name)
        kept[key] = None if text is None else read_text(text, field=name)
    request = OrderRequest(
        partner_order_id=code,
        items=tuple(items),
        source=_SOURCE,
        shipping=address,
        channel_data={name: text for name, text in kept.items() if text is not None},
    )
    return request, _hash(request)


def depict_for(call: Call, *, own_requires_stock: bool) -> Depict:
    """Reads products as the caller sees them, each with one Sku."""

    async def depict(
        tx: Transaction, variant_ids: Sequence[int], now: datetime
    ) -> dict[int, AssortedProduct]:
        found = await read_assortment(
            tx,
            partner=call.partner,
            parts=EVERY_PART,
            variant_ids=variant_ids,
            now=now,
            own_requires_stock=own_requires_stock,
        )
        return {
            variant.id: msgspec.structs.replace(product, variants=(variant,))
            for product in found
            for variant in product.variants
        }

    return depict


def refusal(error: CrossdockError, call: Call) -> WireError:
    """The error of the core with what of the order it is about."""
    _, code, text, told = describe(error)
    variants = error.data.get("variant_ids", ())
    if variants:
        told |= {"skuIds": [call.ids.encode(Kind.SKU, number) for number in variants]}
    if error.code == "shipping_incomplete":
        field = f"shippingAddress.{_FIELDS[error.data['fields'][0]]}"
        return bad_input(f"{field} is empty.", field=field)
    return WireError(code, text, **told)


def _items(call: Call, given: Sequence[Mapping[str, Any]]) -> list[OrderItem]:
    if not 1 <= len(given) <= ITEMS_MAX:
        raise bad_input(f"orderItems has 1 to {ITEMS_MAX} items.", field="orderItems")
    for place, item in enumerate(given):
        if item["quantity"] < 1:
            raise bad_input("quantity is at least 1.", field=f"orderItems.{place}.quantity")
    return [
        OrderItem(variant_id=_variant(call, item["skuId"]), quantity=item["quantity"])
        for item in given
    ]


def _variant(call: Call, text: str) -> int:
    found = call.ids.decode(text)
    if found is None or found[0] != Kind.SKU:
        raise WireError("SKU_NOT_FOUND", "There is no such Sku.", skuIds=[text])
    return found[1]


def _address(given: Mapping[str, Any]) -> tuple[Address, str | None]:
    values = {
        name: read_text(given[field], field=f"shippingAddress.{field}")
        for field, name in _ADDRESS.items()
    }
    logistic = given.get("logisticAttribute")
    if logistic is not None:
        logistic = read_text(logistic, field="shippingAddress.logisticAttribute")
    return Address(**values), logistic


def _hash(request: OrderRequest) -> bytes:
    """Of everything but the code: items as a multiset, texts without the blanks around them."""
    items = sorted((item.variant_id, item.quantity) for item in request.items)
    content = {
        "items": items,
        "address": msgspec.to_builtins(request.shipping),
        "kept": request.channel_data,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).digest()
