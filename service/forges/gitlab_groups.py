"""Groups of people on GitLab.

Only those who were put into the group itself are in it, as in GitLab's own approval rules: whoever may work in a group above it would
otherwise be in each group below, and a group for security would hold everyone.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from gitlab import Gitlab
from gitlab.v4.objects import Group

from service.forges.connection import Refused
from service.forges.port import ForgeError

_PATH = re.compile(r"(?!\.)[A-Za-z0-9_.-]+(?:/(?!\.)[A-Za-z0-9_.-]+){0,20}")
_GUEST = 10  # below are no access, and minimal access, which is a seat in the list and nothing else


def members(client: Gitlab, path: str, wanted: Collection[str]) -> frozenset[str]:
    """Those of the ids that are direct, active members of a group now. Raises `ForgeError` for a group that is not shown."""
    if not _PATH.fullmatch(path):
        raise ForgeError("a group is no group of GitLab: it is written by its path, as in acme/security", retry=False)
    try:
        found = client.groups.get(path, with_projects="false").attributes
    except Refused as refused:
        if refused.status != 404:
            raise
        raise _unknown(path) from None
    if str(found["full_path"]).lower() != path.lower():  # a group that was moved is another one than people agreed on
        raise _unknown(path)
    group = client.groups.get(int(found["id"]), lazy=True)
    return frozenset(each for each in wanted if each.isdecimal() and _is_member(group, int(each)))


def _unknown(path: str) -> ForgeError:
    return ForgeError(f"GitLab shows no group {path} to the account of the token", retry=False)


def _is_member(group: Group, user: int) -> bool:
    try:
        member = group.members.get(user).attributes
    except Refused as refused:
        if refused.status != 404:
            raise
        return False
    active = member["state"] == "active" and member.get("membership_state", "active") == "active"
    return bool(member["id"] == user and active and int(member["access_level"]) >= _GUEST)
