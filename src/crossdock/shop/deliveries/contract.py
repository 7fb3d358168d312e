"""Kinds of deliveries, and the outcomes of an attempt.

Deliveries are at-least-once, under an id that never changes: the receiver drops duplicates, or the
sender looks up what an earlier attempt created (`Claim.may_exist`).

DeliveryFailed
├── Retryable   temporary; retry later
└── Permanent   a retry cannot succeed until a person acts
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Literal, Protocol

import msgspec

from crossdock.db.unit_of_work import Transaction

Ordering = Literal["none", "in_order", "newest_wins"]
Status = Literal["queued", "sending", "sent", "failed", "withdrawn"]

RETRY_WAITS_S = (60, 300, 900, 3600, 21_600, 86_400)
CALLS_PER_TARGET = 8
DEADLINE_S = 30
HEADERS_MAX = 40
HEADER_CHARS = 500
_CLAIM_MARGIN_S = 120


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A worker's claim: attempt number `attempt`, counted from 1 since it was queued or resent.

    `may_exist` means that an earlier attempt was made, so the other side may have it already.
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


class Headers(msgspec.Struct, frozen=True):
    """The headers of a call and of its answer for the log, without secrets; of each part HEADERS_MAX."""

    request: dict[str, str]
    answer: dict[str, str]


class Sent(msgspec.Struct, frozen=True):
    """The other side accepted it under its own `external_id`; the other fields are for the log."""

    external_id: str
    status: int | None = None
    answer: str = ""
    headers: Headers | None = None


class DeliveryFailed(Exception):
    """The delivery failed, as far as is known; `status`, `answer` and `headers` are for the log."""

    def __init__(
        self,
        message: str,
        *,
        retry_after_s: int = 0,
        status: int | None = None,
        answer: str = "",
        headers: Headers | None = None,
    ) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.status = status
        self.answer = answer
        self.headers = headers


class Retryable(DeliveryFailed):
    """Retry; not before `retry_after_s` seconds, if the other side said so."""


class Permanent(DeliveryFailed):
    """A person must act first: settings, credentials, or the content."""


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """A recorded failed attempt; `wait_s` is None after the last one."""

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


class BuildTogether(Protocol):
    """Reads the content of several of a kind in one statement; for each what `build` says of it."""

    def __call__(
        self, tx: Transaction, *, claims: Sequence[Claim]
    ) -> Awaitable[Sequence[Call | None]]: ...


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


class NameTarget(Protocol):
    """What alerts call the target of a claim."""

    def __call__(self, tx: Transaction, *, claim: Claim) -> Awaitable[str]: ...


async def _target_itself(tx: Transaction, *, claim: Claim) -> str:
    """The default of a kind whose targets have names."""
    return claim.target


async def _nothing(tx: Transaction, **_facts: object) -> None:
    """The default of a kind without consequences."""


class DeliveryKind(msgspec.Struct, frozen=True, kw_only=True):
    """What the engine needs to know of a kind.

    | field | meaning |
    |---|---|
    | `waits_s` | backoff: seconds before each retry; after the last one the delivery has failed |
    | `deadline_s` | timeout of an attempt |
    | `ordering` | of deliveries with the same object key and target: `none`, `in_order`, `newest_wins` |
    | `calls_per_target` | maximum of concurrent calls to one target, over all workers |
    | `build` | reads the content in a transaction of its own; None if there is nothing to send any more |
    | `build_together` | the same for several in one statement; what is wrong with one, its call raises |
    | `lock` | locks rows that other code locks before the delivery's, at the start of recording |
    | `sent`, `failed` | write consequences in the recording transaction: events, states |
    | `subject`, `is_about_order` | what alerts call the subject, and whether it is an order |
    | `name_target` | what alerts call the target; as it stands without it |
    | `one_alert` | one open alert for all that fails at a target, else one for each delivery |

    A failed delivery does not block later ones of its object. The ids of an object's deliveries are
    in order only if their writers hold the object's lock, as those of an order do.
    """

    name: str
    build: Build
    build_together: BuildTogether | None = None
    waits_s: tuple[int, ...] = RETRY_WAITS_S
    deadline_s: int = DEADLINE_S
    ordering: Ordering = "none"
    calls_per_target: int = CALLS_PER_TARGET
    lock: Lock = _nothing
    sent: NoteSent = _nothing
    failed: NoteFailed = _nothing
    subject: str = "Delivery"
    is_about_order: bool = False
    name_target: NameTarget = _target_itself
    one_alert: bool = False

    @property
    def claim_s(self) -> int:
        """How long a claim lasts, in seconds: the deadline plus a margin for recording."""
        return self.deadline_s + _CLAIM_MARGIN_S

    @property
    def adds_to_success(self) -> bool:
        """Whether recording a success locks or writes other rows."""
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
        """Add a kind. Raises ValueError if the name is taken."""
        if kind.name in self._kinds:
            raise ValueError(f"there is a kind of delivery {kind.name!r} already")
        self._kinds[kind.name] = kind

    def __iter__(self) -> Iterator[DeliveryKind]:
        return iter(self._kinds.values())

    def __getitem__(self, name: str) -> DeliveryKind:
        return self._kinds[name]
