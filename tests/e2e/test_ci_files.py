"""The action and the GitLab template that ship with Flowdelta: their own command lines, run as a runner would run them."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.ci_jobs import NUMBER, ROOT, SHOP, actions, pipeline
from tests.forges.gitlab_fake import GitLabFake, Merge
from tests.forges.origin import Origin, shop
from tests.service.site import Site

ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
SCRIPTS = {step["name"]: step for step in STEPS if "run" in step}
EXPRESSION = re.compile(r"\$\{\{ *([a-z_.-]+) *\}\}")
DEFAULTS = {f"inputs.{name}": str(known.get("default", "")) for name, known in ACTION["inputs"].items()}


def test_a_script_of_the_action_has_no_expression_in_it() -> None:
    """Whoever names a branch could write shell there."""
    assert SCRIPTS
    assert [name for name, step in SCRIPTS.items() if "${{" in step["run"] or step["shell"] != "bash"] == []


def test_other_actions_are_pinned_by_commit() -> None:
    used = [step["uses"] for step in STEPS if "uses" in step]
    assert used
    assert all(re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", each) for each in used)


def test_every_input_is_used_and_no_other() -> None:
    text = yaml.safe_dump(ACTION["runs"])
    assert {f"inputs.{name}" for name in ACTION["inputs"]} == {each for each in EXPRESSION.findall(text) if each.startswith("inputs.")}


def test_the_action_installs_what_is_locked(tmp_path: Path) -> None:
    """With an empty list of requirements: what is tried is the command line, not the index."""
    if importlib.util.find_spec("ensurepip") is None:
        pytest.skip("this Python cannot make an environment with pip")
    source = tmp_path / "action"
    source.mkdir()
    (source / "requirements.txt").touch()
    done = step("Install", tmp_path, {"steps.python.outputs.python-path": sys.executable}, {"GITHUB_ACTION_PATH": str(source)})
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "temp" / "flowdelta" / "bin" / "python").exists()
    assert "--require-hashes" in SCRIPTS["Install"]["run"]
    assert (ROOT / "requirements.txt").is_file()


@pytest.mark.parametrize(("given", "status"), [({}, 0), ({"inputs.exit-code": "true", "inputs.json": "report.json"}, 1)])
def test_the_action_reviews_and_runs_nothing_of_the_workspace(site: Site, tmp_path: Path, given: dict[str, str], status: int) -> None:
    workspace = tmp_path / "workspace"
    for module in ("service", "yaml", "sitecustomize"):
        (workspace / module).mkdir(parents=True)
        (workspace / module / "__init__.py").write_text(f"open({str(tmp_path / 'owned')!r}, 'w')", encoding="utf-8")
    token = site.github.actions.job(SHOP)
    environ = actions(tmp_path, site, "")
    done = step("Review", tmp_path, {"github.token": token, **given}, environ)
    assert done.returncode == status, done.stderr
    assert "9090" in site.comment
    assert (workspace / "report.json").is_file() == ("inputs.json" in given)
    assert not (tmp_path / "owned").exists()


def step(name: str, folder: Path, known: Mapping[str, str], environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a step of the action in `folder`, where an environment with the requirements stands already for the second step."""
    temp, workspace = folder / "temp", folder / "workspace"
    for each in (temp, workspace):
        each.mkdir(exist_ok=True)
    if name == "Review":
        (temp / "flowdelta").symlink_to(Path(sys.executable).parents[1])
    runner = {"PATH": os.environ["PATH"], "HOME": os.devnull, "RUNNER_TEMP": str(temp), "GITHUB_ACTION_PATH": str(ROOT)}
    given = {variable: filled(text, {**DEFAULTS, **known}) for variable, text in SCRIPTS[name]["env"].items()}
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", SCRIPTS[name]["run"]],
        cwd=workspace,
        env={**runner, **environ, **given},
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )


def filled(text: str, values: Mapping[str, str]) -> str:
    """A text with the values of its expressions, and those of the expressions in them."""
    return EXPRESSION.sub(lambda found: filled(values[found[1]], values), text)


def test_the_template_reports_on_a_merge_request(tmp_path: Path) -> None:
    raw = (ROOT / "deploy" / "gitlab-ci.yml").read_text(encoding="utf-8")
    inputs = yaml.safe_load(raw.partition("\n---\n")[0])["spec"]["inputs"]
    values = {name: str((known or {}).get("default", "")) for name, known in inputs.items()} | {
        "image": "flowdelta:1",
        "options": "--exit-code",
    }
    template = re.sub(r"\$\[\[ inputs\.([a-z]+) \]\]", lambda found: values[found[1]], raw.partition("\n---\n")[2])
    (job,) = yaml.safe_load(template).values()
    assert (job["image"]["name"], job["stage"], job["variables"]) == ("flowdelta:1", "test", {"GIT_STRATEGY": "none"})
    assert job["rules"] == [{"if": '$CI_PIPELINE_SOURCE == "merge_request_event"'}]

    origin = Origin(tmp_path / "git", SHOP)
    base = origin.commit("refs/heads/main", shop(7070))
    head = origin.commit(f"refs/merge-requests/{NUMBER}/head", shop(9090), base)
    with GitLabFake("unused", SHOP) as fake:
        fake.merges[NUMBER] = Merge(NUMBER, 1, head)
        done = subprocess.run(
            ["sh", "-e", "-c", "\n".join(job["script"])],
            cwd=tmp_path,
            env={
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "HOME": os.devnull,
                **pipeline(origin, SHOP, fake.url, head),
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )
    assert done.returncode == 1, done.stderr
    assert "9090" in done.stdout
