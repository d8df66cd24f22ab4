"""Telling from its text alone that a document cannot matter, so that it need not be parsed.

Parsing costs a hundred times more than looking at the lines that start in column 0, and most documents of most repositories (CRDs, secrets,
dashboards) say nothing about reachability. Everything here comes from a pull request, though, so a document is passed over only where no
reading of it could yield a wanted object:

- Its first content stands in column 0 and is a plain key, so its root is a block mapping whose keys each begin a line in column 0: a root
  with an anchor, a tag, a flow mapping, an explicit `? key` or an indented mapping begins with something else.
- Every line in column 0 is a comment, an item of a list, or a plain key. A quoted, tagged, aliased or merged key begins with another
  character, and so do the end of most quoted scalars, a directive and `...`.
- Exactly one line begins with `kind:` and one with `apiVersion:`, each with one plain word that no later line continues. Such a line may
  still be the inside of a quoted scalar, but then the root has no other line to hold that field, and is no object at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

Wanted = Callable[[str, str], bool]
"""Whether objects of an API group ("" is the core group) and kind are to be loaded."""

_USUAL = re.compile(r"(?:---\n)?apiVersion: (\S+)\nkind: (\S+)\n")
_LEAD = re.compile(r"(?:---(?:[ \t]+#[^\n]*|[ \t]*)(?:\n|\Z))?(?:[ \t]*(?:#[^\n]*)?\n)*+")
_IN_COLUMN_0 = re.compile(r"\n(?!-[ \t\n])([^ \t\n#][^\n]*)")
_PLAIN_KEY = re.compile(r"([A-Za-z][A-Za-z0-9_./-]*):(?=[ \t]|\Z)")
_ONE_WORD = re.compile(r"[A-Za-z]+:[ \t]+([\"']?)([A-Za-z][A-Za-z0-9./-]*)\1(?:[ \t]*|[ \t]+#.*)")
_CONTENT = re.compile(r"[^ \t\n]")

_OTHER_LINE_BREAKS: Final = "\r\x85\u2028\u2029"
"""Characters that end a line for a YAML 1.1 parser and not for the expressions above."""


def is_irrelevant(text: str, wanted: Wanted) -> bool:
    """Whether a document certainly holds no wanted object. Errors of its syntax then go unreported, as it does itself."""
    usual = _USUAL.match(text)
    if usual is not None and wanted(group_of(usual[1]), usual[2]):
        return False  # what looks wanted is parsed, whatever it is
    found = _identity(text)
    if found is None:
        return False
    api, kind = found
    return not kind.endswith("List") and not wanted(group_of(api), kind)


def group_of(api_version: str) -> str:
    """The group of an apiVersion: `apps` of `apps/v1`, the empty string of `v1`."""
    return api_version.partition("/")[0] if "/" in api_version else ""


def _identity(text: str) -> tuple[str, str] | None:
    """The apiVersion and kind of a document, where its lines in column 0 leave no doubt."""
    if any(character in text for character in _OTHER_LINE_BREAKS):
        return None
    lead = _LEAD.match(text)
    body = "\n" + text[lead.end() if lead else 0 :]
    if not body[1:2].isalpha():
        return None
    found: dict[str, str] = {}
    for line in _IN_COLUMN_0.finditer(body):
        key = _PLAIN_KEY.match(line[1])
        if key is None:
            return None
        if key[1] in ("apiVersion", "kind"):
            word = _ONE_WORD.fullmatch(line[1])
            if word is None or key[1] in found or _is_continued(body, line.end()):
                return None
            found[key[1]] = word[2]
    return (found["apiVersion"], found["kind"]) if len(found) == 2 else None


def _is_continued(text: str, end: int) -> bool:
    """Whether the next content after a line is indented, and so may be part of the same scalar."""
    content = _CONTENT.search(text, end)
    return content is not None and text[content.start() - 1] != "\n"
