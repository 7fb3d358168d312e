"""Errors in GraphQL's shape, with a code among their extensions (spec section 13).

{"message": "...", "locations": [...], "path": [...],
 "extensions": {"code": "...", "type": "...", "displayToUser": false, "requestId": "..."}}
"""

import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import structlog
from graphql import GraphQLError

from crossdock.channels.contract import Answer
from crossdock.channels.shoppo.wire import HEADERS, JSON_TYPE, errors_body
from crossdock.channels.shoppo.wording import without_none
from crossdock.errors import CrossdockError, Unavailable

# How the library names the variable that it refuses.
_VARIABLE: Final = re.compile(r"Variable '\$([_A-Za-z][_0-9A-Za-z]*)' has invalid value")


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """What every error with this code has in common; `is_shown`: its text is fit for the end user."""

    type: str
    is_shown: bool = False


_UNAUTHORIZED: Final = "Unauthorized request"

CODES: Final[dict[str, Code]] = {
    "UNAUTHENTICATED": Code(type="AccessDenied"),
    "FORBIDDEN": Code(type="AccessDenied"),
    "BAD_REQUEST": Code(type="BadRequest"),
    "GRAPHQL_PARSE_FAILED": Code(type="BadRequest"),
    "GRAPHQL_VALIDATION_FAILED": Code(type="BadRequest"),
    "OPERATION_RESOLUTION_FAILURE": Code(type="BadRequest"),
    "BAD_USER_INPUT": Code(type="InvalidInput"),
    "NOT_FOUND": Code(type="NotFound"),
    "SKU_NOT_FOUND": Code(type="NotFound"),
    "SKU_DISABLED": Code(type="Refused", is_shown=True),
    "OUT_OF_STOCK": Code(type="Refused", is_shown=True),
    "COUNTRY_NOT_SUPPORTED": Code(type="Refused", is_shown=True),
    "PARTNER_ORDER_CODE_CONFLICT": Code(type="Conflict"),
    "ORDER_NOT_OPEN": Code(type="Refused", is_shown=True),
    "ORDER_EXPIRED": Code(type="Refused", is_shown=True),
    "CHARGE_ID_CONFLICT": Code(type="Conflict"),
    "ORDER_NOT_CANCELLABLE": Code(type="Refused", is_shown=True),
    "ORDER_ITEM_NOT_CANCELLABLE": Code(type="Refused", is_shown=True),
    "IMAGE_INVALID": Code(type="InvalidInput", is_shown=True),
    "IMAGE_TOO_LARGE": Code(type="InvalidInput", is_shown=True),
    "TICKET_CLOSED": Code(type="Refused", is_shown=True),
    "QUERY_TOO_DEEP": Code(type="LimitExceeded"),
    "QUERY_TOO_COMPLEX": Code(type="LimitExceeded"),
    "RATE_LIMITED": Code(type="LimitExceeded"),
    "TIMEOUT": Code(type="LimitExceeded"),
    "INTERNAL_SERVER_ERROR": Code(type="InternalError"),
}

_UNAUTHENTICATED = (401, "UNAUTHENTICATED", _UNAUTHORIZED)
_UNAVAILABLE = (503, "INTERNAL_SERVER_ERROR", "The server cannot answer right now.")
_REFUSED = (400, "BAD_USER_INPUT")

# core code: (status where it is no field's error, code, text)
WIRE: Final[dict[str, tuple[int, str, str]]] = {
    "credential_unknown": _UNAUTHENTICATED,
    "credential_signature": (403, "FORBIDDEN", _UNAUTHORIZED),
    "credential_stale": _UNAUTHENTICATED,
    "shop_suspended": (403, "FORBIDDEN", "The shop is suspended."),
    "nonce_reused": _UNAUTHENTICATED,
    "rate_limited": (429, "RATE_LIMITED", "Too many requests."),
    "permission_denied": (403, "FORBIDDEN", _UNAUTHORIZED),
    "idempotency_key_busy": (*_REFUSED, "The idempotency key is being used just now."),
    "partner_order_exists": (400, "PARTNER_ORDER_CODE_CONFLICT", "The partnerOrderCode was used."),
    "customer_not_configured": (*_REFUSED, "The order names no customer."),
    "customer_not_found": (*_REFUSED, "The customer is unknown."),
    "customer_inactive": (*_REFUSED, "The customer is inactive."),
    "billing_incomplete": (*_REFUSED, "The billing address is incomplete."),
    "shipping_incomplete": (*_REFUSED, "The shipping address is incomplete."),
    "variant_not_found": (400, "SKU_NOT_FOUND", "There is no such Sku."),
    "backorder_not_allowed": (400, "OUT_OF_STOCK", "A Sku is out of stock."),
    "stock_limit_exceeded": (400, "OUT_OF_STOCK", "A Sku is out of stock."),
    "order_amount_not_allowed": (*_REFUSED, "The order's amount is not allowed."),
    "order_not_found": (400, "NOT_FOUND", "There is nothing with this id."),
    "order_state": (400, "ORDER_NOT_OPEN", "The order's state does not allow this."),
    "order_expired": (400, "ORDER_EXPIRED", "The order was not paid in time."),
    "charge_used": (400, "CHARGE_ID_CONFLICT", "The chargeId has paid another order."),
    "variant_disabled": (400, "SKU_DISABLED", "A Sku is not for sale."),
    "country_not_served": (400, "COUNTRY_NOT_SUPPORTED", "A Sku is not shipped there."),
    "cart_not_found": (400, "NOT_FOUND", "There is no such cart."),
    "cart_ordered": (*_REFUSED, "The cart was ordered already."),
    "cart_empty": (*_REFUSED, "The cart has nothing that can be bought."),
    "coupon_refused": (*_REFUSED, "The coupon cannot be used."),
    "cart_changed": (*_REFUSED, "The cart or its prices changed."),
    "hold_not_found": (400, "ORDER_EXPIRED", "The goods are not held any more."),
    "stock_insufficient": (400, "OUT_OF_STOCK", "A Sku is out of stock."),
    "balance_insufficient": (*_REFUSED, "The balance is too low."),
    "payment_declined": (*_REFUSED, "The payment was declined."),
    "payment_state": (*_REFUSED, "The payment's state does not allow this."),
    "payment_not_found": (400, "NOT_FOUND", "There is no such payment."),
    "payment_unsettled": (503, "INTERNAL_SERVER_ERROR", "The payment is being looked up."),
    "invoice_state": (*_REFUSED, "The invoice cannot be paid or changed now."),
    "refund_exceeds_capture": (*_REFUSED, "More would be refunded than was paid."),
    "ticket_state": (400, "TICKET_CLOSED", "The ticket's state does not allow this."),
    "ticket_closed": (400, "TICKET_CLOSED", "The ticket is closed."),
    "program_disabled": (*_REFUSED, "The shop has no reseller programme now."),
    "reseller_state": (*_REFUSED, "The reseller's state does not allow this."),
    "reseller_mode": (*_REFUSED, "The reseller's mode does not allow this."),
    "product_not_allowed": (*_REFUSED, "The product may not be sold."),
    "product_not_fulfillable": (*_REFUSED, "The product cannot be delivered at once."),
    "quantity_out_of_range": (*_REFUSED, "The quantity is not allowed."),
    "purchase_limit_exceeded": (*_REFUSED, "The limit is reached."),
    "payout_below_threshold": (*_REFUSED, "The payout is below the threshold."),
    "idempotency_key_used": (*_REFUSED, "Another request was made with the same key."),
    "invalid_input": (400, "BAD_REQUEST", "The request is malformed."),
    "too_large": (413, "BAD_REQUEST", "The request is too large."),
    "not_found": (404, "NOT_FOUND", "There is no such object."),
    "exists": (400, "BAD_USER_INPUT", "It exists already."),
    "database_unavailable": _UNAVAILABLE,
    "outcome_unknown": _UNAVAILABLE,
    "storage_full": _UNAVAILABLE,
    "busy": _UNAVAILABLE,
    "image_invalid": (400, "IMAGE_INVALID", "The image cannot be used."),
    "image_too_large": (413, "IMAGE_TOO_LARGE", "The image is too large."),
    "video_invalid": (400, "BAD_USER_INPUT", "The video cannot be used."),
    "video_too_large": (413, "BAD_USER_INPUT", "The video is too large."),
    "media_unavailable": _UNAVAILABLE,
    "search_unavailable": _UNAVAILABLE,
    "internal": (500, "INTERNAL_SERVER_ERROR", "An internal error occurred."),
}


_REASONED: Final = frozenset({"image_invalid", "image_too_large"})
"""Errors of the core that say best themselves why."""


class WireError(CrossdockError):
    """An error of this channel alone; `code_shown` is one of CODES, `told` what its extensions have besides."""

    def __init__(self, code_shown: str, text: str, *, status: int = 400, **told: Any) -> None:
        super().__init__("invalid_input", text)
        self.code_shown = code_shown
        self.status = status
        self.told = told


def bad_input(text: str, *, field: str) -> WireError:
    """The error of an argument that cannot be used."""
    return WireError("BAD_USER_INPUT", text, field=field)


def request_id() -> str:
    """The id of the request that is being answered, '' outside of one."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))


def shown_error(text: str, *, code: str, **told: Any) -> dict[str, Any]:
    """An error without a place in the document."""
    return {"message": text, "extensions": extensions(code, **told)}


def extensions(code: str, **told: Any) -> dict[str, Any]:
    """The extensions of an error with this code."""
    known = CODES[code]
    found = {"code": code, "type": known.type, "displayToUser": known.is_shown}
    return {**found, "requestId": request_id(), **told}


def describe(error: CrossdockError) -> tuple[int, str, str, dict[str, Any]]:
    """(status, code, text, further extensions) of an error of the core or of this channel."""
    if isinstance(error, WireError):
        return error.status, error.code_shown, error.message, error.told
    status, code, text = WIRE[error.code]
    if error.code in _REASONED:
        return status, code, error.message, dict(error.data)
    told = {"retryAfter": _retry_after(error)} if status in {429, 503} else {}
    return status, code, text, told


def located(error: GraphQLError, *, code: str) -> dict[str, Any]:
    """An error of a document or of a field, with its places; `code` where it has none of its own."""
    cause = error.original_error
    text, told = without_none(error.message), dict[str, Any]()
    if named := _VARIABLE.match(text):
        told["field"] = named[1]
    if isinstance(cause, CrossdockError):
        _, code, text, told = describe(cause)
    found: dict[str, Any] = {"message": text}
    if error.locations:
        found["locations"] = [{"line": at.line, "column": at.column} for at in error.locations]
    if error.path is not None:
        found["path"] = error.path
    return {**found, "extensions": extensions(code, **told)}


def failure(error: GraphQLError) -> Exception | None:
    """What made a field fail that is no refusal: the server cannot answer, or has a fault of its own.

    Only a field can fail by itself: the library's checks keep what Python said of an odd literal as the cause.
    """
    cause = error.original_error
    if isinstance(cause, Unavailable):
        return cause
    if error.path is None or isinstance(cause, CrossdockError | GraphQLError):
        return None
    return cause


def located_all(errors: Sequence[GraphQLError], *, code: str) -> list[dict[str, Any]]:
    """Several errors of one kind."""
    return [located(error, code=code) for error in errors]


def render_error(error: CrossdockError, method: str) -> Answer:
    """The response for an error that is no field's."""
    status, code, text, told = describe(error)
    headers = dict(HEADERS)
    if status in {429, 503}:
        headers["Retry-After"] = str(_retry_after(error))
    if status == 405:
        headers["Allow"] = "POST"
    body = errors_body([shown_error(text, code=code, **told)])
    return Answer(status=status, body=body, content_type=JSON_TYPE, headers=headers)


def _retry_after(error: CrossdockError) -> int:
    return int(error.data.get("retry_after_s", 2))
