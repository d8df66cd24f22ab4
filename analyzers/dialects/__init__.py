"""Policy APIs. `DIALECTS` is the whole registry: a new API is one file and one line here."""

from __future__ import annotations

from analyzers.dialects import networkpolicy
from analyzers.dialects.dialect import Dialect

DIALECTS: tuple[Dialect, ...] = (networkpolicy.DIALECT,)
