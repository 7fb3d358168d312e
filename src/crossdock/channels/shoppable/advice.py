"""What to do about each error of this channel; shown in the docs."""

from crossdock.channels.manifest import ErrorRow
from crossdock.channels.shoppable.errors import WIRE, WIRE_ONLY

_AGAIN = "Call again after Retry-After."
_LIST = "Send values with words; `,` is OR, `|` is AND, and `*` stands at the end of a word, never alone."
_ADVICE: dict[int, str] = {
    400: "See the text.",
    404: "Check the address, or the number.",
    405: "Check the method; Allow names the right one.",
    413: "Send a smaller body.",
    429: _AGAIN,
    500: "Give the operator the X-Request-Id.",
    503: _AGAIN,
    30000: "With 503 call again after Retry-After, with 400 send a shorter search, with 500 give the "
    "operator the X-Request-Id.",
    30002: "Check the token; ask the operator whether it was revoked.",
    30003: "Send `Authorization: Bearer <token>`; with 403 ask the operator for the right.",
    40001: "Check the UPC or part number; the goods may be sold no more.",
    40002: "Create a cart.",
    50000: "The text names the parameter.",
    50001: "Send a whole number from 0 to 100.",
    50002: "Send a whole number, 0 or more.",
    50003: "Send `-last_modified`, `price`, `-price`, `name` or `random`.",
    50004: "Send `$off`, `%off` or `free_shipping`.",
    50005: "See the guide for the types.",
    50006: _LIST + " Ids are numbers.",
    **dict.fromkeys(range(50007, 50012), _LIST),
}


def error_rows() -> list[ErrorRow]:
    """(status, number, text, what to do) for every error of this channel, by number and status."""
    told = {(number, status): text for status, number, text in WIRE.values()}
    told |= {(number, status): text for number, (status, text) in WIRE_ONLY.items()}
    told[30000, 400] = "The search is too large."
    told[30000, 500] = told[30000, 503]
    told[400, 400] = "The request is refused, for the reason that the text says."
    return [
        (status, str(number), text, _ADVICE[number])
        for (number, status), text in sorted(told.items())
    ]
