"""What a web shop does about each error word of this channel; the docs print it."""

from crossdock.channels.shopwedo.errors import WIRE, WIRE_ONLY

_AGAIN = "Call again after Retry-After, with a fresh token."

ADVICE: dict[str, tuple[str, str]] = {
    "auth_missing": (
        "There is no readable auth object.",
        "Send auth and data as JSON, or as form fields that hold JSON text.",
    ),
    "auth_invalid": (
        "A property is missing or malformed, or the shop id is unknown or disabled.",
        "Send shopid, timestamp, salt and token; ask the warehouse whether the key was disabled.",
    ),
    "auth_token_mismatch": (
        "The token is not the one of these values.",
        "Hash shop id, key, timestamp and salt exactly as you send them, without separators.",
    ),
    "auth_expired": (
        "The timestamp is older than 15 minutes.",
        "Make the token when you call, and keep your clock right.",
    ),
    "auth_timestamp_in_future": (
        "The timestamp lies ahead of the server's clock.",
        "Send Unix seconds, not milliseconds, and keep your clock right.",
    ),
    "auth_salt_reused": (
        "This token was used before, and the shop keeps a replay cache.",
        "Make a new salt for every call.",
    ),
    "forbidden": ("The shop may not do this.", "Ask the warehouse."),
    "data_invalid": (
        "The data cannot be read, or an argument is missing or of the wrong kind.",
        "Read message: it names the argument.",
    ),
    "order_items_empty": ("The order has no items.", "Send at least one item."),
    "order_invalid_data": (
        "Fields of the order are wrong.",
        "Mend the fields that errors names; an order number that was used cannot be used again.",
    ),
    "order_creation_failed": (
        "The order cannot be stored as it is.",
        "Read message, and ask the warehouse if it does not help.",
    ),
    "order_not_found": (
        "There is no such order of yours.",
        "Compare the number with the one that createOrder answered.",
    ),
    "order_not_cancellable": (
        "Somebody works on the order, or it has left, or it is cancelled.",
        "Announce a return once the goods have arrived.",
    ),
    "order_not_returnable": (
        "Nothing of the order was shipped, or it all came back.",
        "Read the order: shipping tells what has left.",
    ),
    "not_found": ("There is no such thing.", "Compare the id."),
    "exists": ("There is one already.", "Read it instead."),
    "method_unknown": ("There is no such method.", "Method names are case-sensitive."),
    "method_not_allowed": ("Every method is a POST.", "Send a POST."),
    "request_too_large": ("The body is too large.", "Split the order or the filter."),
    "rate_limited": ("Too many calls in this minute.", _AGAIN),
    "temporarily_unavailable": ("The server cannot answer right now.", _AGAIN),
    "internal_error": (
        "Something failed inside the server.",
        "Tell the warehouse, with X-Request-Id; read the order before you create it again.",
    ),
}


def error_rows() -> list[tuple[int, str, str, str]]:
    """(status, word, meaning, what to do) of every error on this wire, by status and word."""
    statuses = {word: status for status, word in WIRE.values()} | WIRE_ONLY
    return sorted((status, word, *ADVICE[word]) for word, status in statuses.items())
