"""Reading request bodies without trusting their length."""

from __future__ import annotations

from flask import request

from service.web.problems import Problem


def declared_length(limit: int) -> int:
    """The Content-Length, checked before a byte of the body is read. A body of unknown length is not read at all."""
    length = request.content_length
    if length is None:
        raise Problem(411, "length-required", "Content-Length is missing.")
    if length > limit:
        raise Problem(413, "too-large", f"The body has {length} bytes; at most {limit} are taken.", {"Connection": "close"})
    request.max_content_length = limit  # in place of the application's, which is for the largest of all bodies
    return length


def whole_body(limit: int) -> bytes:
    """The raw body, at most `limit` bytes, and all of what was announced."""
    length = declared_length(limit)
    body = request.stream.read(length)
    if len(body) != length:
        raise Problem(400, "truncated", f"The body ended after {len(body)} of {length} bytes.")
    return body
