"""What the store raises."""


class StoreError(Exception):
    """The database cannot be used, or does not hold what was asked for. The message says why and holds no secret."""
