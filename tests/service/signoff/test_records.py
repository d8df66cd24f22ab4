"""Records: a decision can be made again from what was written down of it."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from service.signoff.approvals import decide
from service.signoff.flows import FlowSet
from service.signoff.records import act_from, act_json, decision_json, facts_from, facts_json, guarded_from, guarded_json
from tests.service.signoff.test_approvals import ROWS, Row, guarded
from tests.service.signoff.test_matching import DB, WEB, exception, one, opens


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.rule)
def test_the_same_record_gives_the_same_decision(row: Row) -> None:
    acts = [replace(each, number=number) for number, each in enumerate(row.acts, 1)]
    decided = decide([guarded(row)], acts, row.facts, row.head)
    contents = {act.flows.digest: json.dumps(act.flows.to_json()) for act in acts}
    record = {
        "guarded": guarded_json(guarded(row)),
        "acts": [(act.number, act_json(act, act.flows.digest)) for act in acts],
        "facts": facts_json(row.facts),
        "decision": decision_json(decided),
    }
    read = json.loads(json.dumps(record))
    again = [act_from(number, value, FlowSet.from_json(json.loads(contents[value["flows"]]))) for number, value in read["acts"]]
    assert (again, facts_from(read["facts"]), guarded_from(read["guarded"])) == (acts, row.facts, guarded(row))
    assert decision_json(decide([guarded_from(read["guarded"])], again, facts_from(read["facts"]), row.head)) == read["decision"]


def test_exceptions_survive_as_far_as_they_are_shown() -> None:
    found = one(exception("2026-11-22", '{from: "shop/web[Deployment]", to: pci}'), opens(WEB, DB, 5432))
    (ended,) = guarded_from(json.loads(json.dumps(guarded_json(found)))).expired
    assert (ended.reason, ended.expires.isoformat()) == ("because", "2026-11-22")
