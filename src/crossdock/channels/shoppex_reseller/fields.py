"""Fields of a body, or of a query, checked one by one; what is wrong is told of all at once (spec 3.3)."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any, Final, TypeVar

from crossdock.channels.plumbing import JsonNumber, as_list, exact, whole
from crossdock.channels.shoppex_reseller.errors import Detail, invalid
from crossdock.errors import Invalid
from crossdock.kit.email import is_email
from crossdock.kit.money import parse_amount, parse_rate_bp
from crossdock.kit.texts import has_ink

T = TypeVar("T")

_NO_TEXT: Final = re.compile("[\x00\ud800-\udfff]")
_NUMBER: Final = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?", re.ASCII)
TEXT_MAX: Final = 50_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS_MAX: Final = 10**11
_YEARS: Final = (1970, 9998)
SECRET_MAX: Final = 1_024


class _Wrong(Exception):
    """A value that cannot be used; the text says why."""


class Fields:
    """The fields of an object; each reading returns None where the field is absent, null or wrong.

    `given` tells the first from the others. An absent field that is `required`, and null where nothing
    says `nullable`, are wrong. Call `check` when all are read: it raises what was found.
    """

    def __init__(self, body: Mapping[str, Any], *, within: str = "") -> None:
        self._body = body
        self._within = within
        self.wrong: list[Detail] = []

    def given(self, name: str) -> bool:
        """Whether the field is there, be it null."""
        return name in self._body

    def value(self, name: str) -> Any:
        """What is there, unchecked; None for nothing."""
        return self._body.get(name)

    def is_list(self, name: str) -> bool:
        """Whether the field is a list."""
        return isinstance(as_list(self._body.get(name)), list)

    def refuse(self, name: str, text: str) -> None:
        """Note that a field is wrong, such as in its relation to others."""
        self.wrong.append((f"{self._within}{name}", text))

    def check(self) -> None:
        """Raises WireError VALIDATION_ERROR if a field was wrong."""
        if self.wrong:
            raise invalid(*self.wrong)

    def text(
        self, name: str, *, required: bool = False, nullable: bool = False, longest: int = TEXT_MAX
    ) -> str | None:
        """A text without its outer blanks; a required one has at least one character that is seen."""

        def read(value: Any) -> str:
            if not isinstance(value, str) or isinstance(value, JsonNumber):
                raise _Wrong("must be a string")
            found = value.strip()
            if _NO_TEXT.search(found):
                raise _Wrong("has a character that is none")
            if len(found) > longest:
                raise _Wrong(f"must have at most {longest} characters")
            if required and not has_ink(found):
                raise _Wrong("must not be empty")
            return found

        return self._read(name, read, required=required, nullable=nullable)

    def secret(self, name: str, *, required: bool = False, nullable: bool = False) -> str | None:
        """A password as it was sent, with all its blanks."""

        def read(value: Any) -> str:
            if not isinstance(value, str) or isinstance(value, JsonNumber):
                raise _Wrong("must be a string")
            if _NO_TEXT.search(value) or len(value) > SECRET_MAX:
                raise _Wrong(f"must have at most {SECRET_MAX} characters")
            return value

        return self._read(name, read, required=required, nullable=nullable)

    def email(self, name: str, *, required: bool = False, nullable: bool = False) -> str | None:
        """An address, trimmed and in lower case (spec section 5)."""

        def read(value: Any) -> str:
            found = value.strip().lower() if isinstance(value, str) else ""
            if not is_email(found):
                raise _Wrong("must be a valid email")
            return str(found)

        return self._read(name, read, required=required, nullable=nullable)

    def whole(
        self,
        name: str,
        *,
        least: int = 0,
        most: int = 2**31 - 1,
        required: bool = False,
        nullable: bool = False,
    ) -> int | None:
        """A whole number in a range; also one that is written as a text."""

        def read(value: Any) -> int:
            found = whole(value)
            if found is None:
                raise _Wrong("must be a whole number")
            if not least <= found <= most:
                raise _Wrong(f"must be from {least} to {most}")
            return found

        return self._read(name, read, required=required, nullable=nullable)

    def amount(
        self, name: str, *, currency: str, required: bool = False, nullable: bool = False
    ) -> int | None:
        """Money in major units as minor units, not negative."""

        def read(value: Any) -> int:
            found = parse_amount(_number(value), currency=currency)
            if found < 0:
                raise _Wrong("must not be negative")
            return found

        return self._read(name, read, required=required, nullable=nullable)

    def percent(self, name: str, *, required: bool = False, nullable: bool = False) -> int | None:
        """A percentage from 0 to 100 as basis points."""

        def read(value: Any) -> int:
            return parse_rate_bp(_number(value))

        return self._read(name, read, required=required, nullable=nullable)

    def flag(self, name: str, *, required: bool = False, nullable: bool = False) -> bool | None:
        """True or false; in a query also `true`, `false`, `1`, `0`."""

        def read(value: Any) -> bool:
            if isinstance(value, bool):
                return value
            if isinstance(value, str) and value in _FLAGS:
                return _FLAGS[value]
            raise _Wrong("must be true or false")

        return self._read(name, read, required=required, nullable=nullable)

    def moment(
        self,
        name: str,
        *,
        zone: tzinfo = UTC,
        required: bool = False,
        nullable: bool = False,
    ) -> datetime | None:
        """A time: ISO 8601, without an offset in the zone, or whole Unix seconds."""

        def read(value: Any) -> datetime:
            found = _moment(value, zone=zone)
            if found is None:
                raise _Wrong("must be an ISO 8601 time or Unix seconds")
            return found

        return self._read(name, read, required=required, nullable=nullable)

    def choice(
        self,
        name: str,
        options: Mapping[str, T],
        *,
        required: bool = False,
        nullable: bool = False,
    ) -> T | None:
        """What one of these words stands for; in any case."""

        def read(value: Any) -> T:
            found = value.strip().upper() if isinstance(value, str) else ""
            if found not in options:
                raise _Wrong(f"must be one of {', '.join(options)}")
            return options[found]

        return self._read(name, read, required=required, nullable=nullable)

    def texts(
        self, name: str, *, most: int, required: bool = False, nullable: bool = False
    ) -> list[str] | None:
        """A list of texts, as many as `most`."""

        def read(value: Any) -> list[str]:
            value = as_list(value)
            if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
                raise _Wrong("must be an array of strings")
            if len(value) > most:
                raise _Wrong(f"must have at most {most} entries")
            if any(_NO_TEXT.search(each) for each in value):
                raise _Wrong("has a character that is none")
            return [str(each) for each in value]

        return self._read(name, read, required=required, nullable=nullable)

    def objects(self, name: str, *, most: int, nullable: bool = False) -> "list[Fields] | None":
        """The objects of a list; their errors name them as `name[0].field`, and count here."""

        def read(value: Any) -> list[Fields]:
            value = as_list(value)
            if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
                raise _Wrong("must be an array of objects")
            if len(value) > most:
                raise _Wrong(f"must have at most {most} entries")
            return [self.within(f"{name}[{place}]", each) for place, each in enumerate(value)]

        return self._read(name, read, required=False, nullable=nullable)

    def within(self, name: str, body: Mapping[str, Any]) -> "Fields":
        """The fields of an object below this one; their errors name them as `name.field`, and count here."""
        found = Fields(body, within=f"{self._within}{name}.")
        found.wrong = self.wrong
        return found

    def _read(
        self, name: str, read: Callable[[Any], T], *, required: bool, nullable: bool
    ) -> T | None:
        value = self._body.get(name)
        if value is None:
            if required:
                self.refuse(name, "is required")
            elif name in self._body and not nullable:
                self.refuse(name, "must not be null")
            return None
        try:
            return read(value)
        except Invalid as error:
            self.refuse(name, str(error.data.get("reason") or "is not valid"))
        except _Wrong as error:
            self.refuse(name, str(error))
        return None


_FLAGS: Final = {"true": True, "false": False, "1": True, "0": False}


def first_given(body: Mapping[str, Any], *names: Sequence[str]) -> dict[str, Any]:
    """The body with a field under the first of its names: (name, alias, alias ...) each."""
    found = dict(body)
    for name, *aliases in names:
        for alias in aliases:
            if name not in found and alias in found:
                found[name] = found[alias]
    return found


def _moment(value: Any, *, zone: tzinfo) -> datetime | None:
    number = whole(value)
    try:
        if number is not None:
            found = _EPOCH + timedelta(seconds=number) if abs(number) <= _SECONDS_MAX else None
        elif isinstance(value, str):
            read = datetime.fromisoformat(value.strip())
            found = (read if read.tzinfo else read.replace(tzinfo=zone)).astimezone(UTC)
        else:
            found = None
    except (ValueError, OverflowError):
        return None
    return found if found and _YEARS[0] <= found.year <= _YEARS[1] else None


def _number(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise _Wrong("must be a number")
    if isinstance(value, JsonNumber | int):
        found = exact(value)
    else:
        found = Decimal(value.strip()) if _NUMBER.fullmatch(value.strip()) else None
    if found is None:
        raise _Wrong("must be a number")
    return found
