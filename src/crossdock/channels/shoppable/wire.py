"""Answers as they go over the wire: JSON whose amounts are numbers, readable by every origin."""

from decimal import Decimal
from typing import Any, Final

import msgspec
from starlette.responses import Response

from crossdock.kit.money import to_decimal

JSON_TYPE: Final = "application/json; charset=utf-8"
# A browser calls this API from other sites, with a header of its own (spec section 1).
CORS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Retry-After, X-Request-Id",
}
PREFLIGHT: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, x-access-token, cid",
    "Access-Control-Max-Age": "86400",
}
# GET changes carts here, so that nothing may be answered from a cache.
HEADERS: Final = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex", **CORS}

Amount = Decimal
"""Money in major units, a number on the wire."""

_encode = msgspec.json.Encoder(decimal_format="number").encode


def amount(minor: int, currency: str) -> Decimal:
    """Minor units as they are told."""
    return to_decimal(minor, currency)


def encoded(value: Any) -> bytes:
    """A value as JSON; a msgspec.Raw in it stays as it is."""
    return _encode(value)


def answered(value: Any, *, status: int = 200) -> Response:
    """The response that tells a value."""
    return Response(encoded(value), status_code=status, headers=HEADERS, media_type=JSON_TYPE)


def preflight() -> Response:
    """What a browser is told before it calls from another site."""
    return Response(status_code=204, headers=PREFLIGHT)
