"""What was read of ways in is kept between runs like everything else."""

from __future__ import annotations

import pytest

from analyzers.interest import INTEREST
from analyzers.manifests.load import load
from analyzers.manifests.shelf import FileReading, MemoryShelf, ShelfKey
from analyzers.manifests.wire import READINGS
from analyzers.model.records import ObjectRecord
from tests.analyzers.ways_in.asking import FRONT, WEB, files, service
from tests.analyzers.ways_in.test_gateway_api import SELECTOR, gateway, grant, listener, route
from tests.property.product import MemoryTree

CLASS = "---\napiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: public}\nspec: {controller: k8s.io/ingress-nginx}\n"
ROUTE = (
    "---\napiVersion: route.openshift.io/v1\nkind: Route\nmetadata: {name: r, namespace: shop}\n"
    "spec: {to: {name: web}, port: {targetPort: 8080}}\n"
)
PUBLISHED = service(
    "web", "[{port: 80, nodePort: 30080}]", more=", type: LoadBalancer, loadBalancerSourceRanges: [10.0.0.0/8, 2001:db8::/32]"
)
MADE = "---\napiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nmetadata: {name: db, namespace: shop}\n"
BORROWED = (
    "---\napiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: r, namespace: shop}\n"
    "spec: {workloadRef: {kind: Deployment, name: web}}\n"
)


class Watched(MemoryShelf[ObjectRecord]):
    """A shelf whose readings can be looked at."""

    def readings(self) -> dict[ShelfKey, FileReading[ObjectRecord]]:
        return dict(self._known)


@pytest.mark.parametrize(
    "text",
    [WEB + FRONT, CLASS, ROUTE, PUBLISHED, MADE, BORROWED, gateway(listener(allowed=SELECTOR)) + route() + grant()],
    ids=["Ingress", "IngressClass", "Route", "LoadBalancer", "Cluster", "Rollout", "Gateway"],
)
def test_reading_of_a_way_in_comes_back_as_it_was(text: str) -> None:
    shelf = Watched()
    load(MemoryTree(files(text)), INTEREST, shelf=shelf)
    ((_, reading),) = shelf.readings().items()
    assert all(record.meaning is not None for record in reading.found)
    assert READINGS.decode(READINGS.encode(reading)) == reading
