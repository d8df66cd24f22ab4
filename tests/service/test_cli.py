"""The command line as its users run it: results on stdout, messages on stderr, the contract's exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from analyzers.reports import FORMATS
from service import cli
from tests.conftest import ROOT

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME, namespace: shop}
spec: {template: {metadata: {labels: {app: NAME}}, spec: {containers: [{name: c}]}}}
"""
DENY = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: deny, namespace: shop}\nspec: {podSelector: {}}\n"


def flowdelta(*arguments: object, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "service", *map(str, arguments)]
    return subprocess.run(
        command,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "XDG_CACHE_HOME": os.environ["XDG_CACHE_HOME"]},
    )


def folder(place: Path, **files: str) -> Path:
    place.mkdir()
    for name, text in files.items():
        (place / f"{name}.yaml").write_text(text)
    return place


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return folder(tmp_path / "base", web=DEPLOYMENT.replace("NAME", "web"), cart=DEPLOYMENT.replace("NAME", "cart"))


@pytest.fixture
def head(tmp_path: Path) -> Path:
    return folder(tmp_path / "head", web=DEPLOYMENT.replace("NAME", "web"), cart=DEPLOYMENT.replace("NAME", "cart"), deny=DENY)


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys, service.cli\n"
        "heavy = {'yaml', 'rich', 'flask', 'dbos', 'git', 'github', 'deepdiff', 'networkx', 'sqlalchemy', 'analyzers'} & set(sys.modules)\n"
        "sys.exit(f'imported: {sorted(heavy)}' if heavy else 0)"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False).stderr == ""
    shown = flowdelta("--help")
    assert shown.returncode == 0
    assert all(command in shown.stdout for command in ("matrix", "diff", "explain", "serve", "worker", "demo"))


def loaded(place: Path, *arguments: object) -> set[str]:
    """The modules that a command loads, with the cache in `place`."""
    program = "import sys\nfrom service.cli import cli\ntry:\n    cli(sys.argv[1:])\nfinally:\n    print(*sys.modules, file=sys.stderr)"
    command = [sys.executable, "-c", program, *map(str, arguments), "-q"]
    variables = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "XDG_CACHE_HOME": str(place)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True, env=variables)
    return set(done.stderr.split())


def test_a_diff_of_folders_loads_neither_git_nor_what_a_service_needs(tmp_path: Path, base: Path, head: Path) -> None:
    dear = {"dataclasses", "deepdiff", "git", "logging", "networkx", "rich", "service.checkout.mirror", "service.configuration"}
    assert not dear & loaded(tmp_path, "diff", base, head)


@pytest.mark.parametrize(
    ("added", "expected"),
    [
        ("{apiVersion: v1, kind: Pod, metadata: {name: odd}}\n", [True, False]),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: odd}\n", [False, False]),
    ],
)
def test_plain_yaml_and_what_is_on_the_shelf_are_read_without_a_parser(
    tmp_path: Path, base: Path, added: str, expected: list[bool]
) -> None:
    (base / "added.yaml").write_text(added)
    assert [("yaml" in loaded(tmp_path, "diff", base, base)) for _ in range(2)] == expected


def test_command_line_offers_every_format() -> None:
    assert tuple(name for name, _ in FORMATS) == cli.FORMATS


@pytest.mark.parametrize("format_name", cli.FORMATS)
def test_every_format_renders_every_command(base: Path, head: Path, format_name: str) -> None:
    for arguments in (("matrix", head), ("diff", base, head), ("explain", head, "shop/web", "shop/cart", "--port", "80/TCP")):
        done = flowdelta(*arguments, "--format", format_name)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout


def test_the_exit_code_of_a_diff_tells_differences_when_asked(base: Path, head: Path) -> None:
    assert flowdelta("diff", base, head).returncode == 0
    assert flowdelta("diff", base, head, "--exit-code").returncode == 1
    assert flowdelta("diff", base, base, "--exit-code").returncode == 0


def test_an_incomplete_analysis_is_never_a_clean_pass(base: Path, tmp_path: Path) -> None:
    broken = folder(tmp_path / "broken", web=DEPLOYMENT.replace("NAME", "web"), cart=DEPLOYMENT.replace("NAME", "cart"), bad="kind: [\n")
    assert flowdelta("diff", base, broken).returncode == 0
    assert flowdelta("diff", base, broken, "--exit-code").returncode == 2
    strict = flowdelta("matrix", broken, "--strict", "--format", "json")
    assert strict.returncode == 2
    assert "bad.yaml:" in strict.stderr
    assert "incomplete" in strict.stderr
    assert json.loads(strict.stdout)["complete"] is False


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("matrix", "{tmp}/nowhere"), "nowhere"),
        (("matrix", "{tmp}/empty"), "no Kubernetes object was found"),
        (("diff", "{tmp}/empty", "{tmp}/empty"), "no Kubernetes object was found"),
        (("explain", "{base}", "shop/web", "shop/nobody"), "shop/nobody"),
        (("explain", "{base}", "shop/web", "shop/cart", "--port", "http"), "8080/TCP"),
        (("diff", "--repo", "{tmp}/empty", "main", "topic"), "not"),
        (("diff", "{base}", "{base}", "--merge"), "--repo"),
        (("diff", "{base}"), "HEAD"),
        (("matrix", "{base}", "--format", "yaml"), "yaml"),
        (("matrix", "{base}", "--output", "{tmp}/nowhere/out.json"), "cannot write"),
    ],
)
def test_bad_input_ends_with_exit_2_and_a_message(base: Path, tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    (tmp_path / "empty").mkdir()
    done = flowdelta(*(each.format(tmp=tmp_path, base=base) for each in arguments))
    assert done.returncode == 2
    assert done.stdout == ""
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_output_goes_to_a_file_whole(base: Path, head: Path, tmp_path: Path) -> None:
    done = flowdelta("diff", base, head, "--format", "json", "--output", tmp_path / "out.json")
    assert (done.returncode, done.stdout) == (0, "")
    assert json.loads((tmp_path / "out.json").read_text())["schema"] == "flowdelta.diff/1"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_the_namespace_filter_changes_the_rows_shown_and_not_the_digest(base: Path, head: Path) -> None:
    whole, filtered = (
        json.loads(flowdelta("diff", base, head, "--format", "json", *more).stdout) for more in ((), ("--namespace", "elsewhere"))
    )
    assert whole["changes"]
    assert filtered["changes"] == []
    assert (filtered["digest"], filtered["summary"]) == (whole["digest"], whole["summary"])


def test_a_reader_that_goes_away_is_no_error(base: Path) -> None:
    command = f"{sys.executable} -m service matrix {base} --format json | head -c 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def git(repository: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=repository, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """main moved on after topic left it: topic denies, main gained a workload, and both touch different files."""
    place = folder(tmp_path / "repository", web=DEPLOYMENT.replace("NAME", "web"), cart=DEPLOYMENT.replace("NAME", "cart"))
    git(place, "init", "-q", "-b", "main")
    git(place, "add", ".")
    git(place, "commit", "-qm", "base")
    git(place, "checkout", "-qb", "topic")
    (place / "deny.yaml").write_text(DENY)
    git(place, "add", ".")
    git(place, "commit", "-qm", "deny")
    git(place, "checkout", "-q", "main")
    (place / "mail.yaml").write_text(DEPLOYMENT.replace("NAME", "mail"))
    git(place, "add", ".")
    git(place, "commit", "-qm", "mail")
    return place


def test_two_revisions_of_a_repository_are_compared_without_touching_it(repository: Path) -> None:
    (repository / "scratch.yaml").write_text("kind: [\n")
    before = (git(repository, "status", "--porcelain"), git(repository, "count-objects", "-v"), (repository / ".git/index").read_bytes())
    document = json.loads(flowdelta("diff", "--repo", repository, "main", "topic", "--format", "json").stdout)
    assert document["workloads"]["removed"] == ["shop/mail[Deployment]"]
    assert document["base"] == {"label": "main", "commit": git(repository, "rev-parse", "main")}
    assert before == (
        git(repository, "status", "--porcelain"),
        git(repository, "count-objects", "-v"),
        (repository / ".git/index").read_bytes(),
    )


def test_with_merge_the_head_is_merged_into_the_base_first(repository: Path) -> None:
    document = json.loads(flowdelta("diff", "--repo", repository, "main", "topic", "--merge", "--format", "json").stdout)
    assert document["workloads"] == {"added": [], "removed": [], "relabelled": []}
    assert document["summary"]["closed"] > 0
    assert document["head"]["commit"] == git(repository, "rev-parse", "topic")


def test_a_merge_conflict_names_the_file(repository: Path) -> None:
    (repository / "deny.yaml").write_text(DENY.replace("deny", "other"))
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "conflict")
    done = flowdelta("diff", "--repo", repository, "main", "topic", "--merge")
    assert done.returncode == 2
    assert "deny.yaml" in done.stderr


def test_one_folder_of_a_repository_can_be_compared(repository: Path) -> None:
    git(repository, "checkout", "-qb", "folder", "main")
    folder(repository / "new", mail=DEPLOYMENT.replace("NAME", "mail"))
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "a new folder")
    document = json.loads(flowdelta("diff", "--repo", repository, "main", "folder", "--path", "new", "--format", "json").stdout)
    assert document["workloads"]["added"] == ["shop/mail[Deployment]"]
    missing = flowdelta("diff", "--repo", repository, "main", "folder", "--path", "nowhere")
    assert missing.returncode == 2
    assert "nowhere" in missing.stderr


def test_a_manifest_cannot_write_terminal_codes(tmp_path: Path) -> None:
    hostile = folder(tmp_path / "hostile", bad='apiVersion: v1\nkind: Pod\nmetadata: {name: "a\\e[31mb"}\nspec: {}\n')
    for format_name in ("text", "csv", "json"):
        done = flowdelta("matrix", hostile, "--format", format_name)
        assert "\x1b" not in done.stdout + done.stderr
