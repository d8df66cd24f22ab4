"""Bearer tokens: compared by their SHA-256, in constant time, so that neither the settings nor the time say anything about them."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Collection

from flask import request

from service.web.problems import Problem

_CHALLENGE = 'Bearer realm="flowdelta"'


def require_token(digests: Collection[str], *, browser: bool = False) -> None:
    """Raise `Problem` unless the request carries a token of the settings.

    With `browser`, the token is also taken as the password of a login dialogue: people follow links to reports.
    """
    challenge = {"WWW-Authenticate": 'Basic realm="flowdelta: any user name, a token as password"' if browser else _CHALLENGE}
    presented = _token(browser)
    if presented is None:
        raise Problem(401, "missing-token", "This needs a bearer token: Authorization: Bearer <token>.", challenge)
    digest = hashlib.sha256(presented).hexdigest()
    held = [hmac.compare_digest(digest, known) for known in digests]
    if not any(held):
        raise Problem(401, "wrong-token", "The token is not one of FLOWDELTA_API_TOKENS.", challenge)


def _token(browser: bool) -> bytes | None:
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and value:
        return value.strip().encode()
    if browser and scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).partition(b":")[2] or None
        except ValueError:
            return None
    return None
