"""OrderFilterInput: each filter in two spellings (spec sections 4, 5)."""

from collections.abc import Mapping
from typing import Any

from crossdock.channels.shoppo.errors import bad_input
from crossdock.channels.shoppo.ids import Kind
from crossdock.channels.shoppo.order_states import states_of
from crossdock.channels.shoppo.ranges import read_range
from crossdock.channels.shoppo.subjects import Call
from crossdock.shop.orders import OrderFilters

_TWINS = {
    "order_id": "orderId",
    "partner_order_code": "partnerOrderCode",
    "sku_id": "skuId",
    "order_csv_upload_record_id": "orderCsvUploadRecordId",
    "time_payment_processed_range": "timePaymentProcessedRange",
    "status_in": "statusIn",
}

Line = tuple[int, int]
"""An order and the number of its line."""


def read_filters(call: Call, given: Mapping[str, Any]) -> tuple[OrderFilters, Line | None]:
    """The filters, and the line whose Sku is asked for where a snapshot of it was named.

    Raises WireError BAD_USER_INPUT for a filter that is given in both spellings and differs.
    """
    values = _merged(given)
    order = values.get("order_id")
    ids = None if order is None else _numbers(call, order, kind=Kind.ORDER)
    if values.get("order_csv_upload_record_id") is not None:
        ids = ()
    statuses = values.get("status_in")
    variants, line = _sku(call, values.get("sku_id"))
    filters = OrderFilters(
        order_ids=ids,
        number=_trimmed(values.get("partner_order_code")),
        variant_ids=variants,
        paid=read_range(values, "time_payment_processed_range"),
        placed=read_range(given, "timeCreatedRange"),
        states=None if statuses is None else states_of(filter(None, dict.fromkeys(statuses))),
    )
    return filters, line


def _merged(given: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, twin in _TWINS.items():
        found = [given[each] for each in (name, twin) if given.get(each) is not None]
        if len(found) > 1 and found[0] != found[1]:
            raise bad_input(f"{name} and {twin} differ; give one.", field=twin)
        values[name] = found[0] if found else None
    return values


def _trimmed(text: str | None) -> str | None:
    return None if text is None else text.replace("\0", "").strip()


def _sku(call: Call, text: str | None) -> tuple[tuple[int, ...] | None, Line | None]:
    if text is None:
        return None, None
    found = call.ids.decode(text)
    if found is not None and found[0] == Kind.SKU:
        return (found[1],), None
    if found is not None and found[0] == Kind.SKU_SNAPSHOT:
        return (), (found[1], found[2])
    return (), None


def _numbers(call: Call, text: str, *, kind: Kind) -> tuple[int, ...]:
    found = call.ids.decode(text)
    return (found[1],) if found is not None and found[0] == kind else ()
