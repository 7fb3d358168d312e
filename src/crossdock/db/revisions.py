"""Run plain SQL on Alembic's connection, for migration revisions."""


def run_sql(text: str) -> None:
    """Run one or more statements inside the revision's transaction, without parameters."""
    from alembic import op

    connection = op.get_bind().connection.driver_connection
    if connection is None:
        raise RuntimeError("the revision has no database connection")
    connection.execute(text)
