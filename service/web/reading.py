"""Reading queries and bodies into the models of the API. What does not fit is a problem with a reason; what was sent is not repeated."""

from __future__ import annotations

from typing import Any, get_origin

from flask import request
from pydantic import BaseModel, ValidationError
from werkzeug.datastructures import MultiDict

from service.web.bodies import declared_length, whole_body
from service.web.problems import Problem

_LARGEST_JSON = 64_000
_LARGEST_SHOWN = 40
_REASONS = {
    "missing": "missing-field",
    "extra_forbidden": "unknown-field",
    "json_invalid": "malformed-body",
    "model_type": "malformed-body",
    "model_attributes_type": "malformed-body",
    "unknown-format": "unknown-format",
}


def read_query(model: type[BaseModel]) -> BaseModel:
    """The query of the current request. Raises `Problem`."""
    return _validated(model, _once(model, request.args))


def read_body(model: type[BaseModel], form: type[BaseModel] | None, largest_form: int) -> BaseModel:
    """The body of the current request: JSON of at most 64 kB, or a form with files where there is a model of one. Raises `Problem`."""
    if request.mimetype == "application/json":
        raw = whole_body(_LARGEST_JSON)
        try:
            return model.model_validate_json(raw)
        except ValidationError as error:
            raise _problem(error) from None
    if form is not None and request.mimetype == "multipart/form-data":
        declared_length(largest_form)
        return _validated(form, {**_once(form, request.form), **_once(form, request.files, request.form)})
    kinds = "application/json" + (", or multipart/form-data with files" if form is not None else "")
    raise Problem(415, "unsupported-media-type", f"Send {kinds}.")


def _validated(model: type[BaseModel], given: dict[str, Any]) -> BaseModel:
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise _problem(error) from None


def _once(model: type[BaseModel], *given: MultiDict[str, Any]) -> dict[str, Any]:
    """The values of the first by name; a name that is no list and stands there twice, or in another of them too, is refused."""
    lists = {name for name, known in model.model_fields.items() if get_origin(known.annotation) is list}
    found: dict[str, Any] = {}
    for name, values in given[0].lists():
        if name not in lists and (len(values) > 1 or any(name in other for other in given[1:])):
            raise Problem(400, "invalid-field", f"{name[:_LARGEST_SHOWN]!r} may stand there once.")
        found[name] = values if name in lists else values[0]
    return found


def _problem(error: ValidationError) -> Problem:
    """The first thing that is wrong. What was sent is not in it: it may be long, or a secret in the wrong place."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    reason = _REASONS.get(first["type"], "invalid-field")
    if reason == "malformed-body":
        return Problem(400, reason, "The body is not a JSON object.")
    name = ".".join(str(part) for part in first["loc"])[:_LARGEST_SHOWN]
    if reason == "unknown-field":
        return Problem(400, reason, f"There is no field {name!r}.")
    return Problem(400, reason, f"{name}: {first['msg'][:200]}.")
