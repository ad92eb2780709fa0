"""Alembic runs the migrations on a connection that `traffic_platform.postgres.migrate` opened."""

from __future__ import annotations

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table_schema="public",
    version_table="traffic_alembic_version",
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
