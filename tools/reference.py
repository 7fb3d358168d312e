"""Keep docs/reference/*.md and the example file equal to what the code says: settings, limits, errors.

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

from crossdock.channels import plumbing
from crossdock.channels.registry import default_settings
from crossdock.channels.shoppable import parameters, product
from crossdock.channels.shoppex_partner import requests
from crossdock.commands.server.settings import example_file, reference_page
from crossdock.edge.coding import LARGE_BYTES
from crossdock.errors import ERROR_CODES
from crossdock.gate.gate import FIELDS_MAX
from crossdock.settings import describe
from crossdock.shop.search import VALUES_MAX
from tools.laws.layout import channel_names
from tools.laws.tree import read_repository
from tools.snapshots import difference

ROOT = Path(__file__).resolve().parent.parent

_LIMITING = {
    "What a partner may send": (
        "edge.body_limit_bytes",
        "shoppex_partner.items_per_order_max",
        "partners.rate_limit_per_minute",
        "shoppex_partner.signature_window_s",
        "shoppex_partner.nonce_ttl_s",
        "shopwedo.skew_s",
    ),
    "How long things last": (
        "jobs.job_history_hours",
        "dispatch.retry_s",
        "people.session_idle_s",
        "people.session_longest_s",
        "people.sign_in_longest_wait_s",
    ),
    "People who sign in": (
        "people.session_idle_s",
        "people.session_longest_s",
        "people.sign_in_free_failures",
        "people.sign_in_longest_wait_s",
    ),
    "How much at once": (
        "server.workers",
        "jobs.concurrency",
        "database.pool_max",
        "database.lock_timeout_ms",
        "database.statement_timeout_ms",
        "server.shutdown_grace_s",
        "sales_rep.directory_timeout_s",
    ),
}


def limits_page() -> str:
    """Every bound a partner or operator can meet."""
    described = describe(default_settings())
    settings = {f"{s.table}.{s.name}": (s.default, s.description) for s in described}
    lines = [
        "# Limits",
        "",
        "Written by `make docs`. Values are the defaults of the [settings](settings.md).",
        "An answer of 429 or 503 carries `Retry-After` in seconds.",
    ]
    for title, names in _LIMITING.items():
        rows = [(f"`{name}`", _number(settings[name][0]), settings[name][1]) for name in names]
        lines += ["", f"## {title}", "", *_table(("setting", "default", "what it bounds"), rows)]
    lines += ["", "## Bodies of every channel", ""]
    lines += _table(("what", "limit"), _body_rows())
    lines += ["", "## Fields of an order on `shoppex_partner`", ""]
    lines += _table(("field", "limit"), _order_rows())
    lines += ["", "## Calls of `shoppable`", ""]
    lines += _table(("what", "limit"), _search_rows())
    return "\n".join(lines) + "\n"


def _body_rows() -> list[tuple[str, str]]:
    return [
        ("a body in gzip", "`edge.body_limit_bytes` as it is sent, and once it is uncompressed"),
        ("fields of a form, parts of a multipart body", f"{plumbing.FIELDS_MAX:,}"),
        ("levels of a nested form", f"{plumbing.DEPTH_MAX}"),
        ("fields of a form of the console or the label page", f"{FIELDS_MAX}"),
        ("an answer that goes out in gzip", f"{LARGE_BYTES:,} bytes or more"),
    ]


def _order_rows() -> list[tuple[str, str]]:
    return [
        ("`items[].quantity`", f"1 to {requests.QUANTITY_MAX:,}"),
        ("`id_order_partner`", f"{requests.NUMBER_LENGTH_MAX} characters, none of them a control"),
        ("`comments`", f"{requests.COMMENTS_LENGTH_MAX:,} characters"),
        ("`X-Shoppex-Key`", "128 of `A-Z a-z 0-9 _ -`"),
        ("`X-Shoppex-Nonce`", "255 visible ASCII characters"),
    ]


def _search_rows() -> list[tuple[str, str]]:
    return [
        ("`rows`", f"0 to {parameters.ROWS_MAX}"),
        ("whole values in a list; a UPC counts as up to three", f"{VALUES_MAX:,}"),
        ("`upcs` or `part_numbers` of one call of the product", f"{product.KEYS_MAX}"),
        ("characters, clauses, brackets and wildcards of `search`", "the settings of `search`"),
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
    "docs/reference/settings.md": reference_page,
    "docs/reference/limits.md": limits_page,
    "docs/reference/errors.md": errors_page,
    "crossdock.example.toml": example_file,
}


def check() -> int:
    """Print what differs; the number of pages that are out of date."""
    wrong = 0
    for name, page in PAGES.items():
        kept = ROOT / name
        text = kept.read_text(encoding="utf-8") if kept.exists() else ""
        if changes := difference(text, page(), name=name):
            wrong += 1
            print(f"{changes}\nreference: {name} is out of date: run `make docs`")
    print(f"reference: {len(PAGES)} pages, {wrong} out of date")
    return wrong


def write() -> None:
    """Rewrite every page."""
    for name, page in PAGES.items():
        (ROOT / name).write_text(page(), encoding="utf-8")
        print(f"reference: wrote {name}")


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
