"""Runs the steps on the connection that `migrate` holds."""

from alembic import context

from helpdesk.stores.sql.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=False,
)
context.run_migrations()
