"""Generate docs/reference/openapi/ from the channels, and keep the list of SQL files complete.

`python -m tools.snapshots --check` compares (part of `make check`), `--write` rewrites the files
(part of `make docs`). The documents come from `crossdock openapi --channel NAME`. The list of SQL
files is src/crossdock/db/generations.txt: `--write` adds a line for each changed file, which makes
the schema's next generation.
"""

import argparse
import difflib
import json
import subprocess
import sys
from itertools import islice
from pathlib import Path

from crossdock.db.generations import LEDGER_FILE, missing_lines
from tools.laws.layout import channel_names
from tools.laws.tree import read_repository

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs/reference/openapi"
DIFF_LINES = 40


def served_document(channel: str) -> str:
    """A channel's OpenAPI document from the installed command, in canonical form."""
    command = [sys.executable, "-m", "crossdock", "openapi", "--channel", channel]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if answer.returncode:
        sys.exit(f"snapshots: crossdock openapi --channel {channel} failed:\n{answer.stderr}")
    return canonical(answer.stdout)


def canonical(document: str) -> str:
    """JSON with sorted keys and an indent of two, so that diffs show only content."""
    return json.dumps(json.loads(document), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def difference(kept: str, served: str, *, name: str) -> str:
    """The first differing lines of the kept and the served document; "" if there are none."""
    lines = difflib.unified_diff(
        kept.splitlines(), served.splitlines(), f"{name} (kept)", f"{name} (served)", lineterm=""
    )
    return "\n".join(islice(lines, DIFF_LINES))


def check(channels: list[str]) -> int:
    """Print the differences; returns the number of channels whose snapshot is missing or outdated."""
    wrong = 0
    for channel in channels:
        kept = FOLDER / f"{channel}.json"
        text = kept.read_text(encoding="utf-8") if kept.exists() else ""
        if changes := difference(text, served_document(channel), name=kept.name):
            wrong += 1
            print(changes)
            print(
                f"snapshots: {kept.relative_to(ROOT)} is out of date: run `make docs`, read the diff"
            )
    for stray in sorted({path.stem for path in FOLDER.glob("*.json")} - set(channels)):
        wrong += 1
        print(f"snapshots: docs/reference/openapi/{stray}.json belongs to no channel")
    print(f"snapshots: {len(channels)} channels, {wrong} out of date")
    return wrong


def write(channels: list[str]) -> None:
    """Rewrite every snapshot."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for channel in channels:
        (FOLDER / f"{channel}.json").write_text(served_document(channel), encoding="utf-8")
        print(f"snapshots: wrote docs/reference/openapi/{channel}.json")


def check_generation() -> int:
    """Print the SQL files that changed without a new generation; returns their number."""
    missing = missing_lines()
    for line in missing:
        print(
            f"snapshots: {line.split(' ', 1)[1]} changed, {LEDGER_FILE.name} does not know it yet"
        )
    if missing:
        print(
            "snapshots: run `make docs`, or `python -m tools.snapshots --write`, and commit the list"
        )
    return len(missing)


def write_generation() -> None:
    """Append the missing lines to the list of SQL files."""
    missing = missing_lines()
    with LEDGER_FILE.open("a", encoding="utf-8") as ledger:
        ledger.writelines(f"{line}\n" for line in missing)
    print(f"snapshots: {LEDGER_FILE.name} has {len(missing)} more lines")


def main() -> int:
    """Check or write, as asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    choice = parser.add_mutually_exclusive_group(required=True)
    choice.add_argument("--check", action="store_true", help="compare, exit 1 on a difference")
    choice.add_argument("--write", action="store_true", help="rewrite the snapshots")
    wanted = parser.parse_args()
    channels = channel_names(read_repository(ROOT))
    if wanted.write:
        write_generation()
        write(channels)
        return 0
    return 1 if check_generation() + check(channels) else 0


if __name__ == "__main__":
    sys.exit(main())
