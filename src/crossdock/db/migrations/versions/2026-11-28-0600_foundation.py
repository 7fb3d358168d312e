"""Every table of the first release, one file of SQL for each part of the core, then the job queue."""

from pathlib import Path

from crossdock.db.revisions import run_sql

revision = "0001"
down_revision = None

# What the program must know about an existing database: see crossdock/db/generations.py.
VERSION_TABLES = """
create table schema_functions (
    name text primary key,
    checksum text not null,
    applied_at timestamptz not null default now()
);

create table schema_revisions (
    name text primary key,
    checksum text not null,
    applied_at timestamptz not null default now()
);

create table schema_signatures (
    signature text primary key,
    stale_since integer
);

create table schema_generation (
    only_row boolean primary key default true check (only_row),
    generation integer not null,
    serves_from integer not null,
    applied_at timestamptz not null default now()
);
"""


def upgrade() -> None:
    """Apply the files of the folder of the same name, in their order."""
    run_sql("set local lock_timeout = '5s'")
    for path in sorted(Path(__file__).with_suffix("").glob("*.sql")):
        run_sql(path.read_text(encoding="utf-8"))
    run_sql(VERSION_TABLES)
