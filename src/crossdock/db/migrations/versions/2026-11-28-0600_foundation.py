"""Every table of the first release, one file of SQL for each part of the core, then the job queue.

The queue has no NOTIFY triggers: a NOTIFY at commit takes a lock that all committing transactions
share; the worker polls instead (docs/decisions/0003-job-polling.md).
"""

from pathlib import Path

from procrastinate.schema import SchemaManager

from crossdock.db.revisions import run_sql

revision = "0001"
down_revision = None

WITHOUT_NOTIFY = """
drop trigger procrastinate_jobs_notify_queue_job_inserted_v1 on procrastinate_jobs;
drop trigger procrastinate_jobs_notify_queue_job_aborted_v1 on procrastinate_jobs;
"""

FUNCTION_FILES = """
create table schema_functions (
    name text primary key,
    checksum text not null,
    applied_at timestamptz not null default now()
);
"""


def upgrade() -> None:
    """Apply the files of the folder of the same name, in their order."""
    run_sql("set local lock_timeout = '5s'")
    for path in sorted(Path(__file__).with_suffix("").glob("*.sql")):
        run_sql(path.read_text(encoding="utf-8"))
    run_sql(SchemaManager.get_schema())
    run_sql(WITHOUT_NOTIFY)
    run_sql(FUNCTION_FILES)
