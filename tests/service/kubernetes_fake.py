"""A stand-in for the API of a Kubernetes cluster: discovery and lists in pages, over real HTTP, with a token."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

TOKEN = "kube-token-5e1d"
Object = dict[str, Any]


@dataclass
class KubernetesFake:
    """What the cluster holds, and what it was asked. `kinds` are (group, version, kind, plural); objects are found by group and kind.
    `page` caps a page whatever is asked for; lists at a path of `broken` answer with a status; `expire` counts continued pages that do."""

    kinds: list[tuple[str, str, str, str]]
    objects: list[Object]
    page: int = 2
    broken: dict[str, int] = field(default_factory=dict)
    expire: int = 0
    asked: list[tuple[str, str, Mapping[str, list[str]]]] = field(default_factory=list)
    url: str = ""

    def kubeconfig(self, token: str = TOKEN) -> str:
        """A kubeconfig for this cluster."""
        return yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "here",
                "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
                "clusters": [{"name": "c", "cluster": {"server": self.url}}],
                "users": [{"name": "u", "user": {"token": token}}],
            }
        )

    def answer(self, method: str, target: str, authorization: str) -> tuple[int, Any]:
        """The status and the document of a request."""
        parts = urlsplit(target)
        query = parse_qs(parts.query)
        self.asked.append((method, parts.path, query))
        if authorization != f"Bearer {TOKEN}":
            return 401, {"kind": "Status", "message": "Unauthorized"}
        if parts.path in self.broken:
            return self.broken[parts.path], {"kind": "Status", "message": "no"}
        if parts.path == "/apis":
            return 200, {"kind": "APIGroupList", "groups": self._groups()}
        for group, version in {(group, version) for group, version, *_ in self.kinds} | {("", "v1")}:
            prefix = f"/apis/{group}/{version}" if group else f"/api/{version}"
            if parts.path == prefix:
                return 200, {"kind": "APIResourceList", "resources": self._resources(group, version)}
            for each in self.kinds:
                if each[:2] == (group, version) and parts.path == f"{prefix}/{each[3]}":
                    return self._list(each, query)
        return 404, {"kind": "Status", "message": "not found"}

    def _groups(self) -> list[Object]:
        names = dict.fromkeys(group for group, *_ in self.kinds if group)
        versions = {
            name: [{"version": version} for version in dict.fromkeys(each[1] for each in self.kinds if each[0] == name)] for name in names
        }
        return [{"name": name, "versions": versions[name], "preferredVersion": versions[name][0]} for name in names]

    def _resources(self, group: str, version: str) -> list[Object]:
        of_it = [each for each in self.kinds if each[:2] == (group, version)]
        listed = [{"name": plural, "kind": kind, "namespaced": True, "verbs": ["get", "list"]} for _, _, kind, plural in of_it]
        return [*listed, *({**each, "name": f"{each['name']}/status", "verbs": ["get"]} for each in listed)]

    def _list(self, kind: tuple[str, str, str, str], query: Mapping[str, list[str]]) -> tuple[int, Any]:
        start = int(query.get("continue", ["0"])[0])
        if start and self.expire:
            self.expire -= 1
            return 410, {"kind": "Status", "reason": "Expired"}
        held = [each for each in self.objects if (each["apiVersion"].rpartition("/")[0], each["kind"]) == (kind[0], kind[2])]
        size = min(self.page, int(query["limit"][0]))
        items = [{key: value for key, value in each.items() if key not in ("apiVersion", "kind")} for each in held[start : start + size]]
        more = {"continue": str(start + size)} if start + size < len(held) else {}
        return 200, {"kind": f"{kind[2]}List", "apiVersion": kind[1], "metadata": more, "items": items or None}


@contextmanager
def serving(fake: KubernetesFake) -> Iterator[KubernetesFake]:
    """The fake over HTTP, until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            status, document = fake.answer(self.command, self.path, self.headers.get("Authorization", ""))
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _do  # noqa: N815 (the names that the server looks for)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
