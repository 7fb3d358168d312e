"""How rows are looked up: what the planner thinks of the tenant column, goods by reference."""

from pathlib import Path

from crossdock.db.revisions import run_sql

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Apply the SQL file of the same name."""
    run_sql(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
