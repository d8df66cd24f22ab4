"""The OpenAPI 3.1 document, made from the declared operations and their models. There is no second description to keep in step."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from service.web.operations import Answer, Operation
from service.web.shown import ProblemDocument

Json = dict[str, Any]
_REFERENCE = "#/components/schemas/{model}"
_VARIABLE = re.compile(r"<(?:[a-z]+:)?([a-z_]+)>")
_PROBLEM_HEADERS = {401: ("WWW-Authenticate",), 429: ("Retry-After",), 503: ("Retry-After",)}
_INTRODUCTION = (
    "What a change to Kubernetes network policy opens and closes. Errors are problem details (RFC 9457) with a stable `reason`. "
    "Fields may be added to answers; fields of requests that are not listed are refused."
)


def document(operations: Sequence[Operation]) -> Json:
    """The document of the operations."""
    references, schemas = _schemas(operations)
    paths: dict[str, Json] = {}
    for operation in operations:
        path = _VARIABLE.sub(r"{\1}", operation.path)
        paths.setdefault(path, {})[operation.method.lower()] = _operation(operation, references)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Flowdelta",
            "version": "1",
            "description": _INTRODUCTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "A token of `flowdelta token create`."}},
        },
    }


def _schemas(operations: Iterable[Operation]) -> tuple[Mapping[type[BaseModel], Json], Json]:
    """A reference to the schema of each model, and the schemas."""
    wanted: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {(ProblemDocument, "serialization"): None}
    for operation in operations:
        wanted |= {(model, "validation"): None for model in (operation.body, operation.form) if model is not None}
        wanted |= {(answer.model, "serialization"): None for answer in operation.answers.values() if answer.model is not None}
    references, found = models_json_schema(list(wanted), ref_template=_REFERENCE)
    return {model: references[model, mode] for model, mode in wanted}, found["$defs"]


def _operation(operation: Operation, references: Mapping[type[BaseModel], Json]) -> Json:
    name = "".join(part.capitalize() for part in re.findall(r"[a-z]+", operation.path.removeprefix("/api/v1/")))
    shown: Json = {"operationId": operation.method.lower() + name, "summary": operation.summary, "tags": [operation.tag]}
    if operation.scopes is not None:
        shown["description"] = f"Needs a token with the scope {' or '.join(f'`{scope}`' for scope in operation.scopes)}."
        shown["security"] = [{"token": []}]
    if parameters := [*_in_path(operation), *_in_query(operation), *_in_headers(operation)]:
        shown["parameters"] = parameters
    if operation.body is not None:
        kinds = {"application/json": operation.body, "multipart/form-data": operation.form}
        shown["requestBody"] = {
            "required": True,
            "content": {kind: {"schema": references[model]} for kind, model in kinds.items() if model is not None},
        }
    if operation.raw:
        shown["requestBody"] = {"required": True, "content": {kind: {"schema": schema} for kind, schema in operation.raw.items()}}
    answers = {str(status): _answer(answer, references) for status, answer in operation.answers.items()}
    problems = {str(status): _problem(status, references) for status in operation.every_problem}
    shown["responses"] = dict(sorted((problems | answers).items()))
    return shown


def _in_path(operation: Operation) -> Iterable[Json]:
    for name, meaning in operation.parameters.items():
        yield {"name": name, "in": "path", "required": True, "description": meaning, "schema": {"type": "string"}}


def _in_query(operation: Operation) -> Iterable[Json]:
    if operation.query is None:
        return
    schema = operation.query.model_json_schema()
    for name, known in schema["properties"].items():
        # Null is how a parameter that is left out reaches us, not something that a query can say.
        said: Json = next((each for each in known.pop("anyOf", ()) if each.get("type") != "null"), {})
        known = {key: value for key, value in {**known, **said}.items() if key != "title" and value is not None}
        yield {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "description": known.pop("description", ""),
            "schema": known,
        }


def _in_headers(operation: Operation) -> Iterable[Json]:
    for name, meaning in operation.headers.items():
        yield {"name": name, "in": "header", "required": False, "description": meaning, "schema": {"type": "string"}}


def _answer(answer: Answer, references: Mapping[type[BaseModel], Json]) -> Json:
    content: Json = {} if answer.model is None else {"application/json": {"schema": references[answer.model]}}
    content |= {kind: {"schema": {} if kind.endswith("json") else {"type": "string"}} for kind in answer.types}
    headers = {name: {"description": meaning, "schema": {"type": "string"}} for name, meaning in answer.headers.items()}
    return {"description": answer.description, "content": content, **({"headers": headers} if headers else {})}


def _problem(status: int, references: Mapping[type[BaseModel], Json]) -> Json:
    headers = {name: {"schema": {"type": "string"}} for name in _PROBLEM_HEADERS.get(status, ())}
    content = {"application/problem+json": {"schema": references[ProblemDocument]}}
    return {"description": HTTPStatus(status).phrase, "content": content, **({"headers": headers} if headers else {})}
