"""One analysis in a process of its own."""
