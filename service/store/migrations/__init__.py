"""The migrations of the store's schema, run by Alembic when the store opens. Each file of `versions` takes one step."""
