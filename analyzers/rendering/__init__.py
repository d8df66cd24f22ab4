"""Rendering: units become objects, by programs that run shut in. `RENDERERS` in `renderers.py` is the registry."""
