"""The plain part of YAML, read line by line: block mappings and sequences of scalars and flow collections that each stand on one line.

Most manifests are nothing else, and a parser's events cost more than twice as much. What stands here is a subset by construction: each line
is matched as a whole by an expression that only lets through what has one reading, and `None` is the answer to all else, be it another
style, an anchor, a tag, a duplicate key or an error. The parser's events then decide, so that values, lines and defects do not depend on
which way was taken.
"""

from __future__ import annotations

import re
from sys import intern
from typing import Final

from analyzers.manifests.document import Document
from analyzers.manifests.flow_style import FLOW, KEY, NOT_AS_WRITTEN, QUOTED, NotPlain, read_flow
from analyzers.manifests.limits import Limits, NodeBudget
from analyzers.manifests.scalars import WORDS, plain
from analyzers.manifests.source import Chunk
from analyzers.model.manifest import YamlList, YamlMap, YamlValue

_COMMENT: Final = r"\#.*+"
"""Comments may hold other letters than those of ASCII; that all of them are printable is looked at for the whole text."""

_PLAIN: Final = r"""(?:[A-Za-z0-9_./$(+~]|[-:](?=[\w.:-]))[!"$-9;-~]*+(?:(?:[ ]++|:++)[!"$-9;-~]++)*+"""
"""A plain scalar of ASCII; what begins or ends with a colon, or holds one before a space, or `#`, may be something else."""

_MARKER = re.compile(rf"---(?:\ *+|\ ++{_COMMENT})\n", re.VERBOSE)
_LINE = re.compile(
    rf"""^
    (\ *+)                                               # indentation
    (-\ ++)?+                                            # an item of a sequence
    (?:({KEY}):(?:\ ++|(?=\n)))?+                        # a key
    (?(2)|(?(3)|(?=[#\n])))                              # without either, nothing but a comment
    ({_PLAIN} | {QUOTED} | {FLOW})?+                      # a value
    (?:\ ++(?:{_COMMENT})?+|(?<![!-~]){_COMMENT})?+
    \n""",
    re.VERBOSE | re.MULTILINE | re.ASCII,
)

_LONGEST: Final = 262_144
"""Characters of a text that is tried: a line costs more memory here than with the parser."""

_Row = tuple[int, int, str, str, str]
"""A line with content: its number, its indentation, and the dash, key and value on it, empty where there is none."""

_END: Final[_Row] = (0, -1, "", "", "")


def read_block_style(chunk: Chunk, limits: Limits, budget: NodeBudget) -> Document | None:
    """The document of a chunk, without a defect; None, and nothing taken from the budget, where it is not of the plain part."""
    rows = _rows(chunk) if len(chunk.text) <= _LONGEST else None
    if rows is None or len(rows) > budget.left:
        return None
    reader = _Reader(rows, limits.depth)
    try:
        value, end = reader.mapping(0, 0, 1)
    except NotPlain:
        return None
    if rows[end] is not _END or reader.nodes > budget.left:
        return None
    budget.left -= reader.nodes
    return Document(value, rows[0][0], None)


def _rows(chunk: Chunk) -> list[_Row] | None:
    """The lines of a text that have content, and an end; None unless all are of the plain part and the first is a key in column 0."""
    if not chunk.text.replace("\n", "").isprintable():
        return None  # what ends a line for the parser alone, what it refuses, and tabs
    marker = _MARKER.match(chunk.text)
    text = chunk.text[marker.end() :] if marker else chunk.text
    text = text if text.endswith("\n") else text + "\n"
    found = _LINE.findall(text)
    if len(found) != text.count("\n"):
        return None
    first_line = chunk.line + (marker is not None)
    rows = [(line, len(indent), dash, key, value) for line, (indent, dash, key, value) in enumerate(found, first_line) if dash or key]
    if not rows or rows[0][1] or rows[0][2]:
        return None
    rows.append(_END)
    return rows


class _Reader:
    """Makes values of rows. `nodes` is how many there are, counted as the builder counts them."""

    __slots__ = ("_most_levels", "_rows", "nodes")

    def __init__(self, rows: list[_Row], most_levels: int) -> None:
        self._rows, self._most_levels = rows, most_levels
        self.nodes = len(rows)  # the root, which the end stands for, and what each row holds or begins

    def mapping(self, at: int, column: int, depth: int) -> tuple[YamlMap, int]:
        """The mapping whose first key stands on a row, in a column that may lie behind a dash; and the row behind it."""
        if depth > self._most_levels:
            raise NotPlain
        rows = self._rows
        line, _, _, name, text = rows[at]
        fields = YamlMap(line)
        lines = fields.lines
        while True:
            if name in fields or name in WORDS:
                raise NotPlain
            name = intern(name)
            lines[name] = line
            at += 1
            if text:
                fields[name] = self._on_the_line(text, line, depth) if text[0] in NOT_AS_WRITTEN else text
            else:
                fields[name], at = self._below(at, column, depth + 1)
            line, indent, dash, name, text = rows[at]
            if indent != column or dash:
                if indent > column:
                    raise NotPlain
                return fields, at

    def _below(self, at: int, column: int, depth: int) -> tuple[YamlValue, int]:
        """What stands on the rows below a key: a deeper collection, a sequence as deep as the key, or nothing."""
        _, indent, dash, _, _ = self._rows[at]
        if indent < column or (indent == column and not dash):
            return None, at
        return self._sequence(at, indent, depth) if dash else self.mapping(at, indent, depth)

    def _sequence(self, at: int, column: int, depth: int) -> tuple[YamlList, int]:
        if depth > self._most_levels:
            raise NotPlain
        rows = self._rows
        line, indent, dash, name, text = rows[at]
        items = YamlList(line)
        while True:
            items.lines.append(line)
            if name:
                self.nodes += 1
                item, at = self.mapping(at, column + len(dash), depth + 1)
                items.append(item)
            elif text:
                items.append(self._on_the_line(text, line, depth) if text[0] in NOT_AS_WRITTEN else text)
                at += 1
            else:
                raise NotPlain
            line, indent, dash, name, text = rows[at]
            if indent != column or not dash:
                if indent > column:
                    raise NotPlain
                return items, at

    def _on_the_line(self, text: str, line: int, depth: int) -> YamlValue:
        """A scalar that may not be as it is written, or a flow collection."""
        first = text[0]
        if first not in "[{":
            return text[1:-1] if first in "\"'" else plain(text)
        value, nodes = read_flow(text, line, self._most_levels - depth)
        self.nodes += nodes - 1
        return value
