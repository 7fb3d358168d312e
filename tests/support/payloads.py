"""Every event that a test run wrote, against the structs of events/kinds.py."""

from typing import Any

import msgspec
import psycopg

from crossdock.shop.events import KINDS

_EVENTS = "select kind, topic, payload from events order by id"


def wrong_payload(kind: str, topic: str, payload: dict[str, Any]) -> str:
    """What is wrong with an event: no such kind, another topic, a field too few, too many or of another type."""
    struct = KINDS.get(kind)
    if struct is None:
        return f"{kind} is not in kinds.py"
    if topic != struct.topic:
        return f"{kind} has the topic {topic}, not {struct.topic}"
    try:
        decoded = msgspec.convert(payload, struct)
    except msgspec.ValidationError as error:
        return f"{kind}: {error} in {payload}"
    unknown = payload.keys() - msgspec.to_builtins(decoded).keys()
    return f"{kind}: {sorted(unknown)} are no fields of {struct.__name__}" if unknown else ""


def assert_payloads(database_url: str) -> None:
    """Fails when an event of the database is not what its kind says."""
    with psycopg.connect(database_url) as connection:
        found = {wrong_payload(*row) for row in connection.execute(_EVENTS)}
    assert sorted(found - {""}) == []
