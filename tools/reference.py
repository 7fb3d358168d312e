"""Generate docs/reference/*.md (settings, limits, errors) and the example file from the code.

`python -m tools.reference --check` compares (part of `make check`), `--write` rewrites the pages
(part of `make docs`).
"""

import argparse
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from crossdock.channels import plumbing
from crossdock.channels.manifest import Limits, Manifest
from crossdock.channels.registry import default_settings, manifests
from crossdock.commands.server.settings import example_file, reference_page
from crossdock.edge.coding import LARGE_BYTES
from crossdock.edge.requests import BODY_S
from crossdock.errors import ERROR_CODES
from crossdock.gate.gate import FIELDS_MAX
from crossdock.settings import describe
from tools.snapshots import difference

ROOT = Path(__file__).resolve().parent.parent

_LIMITING = {
    "Every call of a partner": ("edge.body_limit_bytes", "partners.rate_limit_per_minute"),
    "People who sign in": (
        "people.session_idle_s",
        "people.session_longest_s",
        "people.sign_in_free_failures",
        "people.sign_in_longest_wait_s",
    ),
    "Connections of one web process": (
        "http.connections_max",
        "http.connections_per_address",
        "http.requests_max",
        "http.requests_per_address",
        "http.idle_s",
        "http.write_s",
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
    "Images and videos": (
        "media.upload_max_bytes",
        "media.pixels_max",
        "media.at_once",
        "media.waiting_max",
        "media.unused_max",
        "media.video_max_bytes",
        "media.video_max_seconds",
        "media.video_pixels_max",
        "media.keep_unused_days",
    ),
    "How long things are kept or tried": (
        "dispatch.retry_s",
        "deliveries.history_days",
        "jobs.job_history_hours",
    ),
}


def limits_page() -> str:
    """Every bound that a partner or operator can meet; each channel's comes from its manifest."""
    described = describe(default_settings())
    settings = {f"{s.table}.{s.name}": (s.default, s.description) for s in described}
    lines = [
        "# Limits",
        "",
        "Written by `make docs`. Values are the defaults of the [settings](settings.md).",
        "An answer of 429 or 503 carries `Retry-After` in seconds.",
    ]
    for title, names in _LIMITING.items():
        lines += ["", f"## {title}", "", *_settings_table(names, settings)]
    lines += ["", "## Bodies of every channel", ""]
    lines += _table(("what", "limit"), _body_rows())
    for manifest in manifests():
        if manifest.limits:
            lines += _channel_limits(manifest, manifest.limits(), settings)
    lines += ["", "Catalogue files have [limits of their own](../guides/import.md#limits)."]
    return "\n".join(lines) + "\n"


def _channel_limits(
    manifest: Manifest, limits: Limits, settings: dict[str, tuple[object, str]]
) -> list[str]:
    table = manifest.settings.table if manifest.settings else ""
    lines = ["", f"## {manifest.name}"]
    if names := [f"{table}.{name}" for name in limits.settings]:
        lines += ["", *_settings_table(names, settings)]
    if limits.fields:
        lines += ["", *_table(("what", "limit"), limits.fields)]
    return lines


def _settings_table(names: Iterable[str], settings: dict[str, tuple[object, str]]) -> list[str]:
    rows = [(f"`{name}`", _number(settings[name][0]), settings[name][1]) for name in names]
    return _table(("setting", "default", "what it bounds"), rows)


def _body_rows() -> list[tuple[str, str]]:
    return [
        ("a body in gzip", "`edge.body_limit_bytes` as it is sent, and once it is uncompressed"),
        ("time until a body has come", f"{BODY_S:g} seconds"),
        ("fields of a form, parts of a multipart body", f"{plumbing.FIELDS_MAX:,}"),
        ("levels of a nested form", f"{plumbing.DEPTH_MAX}"),
        ("fields of a form of the console or the label page", f"{FIELDS_MAX}"),
        ("an answer that goes out in gzip", f"{LARGE_BYTES:,} bytes or more"),
    ]


def errors_page() -> str:
    """Each channel's errors in its own words, then the core's codes behind them."""
    lines = [
        "# Errors",
        "",
        "Written by `make docs`. A program looks at the code; the message is for people and may change.",
    ]
    for manifest in manifests():
        if manifest.errors:
            rows = [
                (str(status), f"`{code}`", message, todo)
                for status, code, message, todo in manifest.errors()
            ]
            heads = ("status", "code", "meaning", "what to do")
            lines += ["", f"## {manifest.name}", "", *_table(heads, rows)]
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


def pages() -> dict[str, Callable[[], str]]:
    """What makes each generated file, by its path; the channels' own among them."""
    made = dict(PAGES)
    for manifest in manifests():
        for name, text in (manifest.documents() if manifest.documents else {}).items():
            made[f"docs/reference/{name}"] = text.__str__
    return made


def check() -> int:
    """Print the differences; returns the number of outdated pages."""
    wrong, wanted = 0, pages()
    for name, page in wanted.items():
        kept = ROOT / name
        text = kept.read_text(encoding="utf-8") if kept.exists() else ""
        if changes := difference(text, page(), name=name):
            wrong += 1
            print(f"{changes}\nreference: {name} is out of date: run `make docs`")
    print(f"reference: {len(wanted)} pages, {wrong} out of date")
    return wrong


def write() -> None:
    """Rewrite every page."""
    for name, page in pages().items():
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
