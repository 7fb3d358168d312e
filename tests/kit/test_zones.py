"""A zone has a known name, a country may have one, and a day lasts from its first moment to the next's."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossdock.errors import Invalid
from crossdock.kit import zones

BRUSSELS = ZoneInfo("Europe/Brussels")
# Each changes its clocks in another way: at night, at midnight, by half an hour, over a skipped day.
ZONES = st.sampled_from(
    ["Europe/Brussels", "America/New_York", "America/Havana", "America/Santiago", "Africa/Cairo",
     "Atlantic/Azores", "Australia/Lord_Howe", "Asia/Beirut", "America/Sao_Paulo", "Asia/Tehran",
     "Asia/Kathmandu", "Pacific/Apia", "Pacific/Chatham", "UTC"]
).map(ZoneInfo)  # fmt: skip
DAYS = st.dates(date(2000, 1, 1), date(2037, 12, 30))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("europe/brussels", "Did you mean Europe/Brussels?"),
        ("Brussels", "Did you mean Europe/Brussels?"),
        ("New York", "Did you mean America/New_York?"),
        ("Europe/Brussles", "Did you mean Europe/Brussels?"),
        ("Moon/Base", "Names are like Europe/Brussels."),
        ("../etc/passwd", "Names are like Europe/Brussels."),
        ("Factory", "Names are like Europe/Brussels."),
        ("", "Names are like Europe/Brussels."),
    ],
)
def test_refuses_a_name_that_is_none_with_a_hint(name, hint):
    with pytest.raises(Invalid) as refused:
        zones.zone_named(name)
    assert refused.value.code == "invalid_input"
    assert refused.value.message == f"There is no time zone {name!r}. {hint}"


def test_opens_every_known_name_without_zone_data_of_the_machine():
    import zoneinfo

    before = zoneinfo.TZPATH
    zoneinfo.reset_tzpath(to=[])
    try:
        for name in ("Europe/Brussels", "America/Argentina/Buenos_Aires", "UTC", "Asia/Kolkata"):
            ZoneInfo.clear_cache(only_keys=[name])
            zones.zone_named.cache_clear()
            assert zones.zone_named(name).key == name
    finally:
        zoneinfo.reset_tzpath(to=before)


@pytest.mark.parametrize(
    ("country", "name"),
    [
        ("BE", "Europe/Brussels"), ("NL", "Europe/Amsterdam"), ("GB", "Europe/London"),
        ("JP", "Asia/Tokyo"), ("AX", "Europe/Mariehamn"),
        ("DE", "Europe/Berlin"),  # Büsingen's clocks agree
        ("AR", "America/Argentina/Buenos_Aires"), ("MY", "Asia/Kuala_Lumpur"),
        ("US", None), ("CA", None), ("ES", None), ("PT", None), ("AU", None), ("CN", None),
        ("BV", None), ("XX", None), ("", None),
    ],
)  # fmt: skip
def test_a_country_has_a_zone_where_all_of_it_keeps_one_time(country, name):
    assert zones.zone_of_country(country) == name


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026-11-30", "2026-11-29T23:00", "2026-11-30T23:00"),
        ("2026-07-31", "2026-07-30T22:00", "2026-07-31T22:00"),
        ("2026-03-29", "2026-03-28T23:00", "2026-03-29T22:00"),  # 23 hours
        ("2026-10-25", "2026-10-24T22:00", "2026-10-25T23:00"),  # 25 hours
        ("2026-11-30T09:30", "2026-11-30T08:30", "2026-11-30T08:30"),
        ("2026-11-30 09:30:15", "2026-11-30T08:30:15", "2026-11-30T08:30:15"),
        ("2026-11-30T09:30+00:00", "2026-11-30T09:30", "2026-11-30T09:30"),
        ("2026-11-30T09:30Z", "2026-11-30T09:30", "2026-11-30T09:30"),
        ("2026-10-25T02:30", "2026-10-25T00:30", "2026-10-25T00:30"),  # comes twice: the first
        ("2026-03-29T02:30", "2026-03-29T01:30", "2026-03-29T01:30"),  # never comes: 03:30
    ],
)
def test_reads_a_text_without_a_zone_in_the_zone(text, start, end):
    assert zones.read_start(text, zone=BRUSSELS) == utc(start)
    assert zones.read_end(text, zone=BRUSSELS) == utc(end)


@pytest.mark.parametrize(
    ("name", "day", "start", "end"),
    [
        ("America/Sao_Paulo", date(2018, 11, 4), "2018-11-04T03:00", "2018-11-05T02:00"),
        ("America/Havana", date(2026, 3, 8), "2026-03-08T05:00", "2026-03-09T04:00"),
        ("America/Havana", date(2026, 11, 1), "2026-11-01T04:00", "2026-11-02T05:00"),
        ("Australia/Lord_Howe", date(2026, 4, 5), "2026-04-04T13:00", "2026-04-05T13:30"),
    ],
)
def test_a_day_is_right_where_clocks_change_at_midnight_or_by_half_an_hour(name, day, start, end):
    zone = ZoneInfo(name)
    assert zones.day_start(day, zone=zone) == utc(start)
    assert zones.day_end(day, zone=zone) == utc(end)


@pytest.mark.parametrize("text", ["", "30-11-2026", "2026-13-01", "soon", "9999-12-31"])
def test_refuses_what_is_no_date(text):
    with pytest.raises(ValueError):
        zones.read_end(text, zone=BRUSSELS)


def test_keeps_a_moment_that_has_a_zone():
    aware = datetime(2026, 11, 30, 12, tzinfo=ZoneInfo("Asia/Tokyo"))
    assert zones.in_zone(aware, zone=BRUSSELS) == utc("2026-11-30T03:00")


@given(zone=ZONES, moment=st.datetimes(datetime(2000, 1, 2), datetime(2037, 12, 30)))
def test_every_moment_lies_within_the_day_that_the_clocks_show(zone, moment):
    at = moment.replace(tzinfo=UTC)
    day = at.astimezone(zone).date()
    assert zones.day_start(day, zone=zone) <= at < zones.day_end(day, zone=zone)


@given(zone=ZONES, day=DAYS)
def test_days_follow_each_other_without_a_gap(zone, day):
    end = zones.day_end(day, zone=zone)
    assert end == zones.day_start(day + timedelta(days=1), zone=zone)
    assert timedelta() <= end - zones.day_start(day, zone=zone) <= timedelta(hours=25)
    assert end.astimezone(zone).date() > day
    last = end - timedelta(microseconds=1)
    assert last.astimezone(zone).date() <= day


@given(zone=ZONES, moment=st.datetimes(datetime(2000, 1, 2), datetime(2037, 12, 30)))
def test_what_the_clocks_show_is_read_back(zone, moment):
    local = moment.replace(tzinfo=UTC).astimezone(zone)
    back = zones.in_zone(local.replace(tzinfo=None), zone=zone)
    twice = local.fold == 1
    assert back == moment.replace(tzinfo=UTC) or twice
    assert back.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None)
