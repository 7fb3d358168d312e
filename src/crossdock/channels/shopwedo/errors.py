"""Maps core codes to this channel's errors: mostly 400 with an `error` (spec section 4)."""

from typing import Any

import msgspec

from crossdock.channels.contract import Answer
from crossdock.errors import CrossdockError

JSON_TYPE = "application/json"
HEADERS = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}

WIRE_ONLY: dict[str, int] = {
    "auth_missing": 401,
    "auth_invalid": 401,
    "auth_expired": 401,
    "auth_timestamp_in_future": 401,
    "data_invalid": 400,
    "order_items_empty": 400,
    "order_invalid_data": 400,
    "order_creation_failed": 400,
    "order_not_returnable": 400,
    "method_unknown": 404,
    "method_not_allowed": 405,
}

WIRE: dict[str, tuple[int, str]] = {
    "credential_unknown": (401, "auth_invalid"),
    "credential_signature": (401, "auth_token_mismatch"),
    "credential_stale": (401, "auth_invalid"),
    "shop_suspended": (403, "forbidden"),
    "nonce_reused": (401, "auth_salt_reused"),
    "rate_limited": (429, "rate_limited"),
    "permission_denied": (403, "forbidden"),
    "idempotency_key_busy": (400, "order_invalid_data"),
    "partner_order_exists": (400, "order_invalid_data"),
    "customer_not_configured": (400, "order_creation_failed"),
    "customer_not_found": (400, "order_creation_failed"),
    "customer_inactive": (400, "order_creation_failed"),
    "billing_incomplete": (400, "order_invalid_data"),
    "shipping_incomplete": (400, "order_invalid_data"),
    "variant_not_found": (400, "order_invalid_data"),
    "backorder_not_allowed": (400, "order_creation_failed"),
    "stock_limit_exceeded": (400, "order_creation_failed"),
    "order_amount_not_allowed": (400, "order_creation_failed"),
    "order_not_found": (400, "order_not_found"),
    "order_state": (400, "order_not_cancellable"),
    "order_expired": (400, "order_not_cancellable"),
    "charge_used": (400, "order_invalid_data"),
    "variant_disabled": (400, "order_invalid_data"),
    "country_not_served": (400, "order_invalid_data"),
    "cart_not_found": (400, "not_found"),
    "cart_ordered": (400, "exists"),
    "cart_empty": (400, "order_creation_failed"),
    "coupon_refused": (400, "order_creation_failed"),
    "cart_changed": (400, "order_creation_failed"),
    "hold_not_found": (400, "not_found"),
    "stock_insufficient": (400, "order_creation_failed"),
    "balance_insufficient": (400, "order_creation_failed"),
    "payment_declined": (400, "order_creation_failed"),
    "payment_state": (400, "order_not_cancellable"),
    "payment_not_found": (400, "not_found"),
    "payment_unsettled": (503, "temporarily_unavailable"),
    "invoice_state": (400, "order_not_cancellable"),
    "refund_exceeds_capture": (400, "order_not_cancellable"),
    "ticket_state": (400, "order_not_cancellable"),
    "ticket_closed": (400, "order_not_cancellable"),
    "program_disabled": (400, "order_creation_failed"),
    "reseller_state": (400, "order_creation_failed"),
    "reseller_mode": (400, "order_creation_failed"),
    "product_not_allowed": (400, "order_creation_failed"),
    "product_not_fulfillable": (400, "order_creation_failed"),
    "quantity_out_of_range": (400, "order_creation_failed"),
    "purchase_limit_exceeded": (400, "order_creation_failed"),
    "payout_below_threshold": (400, "order_creation_failed"),
    "idempotency_key_used": (400, "order_creation_failed"),
    "invalid_input": (400, "data_invalid"),
    "too_large": (413, "request_too_large"),
    "not_found": (400, "not_found"),
    "exists": (400, "exists"),
    "database_unavailable": (503, "temporarily_unavailable"),
    "outcome_unknown": (503, "temporarily_unavailable"),
    "storage_full": (503, "temporarily_unavailable"),
    "busy": (503, "temporarily_unavailable"),
    "image_invalid": (400, "data_invalid"),
    "image_too_large": (413, "request_too_large"),
    "video_invalid": (400, "data_invalid"),
    "video_too_large": (413, "request_too_large"),
    "media_unavailable": (503, "temporarily_unavailable"),
    "search_unavailable": (503, "temporarily_unavailable"),
    "internal": (500, "internal_error"),
}


class WireError(CrossdockError):
    """An error of this channel alone; `word` is one of WIRE_ONLY."""

    def __init__(
        self, word: str, message: str = "", *, errors: dict[str, list[str]] | None = None
    ) -> None:
        super().__init__("invalid_input", message or word.replace("_", " "))
        self.word = word
        self.errors = errors


class OrderRefused(WireError):
    """createOrder's error form: `order_id` false, and `errors` per field for invalid data (spec 6.4)."""


def render_error(error: CrossdockError, method: str) -> Answer:
    """The response for an error; never a 200 (spec section 4)."""
    if isinstance(error, WireError):
        status, word = WIRE_ONLY[error.word], error.word
    else:
        status, word = WIRE[error.code]
    body: dict[str, Any] = {"error": word}
    if isinstance(error, OrderRefused):
        body = {"order_id": False, "error": word}
        if error.errors:
            body["errors"] = error.errors
    elif error.message and error.message != word.replace("_", " "):
        body["message"] = error.message
    headers = dict(HEADERS)
    if status == 405:
        headers["Allow"] = "POST"
    if status in {429, 503}:
        headers["Retry-After"] = str(error.data.get("retry_after_s", 2))
    return Answer(
        status=status, body=msgspec.json.encode(body), content_type=JSON_TYPE, headers=headers
    )
