"""Which kinds make pods: those of the tables, and those that configuration adds."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from analyzers.manifests.operator_kinds import OPERATOR_KINDS, OperatorKind
from analyzers.manifests.workload_kinds import WORKLOAD_KINDS, WorkloadKind


class CustomKinds(Struct, frozen=True):
    """Kinds that configuration adds to the tables; a kind that a table has already is read as configuration says."""

    workloads: tuple[WorkloadKind, ...] = ()
    operators: tuple[OperatorKind, ...] = ()


class PodKinds:
    """Every kind that makes pods, by API group and kind."""

    def __init__(self, custom: CustomKinds) -> None:
        chosen = {(each.group, each.kind) for each in custom.operators}
        listed = (*WORKLOAD_KINDS, *custom.workloads)
        self.workloads: Mapping[tuple[str, str], WorkloadKind] = {
            (group, row.kind): row for row in listed for group in row.groups if (group, row.kind) not in chosen
        }
        operators = {(row.group, row.kind): row for row in (*OPERATOR_KINDS, *custom.operators)}
        self.operators: Mapping[tuple[str, str], OperatorKind] = {key: row for key, row in operators.items() if key not in self.workloads}
