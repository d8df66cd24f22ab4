"""Baselines: a base revision, read and compiled, kept for the next comparison with it."""
