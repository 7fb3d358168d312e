"""Alembic's entry: one connection, one transaction per revision, a short lock timeout."""

import psycopg
from alembic import context
from sqlalchemy import create_engine, pool

LOCK_TIMEOUT = "5s"


def run() -> None:
    """Bring the database that the `conninfo` attribute describes to the wanted revision."""
    conninfo = dict(context.config.attributes["conninfo"])
    conninfo["options"] = f"{conninfo.get('options', '')} -c lock_timeout={LOCK_TIMEOUT}"
    engine = create_engine(
        "postgresql+psycopg://",
        creator=lambda: psycopg.connect(**conninfo),
        poolclass=pool.NullPool,
    )
    with engine.connect() as connection:
        context.configure(connection=connection, transaction_per_migration=True)
        with context.begin_transaction():
            context.run_migrations()


run()
