"""What bounds a partner's calls; shown in the docs."""

from typing import Final

from crossdock.channels.manifest import Limits
from crossdock.shop.tickets import IMAGES_MAX, LINES_MAX, NAME_MAX, REASON_MAX, TEXT_MAX

BODY_BYTES: Final = 1024 * 1024
UPLOADS_AT_ONCE: Final = 16
UPLOADS_PER_VIEWER: Final = 4
PAGE_DEFAULT: Final = 20
PAGE_MAX: Final = 200
LIST_COST: Final = 10
DEPTH_MAX: Final = 12
COST_MAX: Final = 20_000
ALIASES_MAX: Final = 30
ROOT_FIELDS_MAX: Final = 10
FRAGMENTS_MAX: Final = 50
NESTING_MAX: Final = 64
SPREAD_FIELDS_MAX: Final = 5_000
MEETINGS_MAX: Final = 1_000
TOKENS_MAX: Final = 2_000
CHARS_MAX: Final = 50_000
TIME_MAX_S: Final = 15

LIMITS = Limits(
    settings=("rate_limit_per_second", "rate_limit_burst"),
    fields=(
        ("the body", f"{BODY_BYTES // 1024:,} KiB"),
        (
            "an image",
            "`media.upload_max_bytes` and `media.pixels_max`, see Images and videos above",
        ),
        ("the body of an upload, beside the file", f"{BODY_BYTES // 1024:,} KiB"),
        (
            "uploads that one process receives at once; of one viewer",
            f"{UPLOADS_AT_ONCE}; {UPLOADS_PER_VIEWER}",
        ),
        ("`first`, `last`", f"0 to {PAGE_MAX}, {PAGE_DEFAULT} by default"),
        ("levels of fields, introspection apart", f"{DEPTH_MAX}"),
        (
            f"cost: an object is 1, a list of objects {LIST_COST}, a page its `first` or `last`",
            f"{COST_MAX:,}",
        ),
        ("aliases of a document", f"{ALIASES_MAX}"),
        ("fields of the root in an operation", f"{ROOT_FIELDS_MAX}"),
        ("fragments that a document defines", f"{FRAGMENTS_MAX}"),
        ("levels of fields and fragments, introspection among them", f"{NESTING_MAX}"),
        (
            "fields of a document, those of a fragment wherever it is spread",
            f"{SPREAD_FIELDS_MAX:,}",
        ),
        ("pairs of fields of one place that answer under the same name", f"{MEETINGS_MAX:,}"),
        ("tokens of a document", f"{TOKENS_MAX:,}"),
        ("characters of a document", f"{CHARS_MAX:,}"),
        (
            "a ticket: each name, `reason`, `remark` and a reply",
            f"{NAME_MAX}, {REASON_MAX:,} and {TEXT_MAX:,} characters",
        ),
        ("a ticket: items, images", f"{LINES_MAX}, {IMAGES_MAX}"),
        ("seconds that an operation may take", f"{TIME_MAX_S}"),
    ),
)
