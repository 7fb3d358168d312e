"""The core's tables: shops, partners, catalogue, stock, customers, orders, events."""

from pathlib import Path

from crossdock.db.revisions import run_sql

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Apply the SQL file of the same name."""
    run_sql(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
