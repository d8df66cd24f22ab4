"""The repository keeps its own promises: its commands exist, its documents are complete, what it installs is pinned."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import pytest

from analyzers.model.diagnostics import CODES

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = ("README.md", "CONTRIBUTING.md")
LOCKS = ("requirements.txt", "requirements-test.txt", "requirements-build.txt")
ONE_MACHINE = re.compile(
    r"(?<![\w.])/(?:root|work|Users)/[\w.]"  # somebody's folders
    r"|--(?:extra-)?index-url\b|--find-links\b|--trusted-host\b"  # a package index of one place
    r"|https?://(?!pypi\.org/|example\.com/)[\w.:-]+/(?:simple|artifactory|nexus)\b"
)


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@cache
def tracked() -> tuple[Path, ...]:
    """The files that belong to the repository: what git tracks, and what it would if all were added."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listing.returncode != 0:
        pytest.skip("not a git checkout")
    return tuple(ROOT / name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file())


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", text("Makefile"), re.MULTILINE))


def requirements(name: str) -> dict[str, str]:
    """Each requirement of a lock file with everything that belongs to it."""
    joined = text(name).replace("\\\n", " ")
    return dict(line.split("==", 1) for line in joined.splitlines() if re.match(r"[a-z0-9]", line))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_make_commands_of_the_documents_exist(document: str) -> None:
    named = set(re.findall(r"\bmake ([a-z][a-z-]*)", " ".join(re.findall(r"```.*?```|`[^`]+`", text(document), re.DOTALL))))
    assert named, "the document names no command"
    assert named <= targets()


def test_make_help_lists_every_target_for_people() -> None:
    done = subprocess.run(["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    listed = set(re.findall(r"^  make ([a-z-]+)", done.stdout, re.MULTILINE))
    internal = {"runtime"}
    assert listed == targets() - internal


def test_every_target_is_phony() -> None:
    assert set(re.findall(r"^\.PHONY: ([a-z-]+)$", text("Makefile"), re.MULTILINE)) == targets()


def test_every_diagnostic_code_is_documented_as_it_is() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| (\w+) \| (yes|no) \| .{20,} \| .{5,} \|$", text("docs/diagnostics.md"), re.MULTILINE)
    documented = {code: (severity, incomplete == "yes") for code, severity, incomplete in rows}
    assert documented == {code: (str(info.severity), info.incomplete) for code, info in CODES.items()}


@pytest.mark.parametrize("lock", LOCKS)
def test_locked_requirements_are_pinned_and_hashed(lock: str) -> None:
    found = requirements(lock)
    assert found
    assert [name for name, rest in found.items() if not re.search(r"--hash=sha256:[0-9a-f]{64}", rest)] == []
    assert re.findall(r"^\s*-(?!-hash)\S+", text(lock), re.MULTILINE) == [], "a lock file holds requirements and no options"


def test_lock_files_agree_with_each_other_and_hold_what_was_asked_for() -> None:
    locks = {lock: {name: re.split(r"[\s;]", rest)[0] for name, rest in requirements(lock).items()} for lock in LOCKS}
    for lock, found in locks.items():
        asked = {line.partition("[")[0] for line in text(lock.replace(".txt", ".in")).splitlines() if re.match(r"[a-z]", line)}
        assert asked <= set(found)
    runtime, tests = locks["requirements.txt"], locks["requirements-test.txt"]
    assert {name: tests[name] for name in runtime.keys() & tests.keys()} == {name: runtime[name] for name in runtime.keys() & tests.keys()}


def test_the_wheel_leaves_nothing_of_the_packages_behind() -> None:
    """Packages are found by their __init__.py, and no other file is declared as theirs."""
    files = [path for path in tracked() if path.relative_to(ROOT).parts[0] in ("analyzers", "service")]
    assert [str(path) for path in files if path.suffix != ".py"] == []
    assert {str(path.parent) for path in files if not (path.parent / "__init__.py").is_file()} == set()


def test_ci_is_executable() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_console_script_is_the_module() -> None:
    assert tomllib.loads(text("pyproject.toml"))["project"]["scripts"] == {"flowdelta": "service.__main__:main"}


def test_no_file_names_somebodys_machine() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in tracked()
        if path != Path(__file__)
        for number, line in enumerate(path.read_bytes().decode("utf-8", "replace").splitlines(), 1)
        if ONE_MACHINE.search(line)
    ]
    assert found == []


def test_links_between_documents_lead_somewhere() -> None:
    broken = [
        f"{path.relative_to(ROOT)}: {target}"
        for path in tracked()
        if path.suffix == ".md"
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
        if "://" not in target and not (path.parent / target).exists()
    ]
    assert broken == []


def test_pictures_need_nothing_from_elsewhere() -> None:
    for picture in (path for path in tracked() if path.suffix == ".svg"):
        drawing = picture.read_text(encoding="utf-8")
        assert not re.search(r"<script|<image|<foreignObject|@import|url\((?!#)|(?:href|src)=", drawing), picture.name
