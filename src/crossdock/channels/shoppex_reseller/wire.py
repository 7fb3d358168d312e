"""Answers as they go over the wire: envelopes, amounts and times (spec sections 3.1, 5)."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import msgspec
from starlette.responses import Response

from crossdock.kit.money import format_minor, to_decimal

JSON_TYPE: Final = "application/json; charset=utf-8"
PLAIN_TYPE: Final = "text/plain; charset=utf-8"
HEADERS: Final = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}

_encode = msgspec.json.Encoder(decimal_format="number").encode


class File(msgspec.Struct, frozen=True, kw_only=True):
    """A file to keep: its pieces, type and name."""

    pieces: AsyncIterator[bytes]
    content_type: str
    name: str


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """An answer: its status, and what its body says besides; None for a 204 has no body.

    With `plain` the body is this text, with `file` what comes of it, as it comes.
    """

    status: int = 200
    body: Mapping[str, Any] | None = None
    plain: str | None = None
    file: File | None = None


NO_CONTENT: Final = Reply(status=204)


def one(data: Any, *, status: int = 200) -> Reply:
    """`{"data": ...}`."""
    return Reply(status=status, body={"data": data})


def encoded(value: Any) -> bytes:
    """A value as JSON; decimals are numbers."""
    return _encode(value)


def answered(
    body: bytes, *, status: int, headers: Mapping[str, str], content_type: str = JSON_TYPE
) -> Response:
    """The response with this body; 204 has none, and no type."""
    told = {**HEADERS, **headers}
    if status == 204:
        return Response(status_code=204, headers=told)
    return Response(body, status_code=status, headers=told, media_type=content_type)


def number(minor: int | None, currency: str) -> Decimal | None:
    """Money of `/dev/v1`: a number in major units."""
    return None if minor is None else to_decimal(minor, currency)


def text(minor: int | None, currency: str) -> str | None:
    """Money of `/reseller/v1`: a text in major units, with the currency's decimals."""
    return None if minor is None else format_minor(minor, currency)


def percent(basis_points: int | None) -> Decimal | None:
    """A percentage as a number: 3000 is 30, 1250 is 12.5."""
    if basis_points is None:
        return None
    whole, rest = divmod(basis_points, 100)
    return Decimal(whole) if not rest else (Decimal(basis_points) / 100).normalize()


def seconds(moment: datetime | None) -> int | None:
    """A commerce time: Unix seconds."""
    return None if moment is None else int(moment.timestamp())


def iso(moment: datetime | None) -> str | None:
    """A reseller's time: ISO 8601 in UTC with milliseconds and `Z`."""
    if moment is None:
        return None
    shown = moment.astimezone(UTC)
    return f"{shown:%Y-%m-%dT%H:%M:%S}.{shown.microsecond // 1000:03d}Z"
