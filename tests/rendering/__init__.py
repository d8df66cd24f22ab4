"""Rendering with the real programs."""
