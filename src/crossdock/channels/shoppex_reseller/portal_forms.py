"""What people typed into the portal's forms and addresses."""

from datetime import UTC, date, datetime
from typing import Final

from crossdock.channels.shoppex_reseller.portal_words import UNREADABLE
from crossdock.errors import Invalid
from crossdock.gate import Form
from crossdock.kit.money import parse_typed_amount
from crossdock.kit.numbers import read_number

_PAGE_MAX: Final = 100_000


def amount_in(form: Form, currency: str) -> int:
    """The amount of a form. Raises Invalid."""
    try:
        return parse_typed_amount(form.get("amount", ""), currency=currency)
    except Invalid as error:
        raise Invalid("invalid_input", UNREADABLE, {"field": ""}) from error


def text_in(form: Form, name: str, *, most: int) -> str:
    """The text of a field, so long at most."""
    return form.get(name, "").replace("\x00", "").strip()[:most]


def day_in(text: str) -> date | None:
    """The day; None for a text that is none, or for a year that no statement has."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if date(2000, 1, 1) <= day <= date(9998, 12, 31) else None


def midnight(day: date) -> datetime:
    """The beginning of a day, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def page_number(text: str) -> int:
    """The number of a page of a list; 1 for a text that is none."""
    return min(read_number(text, digits_max=len(str(_PAGE_MAX))) or 1, _PAGE_MAX)
