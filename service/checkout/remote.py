"""Where a repository is fetched from: a URL taken apart, checked and turned into a folder name."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from urllib.parse import SplitResult, unquote, urlsplit

from msgspec import Struct

from service.checkout.errors import CheckoutError

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\]")
_PATH = re.compile(r"(/[^/\\]+)+/?")
_NEVER = re.compile(r"[\x00-\x20\x7f?#]")
_UNSAFE_IN_FOLDER = re.compile(r"[^a-z0-9]+")


class Remote(Struct, frozen=True):
    """A checked URL. `origin` is its scheme, host and port; `folder` names its mirror: letters, digits and dashes alone."""

    url: str
    scheme: str
    origin: str
    folder: str


def parse(url: str, schemes: Collection[str]) -> Remote:
    """The remote that a URL names. Raises `CheckoutError` (`invalid-url`); its message never repeats the URL, which may hold a password."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise CheckoutError("invalid-url", "the repository's URL is not a URL") from error
    if parts.scheme not in schemes or not url.startswith(f"{parts.scheme}://"):
        raise CheckoutError("invalid-url", f"the repository's URL must start with {' or '.join(f'{name}://' for name in sorted(schemes))}")
    _check(parts, url)
    host = parts.netloc.lower()
    if port == {"https": 443, "http": 80}.get(parts.scheme):
        host = host.rpartition(":")[0]
    return Remote(url, parts.scheme, f"{parts.scheme}://{parts.netloc}", _folder_name(host, parts.path.rstrip("/")))


def _check(parts: SplitResult, url: str) -> None:
    if "@" in parts.netloc:
        raise CheckoutError("invalid-url", "the repository's URL must not hold a user name or password")
    if _NEVER.search(url):
        raise CheckoutError("invalid-url", "the repository's URL must not hold a query, a fragment, spaces or control characters")
    host = re.sub(r":[0-9]{1,5}$", "", parts.netloc)
    if host if parts.scheme == "file" else not _HOST.fullmatch(host):
        raise CheckoutError("invalid-url", "the host in the repository's URL is not a host name")
    decoded = unquote(parts.path)
    if not _PATH.fullmatch(parts.path) or re.search(r"[\x00-\x1f\x7f]", decoded) or {".", ".."} & set(decoded.split("/")):
        raise CheckoutError("invalid-url", "the path in the repository's URL is not the path of a repository")


def _folder_name(host: str, path: str) -> str:
    """Readable for people, unique by its digest, and safe wherever host and path come from."""
    readable = _UNSAFE_IN_FOLDER.sub("-", f"{host}{path}".lower()).strip("-")[:60].strip("-")
    return f"{readable}-{hashlib.sha256(f'{host}{path}'.encode()).hexdigest()[:16]}"
