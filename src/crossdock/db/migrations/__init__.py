"""Alembic's folder: `versions/` holds one dated file per revision, written as SQL."""
