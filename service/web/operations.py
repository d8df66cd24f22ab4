"""Operations of the API: each is declared once, and from the declaration come its route, its checks and its part of the OpenAPI document.

The order of checks is fixed: the token and its rate, then the query, then the body, whose length is judged before it is read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, Response
from pydantic import BaseModel

from service.store import Scope
from service.web.auth import Doorman
from service.web.reading import read_body, read_query


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer that an operation gives: a model for JSON, the media types of what has none, and its headers by name."""

    description: str
    model: type[BaseModel] | None = None
    types: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Operation:
    """One route. `scopes` are those of which a token needs one; None lets everybody in. `raw` are the media types, with a schema
    each, of a body that the view reads itself. `problems` are the statuses of its own errors."""

    method: str
    path: str
    summary: str
    answers: Mapping[int, Answer]
    scopes: tuple[Scope, ...] | None = None
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    form: type[BaseModel] | None = None
    problems: tuple[int, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    tag: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict)

    @property
    def every_problem(self) -> Sequence[int]:
        """Every status of an error that it may answer with."""
        held = (401, 403, 429, 503) if self.scopes is not None else ()
        asked = (400,) if self.query is not None or self.body is not None else ()
        sent = (411, 413, 415) if self.body is not None else ()
        return sorted({*held, *asked, *sent, *self.problems})


View = Callable[..., Response]


@dataclass(frozen=True, slots=True)
class Routes:
    """The routes of a blueprint, declared one by one with `add`."""

    blueprint: Blueprint
    doorman: Doorman
    largest_form: int
    declared: list[Operation] = field(default_factory=list)

    def add(self, operation: Operation) -> Callable[[View], View]:
        """A decorator: the view is called with the values of the path, and with `query` and `body` where the operation has them."""

        def register(view: View) -> View:
            self.declared.append(operation)
            name = f"{view.__module__.rpartition('.')[2]}_{view.__name__}"
            self.blueprint.add_url_rule(operation.path, name, self._checked(operation, view), methods=[operation.method])
            return view

        return register

    def _checked(self, operation: Operation, view: View) -> View:
        def run(**values: Any) -> Response:
            if operation.scopes is not None:
                self.doorman.admit(operation.scopes)
            if operation.query is not None:
                values["query"] = read_query(operation.query)
            if operation.body is not None:
                values["body"] = read_body(operation.body, operation.form, self.largest_form)
            return view(**values)

        return run
