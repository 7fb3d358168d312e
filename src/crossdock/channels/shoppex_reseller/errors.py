"""Maps core codes to this channel's errors (spec sections 2.4, 3.3, 3.4).

{"error": {"code": "...", "message": "...", "doc_url": "...", "details": [{"field": "...", "message": "..."}]}}
"""

from collections.abc import Sequence
from typing import Any, Final

from crossdock.channels.contract import Answer
from crossdock.channels.shoppex_reseller.wire import HEADERS, JSON_TYPE, encoded
from crossdock.errors import ERROR_CODES, CrossdockError

DOC_PATH: Final = "/docs/reference/shoppex_reseller_errors"

NO_MERCHANT: Final = "Missing or invalid API key. Expected: Authorization: Bearer shx_..."
NO_RESELLER: Final = "Invalid or inactive reseller API key"
_INVALID: Final = "Validation failed"

# What each code of this channel says of itself: (status, text).
CODES: Final[dict[str, tuple[int, str]]] = {
    "BAD_REQUEST": (400, "The request breaks a rule."),
    "RESELLER_PROGRAM_DISABLED": (400, "The reseller program is not enabled."),
    "RESELLER_MODE_NOT_ALLOWED": (400, "The reseller's mode does not allow this."),
    "PRODUCT_NOT_ALLOWED": (400, "The reseller may not sell this product."),
    "QUANTITY_OUT_OF_RANGE": (400, "The quantity is out of range."),
    "PURCHASE_LIMIT_EXCEEDED": (400, "The purchase limit is exceeded."),
    "PAYOUT_BELOW_THRESHOLD": (400, "The payout is below the threshold."),
    "PRODUCT_NOT_FULFILLABLE": (400, "The product has no serial stock."),
    "UNAUTHORIZED": (401, NO_MERCHANT),
    "INSUFFICIENT_BALANCE": (402, "Insufficient reseller prepaid balance"),
    "FORBIDDEN": (403, "Missing required API scope."),
    "NOT_FOUND": (404, "The resource was not found."),
    "METHOD_NOT_ALLOWED": (405, "The method is not allowed here."),
    "STOCK_UNAVAILABLE": (409, "Fulfillment stock is unavailable"),
    "INVALID_STATE": (409, "The current state does not allow this."),
    "IDEMPOTENCY_CONFLICT": (409, "The Idempotency-Key was used for another request."),
    "CONFLICT": (409, "It exists already."),
    "PAYLOAD_TOO_LARGE": (413, "The request is too large."),
    "VALIDATION_ERROR": (422, _INVALID),
    "RATE_LIMITED": (429, "Too many requests. Wait a few seconds."),
    "INTERNAL_ERROR": (500, "An internal error occurred."),
    "SERVICE_UNAVAILABLE": (503, "The server cannot answer right now."),
}

_UNKNOWN: Final = ("UNAUTHORIZED", "")
_NOT_NOW: Final = ("SERVICE_UNAVAILABLE", "")
_SHORT: Final = ("STOCK_UNAVAILABLE", "")
_MISSING: Final = ("NOT_FOUND", "")

# core code: (code, text where it is another than the code's)
WIRE: Final[dict[str, tuple[str, str]]] = {
    "credential_unknown": _UNKNOWN,
    "credential_signature": _UNKNOWN,
    "credential_stale": _UNKNOWN,
    "nonce_reused": _UNKNOWN,
    "shop_suspended": ("FORBIDDEN", "Your shop has been suspended."),
    "rate_limited": ("RATE_LIMITED", ""),
    "permission_denied": ("FORBIDDEN", ""),
    "idempotency_key_used": ("IDEMPOTENCY_CONFLICT", ""),
    "idempotency_key_busy": (
        "IDEMPOTENCY_CONFLICT",
        "The first call with this Idempotency-Key is still running.",
    ),
    "program_disabled": ("RESELLER_PROGRAM_DISABLED", ""),
    "reseller_mode": ("RESELLER_MODE_NOT_ALLOWED", ""),
    "reseller_state": ("INVALID_STATE", ""),
    "product_not_allowed": ("PRODUCT_NOT_ALLOWED", ""),
    "product_not_fulfillable": ("PRODUCT_NOT_FULFILLABLE", ""),
    "quantity_out_of_range": ("QUANTITY_OUT_OF_RANGE", ""),
    "purchase_limit_exceeded": ("PURCHASE_LIMIT_EXCEEDED", ""),
    "payout_below_threshold": ("PAYOUT_BELOW_THRESHOLD", ""),
    "partner_order_exists": ("CONFLICT", "This order number was used before."),
    "customer_not_configured": ("BAD_REQUEST", "The order names no customer."),
    "customer_not_found": ("BAD_REQUEST", "The customer is unknown."),
    "customer_inactive": ("BAD_REQUEST", "The customer is inactive."),
    "billing_incomplete": ("BAD_REQUEST", "The billing address is incomplete."),
    "shipping_incomplete": ("BAD_REQUEST", "The shipping address is incomplete."),
    "variant_not_found": _MISSING,
    "backorder_not_allowed": _SHORT,
    "stock_limit_exceeded": _SHORT,
    "order_amount_not_allowed": ("BAD_REQUEST", "The order's amount is not allowed."),
    "order_not_found": _MISSING,
    "order_state": ("INVALID_STATE", ""),
    "order_expired": ("INVALID_STATE", "The order was not paid in time."),
    "charge_used": ("CONFLICT", "The charge has paid another order."),
    "variant_disabled": ("BAD_REQUEST", "The product is not for sale."),
    "country_not_served": ("BAD_REQUEST", "The product is not shipped to this country."),
    "cart_not_found": _MISSING,
    "cart_ordered": ("INVALID_STATE", "The cart was ordered already."),
    "cart_empty": ("BAD_REQUEST", "The cart has nothing that can be bought."),
    "coupon_refused": ("BAD_REQUEST", "The coupon cannot be used."),
    "cart_changed": ("INVALID_STATE", "The cart or its prices changed."),
    "hold_not_found": _MISSING,
    "stock_insufficient": _SHORT,
    "balance_insufficient": ("INSUFFICIENT_BALANCE", ""),
    "payment_declined": ("BAD_REQUEST", "The payment was declined."),
    "payment_state": ("INVALID_STATE", "The payment's state does not allow this."),
    "payment_not_found": _MISSING,
    "payment_unsettled": ("SERVICE_UNAVAILABLE", "The payment is being looked up."),
    "invoice_state": ("INVALID_STATE", "The invoice's state does not allow this."),
    "refund_exceeds_capture": ("BAD_REQUEST", "More would be refunded than was paid."),
    "ticket_state": ("INVALID_STATE", ""),
    "ticket_closed": ("INVALID_STATE", ""),
    "invalid_input": ("VALIDATION_ERROR", ""),
    "too_large": ("PAYLOAD_TOO_LARGE", ""),
    "not_found": _MISSING,
    "exists": ("CONFLICT", ""),
    "database_unavailable": _NOT_NOW,
    "outcome_unknown": _NOT_NOW,
    "storage_full": _NOT_NOW,
    "busy": _NOT_NOW,
    "image_invalid": ("VALIDATION_ERROR", "The image cannot be used."),
    "image_too_large": ("PAYLOAD_TOO_LARGE", "The image is too large."),
    "video_invalid": ("VALIDATION_ERROR", "The video cannot be used."),
    "video_too_large": ("PAYLOAD_TOO_LARGE", "The video is too large."),
    "media_unavailable": _NOT_NOW,
    "search_unavailable": _NOT_NOW,
    "internal": ("INTERNAL_ERROR", ""),
}

_TOLD_BY_THE_CORE: Final = frozenset(
    {
        *("coupon_refused", "quantity_out_of_range", "purchase_limit_exceeded"),
        *("payout_below_threshold", "order_amount_not_allowed", "product_not_fulfillable"),
        *("reseller_state", "order_state", "payment_state", "invoice_state", "ticket_state"),
        *("program_disabled", "reseller_mode", "product_not_allowed", "exists"),
    }
)
"""Codes of rules and limits: where the core says which one, its text is told, and not the code's."""

Detail = tuple[str, str]
"""(field, what is wrong with it)."""


class WireError(CrossdockError):
    """An error of this channel alone; `code_shown` is one of CODES."""

    def __init__(
        self, code_shown: str, text: str = "", *, details: Sequence[Detail] = (), **data: Any
    ) -> None:
        super().__init__("invalid_input", text or CODES[code_shown][1], data)
        self.code_shown = code_shown
        self.details = tuple(details)


def invalid(*details: Detail) -> WireError:
    """422, with what is wrong with which field."""
    return WireError("VALIDATION_ERROR", details=details)


class Errors:
    """Renders errors; `public_url` is where their page is read."""

    def __init__(self, *, public_url: str) -> None:
        self._page = f"{public_url.rstrip('/')}{DOC_PATH}"

    def render(self, error: CrossdockError, method: str) -> Answer:
        """The response for an error, whatever the method."""
        code, told, details = _described(error)
        status = CODES[code][0]
        shown: dict[str, Any] = {
            "code": code,
            "message": told or CODES[code][1],
            "doc_url": f"{self._page}#{code}",
        }
        if details:
            shown["details"] = [{"field": field, "message": text} for field, text in details]
        return Answer(
            status=status,
            body=encoded({"error": shown}),
            content_type=JSON_TYPE,
            headers={**HEADERS, **_headers(error, status=status)},
        )


def _described(error: CrossdockError) -> tuple[str, str, Sequence[Detail]]:
    """(code, text, details) of an error of the core or of this channel."""
    if isinstance(error, WireError):
        return error.code_shown, error.message, error.details
    code, told = WIRE[error.code]
    if error.code in _TOLD_BY_THE_CORE and error.message != ERROR_CODES[error.code]:
        return code, error.message, ()
    field = error.data.get("field")
    if error.code == "invalid_input" and isinstance(field, str):
        return code, told, [(field, error.message)]
    return code, told, ()


def _headers(error: CrossdockError, *, status: int) -> dict[str, str]:
    found = {}
    if status in {429, 503} or "retry_after_s" in error.data:
        found["Retry-After"] = str(error.data.get("retry_after_s", 2))
    if status == 401:
        found["WWW-Authenticate"] = "Bearer"
    if status == 405:
        found["Allow"] = str(error.data.get("allow", "GET"))
    return found
