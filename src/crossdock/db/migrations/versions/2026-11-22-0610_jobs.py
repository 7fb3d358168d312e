"""The job queue's tables, without its NOTIFY triggers, and the list of applied function files.

A NOTIFY at commit takes a lock that all committing transactions share, and every order defers a
job; the worker polls instead (docs/decisions/0003-job-polling.md).
"""

from procrastinate.schema import SchemaManager

from crossdock.db.revisions import run_sql

revision = "0002"
down_revision = "0001"

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
    """Apply the queue's own schema and drop the two triggers."""
    run_sql(SchemaManager.get_schema())
    run_sql(WITHOUT_NOTIFY)
    run_sql(FUNCTION_FILES)
