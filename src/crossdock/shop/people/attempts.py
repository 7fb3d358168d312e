"""Exponential backoff for failed sign-ins, per account and per network address.

Attempts are counted in the database before they are checked, so all workers share the count and
parallel guesses gain nothing. Accounts are counted whether they exist or not.
"""

from datetime import datetime, timedelta

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Unavailable
from crossdock.kit.callers import caller_network
from crossdock.kit.crypto import SecretBox

FIRST_WAIT_S = 4
SOURCE_SHARE = (
    6  # a network address has this many times the free failures of an account, for offices
)
KEPT = timedelta(days=1)

_BEGIN = "select begin_sign_in_attempt(%s, %s, %s, %s, %s, %s)"
_FORGET = "delete from sign_in_attempts where key_hash = %s"
_PARDON = """
update sign_in_attempts set failures = greatest(failures - 1, 0), blocked_until = least(blocked_until, %s)
where key_hash = %s
"""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The number of failures without a wait, and the longest wait."""

    free_failures: int
    longest_wait_s: int


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """The keys that an attempt is counted under, as keyed hashes."""

    account: bytes
    source: bytes


def password_attempt(box: SecretBox, *, email: str, source: str) -> Attempt:
    """An attempt with a password, for an e-mail that may not exist."""
    return _attempt(box, account=f"password:{email}", source=source)


def code_attempt(box: SecretBox, *, person_id: int, source: str) -> Attempt:
    """An attempt with a code, or with the password of a signed-in person."""
    return _attempt(box, account=f"code:{person_id}", source=source)


async def begin_attempt(
    tx: Transaction, *, attempt: Attempt, limits: Limits, now: datetime
) -> None:
    """Count the attempt as failed, until `end_attempt`. Raises Unavailable `rate_limited`."""
    free = [limits.free_failures, limits.free_failures * SOURCE_SHARE]
    keys = [attempt.account, attempt.source]
    wait_s = await tx.value(_BEGIN, (keys, free, FIRST_WAIT_S, limits.longest_wait_s, KEPT, now))
    if wait_s:
        message = f"Too many attempts. Try again in {_words(wait_s)}."
        raise Unavailable("rate_limited", message, {"retry_after_s": wait_s})


async def end_attempt(tx: Transaction, *, attempt: Attempt, now: datetime) -> None:
    """The attempt succeeded: reset its account, and take one failure from its source."""
    await tx.run(_FORGET, (attempt.account,))
    await tx.run(_PARDON, (now, attempt.source))


def _attempt(box: SecretBox, *, account: str, source: str) -> Attempt:
    return Attempt(
        account=box.keyed_hash(account, purpose="sign-in attempt"),
        source=box.keyed_hash(f"source:{caller_network(source)}", purpose="sign-in attempt"),
    )


def _words(seconds: int) -> str:
    if seconds < 60:
        return "a second" if seconds == 1 else f"{seconds} seconds"
    minutes = -(-seconds // 60)
    return "a minute" if minutes == 1 else f"{minutes} minutes"
