"""What bounds the calls of this channel; shown in the docs."""

from crossdock.channels.manifest import Limits
from crossdock.channels.shoppex_reseller.endpoint import KEY_LENGTH_MAX
from crossdock.channels.shoppex_reseller.paging import LIMIT, LIMIT_MAX

LIMITS = Limits(
    settings=(
        "calls_per_minute",
        "calls_at_once",
        "fulfillments_per_minute",
        "idempotency_hours",
    ),
    fields=(
        ("`limit`", f"1 to {LIMIT_MAX}, {LIMIT} by default"),
        ("characters of an `Idempotency-Key`", f"1 to {KEY_LENGTH_MAX}"),
    ),
)
