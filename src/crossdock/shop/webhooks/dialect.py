"""The words of a channel: what its webhooks are called, what they hold, and how they are signed."""

from collections.abc import Awaitable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.events import Batch, Topic


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What happened, in the words of a channel. `data` holds no secrets: it is kept and logged.

    `invoice_id` is the invoice that it is about, so that who hears of that one alone is told as well.
    """

    name: str
    data: dict[str, Any]
    happened_at: datetime
    invoice_id: int | None = None


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One call: `delivery_id` is the same in every attempt, `now` is the attempt's time."""

    secret: str
    delivery_id: str
    name: str
    body: bytes
    now: datetime


class Read(Protocol):
    """The messages of the first events of a batch, and the number of the last event that was read."""

    def __call__(
        self, tx: Transaction, *, batch: Batch
    ) -> Awaitable[tuple[list[Message], int]]: ...


class Sign(Protocol):
    """The headers of a call."""

    def __call__(self, attempt: Attempt) -> dict[str, str]: ...


class Body(Protocol):
    """The bytes of a message; the same for the same message."""

    def __call__(self, name: str, *, data: Mapping[str, Any], at: int) -> bytes: ...


class Name(Protocol):
    """The id of a delivery on the wire, under the shop's key."""

    def __call__(self, key: bytes, *, delivery_id: int) -> str: ...


class Sample(Protocol):
    """Made-up data of a message, for tests."""

    def __call__(self, name: str, *, now: datetime) -> dict[str, Any]: ...


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a channel says about its webhooks.

    | field | meaning |
    |---|---|
    | `channel` | its name, which keeps subscriptions and feeds apart |
    | `names` | what may be subscribed to: what `read` makes, and what never happens here |
    | `topics`, `read` | the events that it reads, and what it makes of them |
    | `body`, `sign`, `wire_id` | the bytes of a call, its headers, and the id of a delivery |
    | `sample` | what a test delivery holds |
    | `hidden` | headers whose values the log does not keep, in lower case |
    """

    channel: str
    names: tuple[str, ...]
    topics: tuple[Topic, ...]
    read: Read
    body: Body
    sign: Sign
    wire_id: Name
    sample: Sample
    hidden: frozenset[str] = frozenset()

    @property
    def kind(self) -> str:
        """The name of its consumer and of its kind of delivery."""
        return f"{self.channel}_webhook"


def unknown_names(dialect: Dialect, names: Sequence[str]) -> list[str]:
    """The names that nobody may subscribe to."""
    return [name for name in names if name not in dialect.names]
