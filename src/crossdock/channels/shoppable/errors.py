"""Maps core codes to this channel's errors: `{"error": "<text>", "code": <number>}` (spec section 2).

Numbers from 30000 on are those of the published guide. Where it has none, the number is the status.
"""

from typing import Any

import msgspec

from crossdock.channels.contract import Answer
from crossdock.channels.shoppable.wire import CORS, HEADERS, JSON_TYPE
from crossdock.errors import CrossdockError

INVALID_TOKEN = 30002
UNAUTHORIZED = 30003
SEARCH = 30000
PRODUCT_NOT_FOUND = 40001
CART_NOT_FOUND = 40002
INVALID_PARAMETER = 50000
NO_ROUTE = 404
NO_METHOD = 405

_INVALID_TOKEN = (401, INVALID_TOKEN, "Invalid token.")
_PRODUCT_NOT_FOUND = (404, PRODUCT_NOT_FOUND, "Product Not Found.")
_CART_NOT_FOUND = (404, CART_NOT_FOUND, "Cart Not Found.")
_SEARCH_FAILED = "Unknown Solr Server error."
_UNAVAILABLE = (503, 503, "The server cannot answer right now.")

# number: (status, text); those that no core code leads to.
WIRE_ONLY: dict[int, tuple[int, str]] = {
    UNAUTHORIZED: (401, "Unauthorized access."),
    INVALID_PARAMETER: (400, "Bad Request - Invalid parameter"),
    50001: (400, "Bad Request - Invalid rows parameter."),
    50002: (400, "Bad Request - Invalid Offset parameter."),
    50003: (400, "Bad Request - Invalid sort parameter"),
    50004: (400, "Bad Request - Invalid discount_type parameter"),
    50005: (400, "Bad Request - Invalid navigation_type parameter"),
    50006: (400, "Bad Request - Invalid category parameter"),
    50007: (400, "Bad Request - Invalid part_number parameter"),
    50008: (400, "Bad Request - Invalid Brand parameter"),
    50009: (400, "Bad Request - Invalid sizes parameter"),
    50010: (400, "Bad Request - Invalid colors parameter"),
    50011: (400, "Bad Request - Invalid merchants parameter"),
    NO_ROUTE: (404, "There is no such resource."),
    NO_METHOD: (405, "The method is not allowed here."),
}

# core code: (status, number, text)
WIRE: dict[str, tuple[int, int, str]] = {
    "credential_unknown": _INVALID_TOKEN,
    "credential_signature": _INVALID_TOKEN,
    "credential_stale": _INVALID_TOKEN,
    "shop_suspended": (403, UNAUTHORIZED, "Unauthorized access."),
    "nonce_reused": _INVALID_TOKEN,
    "rate_limited": (429, 429, "Too many requests in this minute."),
    "permission_denied": (403, UNAUTHORIZED, "Unauthorized access."),
    "idempotency_key_busy": (400, 400, "The idempotency key is being used just now."),
    "partner_order_exists": (400, 400, "This order number was used before."),
    "customer_not_configured": (400, 400, "The order names no customer."),
    "customer_not_found": (400, 400, "The customer is unknown."),
    "customer_inactive": (400, 400, "The customer is inactive."),
    "billing_incomplete": (400, 400, "The billing address is incomplete."),
    "shipping_incomplete": (400, 400, "The shipping address is incomplete."),
    "variant_not_found": _PRODUCT_NOT_FOUND,
    "backorder_not_allowed": (400, 400, "A product is out of stock."),
    "stock_limit_exceeded": (400, 400, "A product is out of stock."),
    "order_amount_not_allowed": (400, 400, "The order's amount is not allowed."),
    "order_not_found": (404, 404, "Order Not Found."),
    "order_state": (400, 400, "The order's state does not allow this."),
    "order_expired": (400, 400, "The order was not paid in time."),
    "charge_used": (400, 400, "The charge paid another order."),
    "variant_disabled": (400, 400, "A product is not for sale."),
    "country_not_served": (400, 400, "A product is not shipped to this country."),
    "cart_not_found": _CART_NOT_FOUND,
    "cart_ordered": (400, 400, "The cart was ordered already."),
    "cart_empty": (400, 400, "The cart has nothing that can be bought."),
    "coupon_refused": (400, 400, "The coupon cannot be used."),
    "cart_changed": (400, 400, "The cart or its prices changed."),
    "hold_not_found": _CART_NOT_FOUND,
    "stock_insufficient": (400, 400, "A product is out of stock."),
    "balance_insufficient": (400, 400, "The order's amount is not allowed."),
    "payment_declined": (400, 400, "The payment was declined."),
    "payment_state": (400, 400, "The payment's state does not allow this."),
    "payment_not_found": (404, 404, "There is no such payment."),
    "payment_unsettled": (503, 503, "The payment is being looked up."),
    "invoice_state": (400, 400, "The invoice cannot be paid or changed now."),
    "refund_exceeds_capture": (400, 400, "More would be refunded than was paid."),
    "ticket_state": (400, 400, "The ticket's state does not allow this."),
    "ticket_closed": (400, 400, "The ticket is closed."),
    "program_disabled": (400, 400, "The shop has no reseller programme now."),
    "reseller_state": (400, 400, "The reseller's state does not allow this."),
    "reseller_mode": (400, 400, "The reseller's mode does not allow this."),
    "product_not_allowed": (400, 400, "The product may not be sold."),
    "product_not_fulfillable": (400, 400, "The product cannot be delivered at once."),
    "quantity_out_of_range": (400, 400, "The quantity is not allowed."),
    "purchase_limit_exceeded": (400, 400, "The limit is reached."),
    "payout_below_threshold": (400, 400, "The payout is below the threshold."),
    "idempotency_key_used": (400, 400, "Another request was made with the same key."),
    "invalid_input": (400, INVALID_PARAMETER, "Bad Request - Invalid parameter"),
    "too_large": (413, 413, "The request is too large."),
    "not_found": _PRODUCT_NOT_FOUND,
    "exists": (400, 400, "It exists already."),
    "database_unavailable": _UNAVAILABLE,
    "outcome_unknown": _UNAVAILABLE,
    "storage_full": _UNAVAILABLE,
    "busy": _UNAVAILABLE,
    "image_invalid": (400, INVALID_PARAMETER, "The image cannot be used."),
    "image_too_large": (413, 413, "The image is too large."),
    "video_invalid": (400, INVALID_PARAMETER, "The video cannot be used."),
    "video_too_large": (413, 413, "The video is too large."),
    "media_unavailable": _UNAVAILABLE,
    "search_unavailable": (503, SEARCH, _SEARCH_FAILED),
    "internal": (500, 500, "An internal error occurred."),
}


class WireError(CrossdockError):
    """An error of this channel alone; `number` is one of WIRE_ONLY, `body` what it tells besides."""

    def __init__(
        self,
        number: int,
        text: str = "",
        *,
        status: int = 0,
        body: dict[str, Any] | None = None,
    ) -> None:
        known_status, known_text = WIRE_ONLY.get(number, (status, text))
        super().__init__("invalid_input", text or known_text)
        self.number = number
        self.status = status or known_status
        self.body = body or {}


def refusal(number: int, name: str, *, more: str = "") -> WireError:
    """The error of a parameter; one without a number of its own is named in the text, which `more` ends."""
    text = WIRE_ONLY[number][1].rstrip(".")
    if number == INVALID_PARAMETER:
        text = f"Bad Request - Invalid {name} parameter"
    return WireError(number, text + more if more else "" if number != INVALID_PARAMETER else text)


def search_failed() -> WireError:
    """The error of a search that the engine could not answer (spec 2)."""
    return WireError(SEARCH, _SEARCH_FAILED, status=500)


def render_error(error: CrossdockError, method: str) -> Answer:
    """The response for an error; browsers of every origin may read it, but for an unknown path."""
    if isinstance(error, WireError):
        status, number, text = error.status, error.number, error.message
        more = error.body
    else:
        status, number, text = WIRE[error.code]
        more = {}
        if error.data.get("held_by") == "checkout":
            text = "The cart is being checked out. Try again in a moment."
    headers = dict(HEADERS)
    if isinstance(error, WireError) and number in {NO_ROUTE, NO_METHOD}:
        headers = {name: value for name, value in headers.items() if name not in CORS}
    if status in {429, 503}:
        headers["Retry-After"] = str(error.data.get("retry_after_s", 2))
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if status == 405:
        headers["Allow"] = str(error.data.get("allow", "GET"))
    body = msgspec.json.encode({"error": text, "code": number, **more})
    return Answer(status=status, body=body, content_type=JSON_TYPE, headers=headers)
