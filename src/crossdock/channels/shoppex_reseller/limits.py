"""What bounds the calls of this channel; shown in the docs."""

from crossdock.channels.manifest import Limits
from crossdock.channels.shoppex_reseller.endpoint import KEY_LENGTH_MAX
from crossdock.channels.shoppex_reseller.paging import LIMIT, LIMIT_MAX
from crossdock.shop.resellers import KEYS_MAX, STATEMENT_LINES_MAX
from crossdock.shop.webhooks import (
    FEED_DAYS,
    NAMES_MAX,
    PAGE_MAX,
    SUBSCRIPTIONS_MAX,
    URL_CHARS,
)

LIMITS = Limits(
    settings=(
        "calls_per_minute",
        "calls_at_once",
        "fulfillments_per_minute",
        "embed_calls_per_minute",
        "idempotency_hours",
        "oauth_refresh_days",
    ),
    fields=(
        ("`limit`", f"1 to {LIMIT_MAX}, {LIMIT} by default"),
        ("webhooks of a shop", f"{SUBSCRIPTIONS_MAX}, each with 1 to {NAMES_MAX} events"),
        ("characters of a webhook's URL", f"{URL_CHARS}"),
        ("a webhook's feed", f"{PAGE_MAX} events at once, kept {FEED_DAYS} days"),
        ("keys of a reseller that work", f"{KEYS_MAX}"),
        ("lines of a statement as PDF", f"{STATEMENT_LINES_MAX}; as JSON and CSV without limit"),
        ("characters of an `Idempotency-Key`", f"1 to {KEY_LENGTH_MAX}"),
    ),
)
