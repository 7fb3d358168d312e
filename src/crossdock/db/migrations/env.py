"""Alembic's entry: one connection, one transaction per revision, a short lock timeout."""

import psycopg
from alembic import context
from sqlalchemy import create_engine, pool

LOCK_TIMEOUT = "5s"


def run() -> None:
    """Bring the database that the `conninfo` attribute describes to the wanted revision."""
    conninfo = context.config.attributes["conninfo"]
    engine = create_engine(
        "postgresql+psycopg://",
        creator=lambda: psycopg.connect(**conninfo),
        poolclass=pool.NullPool,
    )
    with engine.connect() as connection:
        connection.exec_driver_sql(f"set lock_timeout = '{LOCK_TIMEOUT}'")
        connection.commit()
        context.configure(connection=connection, transaction_per_migration=True)
        with context.begin_transaction():
            context.run_migrations()


run()
