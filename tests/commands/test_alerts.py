"""`crossdock alerts` and `crossdock event`: the same data for people and for programs."""

import uuid

import psycopg
import pytest

from tests.support.command_line import CommandLine

SHOP = ("--shop", "demo")


@pytest.fixture
def kind() -> str:
    """A kind of alert that no other test raises."""
    return f"test_{uuid.uuid4().hex[:8]}"


def _raise(demo: CommandLine, kind: str) -> int:
    with psycopg.connect(str(demo.settings["database_url"])) as connection:
        row = connection.execute(
            "select raise_alert(id, %s, 'Look here.', 5, now()) from shops where slug = 'demo'",
            (kind,),
        ).fetchone()
    assert row is not None
    return int(row[0])


def _number(demo: CommandLine) -> None:
    with psycopg.connect(str(demo.settings["database_url"])) as connection:
        connection.execute("select number_all_events(5000)")


def test_alerts_are_listed_shown_and_closed(demo: CommandLine, kind: str) -> None:
    number = _raise(demo, kind)

    (alert,) = [row for row in demo.ask("alerts", "list", *SHOP) if row["kind"] == kind]
    assert (alert["id"], alert["shop"], alert["order_id"]) == (number, "demo", 5)
    assert "Look here." in demo.run("alerts", "list").stdout
    assert demo.ask("alerts", "show", number) == alert
    assert demo.ask("alerts", "seen", number, *SHOP) == {"seen": 1}
    assert demo.ask("alerts", "seen", number) == {"seen": 0}

    assert kind not in {row["kind"] for row in demo.ask("alerts", "list")}
    seen = demo.ask("alerts", "show", number)
    assert seen["seen_by"] == "command line"
    assert seen in demo.ask("alerts", "list", "--all", *SHOP)


def test_alerts_that_are_not_there_are_refused(demo: CommandLine, kind: str) -> None:
    number = _raise(demo, kind)

    assert "There is no alert 999999" in demo.refuse("alerts", "show", 999_999)
    assert "There is no alert 999999" in demo.refuse("alerts", "seen", number, 999_999)
    assert "Name alerts, or --all" in demo.refuse("alerts", "seen")
    assert demo.ask("alerts", "show", number)["seen_at"] is None


def test_events_are_read_from_any_number_and_by_topic(demo: CommandLine, kind: str) -> None:
    _number(demo)
    _raise(demo, kind)
    _number(demo)

    alerts = demo.ask("event", "list", *SHOP, "--topic", "alerts")
    assert alerts[-1]["payload"] == {"alert_kind": kind}
    last = alerts[-1]["sequence"]
    assert demo.ask("event", "list", *SHOP, "--after", last - 1) == alerts[-1:]
    assert demo.ask("event", "list", *SHOP, "--after", last) == []
    assert {event["topic"] for event in demo.ask("event", "list", *SHOP)} >= {"catalogue"}
    shown = demo.run("event", "list", *SHOP, "--after", last - 1).stdout
    assert "alert.raised" in shown
    assert "--topic must be one of" in demo.refuse("event", "list", *SHOP, "--topic", "stocks")


def test_consumers_tell_how_far_they_are(demo: CommandLine) -> None:
    with psycopg.connect(str(demo.settings["database_url"])) as connection:
        connection.execute("select number_all_events(5000)")
        connection.execute(
            "insert into event_consumers (shop_id, consumer, position, failures, last_error)"
            " select id, 'test', 1, 2, 'no room' from shops where slug = 'demo'"
        )
        (behind,) = connection.execute(
            "select last_sequence - 1 from shops where slug = 'demo'"
        ).fetchone() or (0,)

    (place,) = [p for p in demo.ask("event", "consumers", *SHOP) if p["consumer"] == "test"]
    assert (place["shop"], place["position"], place["behind"]) == ("demo", 1, behind)
    assert (place["failures"], place["last_error"]) == (2, "no room")
    assert "no room" in demo.run("event", "consumers").stdout
