"""What a kind of delivery is, and what may become of one attempt.

A delivery goes out at least once, under an id that never changes: whoever receives it drops what it
has seen, or the sender looks for what an earlier attempt left (`Claim.may_exist`).

DeliveryFailed
├── Retryable   nothing is decided; try again later
└── Permanent   trying again would change nothing until somebody acts
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from datetime import datetime
from typing import Any, Literal, Protocol

import msgspec

from crossdock.db.unit_of_work import Transaction

Ordering = Literal["none", "in_order", "newest_wins"]
Status = Literal["queued", "sending", "sent", "failed", "withdrawn"]

RETRY_WAITS_S = (60, 300, 900, 3600, 21_600, 86_400)
CALLS_PER_TARGET = 8
DEADLINE_S = 30
_CLAIM_MARGIN_S = 120


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """One worker's turn: attempt number `attempt` (from 1 since it was queued or sent again).

    `may_exist` says that an earlier attempt was made, so that the other side may have it already.
    """

    shop_id: int
    id: int
    kind: str
    target: str
    subject_id: int | None
    object_key: str | None
    payload: dict[str, Any]
    attempt: int
    may_exist: bool


class Sent(msgspec.Struct, frozen=True):
    """The other side accepted it, under this id of its own; `status` and `answer` are for the log."""

    external_id: str
    status: int | None = None
    answer: str = ""


class DeliveryFailed(Exception):
    """The delivery failed, as far as is known; `status` and `answer` are for the log."""

    def __init__(
        self, message: str, *, retry_after_s: int = 0, status: int | None = None, answer: str = ""
    ) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.status = status
        self.answer = answer


class Retryable(DeliveryFailed):
    """Retry; not before `retry_after_s` seconds, if the other side said so."""


class Permanent(DeliveryFailed):
    """A person must act first: settings, credentials, or the content."""


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """A failed attempt as it was recorded; `wait_s` is None where it was the last."""

    error: str
    wait_s: int | None

    @property
    def is_final(self) -> bool:
        """Whether it is a dead letter: not retried until a person resends it."""
        return self.wait_s is None


Call = Callable[[], Awaitable[Sent]]
"""The call itself, made outside any transaction. Raises Retryable or Permanent."""


class Build(Protocol):
    """Reads the content; None if there is nothing to send any more."""

    def __call__(self, tx: Transaction, *, claim: Claim) -> Awaitable[Call | None]: ...


class Lock(Protocol):
    """Locks rows that other code locks before the delivery's row."""

    def __call__(self, tx: Transaction, *, claim: Claim) -> Awaitable[None]: ...


class NoteSent(Protocol):
    """Writes the consequences of a successful delivery."""

    def __call__(
        self, tx: Transaction, *, claim: Claim, sent: Sent, now: datetime
    ) -> Awaitable[None]: ...


class NoteFailed(Protocol):
    """Writes the consequences of a failed attempt."""

    def __call__(
        self, tx: Transaction, *, claim: Claim, failure: Failure, now: datetime
    ) -> Awaitable[None]: ...


async def _nothing(tx: Transaction, **_facts: object) -> None:
    """The default of a kind without consequences."""


class DeliveryKind(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the engine knows of a kind.

    | field | says |
    |---|---|
    | `waits_s` | seconds before the second and each further attempt; then it has failed |
    | `deadline_s` | how long one attempt may take |
    | `ordering` | of deliveries with one object key to one target: `none`, `in_order`, `newest_wins` |
    | `calls_per_target` | calls that may be under way to one target at once, over all workers |
    | `build` | reads what is sent, in a read of its own; None where there is nothing to send any more |
    | `lock` | rows that others lock before the delivery's: first in the transaction that records |
    | `sent`, `failed` | what else is written in that transaction: events, states |
    | `subject`, `is_about_order` | what an alert calls the subject, and whether it is an order |

    An earlier delivery that has failed holds no later one of its object. Ids of one object stand in
    order where its writers hold the object's lock, as those of an order do.
    """

    name: str
    build: Build
    waits_s: tuple[int, ...] = RETRY_WAITS_S
    deadline_s: int = DEADLINE_S
    ordering: Ordering = "none"
    calls_per_target: int = CALLS_PER_TARGET
    lock: Lock = _nothing
    sent: NoteSent = _nothing
    failed: NoteFailed = _nothing
    subject: str = "Delivery"
    is_about_order: bool = False

    @property
    def claim_s(self) -> int:
        """How long a claim lasts, in seconds: the deadline plus a margin for recording."""
        return self.deadline_s + _CLAIM_MARGIN_S

    @property
    def adds_to_success(self) -> bool:
        """Whether a success locks or writes anything else."""
        return self.lock is not _nothing or self.sent is not _nothing

    def wait_s(self, attempt: int, failure: DeliveryFailed) -> int | None:
        """Seconds until the next attempt, or None if this was the last."""
        if isinstance(failure, Permanent) or attempt > len(self.waits_s):
            return None
        return max(self.waits_s[attempt - 1], failure.retry_after_s)


class DeliveryKinds:
    """The kinds that one process can send, by name."""

    def __init__(self, kinds: Iterable[DeliveryKind] = ()) -> None:
        self._kinds: dict[str, DeliveryKind] = {}
        for kind in kinds:
            self.add(kind)

    def add(self, kind: DeliveryKind) -> None:
        """Raises ValueError for a name that is taken."""
        if kind.name in self._kinds:
            raise ValueError(f"there is a kind of delivery {kind.name!r} already")
        self._kinds[kind.name] = kind

    def __iter__(self) -> Iterator[DeliveryKind]:
        return iter(self._kinds.values())

    def __getitem__(self, name: str) -> DeliveryKind:
        return self._kinds[name]
