"""Links and submodules: never followed, and never passed over in silence where manifests may lie behind them."""

from __future__ import annotations

import pytest

from analyzers.manifests.load import load
from tests.analyzers.manifests.trees import AS_WRITTEN, WrittenTree, policy, titles

FILES = {"a.yaml": policy("a"), "d/b.yaml": policy("b"), "d/notes.txt": "", "README": ""}


def about(links: dict[str, str], submodules: tuple[str, ...] = ()) -> list[tuple[str, str | None]]:
    loaded = load(WrittenTree(FILES, links, submodules), AS_WRITTEN)
    assert titles(loaded) == ["NetworkPolicy a", "NetworkPolicy b"]
    return [(each.code, each.path) for each in loaded.diagnostics]


@pytest.mark.parametrize(
    ("path", "target"),
    [
        *(("l.yaml", "a.yaml"), ("l.yml", "./d/../a.yaml"), ("d/l.json", "../a.yaml"), ("x/y/l.yaml", "../../d/b.yaml")),
        *(("l", "d"), ("d/l", ".."), ("d/l", "."), ("l.d", "d/"), ("l.yaml", "d"), ("l", "d//.//../d")),
    ],
)
def test_a_link_to_what_is_read_in_its_own_place_is_skipped(path: str, target: str) -> None:
    assert about({path: target}) == [("link-skipped", path)]


@pytest.mark.parametrize(
    ("path", "target"),
    [
        *(("l.yaml", "../a.yaml"), ("d/l.yaml", "../../a.yaml"), ("l.yaml", "/etc/a.yaml"), ("l", ".."), ("l", "/srv/manifests")),
        *(("l.yaml", "missing.yaml"), ("l", "missing"), ("l.yaml", ""), ("l.yaml", "d/notes.txt")),
        *(("l.yaml", "l.yaml"), ("l.yaml", "a.yaml/x")),
    ],
)
def test_a_link_out_of_the_tree_or_to_nothing_that_is_read_is_not_followed(path: str, target: str) -> None:
    assert about({path: target}) == [("not-followed", path)]


@pytest.mark.parametrize(
    ("path", "target"), [("l.txt", "d/notes.txt"), ("l", "README"), ("l.md", "../x.md"), ("l.sh", "/bin/sh"), ("l.txt", "a.yaml")]
)
def test_links_that_could_lead_to_no_manifest_are_passed_over(path: str, target: str) -> None:
    assert about({path: target}) == []


def test_links_are_resolved_through_links() -> None:
    assert about({"l.yaml": "m/b.yaml", "m": "n", "n": "d"}) == [("link-skipped", "l.yaml"), ("link-skipped", "m"), ("link-skipped", "n")]
    assert about({"l.yaml": "m/../a.yaml", "m": "d"}) == [("link-skipped", "l.yaml"), ("link-skipped", "m")]


def test_links_in_a_circle_lead_nowhere() -> None:
    assert about({"l.yaml": "m.yaml", "m.yaml": "l.yaml", "o": "o/o"}) == [("not-followed", path) for path in ("l.yaml", "m.yaml", "o")]


def test_submodules_and_what_links_lead_into_them_are_not_followed() -> None:
    assert about({"l.yaml": "vendor/x.yaml"}, ("vendor",)) == [("not-followed", "l.yaml"), ("not-followed", "vendor")]
