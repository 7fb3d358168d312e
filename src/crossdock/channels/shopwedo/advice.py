"""What to do about each error word of this channel; shown in the docs."""

from crossdock.channels.manifest import ErrorRow
from crossdock.channels.shopwedo.errors import WIRE, WIRE_ONLY

_AGAIN = "Call again after Retry-After, with a fresh token."

ADVICE: dict[str, tuple[str, str]] = {
    "auth_missing": (
        "The auth object is missing or cannot be read.",
        "Send auth and data as JSON, or as form fields that contain JSON.",
    ),
    "auth_invalid": (
        "A property is missing or malformed, or the shop id is unknown or disabled.",
        "Send shopid, timestamp, salt and token; ask the warehouse whether the key was disabled.",
    ),
    "auth_token_mismatch": (
        "The token does not match these values.",
        "Hash shop id, key, timestamp and salt exactly as you send them, without separators.",
    ),
    "auth_expired": (
        "The timestamp is older than 15 minutes.",
        "Create the token when you send, and synchronise your clock with NTP.",
    ),
    "auth_timestamp_in_future": (
        "The timestamp is ahead of the server's clock.",
        "Send Unix seconds, not milliseconds, and synchronise your clock with NTP.",
    ),
    "auth_salt_reused": (
        "The token was used before, and replay_cache is on for this shop.",
        "Generate a new salt for every call.",
    ),
    "forbidden": ("The shop lacks the permission.", "Ask the warehouse."),
    "data_invalid": (
        "The data cannot be read, or an argument is missing or invalid.",
        "See message, which names the argument.",
    ),
    "order_items_empty": ("The order has no items.", "Send at least one item."),
    "order_invalid_data": (
        "Fields of the order are invalid.",
        "Correct the fields in errors; an order number can be used only once.",
    ),
    "order_creation_failed": (
        "The order cannot be created.",
        "See message; ask the warehouse if that does not help.",
    ),
    "order_not_found": (
        "The order does not exist, or is not yours.",
        "Check the number against createOrder's response.",
    ),
    "order_not_cancellable": (
        "The order is being packed, has been shipped or is cancelled.",
        "Announce a return instead, once the goods have arrived.",
    ),
    "order_not_returnable": (
        "Nothing was shipped, or everything was returned.",
        "Read the order: shipping lists what was shipped.",
    ),
    "not_found": ("It does not exist.", "Check the id."),
    "exists": ("It already exists.", "Read it instead."),
    "method_unknown": ("The method does not exist.", "Method names are case-sensitive."),
    "method_not_allowed": ("Every method is a POST.", "Send a POST."),
    "request_too_large": ("The body is too large.", "Split the order or the filter."),
    "rate_limited": ("Too many calls in this minute.", _AGAIN),
    "temporarily_unavailable": ("The server cannot answer right now.", _AGAIN),
    "internal_error": (
        "An internal error occurred.",
        "Give the warehouse the X-Request-Id; look the order up before you create it again.",
    ),
}


def error_rows() -> list[ErrorRow]:
    """(status, word, meaning, what to do) for every error of this channel, by status and word."""
    statuses = {word: status for status, word in WIRE.values()} | WIRE_ONLY
    return sorted((status, word, *ADVICE[word]) for word, status in statuses.items())
