"""The version after this one: a copy of the program with one more revision and changed functions."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from crossdock.db.generations import LEDGER_FILE, PACKAGE_DIR, RELEASES_FILE, generation

REVISION = "9999"
REVISION_FILE = "db/migrations/versions/2099-01-01-0000_next.py"
REVISION_TEXT = '''"""A revision as one of the version after this one may be: in use, and with data."""

from crossdock.db.revisions import run_sql

revision = "9999"
down_revision = "{before}"


def upgrade() -> None:
    """Apply the revision's SQL."""
    run_sql(
        """
        set local lock_timeout = '5s';
        alter table orders add column upgraded_at timestamptz not null default now();
        create table after_upgrade (id bigint generated always as identity primary key);
        """
    )
'''
CHANGED_FILE = "shop/stock/posting.sql"
CHANGED_TEXT = """
create or replace function only_in_next() returns integer language sql as $$ select 1 $$;
"""


class Program:
    """A copy of the source that is run as a program of its own."""

    def __init__(self, source: Path) -> None:
        self.source = source

    def run(self, *arguments: str, url: str, data_dir: Path) -> "subprocess.CompletedProcess[str]":
        """Run one command to its end."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("CROSSDOCK_")}
        settings = {"CROSSDOCK_DATABASE_URL": url, "CROSSDOCK_DATA_DIR": str(data_dir)}
        return subprocess.run(
            [sys.executable, "-m", "crossdock", *arguments],
            env={**inherited, **settings, "PYTHONPATH": str(self.source)},
            cwd=data_dir, check=False, capture_output=True, text=True, timeout=100,
        )  # fmt: skip


def this_program() -> Program:
    """The version under test."""
    return Program(PACKAGE_DIR.parent)


def next_program(folder: Path, *, before: str) -> Program:
    """The version after it, which takes this one for the last release."""
    package = folder / "crossdock"
    shutil.copytree(PACKAGE_DIR, package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / REVISION_FILE).write_text(REVISION_TEXT.format(before=before))
    with (package / CHANGED_FILE).open("a") as file:
        file.write(CHANGED_TEXT)
    with (package / "db" / LEDGER_FILE.name).open("a") as ledger:
        for name in (REVISION_FILE, CHANGED_FILE):
            text = hashlib.sha256((package / name).read_bytes()).hexdigest()[:24]
            ledger.write(f"{text} {name}\n")
    with (package / "db" / RELEASES_FILE.name).open("a") as releases:
        releases.write(f"this {generation()}\n")
    return Program(folder)
