"""Answers as they go over the wire: JSON under one of two content types, amounts as numbers."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from crossdock.kit.money import to_decimal

JSON_TYPE: Final = "application/json; charset=utf-8"
GRAPHQL_TYPE: Final = "application/graphql-response+json; charset=utf-8"
HEADERS: Final = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}
INT_MAX: Final = 2**31 - 1
"""The largest Int of GraphQL."""

_JSON, _GRAPHQL, _ANY = "application/json", "application/graphql-response+json", "*/*"
_CENTS = Decimal("0.01")

encode = msgspec.json.Encoder(decimal_format="number").encode


def amount(minor: int, currency: str) -> float:
    """Minor units as a number with at most two decimals, made from the exact amount."""
    return float(to_decimal(minor, currency).quantize(_CENTS))


def seconds(moment: datetime) -> int:
    """Unix time."""
    return int(moment.timestamp())


def moment(unix: int) -> datetime:
    """The time that `seconds` made it from."""
    return datetime.fromtimestamp(unix, UTC)


def ranks_graphql(accept: str) -> bool:
    """Whether a client prefers `application/graphql-response+json` (spec section 1, rule 7).

    Without a preference the answer is `application/json`: the clients of this API are older than the
    other type.
    """
    if _GRAPHQL not in accept:
        return False
    weights: dict[str, float] = {}
    for part in accept.lower().split(","):
        kind, *parameters = (text.strip() for text in part.split(";"))
        weights[kind] = max(weights.get(kind, 0.0), _weight(parameters))
    plain = weights.get(_JSON, weights.get("application/*", weights.get(_ANY, 0.0)))
    asked = weights.get(_GRAPHQL, 0.0)
    return asked > plain or (0 < asked == plain and _comes_first(accept.lower()))


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def _comes_first(accept: str) -> bool:
    return accept.find(_GRAPHQL) < (accept + _JSON).find(_JSON)


def errors_body(errors: list[dict[str, Any]]) -> bytes:
    """The body of an answer without data."""
    return encode({"errors": errors})
