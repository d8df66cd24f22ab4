"""Repositories as a forge holds them, built object by object: no work tree, no configuration of the person who runs the tests."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

_ENVIRONMENT = {
    "PATH": os.environ.get("PATH", os.defpath),
    "HOME": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    **{f"GIT_{role}_NAME": "Test Author" for role in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{role}_EMAIL": "author@example.com" for role in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{role}_DATE": "2024-05-01T12:00:00Z" for role in ("AUTHOR", "COMMITTER")},
}


class Origin:
    """One bare repository below `root`."""

    def __init__(self, root: Path, name: str) -> None:
        self.name, self.root, self.path = name, root, root / f"{name}.git"
        self.path.mkdir(parents=True)
        self._git("init", "--bare", "--quiet", "--initial-branch=main", str(self.path))

    @property
    def url(self) -> str:
        """The URL of the folder that holds it, as FLOWDELTA_GITHUB_GIT_URL."""
        return f"file://{self.root}"

    def commit(self, ref: str, files: Mapping[str, str], *parents: str) -> str:
        """Let `ref` name a new commit with exactly these files; its id."""
        index = self.path / "test-index"
        index.unlink(missing_ok=True)
        for path, content in files.items():
            blob = self._git("hash-object", "-w", "--stdin", stdin=content)
            self._git("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", index=index)
        tree = self._git("write-tree", index=index)
        commit = self._git("commit-tree", tree, "-m", f"for {ref}", *(word for parent in parents for word in ("-p", parent)))
        self._git("update-ref", ref, commit)
        return commit

    def delete(self, ref: str) -> None:
        """Take a ref away."""
        self._git("update-ref", "-d", ref)

    def _git(self, *arguments: str, stdin: str = "", index: Path | None = None) -> str:
        environment = {**_ENVIRONMENT, "GIT_DIR": str(self.path), **({"GIT_INDEX_FILE": str(index)} if index else {})}
        done = subprocess.run(["git", *arguments], env=environment, input=stdin, capture_output=True, text=True, check=True)
        return done.stdout.strip()


def workload(name: str) -> str:
    """A Deployment shop/<name>."""
    return f"""apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: shop}}
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec: {{containers: [{{name: main, image: example/{name}}}]}}
"""


def policy(name: str, source: str, port: int) -> str:
    """A NetworkPolicy that lets only `source` reach shop/<name>, on one TCP port."""
    return f"""apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: {name}, namespace: shop}}
spec:
  podSelector: {{matchLabels: {{app: {name}}}}}
  policyTypes: [Ingress]
  ingress:
    - from: [{{podSelector: {{matchLabels: {{app: {source}}}}}}}]
      ports: [{{protocol: TCP, port: {port}}}]
"""


def shop(port: int = 7070, **more: str) -> dict[str, str]:
    """A small cluster: web may reach cart on `port`. `more` are further files, with `_` for `.` in their names."""
    files = {"web.yaml": workload("web"), "cart.yaml": workload("cart"), "policy.yaml": policy("cart", "web", port)}
    return files | {name.replace("_", "."): content for name, content in more.items()}
