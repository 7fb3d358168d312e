"""The bases of the payloads of events."""

from typing import ClassVar, Literal

import msgspec

Topic = Literal["catalogue", "price", "stock", "orders", "tickets", "money", "resellers", "alerts"]


class Payload(msgspec.Struct, frozen=True, kw_only=True):
    """The base of all payloads: their kind."""

    kind: ClassVar[str]
    topic: ClassVar[Topic]


class Moved(Payload, frozen=True, kw_only=True, rename={"from_state": "from", "to_state": "to"}):
    """Something went from one state to another; the base of all moves."""

    from_state: str
    to_state: str
    reason: str = ""
