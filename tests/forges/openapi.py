"""GitHub's published OpenAPI description, trimmed to the paths in use, and the check of calls and answers against it."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "github"
DESCRIPTION = CACHE / "openapi.json"
EXAMPLES = CACHE / "webhooks.json"


class Description:
    """The operations that the description knows. Needs `jsonschema_rs`, which keeps up with a service under load."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._components = document["components"]
        self._validators: dict[int, Any] = {}
        self._paths = [(re.compile(_pattern(path)), operations) for path, operations in document["paths"].items()]

    @classmethod
    def cached(cls) -> Description | None:
        """The description that `fetch_openapi.py` left, or None where it or jsonschema_rs is missing."""
        try:
            import jsonschema_rs  # noqa: F401
        except ImportError:
            return None
        return _read(DESCRIPTION) if DESCRIPTION.exists() else None

    def problems_of_call(self, method: str, path: str, body: object, query: Mapping[str, str] = MappingProxyType({})) -> list[str]:
        """What is wrong with a call, in words; empty where GitHub would take it."""
        operation = self._operation(method, path)
        if operation is None:
            return [f"{method} {path} is not in GitHub's description"]
        wanted, asked = operation.get("requestBody"), self._problems_of_query(operation, query, f"{method} {path}")
        if wanted is None:
            return asked if body is None else [*asked, f"{method} {path} takes no body"]
        schema, what = wanted["content"]["application/json"]["schema"], f"body of {method} {path}"
        unknown = set(body) - set(schema.get("properties", body)) if isinstance(body, dict) else set()
        return asked + [f"{what} has no field {name}" for name in sorted(unknown)] + self._problems(schema, body, what)

    def _problems_of_query(self, operation: dict[str, Any], query: Mapping[str, str], what: str) -> list[str]:
        known = {each["name"]: each["schema"] for each in self._parameters(operation) if each["in"] == "query"}
        found = [f"{what} has no parameter {name}" for name in query if name not in known]
        for name, schema in known.items():
            if name in query:
                value = int(query[name]) if schema["type"] == "integer" and query[name].isdecimal() else query[name]
                found += self._problems(schema, value, f"{name} of {what}")
        return found

    def _parameters(self, operation: dict[str, Any]) -> list[dict[str, Any]]:
        kept = self._components.get("parameters", {})
        return [kept[each["$ref"].rpartition("/")[2]] if "$ref" in each else each for each in operation.get("parameters", ())]

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
        return [f"{what}: {_path(error.instance_path)}: {error.message[:200]}" for error in self._validator(schema).iter_errors(value)]

    def _validator(self, schema: dict[str, Any]) -> Any:
        """The validator of a schema, which lives as long as the document that it is part of."""
        from jsonschema_rs import Draft202012Validator

        if id(schema) not in self._validators:
            self._validators[id(schema)] = Draft202012Validator({**schema, "components": self._components})
        return self._validators[id(schema)]


@functools.cache
def _read(path: Path) -> Description:
    return Description(json.loads(path.read_text(encoding="utf-8")))


def _path(steps: Iterable[str | int]) -> str:
    return "$" + "".join(f".{step}" if isinstance(step, str) else f"[{step}]" for step in steps)


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
    """Names have no slash in them, but those of branches and tags have."""
    return re.sub(r"\\{[a-z_]+\\}", "[^/]+", re.sub(r"\\{ref\\}$", ".+", re.escape(path)))
