"""Kept answers: the same question is answered again, to the byte, and any other is asked of the analysis."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import analyzers
import service
from service.cli import FORMATS, cli
from service.local import analysing, answers
from service.local.answers import Copied
from service.own_code import digest_of_reports
from tests.conftest import ROOT
from tests.service.checkout.repositories import Work
from tests.service.test_cli import DENY, DEPLOYMENT, loaded

SHOP = {"web.yaml": DEPLOYMENT.replace("NAME", "web"), "cart.yaml": DEPLOYMENT.replace("NAME", "cart")}
WARNED = DENY.replace("podSelector: {}", "podSelector: {}, unheard: of")
CLOSING = ("main", "topic")


@pytest.fixture
def work(tmp_path: Path) -> Work:
    """main, and topic that denies; warned that holds a field nobody knows; broken that cannot be read."""
    work = Work.create(tmp_path / "repository")
    work.commit({**SHOP, "inner/mail.yaml": DEPLOYMENT.replace("NAME", "mail")})
    for branch, text in (("topic", DENY), ("warned", WARNED), ("broken", "kind: [\n")):
        work.branch(branch)
        work.commit({"deny.yaml": text})
    work.branch("main", "main")
    return work


class Asked:
    """Runs `diff --repo`, and counts how often the analysis is asked."""

    def __init__(self, work: Work, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.work, self.cache, self.times = work, cache, 0
        self._diff: Callable[..., Any] = analysing.diff
        monkeypatch.setattr(analysing, "diff", self._counted)

    def _counted(self, *arguments: Any) -> Any:
        self.times += 1
        return self._diff(*arguments)

    def diff(self, *arguments: str, **variables: str) -> Result:
        environment = {"XDG_CACHE_HOME": str(self.cache), **variables}
        return CliRunner().invoke(cli, ["diff", "--repo", str(self.work.path), *arguments], env=environment)

    def says(self, *arguments: str) -> tuple[int, str, str]:
        done = self.diff(*arguments)
        return done.exit_code, done.stdout, done.stderr

    @contextmanager
    def analysed(self, times: int) -> Iterator[None]:
        before = self.times
        yield
        assert self.times - before == times


@pytest.fixture
def asked(work: Work, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Asked:
    return Asked(work, tmp_path / "cache", monkeypatch)


@pytest.mark.parametrize("head", ["topic", "warned", "main"])
@pytest.mark.parametrize("format_name", FORMATS)
def test_the_same_question_has_the_same_answer_without_the_analysis(asked: Asked, head: str, format_name: str) -> None:
    question = ("main", head, "--format", format_name)
    with asked.analysed(1):
        first = asked.says(*question)
    with asked.analysed(0):
        assert asked.says(*question) == first
        assert asked.says(*question, "--strict") == first
        assert asked.says(*question, "--quiet") == (*first[:2], "")
    with asked.analysed(1):
        assert asked.says(*question, "--no-cache") == first
    assert first[1]
    assert ("unheard" in "".join(first[1:])) is (head == "warned")


def test_the_exit_code_tells_differences_again(asked: Asked) -> None:
    codes = [asked.says("main", head, "--exit-code")[0] for _ in range(2) for head in ("topic", "main")]
    assert codes == [1, 0, 1, 0]
    assert asked.times == 2


def test_a_file_is_written_again(asked: Asked, tmp_path: Path) -> None:
    written = []
    for name in ("one", "two"):
        assert asked.says(*CLOSING, "--output", str(tmp_path / name))[0] == 0
        written.append((tmp_path / name).read_text())
    assert written[0] == written[1] != ""
    assert asked.times == 1


@pytest.mark.parametrize(
    "other",
    [
        ("main", "warned"),
        ("topic", "main"),
        ("refs/heads/main", "topic"),
        ("main", "refs/heads/topic"),
        (*CLOSING, "--path", "inner"),
        (*CLOSING, "--merge"),
        (*CLOSING, "--format", "json"),
        (*CLOSING, "--namespace", "shop"),
        (*CLOSING, "--host-network", "pod"),
        (*CLOSING, "--cluster", ""),
    ],
)
def test_any_other_question_is_asked_of_the_analysis(asked: Asked, other: tuple[str, ...]) -> None:
    asked.says(*CLOSING)
    with asked.analysed(1):
        asked.says(*other)
    with asked.analysed(0):
        asked.says(*other)
        asked.says(*CLOSING)


def test_a_branch_that_moved_is_another_question(asked: Asked) -> None:
    before = asked.says(*CLOSING)
    asked.work.branch("topic", "topic")
    asked.work.commit(remove=("deny.yaml",))
    with asked.analysed(1):
        assert asked.says(*CLOSING) != before


def test_other_programs_libraries_or_code_are_another_question(asked: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked.says(*CLOSING)
    helm = tmp_path / "helm"
    helm.write_text("#!/bin/sh\n")
    helm.chmod(0o755)
    with asked.analysed(1):
        asked.diff(*CLOSING, FLOWDELTA_HELM=str(helm))
    helm.write_text("#!/bin/sh\n# of another version\n")
    with asked.analysed(1):
        asked.diff(*CLOSING, FLOWDELTA_HELM=str(helm))
    for name in ("installed", "digest_of_analysis", "digest_of_reports"):
        with asked.analysed(1), monkeypatch.context() as changed:
            changed.setattr(answers, name, lambda: "another")
            asked.says(*CLOSING)
    with asked.analysed(0):
        asked.says(*CLOSING)


@pytest.mark.parametrize(
    "module", ["analyzers/reports/text.py", "service/local/output.py", "service/analysis/preparing.py", "service/configuration.py"]
)
def test_what_prints_an_answer_is_code_that_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    for package in (analyzers, service):
        name = package.__name__
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        monkeypatch.setattr(package, "__file__", str(tmp_path / name / "__init__.py"))
    before = digest_of_reports.__wrapped__()
    assert digest_of_reports.__wrapped__() == before
    with (tmp_path / module).open("a") as stream:
        stream.write("# printed otherwise\n")
    assert digest_of_reports.__wrapped__() != before


def test_what_is_incomplete_or_depends_on_more_is_asked_each_time(asked: Asked, tmp_path: Path) -> None:
    snapshot = tmp_path / "snapshot.json"
    snapshot.write_text('{"apiVersion": "v1", "kind": "List", "items": []}')
    for question in (("main", "broken"), (*CLOSING, "--inventory", str(snapshot))):
        with asked.analysed(2):
            assert asked.says(*question)[1] == asked.says(*question)[1]


def test_a_long_answer_is_not_kept(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "MOST_KEPT", 10)
    with asked.analysed(2):
        assert asked.says(*CLOSING) == asked.says(*CLOSING)


@pytest.mark.parametrize(("text", "most", "kept"), [("abc", 3, "abc"), ("abcd", 3, None), ("", 3, "")])
def test_a_copy_is_whole_or_none(text: str, most: int, kept: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "MOST_KEPT", most)
    copied = Copied(text)
    assert copied.text is None
    assert "".join(copied) == text
    assert copied.text == kept


def test_a_copy_of_what_nobody_read_to_its_end_is_none() -> None:
    copied = Copied("abc")
    next(iter(copied))
    assert copied.text is None


@pytest.mark.parametrize(
    "damage",
    [
        "update readings set content = 'z' || content",
        "update readings set digest = zeroblob(16)",
        "create table was as select * from readings;"
        "update readings set (digest, content) = (select digest, content from was where was.key <> readings.key limit 1)",
    ],
)
def test_an_answer_that_was_damaged_or_planted_is_not_believed(asked: Asked, damage: str) -> None:
    told = asked.says(*CLOSING)
    with closing(sqlite3.connect(asked.cache / "flowdelta" / "readings.sqlite")) as connection:
        connection.executescript(damage)
    with asked.analysed(1):
        assert asked.says(*CLOSING) == told


def test_a_branch_whose_name_is_no_unicode_is_compared(asked: Asked) -> None:
    name = os.fsdecode(b"odd-\xff")
    asked.work.git("branch", name, "topic")
    assert [asked.says("main", name, "--format", "json")[0] for _ in range(2)] == [0, 0]


def test_an_answer_that_is_kept_loads_no_analysis(work: Work, tmp_path: Path) -> None:
    question = ("diff", "--repo", work.path, *CLOSING)
    first, second = (loaded(tmp_path / "cache", *question) for _ in range(2))
    assert {"analyzers.pipeline", "analyzers.reports.text"} <= first
    assert not {each for each in second if each.startswith(("analyzers.impact", "analyzers.reports", "analyzers.reachability", "deepdiff"))}


def test_a_revision_that_is_not_there_is_told_as_ever(asked: Asked) -> None:
    done = asked.says("main", "nowhere")
    assert (done[0], asked.times) == (2, 0)
    assert "nowhere" in done[2]
