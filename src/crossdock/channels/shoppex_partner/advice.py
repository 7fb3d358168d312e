"""What to do about each error code of this channel; shown by the explainer and in the docs."""

from crossdock.channels.manifest import ErrorRow
from crossdock.channels.shoppex_partner.errors import WIRE, WIRE_ONLY

_AGAIN = "Send the request again with a fresh timestamp, nonce and signature, after Retry-After."
_TO_US = "Ask the shop: only the shop can change this."

ADVICE: dict[str, str] = {
    "partner_auth_missing_headers": (
        "Send all four X-Shoppex headers, each once and not empty; a nonce has 1 to 255 "
        "visible ASCII characters."
    ),
    "partner_auth_invalid_timestamp": (
        "Send Unix time in whole seconds (ten digits), not milliseconds or a date."
    ),
    "partner_auth_expired_timestamp": (
        "Take the timestamp when you send, and synchronise your clock with NTP."
    ),
    "partner_auth_invalid_key": ("Check the key; ask the shop whether it was disabled."),
    "partner_auth_invalid_signature": (
        "Sign exactly the bytes that you send, and compare your message with the explainer's."
    ),
    "partner_auth_reused_nonce": "Generate a new nonce for every request, including retries.",
    "partner_permission_denied": _TO_US,
    "partner_invalid_payload": (
        "Correct the body: data.field names the field. Send application/json, plain or in gzip."
    ),
    "partner_missing_items": "Send items as a list with at least one entry.",
    "partner_missing_id_order_partner": "Send your order number as id_order_partner.",
    "partner_invalid_quantity": "Send whole numbers of at least 1; data.field names the item.",
    "partner_customer_billing_incomplete": f"{_TO_US} data.fields lists what is missing.",
    "partner_customer_shipping_incomplete": f"{_TO_US} data.fields lists what is missing.",
    "partner_customer_not_configured": _TO_US,
    "partner_customer_inactive": _TO_US,
    "partner_customer_not_found": _TO_US,
    "partner_order_amount_not_allowed": (
        "Change the order so that the sum of its items is within the agreed range (inclusive)."
    ),
    "partner_backorder_not_allowed": (
        "Remove the products in data.product_ids, or order them once they are listed again."
    ),
    "partner_stock_limit_exceeded": (
        "Lower the quantities: data.limits has the limit of each product. Fetch the list again."
    ),
    "partner_product_not_found": (
        "Remove the products in data.product_ids: they do not exist or are not visible to you."
    ),
    "partner_order_already_exists": (
        "Treat the order as placed: data has order_id, order_key and order_detail_url of the first order."
    ),
    "partner_order_state": "None: the order has progressed too far.",
    "rest_no_route": "Check path and method against the reference; paths are lower case.",
    "partner_payload_too_large": "Split the order; data.limit_bytes is the limit.",
    "partner_rate_limited": _AGAIN,
    "partner_internal_error": (
        "Retry with the same order number: an order that exists is reported. Give the shop the X-Request-Id."
    ),
    "partner_temporarily_unavailable": _AGAIN,
}
"""By wire code; a test compares the keys with errors.WIRE and errors.WIRE_ONLY."""


def error_rows() -> list[ErrorRow]:
    """(status, code, message, what to do) for every error of this channel, by status and code."""
    messages = {code: (status, text) for code, (status, text) in WIRE_ONLY.items()}
    for status, code, text in WIRE.values():
        messages.setdefault(code, (status, text))
    return sorted((status, code, text, ADVICE[code]) for code, (status, text) in messages.items())
