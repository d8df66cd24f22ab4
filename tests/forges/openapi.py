"""GitHub's published OpenAPI description, trimmed to the paths in use, and the check of calls and answers against it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "github"
DESCRIPTION = CACHE / "openapi.json"
EXAMPLES = CACHE / "webhooks.json"


class Description:
    """The operations that the description knows. Needs `jsonschema`."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._components = document["components"]
        self._paths = [(re.compile(_pattern(path)), operations) for path, operations in document["paths"].items()]

    @classmethod
    def cached(cls) -> Description | None:
        """The description that `fetch_openapi.py` left, or None where it or jsonschema is missing."""
        try:
            import jsonschema  # noqa: F401
        except ImportError:
            return None
        return cls(json.loads(DESCRIPTION.read_text(encoding="utf-8"))) if DESCRIPTION.exists() else None

    def problems_of_call(self, method: str, path: str, body: object) -> list[str]:
        """What is wrong with a call, in words; empty where GitHub would take it."""
        operation = self._operation(method, path)
        if operation is None:
            return [f"{method} {path} is not in GitHub's description"]
        wanted = operation.get("requestBody")
        if wanted is None:
            return [] if body is None else [f"{method} {path} takes no body"]
        return self._problems(wanted["content"]["application/json"]["schema"], body, f"body of {method} {path}")

    def problems_of_answer(self, method: str, path: str, status: int, body: object) -> list[str]:
        """What is wrong with an answer that reports success."""
        operation = self._operation(method, path)
        if operation is None or status >= 400:
            return []
        answer = operation["responses"].get(str(status))
        if answer is None:
            return [f"{method} {path} never answers {status}"]
        content = answer.get("content", {}).get("application/json")
        return self._problems(content["schema"], body, f"answer to {method} {path}") if content else []

    def _operation(self, method: str, path: str) -> dict[str, Any] | None:
        for pattern, operations in self._paths:
            if pattern.fullmatch(path):
                operation: dict[str, Any] | None = operations.get(method.lower())
                return operation
        return None

    def _problems(self, schema: dict[str, Any], value: object, what: str) -> list[str]:
        from jsonschema import Draft202012Validator

        validator = Draft202012Validator({**schema, "components": self._components})
        return [f"{what}: {error.json_path}: {error.message[:200]}" for error in validator.iter_errors(value)]


def trimmed(document: dict[str, Any], operations: list[tuple[str, str]]) -> dict[str, Any]:
    """The operations named and everything they refer to, without what a validator has no use for, as JSON Schema instead of OpenAPI 3.0."""
    paths: dict[str, Any] = {}
    for method, path in operations:
        paths.setdefault(path, {})[method.lower()] = _bare(document["paths"][path][method.lower()])
    components: dict[str, dict[str, Any]] = {}
    queue = [reference for operation in paths.values() for reference in _references(operation)]
    while queue:
        kind, name = queue.pop().removeprefix("#/components/").split("/", 1)
        if name not in components.setdefault(kind, {}):
            components[kind][name] = _bare(document["components"][kind][name])
            queue += _references(components[kind][name])
    return {"paths": paths, "components": components}


_DROPPED = {
    "description",
    "summary",
    "example",
    "examples",
    "externalDocs",
    "x-github",
    "tags",
    "operationId",
    "parameters",
    "discriminator",
}


def _bare(value: Any, *, named: bool = False) -> Any:
    """The value without texts and examples; `nullable` becomes a type. Keys of `properties` are names, so none of them is dropped."""
    if isinstance(value, list):
        return [_bare(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {key: _bare(item, named=key == "properties" and not named) for key, item in value.items() if named or key not in _DROPPED}
    if not named and kept.pop("nullable", False):
        return {"anyOf": [kept, {"type": "null"}]}
    return kept


def _references(value: Any) -> list[str]:
    if isinstance(value, list):
        return [reference for item in value for reference in _references(item)]
    if not isinstance(value, dict):
        return []
    own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
    return own + [reference for item in value.values() for reference in _references(item)]


def _pattern(path: str) -> str:
    return re.sub(r"\\{[a-z_]+\\}", "[^/]+", re.escape(path))
