"""Potential flows: those of pods that could exist."""
