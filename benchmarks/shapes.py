"""Repositories with the shapes of real ones: many small namespaces, policies that mostly name other namespaces, one object a file.

Shares are those measured in public platform repositories: about two workloads a namespace (up to twelve), peers mostly a namespaceSelector
on the name label with a podSelector, 14% of egress rules an ipBlock, 8 to 20% of ports by name, a default-deny in part of the namespaces,
and endPort, SCTP, NotIn, IPv6 and `except` at 1% each. Everything follows from the seed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

Files = dict[str, str]
"""Paths and their YAML."""

REPLICAS = 3
"""Pods that one workload stands for."""

_NUMBERS = (80, 443, 5432, 6379, 8080, 8443, 9090, 9200)
_NAMES = ("http", "https", "metrics", "grpc")


@dataclass(frozen=True, slots=True)
class Profile:
    """The size and habits of a repository. `isolated` is the share of namespaces with a default-deny, `named` that of ports by name."""

    name: str
    namespaces: int
    workloads: int
    policies: int
    isolated: float = 0.5
    named: float = 0.14


def profile(name: str, pods: int, policies: int, isolated: float = 0.5) -> Profile:
    """A profile by its number of pods."""
    workloads = pods // REPLICAS
    return Profile(name, max(1, workloads // 2), workloads, policies, isolated)


def repository(shape: Profile, seed: int = 1) -> Files:
    """One revision: a Namespace, Deployment or NetworkPolicy a file."""
    rng = Random(seed)
    files = {f"namespaces/{_namespace(number)}.yaml": _namespace_text(rng, number) for number in range(shape.namespaces)}
    homes = _homes(rng, shape)
    for number, home in enumerate(homes):
        files[f"apps/{_namespace(home)}/app-{number}.yaml"] = _workload_text(rng, home, number)
    for number in range(shape.policies):
        files[f"policies/{_namespace(number % shape.namespaces)}/p{number}.yaml"] = _policy_text(rng, shape, homes, number)
    return files


def one_line_change(files: Files) -> Files:
    """One default-deny selects other pods."""
    path = next(path for path in sorted(files) if "name: default-deny" in files[path])
    return files | {path: files[path].replace("podSelector: {}", "podSelector: {matchLabels: {tier: none}}")}


def another_change(files: Files) -> Files:
    """One rule opens another port, and one policy is new."""
    path = next(path for path in sorted(files) if path.startswith("policies/") and "port: 8080\n" in files[path])
    added = _policy(1, "opened", "podSelector: {}\n  policyTypes: [Ingress]\n  ingress: [{ports: [{port: 12345}]}]")
    return files | {path: files[path].replace("port: 8080\n", "port: 8081\n"), "policies/team-1/opened.yaml": added}


def ten_changes(files: Files) -> Files:
    """A rule of each of ten policies opens another port."""
    paths = [path for path in sorted(files) if path.startswith("policies/") and "port: 8080\n" in files[path]][:10]
    return files | {path: files[path].replace("port: 8080\n", "port: 8081\n") for path in paths}


def relabelled(files: Files) -> Files:
    """The pods of one workload get another label."""
    path = next(path for path in sorted(files) if path.startswith("apps/"))
    return files | {path: files[path].replace("    spec:\n      service", "        version: v2\n    spec:\n      service")}


def joined_by_another(files: Files) -> Files:
    """One workload is new."""
    path = next(path for path in sorted(files) if path.startswith("apps/"))
    return files | {path.replace("app-", "new-"): files[path].replace("app-", "new-")}


def of_another_stage(files: Files) -> Files:
    """One namespace gets another value of a label."""
    path = next(path for path in sorted(files) if path.startswith("namespaces/"))
    return files | {path: files[path].replace("env: ", "env: former-")}


def mass_change(files: Files) -> Files:
    """Every default-deny is dropped."""
    return {path: text for path, text in files.items() if "name: default-deny" not in text}


def _namespace(number: int) -> str:
    return f"team-{number}"


def _homes(rng: Random, shape: Profile) -> list[int]:
    """The namespace of each workload: one to twelve in each, two on average."""
    homes = list(range(shape.namespaces))[: shape.workloads]
    while len(homes) < shape.workloads:
        home = rng.randrange(shape.namespaces)
        homes += [home] * min(rng.choice((1, 1, 1, 2, 3, 5)), shape.workloads - len(homes))
    return sorted(homes)


def _namespace_text(rng: Random, number: int) -> str:
    name = _namespace(number)
    labels = f"team: t{number % 40}, env: {rng.choice(('dev', 'staging', 'prod'))}"
    return f"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {name}\n  labels: {{{labels}}}\n"


def _workload_text(rng: Random, home: int, number: int) -> str:
    port_name, port = rng.choice(_NAMES), rng.choice(_NUMBERS)
    return f"""\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: app-{number}
  namespace: {_namespace(home)}
  labels:
    app.kubernetes.io/name: app-{number % 12}
    app.kubernetes.io/managed-by: platform
spec:
  replicas: {REPLICAS}
  selector:
    matchLabels:
      app.kubernetes.io/name: app-{number % 12}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: app-{number % 12}
        tier: {rng.choice(("web", "api", "data"))}
    spec:
      serviceAccountName: app
      containers:
      - name: app
        image: registry.example.com/team/app:{number}
        args: ["--listen", ":{port}", "--log-format", "json"]
        ports:
        - name: {port_name}
          containerPort: {port}
        resources:
          requests: {{cpu: 100m, memory: 128Mi}}
          limits: {{memory: 256Mi}}
        readinessProbe:
          httpGet:
            path: /ready
            port: {port_name}
        env:
        - name: REGION
          value: "eu-1"
        - name: TOKEN
          valueFrom:
            secretKeyRef: {{name: app, key: token}}
"""


def _policy_text(rng: Random, shape: Profile, homes: list[int], number: int) -> str:
    home = number % shape.namespaces
    if number < shape.namespaces and rng.random() < shape.isolated:
        types = rng.choice(("[Ingress]", "[Ingress]", "[Ingress, Egress]"))
        return _policy(home, "default-deny", "podSelector: {}\n  policyTypes: " + types)
    egress = rng.random() < 0.35
    rules = "\n".join(_rule(rng, shape, homes, egress) for _ in range(rng.choice((1, 1, 2, 3))))
    subject = f"podSelector:\n    matchLabels:\n      app.kubernetes.io/name: app-{rng.randrange(12)}"
    direction = "egress" if egress else "ingress"
    return _policy(home, f"p{number}", f"{subject}\n  policyTypes: [{direction.capitalize()}]\n  {direction}:\n{rules}")


def _policy(home: int, name: str, spec: str) -> str:
    metadata = f"metadata:\n  name: {name}\n  namespace: {_namespace(home)}"
    return f"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n{metadata}\nspec:\n  {spec}\n"


def _rule(rng: Random, shape: Profile, homes: list[int], egress: bool) -> str:
    peers = "\n".join(_peer(rng, homes, egress) for _ in range(rng.choice((1, 1, 1, 2))))
    return f"  - {'to' if egress else 'from'}:\n{peers}\n    ports:\n{_port(rng, shape)}"


def _peer(rng: Random, homes: list[int], egress: bool) -> str:
    chance = rng.random()
    if egress and chance < 0.14:
        return _block(rng)
    if chance > 0.99:
        return "    - podSelector:\n        matchExpressions:\n        - {key: tier, operator: NotIn, values: [data]}"
    pods = f"      podSelector:\n        matchLabels:\n          app.kubernetes.io/name: app-{rng.randrange(12)}"
    if chance > 0.9:
        return f"    - {pods.lstrip()}"
    name = _namespace(rng.choice(homes))
    return f"    - namespaceSelector:\n        matchLabels:\n          kubernetes.io/metadata.name: {name}\n{pods}"


def _block(rng: Random) -> str:
    chance = rng.random()
    if chance < 0.01:
        return '    - ipBlock:\n        cidr: "2001:db8::/32"'
    cidr = f"10.{rng.randrange(256)}.0.0/16"
    excepted = f"\n        except: [{cidr.replace('/16', '/24')}]" if chance < 0.02 else ""
    return f"    - ipBlock:\n        cidr: {cidr}{excepted}"


def _port(rng: Random, shape: Profile) -> str:
    chance = rng.random()
    if chance < shape.named:
        return f"    - port: {rng.choice(_NAMES)}"
    number = rng.choice(_NUMBERS)
    if chance > 0.99:
        return f"    - port: {number}\n      protocol: SCTP"
    return f"    - port: {number}" + (f"\n      endPort: {number + 10}" if chance > 0.98 else "")


def documents(files: Files) -> Iterator[tuple[str, bytes]]:
    """The files as bytes, in path order."""
    return ((path, files[path].encode()) for path in sorted(files))
