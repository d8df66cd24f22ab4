"""What a change means: the diff of two matrices, its causes, and the report of both."""
