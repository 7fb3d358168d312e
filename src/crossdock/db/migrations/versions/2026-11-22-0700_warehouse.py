"""Warehouse work behind the order states, and people who sign in."""

from pathlib import Path

from crossdock.db.revisions import run_sql

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Apply the SQL file of the same name."""
    run_sql(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
