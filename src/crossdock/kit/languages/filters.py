"""Filters of templates that show amounts, numbers, moments and countries in the spoken language."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Final

from crossdock.kit.display import (
    country_name,
    day_text,
    moment_text,
    money_text,
    number_text,
    percent_text,
    second_text,
    short_moment_text,
)
from crossdock.kit.languages.spoken import spoken


def _money(minor: int, currency: str) -> str:
    return money_text(minor, currency, language=spoken())


def _moment(at: datetime) -> str:
    return moment_text(at, language=spoken())


def _short_moment(at: datetime) -> str:
    return short_moment_text(at, language=spoken())


def _second(at: datetime) -> str:
    return second_text(at, language=spoken())


def _day(at: date) -> str:
    return day_text(at, language=spoken())


def _number(number: int) -> str:
    return number_text(number, language=spoken())


def _percent(basis_points: int) -> str:
    return percent_text(basis_points, language=spoken())


def _country(code: str) -> str:
    return country_name(code, language=spoken())


SPOKEN_FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    "money": _money,
    "moment": _moment,
    "short_moment": _short_moment,
    "second": _second,
    "day": _day,
    "number": _number,
    "country": _country,
    "percent": _percent,
}
