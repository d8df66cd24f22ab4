"""Policy APIs. `DIALECTS` is the whole registry: a new API is one file and one line here."""

from __future__ import annotations

from analyzers.dialects import adminnetworkpolicy, baselineadminnetworkpolicy, clusternetworkpolicy, networkpolicy
from analyzers.dialects.dialect import Dialect

DIALECTS: tuple[Dialect, ...] = (
    adminnetworkpolicy.DIALECT,
    networkpolicy.DIALECT,
    baselineadminnetworkpolicy.DIALECT,
    clusternetworkpolicy.DIALECT,
)
