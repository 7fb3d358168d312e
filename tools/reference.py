"""Keep docs/reference/*.md equal to what the code says: settings, limits, errors.

`python -m tools.reference --check` compares (part of `make check`), `--write` rewrites the pages
(part of `make docs`).
"""

import argparse
import sys
from collections.abc import Callable, Iterable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import msgspec

from crossdock.channels.shoppex_partner import wire
from crossdock.commands.server.settings import reference_page
from crossdock.errors import ERROR_CODES
from crossdock.settings import describe
from tools.laws.layout import channel_names
from tools.laws.tree import read_repository
from tools.snapshots import difference

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs/reference"

_LIMITING = {
    "What a partner may send": (
        "body_limit_bytes",
        "items_per_order_max",
        "rate_limit_per_minute",
        "signature_window_s",
        "nonce_ttl_s",
        "shopwedo_skew_s",
    ),
    "How long things last": (
        "job_history_hours",
        "dispatch_retry_s",
        "session_idle_s",
        "session_longest_s",
        "sign_in_longest_wait_s",
    ),
    "People who sign in": (
        "session_idle_s",
        "session_longest_s",
        "sign_in_free_failures",
        "sign_in_longest_wait_s",
    ),
    "How much at once": (
        "workers",
        "jobs_concurrency",
        "pool_max",
        "lock_timeout_ms",
        "statement_timeout_ms",
        "shutdown_grace_s",
        "sales_rep_directory_timeout_s",
    ),
}


def limits_page() -> str:
    """Every bound a partner or operator can meet."""
    settings = {name: (default, reason) for name, default, reason in describe()}
    lines = [
        "# Limits",
        "",
        "Written by `make docs`. Values are the defaults of the [settings](settings.md).",
        "An answer of 429 or 503 carries `Retry-After` in seconds.",
    ]
    for title, names in _LIMITING.items():
        rows = [(f"`{name}`", _number(settings[name][0]), settings[name][1]) for name in names]
        lines += ["", f"## {title}", "", *_table(("setting", "default", "what it bounds"), rows)]
    lines += ["", "## Fields of an order on `shoppex_partner`", ""]
    lines += _table(("field", "limit"), _order_rows())
    return "\n".join(lines) + "\n"


def _order_rows() -> list[tuple[str, str]]:
    return [
        ("`items[].quantity`", f"1 to {wire.QUANTITY_MAX:,}"),
        ("`id_order_partner`", f"{wire.NUMBER_LENGTH_MAX} characters, none of them a control"),
        ("`comments`", f"{wire.COMMENTS_LENGTH_MAX:,} characters"),
        ("`X-Shoppex-Key`", "128 of `A-Z a-z 0-9 _ -`"),
        ("`X-Shoppex-Nonce`", "128 of `A-Z a-z 0-9 . _ : ~ -`"),
    ]


def errors_page() -> str:
    """Each channel's errors in its own words, then the core's codes behind them."""
    lines = [
        "# Errors",
        "",
        "Written by `make docs`. A program looks at the code; the message is for people and may change.",
    ]
    for channel in channel_names(read_repository(ROOT)):
        if not find_spec(f"crossdock.channels.{channel}.advice"):
            continue
        advice = import_module(f"crossdock.channels.{channel}.advice")
        rows = [
            (str(status), f"`{code}`", message, todo)
            for status, code, message, todo in advice.error_rows()
        ]
        heads = ("status", "code", "meaning", "what to do")
        lines += ["", f"## {channel}", "", *_table(heads, rows)]
    lines += [
        "",
        "## Codes of the core",
        "",
        "What the server's own pages and commands say, and what each channel translates.",
        "",
        *_table(("code", "meaning"), [(f"`{c}`", text) for c, text in ERROR_CODES.items()]),
    ]
    return "\n".join(lines) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "settings.md": reference_page,
    "limits.md": limits_page,
    "errors.md": errors_page,
}


def check() -> int:
    """Print what differs; the number of pages that are out of date."""
    wrong = 0
    for name, page in PAGES.items():
        kept = FOLDER / name
        text = kept.read_text(encoding="utf-8") if kept.exists() else ""
        if changes := difference(text, page(), name=name):
            wrong += 1
            print(f"{changes}\nreference: docs/reference/{name} is out of date: run `make docs`")
    print(f"reference: {len(PAGES)} pages, {wrong} out of date")
    return wrong


def write() -> None:
    """Rewrite every page."""
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8")
        print(f"reference: wrote docs/reference/{name}")


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    names = list(heads)
    cells = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    return [_row(names), "|" + "---|" * len(names), *map(_row, cells)]


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _number(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, tuple):
        return ", ".join(f"{part:,}" for part in value)
    return msgspec.json.encode(value).decode()


def main() -> int:
    """Check or write, as asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    choice = parser.add_mutually_exclusive_group(required=True)
    choice.add_argument("--check", action="store_true", help="compare, exit 1 on a difference")
    choice.add_argument("--write", action="store_true", help="rewrite the pages")
    if parser.parse_args().write:
        write()
        return 0
    return 1 if check() else 0


if __name__ == "__main__":
    sys.exit(main())
