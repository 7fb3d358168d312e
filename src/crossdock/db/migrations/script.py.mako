"""${message}."""

from crossdock.db.revisions import run_sql

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """Apply the revision's SQL."""
    run_sql(
        """
        """
    )
