"""Records: what one object means to the analysis, once its document has been read. Compact, and free of YAML, so that they can be kept."""

from __future__ import annotations

from msgspec import Struct

from analyzers.model.cluster import PodShape, Service
from analyzers.model.diagnostics import Diagnostic, SourceLocation
from analyzers.model.policy import Policy
from analyzers.model.selectors import Labels
from analyzers.model.uses import Use
from analyzers.model.ways_in import WayMeaning


class ObjectKey(Struct, frozen=True, array_like=True):
    """What makes two documents the same object. `namespace` is "" for kinds of the whole cluster."""

    group: str
    kind: str
    namespace: str
    name: str

    @property
    def title(self) -> str:
        """How messages name the object: `NetworkPolicy shop/cart`."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


class Identity(Struct, frozen=True, array_like=True):
    """The name by which a workload is shown."""

    namespace: str
    name: str
    kind: str


class PodMeaning(Struct, frozen=True, array_like=True, tag=True):
    """The object is a pod or makes pods of this shape; `controller` is the object that controls it, `uses` what it says it talks to."""

    shape: PodShape
    controller: Identity | None
    uses: tuple[Use, ...] = ()


class OperatedMeaning(Struct, frozen=True, array_like=True, tag=True):
    """An operator makes pods of these shapes for the object, as it documents."""

    shapes: tuple[PodShape, ...]


class BorrowedMeaning(Struct, frozen=True, array_like=True, tag=True):
    """The object makes pods from the template of another object of its namespace."""

    kind: str
    name: str


class NamespaceMeaning(Struct, frozen=True, array_like=True, tag=True):
    """The object is a namespace with these labels."""

    labels: Labels


class ServiceMeaning(Struct, frozen=True, array_like=True, tag=True):
    """The object is a Service."""

    service: Service


class PolicyMeaning(Struct, frozen=True, array_like=True, tag=True):
    """The object states these policies."""

    policies: tuple[Policy, ...]


Meaning = PodMeaning | OperatedMeaning | BorrowedMeaning | NamespaceMeaning | ServiceMeaning | WayMeaning | PolicyMeaning


class ObjectRecord(Struct, frozen=True, array_like=True):
    """One object. `meaning` is None when it takes no part in the analysis, and `diagnostics` then say why; `content` is a digest of the
    fields that the analysis reads, equal only when they are."""

    key: ObjectKey
    location: SourceLocation
    content: str
    meaning: Meaning | None
    diagnostics: tuple[Diagnostic, ...] = ()
