"""Delete expired nonces, rate windows, access tokens, what apps were given, and kept calls."""

from datetime import datetime, timedelta

from crossdock.db.unit_of_work import Transaction

RATE_WINDOW_KEPT = timedelta(minutes=5)
NONCES_KEPT = timedelta(hours=2)
CALLS_KEPT_FOR = timedelta(days=7)
BATCH = 20_000

_NONCES = """
delete from nonces where ctid = any(array(
    select ctid from nonces where expires_at < least(%s, clock_timestamp()) - %s
    order by expires_at limit %s for update skip locked))
"""
_WINDOWS = "delete from rate_windows where window_start < %s"
_PACES = "delete from call_paces where busy_until < %s"
_ACCESS = "delete from access_tokens where expires_at < least(%s, clock_timestamp())"


_CODES = "delete from app_codes where expires_at < least(%s, clock_timestamp()) - interval '1 day'"
_CALLS = "delete from partner_calls where called_at < %s"
_LENT = "delete from credentials where lent_until < least(%s, clock_timestamp())"
_REFRESH = "delete from app_refresh_tokens where expires_at < least(%s, clock_timestamp())"


async def purge_expired(tx: Transaction, *, now: datetime) -> int:
    """Delete expired nonces, in batches, old rate windows and ended tokens and codes; returns how many rows.

    A nonce must have expired at least NONCES_KEPT ago, by the database's clock and by `now`: if a
    clock is set back, its signature becomes valid again.
    """
    total = 0
    while count := await tx.run(_NONCES, (now, NONCES_KEPT, BATCH)):
        total += count
        if count < BATCH:
            break
    for ended in (_ACCESS, _CODES, _REFRESH, _LENT):
        total += await tx.run(ended, (now,))
    total += await tx.run(_CALLS, (now - CALLS_KEPT_FOR,))
    total += await tx.run(_PACES, (now - RATE_WINDOW_KEPT,))
    return total + await tx.run(_WINDOWS, (now - RATE_WINDOW_KEPT,))
