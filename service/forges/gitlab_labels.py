"""Labels of a merge request on GitLab, which makes a label that the project has not."""

from __future__ import annotations

from collections.abc import Collection

from gitlab.v4.objects import Project

from service.forges.port import ForgeError


def put(project: Project, number: int, present: Collection[str], absent: Collection[str]) -> None:
    """See `Forge.put_labels`. Nothing is written where nothing changes: each write is an event of its own."""
    if any("," in name for name in (*present, *absent)):
        raise ForgeError("GitLab takes no label with a comma in its name", retry=False)
    shown = set(project.mergerequests.get(number).attributes["labels"])
    change = {
        "add_labels": ",".join(name for name in present if name not in shown),
        "remove_labels": ",".join(name for name in absent if name in shown),
    }
    if wanted := {field: names for field, names in change.items() if names}:
        project.mergerequests.update(number, wanted)
