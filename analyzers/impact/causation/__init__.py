"""Causation: which changed objects stand behind a change, and why others changed nothing."""
