"""Sign-off: rules as tables, and its laws."""
