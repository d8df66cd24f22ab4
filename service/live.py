"""`flowdelta inventory`: reads what runs from a live cluster, by the official client, with nothing but list requests.

Only kinds that the analysis knows, or must report, are asked for, so no Secret ever is; what comes is reduced page by page.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from analyzers.interest import read_running, wanted
from analyzers.manifests.running import SnapshotError, SnapshotLimits, reduced_list
from analyzers.model.manifest import Manifest
from analyzers.reports.escape import printable, shortened
from service.exits import BadInput, Exit

PAGE: Final = 500
"""Objects that one request asks for."""

_TIMES: Final = (10.0, 120.0)  # seconds to connect, and to wait for an answer
_RESTARTS: Final = 3
_LONGEST: Final = 200

Get = Callable[[str, Mapping[str, str]], tuple[int, bytes]]
"""The status and the body of a GET request for a path with a query."""


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind as the API serves it: the path of its lists."""

    version: str
    kind: str
    path: str


class Unanswered(Exception):
    """The API does not give what is needed. The message says of what, never with what credentials."""


def inventory(context: str | None, kubeconfig: Path | None, output: Path | None) -> Exit:
    """Run `flowdelta inventory`."""
    try:
        started = datetime.now(UTC)
        written = reduced_list(read_live(_connected(context, kubeconfig)), started)
    except (Unanswered, SnapshotError) as error:
        raise BadInput(printable(str(error))) from error
    if output is None:
        sys.stdout.write(written.decode())
        sys.stdout.write("\n")
        return Exit.DONE
    try:
        output.write_bytes(written)
    except OSError as error:
        raise BadInput(f"cannot write {output}: {error.strerror}") from error
    return Exit.DONE


def read_live(get: Get, most: int | None = None) -> tuple[Manifest, ...]:
    """Every object that matters. Raises `Unanswered` where one kind of them cannot be listed: what is missing would look like nothing."""
    most = most or SnapshotLimits().objects
    found: list[Manifest] = []
    refused: list[str] = []
    for resource in served(get):
        try:
            for page in _pages(get, resource):
                found += page
                if len(found) > most:
                    raise SnapshotError(f"the cluster holds more than {most:,} objects; at most so many are read")
        except PermissionError:
            refused.append(resource.path)
    if refused:
        raise Unanswered(f"these may not be listed with this account: {', '.join(refused)}")
    return tuple(found)


def served(get: Get) -> Iterator[Resource]:
    """The kinds that matter, of all that the API serves; of a kind with several versions the preferred one, else the first."""
    seen: set[tuple[str, str]] = set()
    for group, version in _versions(get):
        prefix = f"/apis/{group}/{version}" if group else f"/api/{version}"
        for each in _listed(_json(get, prefix, {}), "resources"):
            name, kind, verbs = (each.get(key) for key in ("name", "kind", "verbs"))
            if not isinstance(name, str) or not isinstance(kind, str) or "/" in name or "list" not in (verbs or ()):
                continue
            if wanted(group, kind) and (group, kind) not in seen:
                seen.add((group, kind))
                yield Resource(f"{group}/{version}" if group else version, kind, f"{prefix}/{name}")


def _versions(get: Get) -> Iterator[tuple[str, str]]:
    yield "", "v1"
    for group in _listed(_json(get, "/apis", {}), "groups"):
        name, preferred = group.get("name"), (group.get("preferredVersion") or {}).get("version")
        versions = [each.get("version") for each in _listed(group, "versions")]
        for version in dict.fromkeys((preferred, *versions)):
            if isinstance(name, str) and isinstance(version, str):
                yield name, version


def _pages(get: Get, resource: Resource) -> Iterator[list[Manifest]]:
    """The objects of a kind, page by page; from the beginning again where the pages were too slow and what they continue has expired."""
    for _ in range(_RESTARTS):
        pages = _run(get, resource)
        if pages is not None:
            yield from pages
            return
    raise Unanswered(f"{resource.path}: changes faster than it can be read")


def _run(get: Get, resource: Resource) -> list[list[Manifest]] | None:
    """Every page of one run through the list; None where it expired on the way."""
    pages: list[list[Manifest]] = []
    token = ""
    while True:
        status, body = get(resource.path, {"limit": str(PAGE), **({"continue": token} if token else {})})
        if status == 410 and token:
            return None
        if status in (401, 403):
            raise PermissionError
        page = _parsed(status, body, resource.path)
        pages.append(_objects(page, resource))
        following = (page.get("metadata") or {}).get("continue") or ""
        if not following:
            return pages
        if following == token:
            raise Unanswered(f"{resource.path}: its pages never end")
        token = following


def _objects(page: Mapping[str, Any], resource: Resource) -> list[Manifest]:
    """The objects of a page, which do not repeat their kind, less what nobody analyses."""
    items = [{**each, "apiVersion": resource.version, "kind": resource.kind} for each in _listed(page, "items")]
    listed = json.dumps({"kind": "List", "apiVersion": "v1", "items": items}).encode()
    return list(read_running(listed, resource.path).manifests)


def _json(get: Get, path: str, query: Mapping[str, str]) -> Mapping[str, Any]:
    status, body = get(path, query)
    return _parsed(status, body, path)


def _parsed(status: int, body: bytes, path: str) -> Mapping[str, Any]:
    if status != 200:
        raise Unanswered(f"{path}: the API answers with the status {status}")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise Unanswered(f"{path}: the API answers with something that is not JSON") from None
    if not isinstance(document, dict):
        raise Unanswered(f"{path}: the API answers with something that is no object")
    return document


def _listed(holder: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The objects of a list; the API writes null for an empty one."""
    return [each for each in holder.get(name) or () if isinstance(each, dict)]


def _connected(context: str | None, kubeconfig: Path | None) -> Get:
    """A connection as the kubeconfig says, or with the account of the pod that this runs in. Raises `Unanswered`."""
    from kubernetes import client, config
    from kubernetes.config.config_exception import ConfigException
    from urllib3.exceptions import HTTPError

    try:
        if kubeconfig is None and context is None and _in_cluster():
            settings = client.Configuration()
            config.load_incluster_config(client_configuration=settings)
            api = client.ApiClient(settings)
        else:
            api = config.new_client_from_config(str(kubeconfig) if kubeconfig is not None else None, context, persist_config=False)
    except (ConfigException, OSError, ValueError) as error:
        raise Unanswered(f"no cluster to read: {shortened(str(error), _LONGEST)}") from None

    def get(path: str, query: Mapping[str, str]) -> tuple[int, bytes]:
        accepted = {"Accept": "application/json"}
        try:
            method, url, headers, *_ = api.param_serialize(
                "GET", path, query_params=list(query.items()), header_params=accepted, auth_settings=["BearerToken"]
            )
            answer = api.call_api(method, url, headers, _request_timeout=_TIMES)
            body = answer.read()
        except client.ApiException as error:
            return int(error.status or 0), b""
        except (HTTPError, OSError) as error:
            raise Unanswered(f"the API does not answer: {type(error).__name__}") from None
        return int(answer.status), body or b""

    return get


def _in_cluster() -> bool:
    """Whether this runs in a pod, and no kubeconfig says otherwise."""
    return "KUBERNETES_SERVICE_HOST" in os.environ and "KUBECONFIG" not in os.environ
