"""What bounds a partner's calls; shown in the docs."""

from crossdock.channels.manifest import Limits
from crossdock.channels.shoppable.filters import WILDCARDS_MAX
from crossdock.channels.shoppable.parameters import ROWS_MAX
from crossdock.channels.shoppable.product import KEYS_MAX
from crossdock.shop.search import FILTER_PATTERNS, VALUES_MAX

LIMITS = Limits(
    fields=(
        ("`rows`", f"0 to {ROWS_MAX}"),
        ("whole values in a list; a UPC counts as up to three", f"{VALUES_MAX:,}"),
        (
            "values of a filter that end in `*`",
            f"{WILDCARDS_MAX} of a list, {FILTER_PATTERNS} of all",
        ),
        ("`upcs` or `part_numbers` of one call of the product", f"{KEYS_MAX}"),
        (
            "characters, clauses, brackets and wildcards of `search`",
            "the settings of [`search`](settings.md#search)",
        ),
    ),
)
