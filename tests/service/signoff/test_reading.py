"""Reading .flowdelta.yaml: the example of the documentation, and every mistake by field and line."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from analyzers.sets.connections import Protocol
from analyzers.sets.ip_blocks import Family
from service.configuration import Configuration, ConfigurationError, read_configuration
from service.signoff.flows import Certainty, Change
from service.signoff.guardrails import Demand, Law, Outcome, Signature

EXAMPLE = """\
version: 1
zones:
  pci:      {namespaces: {matchLabels: {zone: pci}}}
  payments: {namespaces: {matchNames: [payments]}, pods: {matchLabels: {app: gateway}}}
  internet: {external: true}
  office:   {cidrs: [192.0.2.0/24, "2001:db8::/32"]}
guardrails:
  - name: into-pci
    when: {opened: {to: pci, not_from: [pci]}}
    require: {signoff: {groups: [security], count: 2, not: [author]}, label: needs-security, notify: [acme/security]}
  - name: etcd-stays-shut
    when: {opened: {ports: [2379-2380/TCP]}, closed: {from: office, certainty: allowed}}
    require: block
  - name: both
    when: {opened: {from: [internet, office]}}
    require: {signoff: [{groups: [security]}, {users: [ann]}]}
exceptions:
  - guardrail: into-pci
    flow: {from: "ops/backup[CronJob]", to: pci}
    reason: nightly backup
    expires: 2027-03-31
invariants:
  - name: never-outside
    never: {from: internet, to: pci}
  - name: always-in
    always: {from: internet, to: payments, ports: [443/TCP, 53]}
    require: warn
"""


def read(text: str) -> Configuration:
    return read_configuration(text.encode())


def test_a_whole_file() -> None:
    rules = read(EXAMPLE).guardrails
    into, shut, both = rules.guardrails
    assert into.require == Demand(None, (Signature(("security",), (), 2, contributors=True),), ("needs-security",), ("acme/security",))
    assert [(when.change, when.certainty) for when in shut.when] == [(Change.OPENED, Certainty.MAY), (Change.CLOSED, Certainty.ALLOWED)]
    assert (shut.line, shut.require, shut.when[0].condition.ports.ranges()) == (11, Demand(Outcome.BLOCK), {"TCP": [[2379, 2380]]})
    assert [signature.groups or signature.users for signature in both.require.signatures] == [("security",), ("ann",)]
    assert [block.family for block in rules.zones["office"].blocks or ()] == [Family.V4, Family.V6]
    assert (rules.exceptions[0].condition.source.endpoint, rules.exceptions[0].expires) == ("ops/backup[CronJob]", date(2027, 3, 31))
    never, always = rules.invariants
    assert (never.law, never.certainty, never.require) == (Law.NEVER, Certainty.MAY, Demand(Outcome.BLOCK))
    assert (always.law, always.certainty, always.require) == (Law.ALWAYS, Certainty.ALLOWED, Demand(Outcome.WARN))
    assert set(dict(always.condition.ports.entries)) == set(Protocol)


@pytest.mark.parametrize(
    ("line", "old", "new", "said"),
    [
        (1, "version: 1", "version: 2", "version: must be 1"),
        (2, "zones:", "zone:", "no such field"),
        (3, "matchLabels: {zone: pci}", "matchLabel: {zone: pci}", "no such field"),
        (3, "matchLabels: {zone: pci}", "matchLabels: {zone: p c}", "zones.pci.namespaces"),
        (4, "matchNames: [payments]", "matchNames: []", "at least one namespace"),
        (5, "external: true", "external: false", "must be true"),
        (5, "external: true", "external: true, pods: {}", "either namespaces or pods"),
        (5, "external: true", "", "either namespaces or pods"),
        (6, "192.0.2.0/24", "192.0.2.1/24", "host bits"),
        (6, "192.0.2.0/24", "office", "is not a CIDR"),
        (8, "name: into-pci", "name: Into PCI", "is no name"),
        (9, "to: pci", "to: pcj", "there is no zone 'pcj'"),
        (9, "not_from: [pci]", "not_from: []", "at least one zone"),
        (9, "not_from", "notfrom", "no such field"),
        (9, "{opened: {to: pci, not_from: [pci]}}", "{}", "must say opened or closed"),
        (10, "count: 2", "count: 0", "must be from 1 to 20"),
        (10, "groups: [security], ", "", "must name groups or users"),
        (10, "groups: [security]", "groups: ['@all']", "not the name of a group"),
        (10, "not: [author]", "not: [nobody]", "is not one of author, contributors"),
        (10, "count", "counts", "no such field"),
        (11, "name: etcd-stays-shut", "name: into-pci", "is used twice"),
        (12, "2379-2380/TCP", "2380-2379/TCP", "is not a range"),
        (12, "2379-2380/TCP", "http", "is not a port"),
        (12, "[2379-2380/TCP]", "[]", "at least one port"),
        (12, "certainty: allowed", "certainty: sure", "is not one of may, allowed"),
        (13, "require: block", "require: stop", "is not one of block, warn"),
        (13, "require: block", "require: {}", "must ask for something"),
        (18, "guardrail: into-pci", "guardrail: into", "there is no guardrail"),
        (20, "nightly backup", "' '", "must say why"),
        (21, "2027-03-31", "tomorrow", "is not a day"),
        (24, "never: {from: internet, to: pci}", "never: {from: internet}\n    always: {}", "must have one of never and always"),
        (26, "from: internet, to: payments", "to: payments", "must say from and to"),
    ],
)
def test_every_mistake_is_named_by_its_line(line: int, old: str, new: str, said: str) -> None:
    assert old in EXAMPLE
    lines = EXAMPLE.splitlines(keepends=True)
    lines[line - 1] = lines[line - 1].replace(old, new, 1)
    with pytest.raises(ConfigurationError, match=said) as refused:
        read("".join(lines))
    assert abs(refused.value.line - line) <= 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing\n",
        "- a list\n",
        "version: 1\n---\nversion: 1\n",
        "version: 1\nversion: 1\n",
        "version: [1\n",
        "a: &a [*a]\n",
        "\ud800",
    ],
)
def test_what_is_no_configuration_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^\.flowdelta\.yaml:\d+: "):
        read_configuration(text.encode("utf-8", "surrogatepass"))


def test_the_digest_is_that_of_the_bytes() -> None:
    assert read(EXAMPLE).digest == read(EXAMPLE).guardrails.source != read(EXAMPLE + "\n").digest


def test_the_example_of_the_documentation_is_read_and_says_what_the_text_says() -> None:
    text = (Path(__file__).parents[3] / "docs" / "signoff.md").read_text()
    (example,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    rules = read(example).guardrails
    assert [rule.name for rule in rules.rules] == [
        *("into-pci", "etcd-stays-shut", "keep-frontend-up"),
        *("dev-never-reaches-prod", "shop-is-open"),
    ]
    assert rules.invariants[0].require == Demand(Outcome.BLOCK)
    for word in ("certainty: allowed", "unknown_contributors: allow", "matchNames"):
        assert word in text
