"""Rows: which endpoints change alike, what publishes them, and how they are listed."""
