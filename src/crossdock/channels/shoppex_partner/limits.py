"""What bounds a partner's calls; shown in the docs."""

from crossdock.channels.manifest import Limits
from crossdock.channels.shoppex_partner.auth import KEY_LENGTH_MAX, NONCE_LENGTH_MAX
from crossdock.channels.shoppex_partner.requests import (
    COMMENTS_LENGTH_MAX,
    NUMBER_LENGTH_MAX,
    QUANTITY_MAX,
)

LIMITS = Limits(
    settings=("items_per_order_max", "signature_window_s", "nonce_ttl_s"),
    fields=(
        ("`X-Shoppex-Key`", f"{KEY_LENGTH_MAX} of `A-Z a-z 0-9 _ -`"),
        ("`X-Shoppex-Timestamp`", "10 digits"),
        ("`X-Shoppex-Nonce`", f"1 to {NONCE_LENGTH_MAX} visible ASCII characters"),
        ("`items[].quantity`", f"1 to {QUANTITY_MAX:,}"),
        ("`id_order_partner`", f"{NUMBER_LENGTH_MAX} characters, none of them a control character"),
        ("`comments`", f"{COMMENTS_LENGTH_MAX:,} characters"),
    ),
)
