"""Lists of GitHub as it answers them, page after page, where objects of the client would ask again for every field that is null."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from github.Requester import Requester

_NEXT = re.compile(r'<([^>]+)>;\s*rel="next"')


def pages(requester: Requester, path: str, **query: str) -> Iterator[Any]:
    """What each page holds. Raises what the client raises."""
    url, parameters = path, {"per_page": "100", **query}
    while url:
        headers, body = requester.requestJsonAndCheck("GET", url, parameters=parameters)
        yield body
        found = _NEXT.search(str(headers.get("link", "")))
        url, parameters = (found[1] if found else ""), {}


def items(requester: Requester, path: str, **query: str) -> Iterator[Any]:
    """Every item of a list."""
    for page in pages(requester, path, **query):
        if not isinstance(page, list):
            raise TypeError("not a list")
        yield from page
