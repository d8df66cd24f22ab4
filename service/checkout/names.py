"""Names that reach git's argument list or standard input, each checked against the whole of its grammar first."""

from __future__ import annotations

import re

from service.checkout.errors import CheckoutError

_OBJECT_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_FORBIDDEN_IN_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//")
_LONGEST_REF = 1_000
_LONGEST_REVISION = 1_000


def is_object_id(text: str) -> bool:
    """Whether it is a full object id, SHA-1 or SHA-256, in lower case."""
    return _OBJECT_ID.fullmatch(text) is not None


def object_id(text: str) -> str:
    """The full object id. Raises `CheckoutError` (`invalid-revision`)."""
    if not is_object_id(text):
        raise CheckoutError("invalid-revision", f"{shown(text)} is not a full commit id (40 or 64 hexadecimal digits in lower case)")
    return text


def revision(text: str) -> str:
    """A revision as people write it. Only what git would take for an option or cannot be an argument is refused; git judges the rest."""
    if not text:
        raise CheckoutError("invalid-revision", "the revision is empty")
    if text.startswith("-"):
        raise CheckoutError("invalid-revision", f"{shown(text)}: a revision must not start with '-'")
    if _CONTROL.search(text) or len(text) > _LONGEST_REVISION:
        raise CheckoutError(
            "invalid-revision", f"{shown(text)}: a revision has no control characters, and at most {_LONGEST_REVISION} others"
        )
    return text


def ref_name(text: str) -> str:
    """A full ref name such as `refs/heads/main`, by the rules of git-check-ref-format. Raises `CheckoutError` (`invalid-ref`)."""
    components = text.split("/")
    well_formed = (
        text.startswith("refs/")
        and len(components) > 2
        and len(text) <= _LONGEST_REF
        and not _FORBIDDEN_IN_REF.search(text)
        and not text.endswith(".")
        and not any(component == "" or component.startswith(".") or component.endswith(".lock") for component in components)
    )
    if not well_formed:
        raise CheckoutError("invalid-ref", f"{shown(text)} is not a full ref name (such as refs/heads/main)")
    return text


def folder(text: str) -> str:
    """A folder inside a repository, relative with `/`; "" for all of it. Raises `CheckoutError` (`invalid-folder`)."""
    if text.startswith("/") or "\0" in text:
        raise CheckoutError("invalid-folder", f"{shown(text)} must be relative to the top of the repository")
    segments = [segment for segment in text.split("/") if segment not in ("", ".")]
    if any(segment == ".." or segment.lower() == ".git" for segment in segments):
        raise CheckoutError("invalid-folder", f"{shown(text)} must stay inside the repository's files")
    return "/".join(segments)


def path_text(path: bytes) -> str:
    """A path of a tree as text. Bytes that are not UTF-8 are written `\\xNN`, so that it can be shown and encoded anywhere."""
    return path.decode("utf-8", "backslashreplace")


def shown(text: str) -> str:
    """A name for a message: quoted, on one line, not endless."""
    return repr(text if len(text) <= 100 else text[:97] + "...")
