"""Documents of YAML in any style, by the parser's events, and of JSON that is no YAML."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from yaml._yaml import CParser
from yaml.error import MarkedYAMLError
from yaml.events import DocumentStartEvent, StreamEndEvent
from yaml.reader import ReaderError

from analyzers.manifests.builder import Builder
from analyzers.manifests.defects import Defect, Unparsable
from analyzers.manifests.document import Document
from analyzers.manifests.json_events import is_json, json_events
from analyzers.manifests.limits import Limits, NodeBudget
from analyzers.manifests.source import Chunk

_DIRECTIVES: Final = 64
"""More `%` lines than this in one document are refused: the parser compares each with all before it."""


def read_any_style(chunk: Chunk, limits: Limits, budget: NodeBudget) -> Iterator[Document]:
    """The documents of a chunk, as a stream: one, but for odd line breaks. `Unparsable` when it is no YAML or JSON, or exceeds a cap."""
    none_yet, left = True, budget.left
    try:
        for document in read_events(chunk, limits, budget):
            none_yet = False
            yield document
    except Unparsable as error:
        if not (none_yet and error.defect.code == "syntax-error" and is_json(chunk.text)):
            raise
        budget.left = left
        yield Builder(json_events(chunk.text).__next__, chunk.line, limits, budget).document()


def read_events(chunk: Chunk, limits: Limits, budget: NodeBudget) -> Iterator[Document]:
    """The documents of a chunk of YAML by the parser's events, which know every style. `Unparsable` when it is none, or exceeds a cap."""
    if chunk.text.count("\n%") > _DIRECTIVES:
        raise Unparsable(Defect("limit-exceeded", f"more than {_DIRECTIVES} lines of one document start with %", chunk.line))
    try:
        events = CParser(chunk.text).get_event
        while (event := events()).__class__ is not StreamEndEvent:
            if event.__class__ is DocumentStartEvent:
                yield Builder(events, chunk.line, limits, budget).document()
    except MarkedYAMLError as error:
        raise Unparsable(_syntax_error(error, chunk.line)) from error
    except ReaderError as error:
        line = chunk.line + chunk.text.encode()[: error.position].count(b"\n")
        raise Unparsable(Defect("syntax-error", str(error.reason), line)) from error


def _syntax_error(error: MarkedYAMLError, first_line: int) -> Defect:
    """What the parser complains of, where, and what it was in the middle of."""
    lines = [first_line + mark.line for mark in (error.context_mark, error.problem_mark) if mark is not None] or [first_line]
    context = f" ({error.context} from line {lines[0]})" if error.context else ""
    return Defect("syntax-error", f"{error.problem}{context}", lines[-1])
