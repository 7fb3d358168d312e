"""`from` and `to` of a query: a period of time, half open (spec sections 6.5, 6.6)."""

from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from crossdock.channels.shoppex_reseller.fields import Fields


class Period(NamedTuple):
    """From `since` to before `until`; None has no end."""

    since: datetime | None
    until: datetime | None


def read_period(fields: Fields) -> Period:
    """The period that is asked for; what is wrong is noted. A day is its midnight in UTC."""
    since, until = _moment(fields, "from"), _moment(fields, "to")
    if since is not None and until is not None and until < since:
        fields.refuse("to", "must not be before from")
    return Period(since, until)


def _moment(fields: Fields, name: str) -> datetime | None:
    text = fields.text(name, longest=40)
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text.replace(" ", "+"))  # as a query says +01:00
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        fields.refuse(name, "must be an ISO 8601 date or time")
        return None


PERIOD: Final[dict[str, dict[str, Any]]] = {
    "from": {"type": "string", "format": "date-time"},
    "to": {"type": "string", "format": "date-time"},
}
"""Its parameters for the OpenAPI document."""
