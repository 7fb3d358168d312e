"""What a migration revision needs: running plain SQL on Alembic's connection."""


def run_sql(text: str) -> None:
    """Run one or many statements inside the revision's transaction, with no parameters."""
    from alembic import op

    connection = op.get_bind().connection.driver_connection
    if connection is None:
        raise RuntimeError("the revision has no database connection")
    connection.execute(text)
