"""What Alembic runs for a migration: on the connection, and inside the transaction and the lock, of whoever asked for it."""

from alembic import context

from service.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
