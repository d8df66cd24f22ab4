"""Stand-ins for forges whose API is described in a YAML file beside the tests: real HTTP, and every call and answer checked against it."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, unquote

import yaml
from jsonschema import Draft202012Validator

from tests.forges.answering import Answer, JsonServer
from tests.forges.faults import Fault, When

FOLDER = Path(__file__).parent


class Refusal(Exception):
    """An answer that reports an error."""

    def __init__(self, status: int, message: object) -> None:
        super().__init__(str(message))
        self.status, self.message = status, message


@dataclass
class Asked:
    """A call that arrived. `path` is as it was sent, `where` the parts of it, decoded."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    headers: Message
    where: dict[str, str] = field(default_factory=dict)
    status: int = 0


class Description:
    """The operations of an OpenAPI 3.1 document."""

    def __init__(self, name: str) -> None:
        self.document: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
        self._paths = [(re.compile(_pattern(path)), operations) for path, operations in self.document["paths"].items()]

    def operation(self, asked: Asked) -> dict[str, Any] | None:
        """The operation that a call is for; it fills in the parts of its path."""
        for pattern, operations in self._paths:
            match = pattern.fullmatch(asked.path)
            if match and asked.method.lower() in operations:
                asked.where = {name: unquote(value) for name, value in match.groupdict().items()}
                found: dict[str, Any] = operations[asked.method.lower()]
                return found
        return None

    def problems_of_call(self, asked: Asked, operation: dict[str, Any]) -> list[str]:
        """What is wrong with a call, in words."""
        what = f"{asked.method} {asked.path}"
        known = {each["name"]: each for each in operation.get("parameters", []) if each["in"] == "query"}
        problems = [f"{what} takes no parameter {name}" for name in asked.query.keys() - known.keys()]
        problems += [f"{what} lacks {name}" for name, each in known.items() if each.get("required") and name not in asked.query]
        for name, value in asked.query.items():
            if name in known:
                problems += self._problems(known[name]["schema"], _typed(value, known[name]["schema"]), f"{name} of {what}")
        wanted = self._resolved(operation.get("requestBody"))
        if wanted is None:
            return problems + ([f"{what} takes no body"] if asked.body is not None else [])
        if not asked.headers.get("Content-Type", "").startswith("application/json"):
            problems.append(f"{what} is not JSON")
        return problems + self._problems(wanted["content"]["application/json"]["schema"], asked.body, f"body of {what}")

    def problems_of_answer(self, asked: Asked, operation: dict[str, Any], status: int, body: object) -> list[str]:
        """What is wrong with an answer of the stand-in."""
        what = f"{status} to {asked.method} {asked.path}"
        answer = self._resolved(operation["responses"].get(str(status)))
        if answer is None:
            return [f"{what} is not described"]
        content = answer.get("content", {}).get("application/json")
        return self._problems(content["schema"], body, what) if content else []

    def _resolved(self, part: dict[str, Any] | None) -> dict[str, Any] | None:
        """The part itself, or what it refers to among the components."""
        if part is None or "$ref" not in part:
            return part
        _, _, kind, name = part["$ref"].split("/")
        found: dict[str, Any] = self.document["components"][kind][name]
        return found

    def _problems(self, schema: dict[str, Any], value: object, what: str) -> list[str]:
        validator = Draft202012Validator({**schema, "components": self.document["components"]})
        return [f"{what}: {error.json_path}: {error.message[:200]}" for error in validator.iter_errors(value)]


class DescribedServer:
    """One forge. Use it as a context manager; `url` is its root. `handle` of the subclass answers what the description knows."""

    description: Description

    def __init__(self, token: str) -> None:
        self.token = token
        self.calls: list[Asked] = []
        self.faults: list[Fault] = []
        self.violations: list[str] = []
        self.lock = threading.RLock()
        self._server = JsonServer(self._heard)
        self.url = self._server.url

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        for fault in self.faults:
            if fault.gate is not None:
                fault.gate.open()
        self._server.stop()

    def handle(self, asked: Asked, operation: str) -> Answer:
        """The answer to a call of an operation, by its operationId."""
        raise NotImplementedError

    def authorized(self, headers: Message) -> bool:
        """Whether a call shows the token."""
        raise NotImplementedError

    def inject(self, fault: Fault) -> Fault:
        """Let a fault happen from now on."""
        with self.lock:
            self.faults.append(fault)
        return fault

    def called(self, method: str, path: str) -> int:
        """How often a call was answered; `path` is a regular expression."""
        with self.lock:
            return sum(1 for call in self.calls if call.method == method and re.fullmatch(path, call.path))

    def _heard(self, method: str, path: str, query: str, body: Any, headers: Message) -> Answer | None:
        return self.answer(Asked(method, path, dict(parse_qsl(query, keep_blank_values=True)), body, headers))

    def answer(self, asked: Asked) -> Answer | None:
        """The answer to a call, None for none at all."""
        with self.lock:
            fault = next((each for each in self.faults if each.hits(asked.method, asked.path)), None)
        if fault is not None and fault.when is When.BEFORE:
            return self._faulty(asked, fault)
        with self.lock:
            answer = self._checked(asked)
            asked.status = answer[0]
            self.calls.append(asked)
        return answer if fault is None else self._faulty(asked, fault)

    def _faulty(self, asked: Asked, fault: Fault) -> Answer | None:
        if fault.gate is not None:
            fault.gate.hold()
        asked.status = fault.status
        with self.lock:
            self.calls.append(asked)
        return (fault.status, {"message": fault.message}, dict(fault.headers)) if fault.status else None

    def _checked(self, asked: Asked) -> Answer:
        operation = self.description.operation(asked)
        if operation is None:
            self.violations.append(f"{asked.method} {asked.path} is not in the description")
            return 404, {"message": "404 Not Found"}, {}
        self.violations += self.description.problems_of_call(asked, operation)
        if not self.authorized(asked.headers):
            return 401, {"message": "401 Unauthorized"}, {}
        try:
            status, body, headers = self.handle(asked, operation["operationId"])
        except Refusal as refused:
            status, body, headers = refused.status, {"message": refused.message}, {}
        self.violations += self.description.problems_of_answer(asked, operation, status, body)
        return status, body, headers


def paged(found: list[Any], asked: Asked, url: str, size_name: str, default: int, most: int) -> Answer:
    """One page of a list, with a link to the next one where there is one."""
    size, page = min(most, int(asked.query.get(size_name, default))), int(asked.query.get("page", "1"))
    query = "&".join(f"{name}={value}" for name, value in {**asked.query, size_name: size, "page": page + 1}.items())
    link = {"Link": f'<{url}{asked.path}?{query}>; rel="next"'} if page * size < len(found) else {}
    return 200, found[(page - 1) * size : page * size], link


def _typed(value: str, schema: Mapping[str, Any]) -> object:
    return int(value) if schema.get("type") == "integer" and re.fullmatch("-?[0-9]+", value) else value


def _pattern(path: str) -> str:
    """Parts are separated by slashes as they were sent, so an encoded one belongs to its part; `{name}*` goes on to the end."""
    escaped = re.sub(r"\\{([a-z_]+)\\}\\\*", r"(?P<\1>.+)", re.escape(path))
    return re.sub(r"\\{([a-z_]+)\\}", r"(?P<\1>[^/]+)", escaped)
