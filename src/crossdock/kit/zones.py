"""Time zones: names, zones of a country, and times that are written without a zone.

All data are from the pinned tzdata package, so that they do not depend on the machine.
"""

import difflib
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from crossdock.errors import Invalid

NEUTRAL = "UTC"
_DATE_CHARS = len("2026-11-30")
_NO_PLACE = {"Factory"}


@cache
def zone_named(name: str) -> ZoneInfo:
    """The zone of an IANA name such as Europe/Brussels. Raises Invalid (invalid_input) with a hint."""
    if name not in _names():
        raise Invalid(
            "invalid_input", f"There is no time zone {name!r}.{_hint(name)}", {"field": "time_zone"}
        )
    return ZoneInfo(name)


def zone_of_country(country: str) -> str | None:
    """The name of the country's zone if it has only one time, else None.

    `country` is ISO 3166-1 alpha-2. Zones with the same rules, such as Europe/Berlin and
    Europe/Busingen, count as one: the first, which covers most of the country.
    """
    names = _zones_of(country)
    if not names or len({_clock_of(name) for name in names}) > 1:
        return None
    return names[0]


def zones_of_country(country: str) -> tuple[str, ...]:
    """The names of all zones of a country, the one of its largest part first."""
    return _zones_of(country)


def in_zone(local: datetime, *, zone: ZoneInfo) -> datetime:
    """Convert to UTC; a time without a zone is a local time of `zone`.

    An ambiguous time (clocks go back) is the earlier one; a time that does not exist (clocks go
    forward) is moved forward by the gap.
    """
    aware = local if local.tzinfo else local.replace(tzinfo=zone, fold=0)
    return aware.astimezone(UTC)


def day_start(day: date, *, zone: ZoneInfo) -> datetime:
    """The start of the day in the zone, in UTC: midnight, or the first time that exists after it."""
    return in_zone(datetime.combine(day, time()), zone=zone)


def day_end(day: date, *, zone: ZoneInfo) -> datetime:
    """The end of the day (exclusive), in UTC: a sale that lasts until a day ends then."""
    return day_start(day + timedelta(days=1), zone=zone)


def read_start(text: str, *, zone: ZoneInfo) -> datetime:
    """Parse '2026-11-01' or '2026-11-01T09:30' to UTC; a date alone is the start of the day.

    Raises ValueError if the text is not an ISO date or time, or is out of range in UTC.
    """
    return _read(text, zone=zone, is_end=False)


def read_end(text: str, *, zone: ZoneInfo) -> datetime:
    """The same for the end of a period: a date alone is the end of that day."""
    return _read(text, zone=zone, is_end=True)


def _read(text: str, *, zone: ZoneInfo, is_end: bool) -> datetime:
    try:
        if len(text) <= _DATE_CHARS and "T" not in text:
            day = date.fromisoformat(text)
            return day_end(day, zone=zone) if is_end else day_start(day, zone=zone)
        return in_zone(datetime.fromisoformat(text), zone=zone)
    except OverflowError as error:
        raise ValueError(text) from error


@cache
def _names() -> frozenset[str]:
    text = files("tzdata").joinpath("zones").read_text(encoding="utf-8")
    return frozenset(text.split()) - _NO_PLACE


@cache
def _zones_of(country: str) -> tuple[str, ...]:
    return tuple(name for code, name in _table() if code == country)


def _table() -> Iterator[tuple[str, str]]:
    """(country, zone) pairs in the order of tzdata's table: a country's largest part comes first."""
    text = files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line and not line.startswith("#"):
            code, _, name = line.split("\t")[:3]
            yield code, name


def _clock_of(name: str) -> bytes:
    """The zone's rule for future times: the last line of its file (RFC 9636, section 3.3)."""
    content = files("tzdata").joinpath("zoneinfo", *name.split("/")).read_bytes()
    return content.rstrip(b"\n").rpartition(b"\n")[2]


def _hint(name: str) -> str:
    by_word = {known.casefold(): known for known in _names()}
    folded = name.strip().casefold().replace(" ", "_")
    near = difflib.get_close_matches(folded, by_word, n=1)
    if not near:
        cities = {word.rsplit("/", 1)[-1]: known for word, known in sorted(by_word.items())}
        near = difflib.get_close_matches(folded, cities, n=1, cutoff=0.8)
        by_word = cities
    return f" Did you mean {by_word[near[0]]}?" if near else " Names are like Europe/Brussels."
