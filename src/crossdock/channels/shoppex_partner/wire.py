"""The bodies of this channel: what an order says is judged, what goes out is encoded at once."""

import json
import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal, NoReturn

import msgspec
from msgspec import Meta

from crossdock.channels.plumbing import JsonNumber, Unreadable, exact, read_document, whole
from crossdock.channels.shoppex_partner.errors import WireError
from crossdock.channels.shoppex_partner.requests import (
    COMMENTS_LENGTH_MAX,
    NUMBER_LENGTH_MAX,
    QUANTITY_MAX,
    OrderBody,
)
from crossdock.kit.money import format_minor
from crossdock.kit.schemas import picked
from crossdock.kit.texts import visible
from crossdock.shop.catalogue import SellableRow
from crossdock.shop.orders import OrderItem, OrderRequest, Placed

SOURCE: Literal["partner_integration"] = "partner_integration"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class WireProduct(msgspec.Struct, frozen=True):
    """One product of the list (spec section 3). `origen` is the seed's spelling."""

    id: Annotated[int, Meta(description="The product_id to use in an order.")]
    name: Annotated[str, Meta(description="The full name.")]
    price: Annotated[
        str,
        Meta(
            pattern=r"^[0-9]+(\.[0-9]+)?$",
            description="Your current unit price in the shop's currency, as a decimal string.",
        ),
    ]
    stock_quantity: Annotated[
        int | None,
        Meta(description="The quantity available to you; null if stock is not counted."),
    ]
    stock_sc: Annotated[int, Meta(description="The quantity in the shop's own warehouse.")]
    origen: Annotated[
        str,
        Meta(
            description="Where stock comes from: SC own warehouse, * both, anything else supplier."
        ),
    ]
    upc: Annotated[str, Meta(description="The barcode's digits, with leading zeros.")]


class WireCreated(msgspec.Struct, frozen=True, kw_only=True):
    """The response to a created order (spec 4.5)."""

    success: Annotated[bool, Meta(extra_json_schema={"const": True})]
    order_id: Annotated[int, Meta(description="The shop's number of the order.")]
    order_key: Annotated[str, Meta(description="The key of the order's page; keep it secret.")]
    order_detail_url: Annotated[str, Meta(description="The order's page, for people.")]
    source: Literal["partner_integration"]
    partner_order_id: Annotated[str, Meta(description="Your id_order_partner.")]


def wire_product(row: SellableRow, *, currency: str) -> WireProduct:
    """A catalogue row in this channel's format; an origin other than SC and * is sent as stored."""
    return WireProduct(
        row.id,
        row.name,
        format_minor(row.price_minor, currency),
        row.stock,
        row.own,
        row.origin or "Supplier",
        row.upc,
    )


def encode_products(rows: Sequence[SellableRow], *, currency: str) -> bytes:
    """The rows as comma-separated JSON objects, without the list's brackets."""
    return msgspec.json.encode([wire_product(row, currency=currency) for row in rows])[1:-1]


def encode_success(placed: Placed, *, number: str, detail_url: str) -> bytes:
    """The response to a created order (spec 4.5)."""
    return msgspec.json.encode(
        WireCreated(
            success=True,
            order_id=placed.id,
            order_key=placed.order_key,
            order_detail_url=detail_url,
            source=SOURCE,
            partner_order_id=number,
        )
    )


def read_order(body: bytes, *, content_type: str, items_max: int, is_test: bool) -> OrderRequest:
    """Parse the order. The checks run in the order of spec 4.2; each raises WireError (400)."""
    document = _read(body, content_type=content_type)
    if not isinstance(document, dict):
        raise WireError("partner_invalid_payload", "The request body is not a JSON object.")
    document = picked(document, OrderBody)
    raw_items = document.get("items")
    if not isinstance(raw_items, list) or not raw_items:
        raise WireError("partner_missing_items", "items must be a list with at least one item.")
    number = _read_number(document.get("id_order_partner"))
    if len(raw_items) > items_max:
        _invalid("items", f"items has more than {items_max} entries.")
    return OrderRequest(
        partner_order_id=number,
        items=tuple(_read_item(raw, place=place) for place, raw in enumerate(raw_items)),
        source=SOURCE,
        comments=_read_comments(document.get("comments")),
        tax_id=_read_metadata(document, "tax_id"),
        resale_tax=_read_metadata(document, "resale_tax"),
        is_test=is_test,
    )


def _read(body: bytes, *, content_type: str) -> Any:
    try:
        return read_document(body, content_type=content_type, is_unique=True)
    except Unreadable as error:
        text = str(error)
        raise WireError("partner_invalid_payload", f"{text[:1].upper()}{text[1:]}.") from None


def _read_number(value: Any) -> str:
    if isinstance(value, bool):
        _invalid("id_order_partner", "id_order_partner must be text.")
    if isinstance(value, int | JsonNumber):
        return _decimal_text(value)
    if value is None or (isinstance(value, str) and not visible(value)):
        raise WireError("partner_missing_id_order_partner", data={"field": "id_order_partner"})
    if not isinstance(value, str):
        _invalid("id_order_partner", "id_order_partner must be text.")
    number = value.strip()
    if len(number) > NUMBER_LENGTH_MAX or _CONTROL.search(number) or _UNPRINTABLE.search(number):
        _invalid(
            "id_order_partner",
            f"id_order_partner must have at most {NUMBER_LENGTH_MAX} characters and no control characters.",
        )
    return number


def _decimal_text(value: int | JsonNumber) -> str:
    """The number as decimal text: 1e3 is '1000', 12.50 is '12.50'."""
    number = exact(value)
    text = "" if number is None else format(number, "f")
    if not text or len(text) > NUMBER_LENGTH_MAX:
        _invalid("id_order_partner", "id_order_partner is too long.")
    return text


def _read_item(raw: Any, *, place: int) -> OrderItem:
    if not isinstance(raw, dict):
        _invalid(f"items[{place}]", "Each item must be an object.")
    product_id = whole(raw.get("product_id"))
    if product_id is None or product_id < 1:
        _invalid(f"items[{place}].product_id", "product_id must be a positive whole number.")
    quantity = whole(raw.get("quantity"))
    if quantity is None or not 1 <= quantity <= QUANTITY_MAX:
        raise WireError("partner_invalid_quantity", data={"field": f"items[{place}].quantity"})
    return OrderItem(variant_id=product_id, quantity=quantity)


def _read_comments(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or isinstance(value, JsonNumber):
        _invalid("comments", "comments must be text.")
    if len(value) > COMMENTS_LENGTH_MAX:
        _invalid("comments", f"comments has more than {COMMENTS_LENGTH_MAX} characters.")
    if _UNPRINTABLE.search(value):
        _invalid("comments", "comments has control characters.")
    return visible(value)


def _read_metadata(document: dict[str, Any], field: str) -> str:
    """Fiscal metadata is stored unvalidated: any value as text, without characters that text cannot hold."""
    value = document.get(field)
    if value is None:
        return ""
    text = value if isinstance(value, str) else _json_text(value)
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def _json_text(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:
        raise WireError("partner_invalid_payload", "The request body is nested too deep.") from None


def _invalid(field: str, message: str) -> NoReturn:
    raise WireError("partner_invalid_payload", message, {"field": field})
