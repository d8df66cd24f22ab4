"""Benchmarks: how fast the answer comes, and what it costs, on repositories shaped like real ones."""
