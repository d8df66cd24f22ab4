"""`flowdelta guardrails`: what the service would ask of a change, from folders and revisions, and why a rule matches or does not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from service.cli import cli
from service.signoff.zones import Party
from tests.forges.origin import Origin, policy, shop, workload

RULES = """\
version: 1
zones:
  cart: {namespaces: {matchNames: [shop]}, pods: {matchLabels: {app: cart}}}
  web: {namespaces: {matchNames: [shop]}, pods: {matchLabels: {app: web}}}
  internet: {external: true}
guardrails:
  - name: into-cart
    when: {opened: {to: cart, ports: [1-10000/TCP]}}
    require: {signoff: {groups: [security]}}
  - name: not-from-outside
    when: {opened: {from: internet, to: cart, not_from: cart}}
    require: block
"""
EXCEPTION = """\
exceptions:
  - {guardrail: into-cart, flow: {from: "shop/web[Deployment]", to: cart, ports: [9090]}, reason: known, expires: 2999-01-01}
"""
NEVER = """\
invariants:
  - {name: no-internet, never: {from: internet, to: cart}}
"""
CALM = shop(7070)


def write(folder: Path, files: dict[str, str], rules: str = RULES) -> Path:
    folder.mkdir()
    for name, text in ({".flowdelta.yaml": rules} if rules else {}).items() | files.items():
        (folder / name).write_text(text)
    return folder


def flowdelta(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["guardrails", *map(str, arguments)])


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return write(tmp_path / "base", CALM)


@pytest.fixture
def head(tmp_path: Path) -> Path:
    return write(tmp_path / "head", shop(9090))


def test_a_change_that_waits_is_told_in_the_words_of_the_comment(base: Path, head: Path) -> None:
    done = flowdelta("check", base, head)
    assert done.exit_code == 1
    assert "guardrail `into-cart`: **waiting**" in done.stdout
    assert "`shop/web[Deployment]` → `shop/cart[Deployment]` opens on TCP 9090" in done.stdout
    assert "1 of group `security` must still agree" in done.stdout
    assert "not-from-outside" not in done.stdout


def test_nothing_asked_is_said_and_passes(base: Path, tmp_path: Path) -> None:
    done = flowdelta("check", base, base)
    assert (done.exit_code, done.stdout) == (0, "No guardrail asks for anything (2 were judged).\n")
    bare = write(tmp_path / "bare", CALM, rules="")
    assert "There are no guardrails" in flowdelta("check", bare, bare).stdout


def test_what_opens_to_pods_that_could_exist_is_said_beside_what_is_guarded(base: Path, tmp_path: Path) -> None:
    peer = "{namespaceSelector: {matchLabels: {team: far}}, podSelector: {matchLabels: {app: scraper}}}"
    spec = f"{{podSelector: {{matchLabels: {{app: cart}}}}, ingress: [{{from: [{peer}], ports: [{{port: 9000}}]}}]}}"
    text = f"{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{name: far, namespace: shop}}, spec: {spec}}}\n"
    head = write(tmp_path / "head", CALM | {"far.yaml": text})
    said = flowdelta("check", base, head)
    assert said.exit_code == 0
    assert "1 potential flow changes too, which no guardrail judges; flowdelta diff lists them." in said.stdout
    assert json.loads(flowdelta("check", base, head, "--format", "json").stdout)["potential"] == 1


def test_json_is_for_programs(base: Path, head: Path) -> None:
    done = flowdelta("check", base, head, "--format", "json")
    document = json.loads(done.stdout)
    assert (document["schema"], document["standing"], document["complete"]) == ("flowdelta.guardrails/1", "waiting", True)
    assert [(each["name"], each["standing"], bool(each["flows"])) for each in document["guardrails"]] == [
        ("into-cart", "waiting", True),
        ("not-from-outside", "not needed", False),
    ]
    assert document["guardrails"][0]["digest"] in flowdelta("check", base, head).stdout


def test_an_incomplete_analysis_is_never_a_pass(base: Path, tmp_path: Path) -> None:
    head = write(tmp_path / "head", {**CALM, "x.yaml": "kind: NetworkPolicy\napiVersion: networking.k8s.io/v1\nmetadata: {name: x"})
    done = flowdelta("check", base, head)
    assert done.exit_code == 2
    assert "incomplete" in done.stdout


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ("version: 1\nguardrails:\n  - {name: g, when: {opened: {to: nowhere}}, require: block}\n", ".flowdelta.yaml:3: "),
        ("version: 1\nguardrail: []\n", "no such field"),
        ("version: [1\n", ".flowdelta.yaml:"),
    ],
)
def test_a_mistake_in_the_file_is_told_by_its_line(tmp_path: Path, head: Path, rules: str, said: str) -> None:
    done = flowdelta("check", write(tmp_path / "base", CALM, rules), head)
    assert done.exit_code == 2
    assert said in done.stderr


def test_a_change_that_breaks_the_file_is_blocked(base: Path, tmp_path: Path) -> None:
    done = flowdelta("check", base, write(tmp_path / "head", CALM, "version: 2\n"))
    assert done.exit_code == 1
    assert "`.flowdelta.yaml`: **blocked**" in done.stdout
    assert "after this change" in done.stdout


def test_a_change_of_the_file_is_told_and_judged_by_what_it_said_before(base: Path, tmp_path: Path) -> None:
    calm = flowdelta("check", base, write(tmp_path / "calm", CALM, "version: 1\n"))
    assert calm.exit_code == 0
    assert "this change edits" in calm.stdout
    both = flowdelta("check", base, write(tmp_path / "both", shop(9090), "version: 1\n"))
    assert both.exit_code == 1
    assert "guardrail `into-cart`: **waiting**" in both.stdout


def test_the_stricter_of_both_sides_holds_where_it_is_asked_for(base: Path, tmp_path: Path) -> None:
    head = write(tmp_path / "head", shop(9090), RULES.replace("{signoff: {groups: [security]}}", "block"))
    assert "blocked" not in flowdelta("check", base, head).stdout
    assert "`into-cart.at-head`: **blocked**" in flowdelta("check", base, head, "--stricter").stdout


def test_the_organisation_s_rules_hold_beside_and_their_names_are_theirs(base: Path, head: Path, tmp_path: Path) -> None:
    organisation = tmp_path / "organisation.yaml"
    organisation.write_text("version: 1\nguardrails:\n  - {name: ours, when: {opened: {}}, require: block}\n")
    assert "guardrail `ours`: **blocked**" in flowdelta("check", base, head, "--guardrails", organisation).stdout
    taken = write(tmp_path / "taken", CALM, RULES.replace("into-cart", "ours"))
    assert flowdelta("check", taken, head, "--guardrails", organisation).exit_code == 2
    merged = flowdelta("check", base, taken, "--guardrails", organisation)  # once merged, nothing could be analysed any more
    assert merged.exit_code == 1
    assert "`.flowdelta.yaml`: **blocked**" in merged.stdout


def test_revisions_of_a_repository_are_compared_as_merged(tmp_path: Path) -> None:
    origin = Origin(tmp_path, "acme/shop")
    rules = {".flowdelta.yaml": RULES}
    base = origin.commit("refs/heads/main", {**rules, **CALM})
    origin.commit("refs/heads/feature", {**rules, **shop(9090)}, base)
    origin.commit("refs/heads/main", {**rules, **CALM, "README.md": "words"}, base)
    done = flowdelta("check", "main", "feature", "--repo", origin.path, "--merge")
    assert done.exit_code == 1
    assert "TCP 9090" in done.stdout
    assert flowdelta("check", "main", "feature", "--merge").exit_code == 2


def test_two_blocks_that_share_an_id_are_not_judged(base: Path, head: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The id of a long block is cut from a hash, so a hostile change can have two that share one."""
    monkeypatch.setattr("service.guarding._outside", lambda _: Party("same"))
    outside = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: o, namespace: shop}\n"
    spec = "spec: {podSelector: {matchLabels: {app: cart}}, ingress: [{from: [{ipBlock: {cidr: 192.0.2.0/24}}]}, "
    (head / "o.yaml").write_text(f"{outside}{spec}{{from: [{{ipBlock: {{cidr: 198.51.100.0/24}}}}], ports: [{{port: 1}}]}}]}}\n")
    done = flowdelta("check", base, head)
    assert (done.exit_code, "have the same id" in done.stderr) == (2, True)


class TestExplain:
    """Condition by condition."""

    def test_what_falls_out_is_told_where_and_why(self, tmp_path: Path, head: Path) -> None:
        base = write(tmp_path / "explained", CALM, RULES + EXCEPTION)
        (head / "more.yaml").write_text(workload("db") + "---\n" + policy("db", "web", 5432))
        text = flowdelta("explain", "into-cart", base, head).stdout
        assert "left after to: cart\n    left out: " in text
        assert "is not in cart" in text
        assert "  0 left after exceptions\n" in text
        assert "TCP 9090: let pass by an exception (known)" in text

    def test_the_last_step_leaves_what_is_guarded(self, base: Path, head: Path) -> None:
        for name, left in (("into-cart", 1), ("not-from-outside", 0)):
            document = json.loads(flowdelta("explain", name, base, head, "--format", "json").stdout)
            (explained,) = document["explained"]
            assert explained["steps"][-1] == {"condition": "exceptions", "left": left, "fallen": []}
            counts = [step["left"] for step in explained["steps"]]
            assert counts == sorted(counts, reverse=True)

    def test_an_invariant_is_explained_on_head(self, tmp_path: Path, head: Path) -> None:
        base = write(tmp_path / "explained", CALM, RULES + NEVER)
        text = flowdelta("explain", "no-internet", base, head).stdout
        assert "must never be there:" in text
        assert "0 left after to: cart" in text

    def test_a_rule_that_is_not_there_is_told_with_those_that_are(self, base: Path, head: Path) -> None:
        done = flowdelta("explain", "nothing", base, head)
        assert done.exit_code == 2
        assert "known are into-cart, not-from-outside" in done.stderr
