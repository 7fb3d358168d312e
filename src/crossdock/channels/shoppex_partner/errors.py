"""Maps core codes to this channel's errors: HTTP status, `code` and message (spec section 5).

Two shapes (seed): reads and authentication failures are {code, message, data: {status}}; errors of a
POST have `success: false` in front as well, which suits readers of either shape.
"""

from typing import Any

import msgspec

from crossdock.channels.contract import Answer
from crossdock.errors import CrossdockError

HEADERS = {
    "X-Robots-Tag": "noindex",
    "Cache-Control": "no-store",
}
JSON_TYPE = "application/json; charset=UTF-8"


class WireError(CrossdockError):
    """An error of this channel alone; `wire_code` is one of WIRE_ONLY."""

    def __init__(
        self, wire_code: str, message: str = "", data: dict[str, Any] | None = None
    ) -> None:
        super().__init__("invalid_input", message or WIRE_ONLY[wire_code][1], data)
        self.wire_code = wire_code


WIRE_ONLY: dict[str, tuple[int, str]] = {
    "partner_auth_missing_headers": (401, "One or more authentication headers are missing."),
    "partner_auth_invalid_timestamp": (401, "The timestamp is not Unix time in whole seconds."),
    "partner_auth_expired_timestamp": (401, "The timestamp is outside the accepted window."),
    "partner_invalid_payload": (400, "The request body is not valid."),
    "partner_missing_items": (400, "The order has no items."),
    "partner_missing_id_order_partner": (400, "id_order_partner is missing or blank."),
    "partner_invalid_quantity": (400, "A quantity is not a whole number greater than zero."),
    "rest_no_route": (404, "No route was found matching the URL and request method."),
}

WIRE: dict[str, tuple[int, str, str]] = {
    "credential_unknown": (
        401,
        "partner_auth_invalid_key",
        "The partner key is unknown or disabled.",
    ),
    "credential_signature": (
        401,
        "partner_auth_invalid_signature",
        "The HMAC signature does not match.",
    ),
    "credential_stale": (
        401,
        "partner_auth_invalid_key",
        "The partner key is unknown or disabled.",
    ),
    "nonce_reused": (401, "partner_auth_reused_nonce", "This nonce was used before."),
    "rate_limited": (429, "partner_rate_limited", "Too many requests in this minute."),
    "permission_denied": (403, "partner_permission_denied", "The partner lacks the permission."),
    "shop_suspended": (403, "partner_permission_denied", "The shop is suspended."),
    "partner_order_exists": (
        409,
        "partner_order_already_exists",
        "This id_order_partner was already used by this partner.",
    ),
    "customer_not_configured": (
        403,
        "partner_customer_not_configured",
        "No customer user is configured for this partner.",
    ),
    "customer_not_found": (
        404,
        "partner_customer_not_found",
        "The customer user configured for this partner was not found.",
    ),
    "customer_inactive": (
        403,
        "partner_customer_inactive",
        "The customer user configured for this partner is inactive.",
    ),
    "billing_incomplete": (
        400,
        "partner_customer_billing_incomplete",
        "The customer user configured for this partner lacks complete billing information.",
    ),
    "shipping_incomplete": (
        400,
        "partner_customer_shipping_incomplete",
        "The customer user configured for this partner lacks complete shipping information.",
    ),
    "variant_not_found": (404, "partner_product_not_found", "One or more products do not exist."),
    "backorder_not_allowed": (
        403,
        "partner_backorder_not_allowed",
        "One or more products could only come from the supplier, and backorder is disabled.",
    ),
    "stock_limit_exceeded": (
        403,
        "partner_stock_limit_exceeded",
        "More was ordered of one or more products than is in stock, and backorder is disabled.",
    ),
    "order_amount_not_allowed": (
        403,
        "partner_order_amount_not_allowed",
        "The order amount is outside the range agreed with this partner.",
    ),
    "order_not_found": (404, "rest_no_route", "There is no such order."),
    "order_state": (409, "partner_order_state", "The order's state does not allow this."),
    "order_expired": (409, "partner_order_state", "The order was not paid in time."),
    "charge_used": (409, "partner_order_state", "The charge paid another order."),
    "variant_disabled": (
        403,
        "partner_stock_limit_exceeded",
        "One or more products are not for sale.",
    ),
    "country_not_served": (
        403,
        "partner_stock_limit_exceeded",
        "One or more products are not shipped to this country.",
    ),
    "cart_not_found": (404, "rest_no_route", "There is no such cart."),
    "cart_ordered": (409, "partner_order_state", "An order was made of the cart already."),
    "cart_empty": (400, "partner_missing_items", "The cart has nothing that can be bought."),
    "coupon_refused": (409, "partner_order_state", "The coupon cannot be used."),
    "cart_changed": (409, "partner_order_state", "The cart or its prices changed."),
    "hold_not_found": (404, "rest_no_route", "There is no such hold."),
    "stock_insufficient": (403, "partner_stock_limit_exceeded", "There is not enough stock."),
    "balance_insufficient": (
        403,
        "partner_order_amount_not_allowed",
        "The order amount is outside the range agreed with this partner.",
    ),
    "payment_declined": (
        403,
        "partner_order_amount_not_allowed",
        "The order amount is outside the range agreed with this partner.",
    ),
    "payment_state": (409, "partner_order_state", "The order's state does not allow this."),
    "payment_not_found": (404, "rest_no_route", "There is no such payment."),
    "payment_unsettled": (
        503,
        "partner_temporarily_unavailable",
        "The shop cannot answer right now; try again with a new nonce.",
    ),
    "invoice_state": (409, "partner_order_state", "The invoice's state does not allow this."),
    "refund_exceeds_capture": (
        409,
        "partner_order_state",
        "The order's state does not allow this.",
    ),
    "ticket_state": (409, "partner_order_state", "The ticket's state does not allow this."),
    "ticket_closed": (409, "partner_order_state", "The ticket is closed."),
    "program_disabled": (
        403,
        "partner_stock_limit_exceeded",
        "The shop has no reseller programme now.",
    ),
    "reseller_state": (409, "partner_order_state", "The reseller's state does not allow this."),
    "reseller_mode": (
        403,
        "partner_stock_limit_exceeded",
        "The reseller's mode does not allow this.",
    ),
    "product_not_allowed": (403, "partner_stock_limit_exceeded", "The product may not be sold."),
    "product_not_fulfillable": (
        403,
        "partner_stock_limit_exceeded",
        "The product cannot be delivered at once.",
    ),
    "quantity_out_of_range": (403, "partner_stock_limit_exceeded", "The quantity is not allowed."),
    "purchase_limit_exceeded": (403, "partner_stock_limit_exceeded", "The limit is reached."),
    "payout_below_threshold": (
        403,
        "partner_stock_limit_exceeded",
        "The payout is below the threshold.",
    ),
    "idempotency_key_used": (
        409,
        "partner_order_state",
        "Another request was made with the same key.",
    ),
    "idempotency_key_busy": (
        409,
        "partner_order_already_exists",
        "The key is being used just now.",
    ),
    "invalid_input": (400, "partner_invalid_payload", "The request body is not valid."),
    "too_large": (413, "partner_payload_too_large", "The request body is too large."),
    "not_found": (404, "rest_no_route", "No route was found matching the URL and request method."),
    "exists": (409, "partner_order_already_exists", "It already exists."),
    "database_unavailable": (
        503,
        "partner_temporarily_unavailable",
        "The shop cannot answer right now; try again with a new nonce.",
    ),
    "outcome_unknown": (
        503,
        "partner_temporarily_unavailable",
        "Whether this was done is not known; try again with a new nonce and the same number.",
    ),
    "storage_full": (
        503,
        "partner_temporarily_unavailable",
        "The shop cannot write right now; try again with a new nonce.",
    ),
    "busy": (
        503,
        "partner_temporarily_unavailable",
        "The shop is busy; try again with a new nonce.",
    ),
    "image_invalid": (400, "partner_invalid_payload", "The image cannot be used."),
    "image_too_large": (413, "partner_payload_too_large", "The image is too large."),
    "video_invalid": (400, "partner_invalid_payload", "The video cannot be used."),
    "video_too_large": (413, "partner_payload_too_large", "The video is too large."),
    "media_unavailable": (
        503,
        "partner_temporarily_unavailable",
        "The shop cannot keep images right now; try again with a new nonce.",
    ),
    "search_unavailable": (
        503,
        "partner_temporarily_unavailable",
        "The shop cannot search right now; try again with a new nonce.",
    ),
    "internal": (500, "partner_internal_error", "Something failed inside the shop."),
}


def render_error(error: CrossdockError, method: str) -> Answer:
    """The response for an error. Ids are given as product ids, which the partner knows."""
    if isinstance(error, WireError):
        status, code, message = WIRE_ONLY[error.wire_code][0], error.wire_code, error.message
    else:
        status, code, message = WIRE[error.code]
    data: dict[str, Any] = {"status": status, **_public_data(error)}
    body: dict[str, Any] = {"code": code, "message": _detailed(message, error), "data": data}
    if method == "POST":
        body = {"success": False, **body}
    headers = dict(HEADERS)
    if status in {429, 503}:
        headers["Retry-After"] = str(error.data.get("retry_after_s", 2))
    return Answer(
        status=status, body=msgspec.json.encode(body), content_type=JSON_TYPE, headers=headers
    )


def _public_data(error: CrossdockError) -> dict[str, Any]:
    data = {key: error.data[key] for key in _PLAIN if key in error.data}
    if "variant_ids" in error.data:
        data["product_ids"] = error.data["variant_ids"]
    if "limits" in error.data:
        data["limits"] = [
            {"product_id": row["variant_id"], "limit": row["limit"], "quantity": row["asked"]}
            for row in error.data["limits"]
        ]
    return data


_PLAIN = (
    "order_id",
    "order_key",
    "order_detail_url",
    "fields",
    "field",
    "permission",
    "limit_bytes",
)


def _detailed(message: str, error: CrossdockError) -> str:
    if fields := error.data.get("fields"):
        return f"{message} Missing: {', '.join(fields)}."
    if permission := error.data.get("permission"):
        return f"The partner does not have the {permission} permission."
    return message
