"""Coupons: codes that lower an order whose buyer names one (spec section 13)."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, Final

import msgspec
from msgspec import UNSET

from crossdock.channels.shoppex_reseller.calls import Call
from crossdock.channels.shoppex_reseller.errors import invalid
from crossdock.channels.shoppex_reseller.fields import Fields, first_given
from crossdock.channels.shoppex_reseller.ids import Kind
from crossdock.channels.shoppex_reseller.openapi import AMOUNT, FLAG, TEXT, WHOLE
from crossdock.channels.shoppex_reseller.paging import cursor_list
from crossdock.channels.shoppex_reseller.routes import DEV, Route
from crossdock.channels.shoppex_reseller.wire import (
    NO_CONTENT,
    Reply,
    number,
    one,
    percent,
    seconds,
)
from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid
from crossdock.shop.pricing import (
    CODE_LENGTH_MAX,
    PRODUCTS_MAX,
    CodeChanges,
    CodeTerms,
    Coupon,
    add_code,
    change_code,
    list_codes,
    read_code,
    remove_code,
)

PATH: Final = f"{DEV}/coupons"
ONE: Final = f"{PATH}/{{id}}"
READ, WRITE = "coupons.read", "coupons.write"
_USES_MAX: Final = 2**31 - 1
_TYPES: Final = {"PERCENTAGE": "PERCENTAGE", "FIXED": "FIXED"}
_ALIASES: Final = (
    ("discount_value", "discount"),
    ("discount_type", "type"),
    ("used_count", "used"),
)
# What the core calls a field, and what this channel does.
_FIELDS: Final = {
    "discount": "discount_value",
    "minimum": "min_order_amount",
    "ends": "valid_until",
    "products": "products_bound",
}
_TIME: Final = {
    "anyOf": [TEXT, WHOLE],
    "description": "ISO 8601, without an offset in the shop's time zone, or Unix seconds.",
}
SENT: Final[dict[str, dict[str, Any]]] = {
    "code": {"type": "string", "minLength": 1, "maxLength": CODE_LENGTH_MAX},
    "discount_value": AMOUNT,
    "discount_type": {"type": "string", "enum": list(_TYPES)},
    "max_uses": WHOLE,
    "products_bound": {"type": "array", "items": TEXT},
    "min_order_amount": AMOUNT,
    "max_discount": AMOUNT,
    "valid_from": _TIME,
    "valid_until": _TIME,
    "is_active": FLAG,
}


class ShownCoupon(msgspec.Struct, frozen=True, kw_only=True):
    """A coupon. `discount` is in percent, or with the type FIXED in major units; `products_bound` [] is all."""

    id: str
    uniqid: str
    shop_id: str
    code: str
    type: str
    discount: Decimal | None
    currency: str
    used: int
    max_uses: int | None
    min_order_amount: Decimal | None
    max_discount: Decimal | None
    valid_from: int | None
    valid_until: int | None
    is_active: bool
    products_bound: list[str]
    products_count: int
    created_at: int | None
    updated_at: int | None


def routes() -> tuple[Route, ...]:
    """The routes of this file."""
    coupon: dict[str, Any] = {"answer": ShownCoupon}
    return (
        Route(method="GET", covers="merchants",
              path=PATH, name="listCoupons", summary="List coupons", scope=READ,
              reads=_list, listed="cursor", **coupon),
        Route(method="POST", covers="merchants",
              path=PATH, name="createCoupon", summary="Add a coupon", scope=WRITE,
              writes=_create, status=201, body=SENT, required=("code", "discount_value"), **coupon),
        Route(method="GET", covers="merchants",
              path=f"{PATH}/code/{{code}}", name="getCouponByCode",
              summary="Read the coupon with a code, in any case", scope=READ, reads=_read_by_code,
              **coupon),
        Route(method="GET", covers="merchants",
              path=ONE, name="getCoupon", summary="Read a coupon", scope=READ,
              reads=_read, **coupon),
        Route(method="PATCH", covers="merchants",
              path=ONE, name="updateCoupon", summary="Change a coupon", scope=WRITE,
              writes=_update, body={**SENT, "used_count": WHOLE}, **coupon),
        Route(method="DELETE", covers="merchants",
              path=ONE, name="deleteCoupon", summary="Take a coupon away",
              scope=WRITE, writes=_delete, status=204),
    )  # fmt: skip


async def _list(call: Call, tx: Transaction) -> Reply:
    page = call.place_page(Kind.COUPON)
    found = await list_codes(
        tx, shop_id=call.shop_id, merchant_ids=call.partner.merchant_ids, page=page
    )
    return cursor_list(
        found,
        page=page,
        kind=Kind.COUPON,
        ids=call.ids,
        place=lambda coupon: (coupon.created_at, coupon.id),
        show=lambda coupon: _shown(call, coupon),
    )


async def _create(call: Call, tx: Transaction) -> Reply:
    read = _read_fields(call, first_given(call.body, *_ALIASES), is_new=True)
    merchants = call.partner.merchant_ids
    values = {
        **{name: value for name, value in read.items() if value is not UNSET},
        "merchant_ids": None if merchants is None else tuple(merchants),
    }
    with _naming_fields():
        added = await add_code(tx, shop_id=call.shop_id, terms=CodeTerms(**values), now=call.now)
    return one(_shown(call, added), status=201)


async def _update(call: Call, tx: Transaction) -> Reply:
    known = await _known(call, tx)
    body = first_given(call.body, *_ALIASES)
    is_part = known.amount_minor is None
    told = {
        "discount_type": "PERCENTAGE" if is_part else "FIXED",
        "discount_value": str(_discount(call, known)),
    }
    if not body.keys().isdisjoint(told):
        body = told | body
    read = _read_fields(call, body, is_new=False)
    with _naming_fields():
        changed = await change_code(
            tx,
            shop_id=call.shop_id,
            merchant_ids=call.partner.merchant_ids,
            coupon_id=known.id,
            changes=CodeChanges(**read),
            now=call.now,
        )
    return one(_shown(call, changed))


async def _read(call: Call, tx: Transaction) -> Reply:
    return one(_shown(call, await _known(call, tx)))


async def _read_by_code(call: Call, tx: Transaction) -> Reply:
    found = await read_code(
        tx,
        shop_id=call.shop_id,
        merchant_ids=call.partner.merchant_ids,
        code=call.path["code"],
    )
    return one(_shown(call, found))


async def _delete(call: Call, tx: Transaction) -> Reply:
    await remove_code(
        tx,
        shop_id=call.shop_id,
        merchant_ids=call.partner.merchant_ids,
        coupon_id=call.number(Kind.COUPON),
        now=call.now,
    )
    return NO_CONTENT


async def _known(call: Call, tx: Transaction) -> Coupon:
    return await read_code(
        tx,
        shop_id=call.shop_id,
        merchant_ids=call.partner.merchant_ids,
        coupon_id=call.number(Kind.COUPON),
    )


def _read_fields(call: Call, body: Mapping[str, Any], *, is_new: bool) -> dict[str, Any]:
    """What was sent, under the core's names; UNSET for what was not. Raises WireError VALIDATION_ERROR."""
    fields, zone = Fields(body), call.partner.zone
    found: dict[str, Any] = {
        "code": fields.text("code", required=is_new, longest=CODE_LENGTH_MAX),
        **_read_discount(call, fields, is_new=is_new),
        "max_uses": fields.whole("max_uses", least=1, most=_USES_MAX, nullable=True),
        "product_ids": _read_products(call, fields),
        "min_order_minor": fields.amount("min_order_amount", currency=call.currency, nullable=True)
        or 0,
        "max_discount_minor": fields.amount("max_discount", currency=call.currency, nullable=True),
        "starts_at": fields.moment("valid_from", zone=zone, nullable=True),
        "ends_at": fields.moment("valid_until", zone=zone, nullable=True),
        "enabled": fields.flag("is_active"),
    }
    names = {
        "product_ids": "products_bound",
        "min_order_minor": "min_order_amount",
        "max_discount_minor": "max_discount",
        "starts_at": "valid_from",
        "ends_at": "valid_until",
        "enabled": "is_active",
        "amount_minor": "discount_value",
        "percent_bp": "discount_value",
    }
    if not is_new:
        found["used_count"] = fields.whole("used_count", most=_USES_MAX)
    if found["max_discount_minor"] == 0:
        fields.refuse("max_discount", "must be greater than 0")
    fields.check()
    return {
        name: value if fields.given(names.get(name, name)) else UNSET
        for name, value in found.items()
    }


def _read_discount(call: Call, fields: Fields, *, is_new: bool) -> dict[str, int | None]:
    """An amount or a part, as the type says, which is PERCENTAGE where none is given."""
    is_fixed = fields.choice("discount_type", _TYPES) == "FIXED"
    name = "discount_value"
    amount = fields.amount(name, currency=call.currency, required=is_new) if is_fixed else None
    part = None if is_fixed else fields.percent(name, required=is_new)
    if amount == 0 or part == 0:
        fields.refuse(name, "must be greater than 0")
    return {"amount_minor": amount, "percent_bp": part}


def _read_products(call: Call, fields: Fields) -> tuple[int, ...] | None:
    """The products; none is all of them."""
    texts = fields.texts("products_bound", most=PRODUCTS_MAX, nullable=True)
    if not texts:
        return None
    found = [call.ids.find(Kind.PRODUCT, text) for text in texts]
    for place, each in enumerate(found):
        if each is None:
            fields.refuse(f"products_bound[{place}]", "is no product of the shop")
    return tuple(each for each in found if each is not None)


@contextmanager
def _naming_fields() -> Iterator[None]:
    """Name the fields of what the core refuses as this channel does."""
    try:
        yield
    except Invalid as error:
        field = error.data.get("field")
        if not isinstance(field, str):
            raise
        raise invalid((_FIELDS.get(field, field), error.message)) from error


def _discount(call: Call, coupon: Coupon) -> Decimal | None:
    if coupon.amount_minor is None:
        return percent(coupon.percent_bp)
    return number(coupon.amount_minor, call.currency)


def _shown(call: Call, coupon: Coupon) -> ShownCoupon:
    wire_id = call.ids.write(Kind.COUPON, coupon.id)
    products = coupon.product_ids or ()
    return ShownCoupon(
        id=wire_id,
        uniqid=wire_id,
        shop_id=call.ids.write(Kind.SHOP, call.shop_id),
        code=coupon.code,
        type="PERCENTAGE" if coupon.amount_minor is None else "FIXED",
        discount=_discount(call, coupon),
        currency=call.currency,
        used=coupon.used_count,
        max_uses=coupon.max_uses,
        min_order_amount=number(coupon.min_order_minor or None, call.currency),
        max_discount=number(coupon.max_discount_minor, call.currency),
        valid_from=seconds(coupon.starts_at),
        valid_until=seconds(coupon.ends_at),
        is_active=coupon.enabled,
        products_bound=[call.ids.write(Kind.PRODUCT, product) for product in products],
        products_count=len(products),
        created_at=seconds(coupon.created_at),
        updated_at=seconds(coupon.updated_at),
    )
