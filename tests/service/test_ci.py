"""What a CI job shows and survives: commands to the runner that nobody can forge, and writes that were denied."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.ci import showing
from service.ci.telling import Telling
from service.exits import BadInput
from service.forges.port import Annotation, Check, Forge, ForgeError, State

CHECK = Check("a" * 40, State.SUCCESS, "No flow changes")


@given(st.text(), st.text(), st.text())
def test_a_remark_is_one_command_whatever_it_quotes(path: str, title: str, message: str) -> None:
    (line,) = showing.remarks([Annotation(path, 3, title, message)])
    assert not {"\n", "\r"} & set(line)
    properties, _, said = line.removeprefix("::warning ").partition("::")
    assert [each.partition("=")[0] for each in properties.split(",")] == ["file", "line", "title"]
    assert said.replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%") == message


def test_the_page_of_a_job_is_appended_to_and_never_too_long(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n", encoding="utf-8")
    showing.on_page(page, "é" * 1_000_000)
    assert page.read_text(encoding="utf-8").startswith("before\né")
    assert page.stat().st_size < 1_048_576
    with pytest.raises(BadInput, match="GITHUB_STEP_SUMMARY"):
        showing.on_page(tmp_path / "nowhere" / "page.md", "text")


def test_commands_hold_again_after_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError), showing.mute(commands=True):
        print("::add-mask::x", 1 // 0)
    first, *_, last = capsys.readouterr().out.split("\n")[:-1]
    assert last == f"::{first.removeprefix('::stop-commands::')}::"


class Closed:
    """A forge that takes no write."""

    def __init__(self, error: ForgeError) -> None:
        self.error = error

    def put_check(self, repository: str, check: Check) -> None:
        raise self.error

    def put_comment(self, repository: str, number: int, body: str) -> None:
        raise self.error

    def clone_url(self, repository: str) -> str:
        return repository


def test_what_is_denied_is_noted_and_what_fails_is_not_hidden() -> None:
    telling = Telling(cast(Forge, Closed(ForgeError("GitHub answered 403: no", retry=False, denied=True))))
    telling.put_check("acme/shop", CHECK)
    telling.put_comment("acme/shop", 7, "text")
    assert (telling.check, set(telling.untold)) == (CHECK, {"check", "comment"})
    assert telling.clone_url("acme/shop") == "acme/shop"
    for error in (ForgeError("GitHub answered 502", retry=True), ForgeError("GitHub answered 422", retry=False)):
        with pytest.raises(ForgeError, match="GitHub answered"):
            Telling(cast(Forge, Closed(error))).put_comment("acme/shop", 7, "text")
