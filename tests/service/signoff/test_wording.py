"""What the comment says of sign-off: everything that a person needs to act, and nothing that a name could break."""

from __future__ import annotations

from msgspec.structs import replace

from analyzers.sets.connections import ConnectionSet, Protocol
from analyzers.sets.intervals import IntervalSet
from service.signoff.approvals import decide
from service.signoff.flows import Certainty, Change, FlowSet, Route
from service.signoff.guardrails import Demand, Outcome
from service.signoff.matching import Guarded
from service.signoff.wording import line, section, shown_digest
from tests.service.signoff.test_approvals import ANN, EVE, FACTS, NETWORK, SECURITY, opening, yes

GUARDED = Guarded("into-pci", 3, False, Demand(signatures=(SECURITY,)), opening(5432))


def test_a_waiting_guardrail_says_all_that_is_needed() -> None:
    decision = decide([GUARDED], [yes(EVE)], FACTS, "h1")
    digest = shown_digest(GUARDED.flows)
    assert section(decision) == (
        "**Sign-off: waiting for approval**\n\n"
        "- guardrail `into-pci`: **waiting**\n"
        "  - `shop/web[Deployment]` → `pay/db[StatefulSet]` opens on TCP 5432, perhaps\n"
        "  - 1 of group `security` must still agree\n"
        "  - `eve` agreed, which does not count: the author does not count\n"
        f"  - to agree to exactly these flows: `/flowdelta approve into-pci {digest}`\n"
    )
    assert line(decision) == "waiting for approval: into-pci"


def test_a_lapsed_approval_names_the_new_flow_and_the_person() -> None:
    text = section(decide([replace(GUARDED, flows=opening(22, 5432))], [yes(ANN)], FACTS, "h1"))
    assert "**lapsed**: ann agreed to fewer flows" in text
    assert "`ann` agreed to fewer flows; not to `shop/web[Deployment]` → `pay/db[StatefulSet]` opens on TCP 22" in text


def test_nothing_guarded_is_nothing_said() -> None:
    empty = decide([replace(GUARDED, flows=FlowSet())], [], FACTS, "h1")
    assert (section(empty), line(empty)) == ("", "")


def test_a_blocked_flow_offers_no_command() -> None:
    blocked = decide([replace(GUARDED, require=Demand(Outcome.BLOCK))], [], FACTS, "h1")
    assert "approve" not in section(blocked)
    assert line(blocked) == "blocked by a guardrail: into-pci"


def test_many_flows_are_counted_and_names_stay_names() -> None:
    routes = [Route(Change.OPENED, "", f"a/w{number}[Pod]", "b/`x`|<!--@all[Pod]", Certainty.MAY) for number in range(30)]
    web = ConnectionSet.of({Protocol.TCP: IntervalSet(((80, 80),))})
    flows = FlowSet.of((route, IntervalSet(((0, 0),)), web) for route in routes)
    text = section(decide([replace(GUARDED, flows=flows, require=Demand(signatures=(SECURITY, NETWORK)))], [], FACTS, "h1"))
    assert "and 20 more" in text
    assert "<!--" not in text
    assert "1 of group `network` must still agree" in text


def test_a_certain_flow_is_one_flow() -> None:
    ((route, cells),) = opening(80).routes
    certain = FlowSet((((replace(route, certainty=Certainty.ALLOWED)), cells), (route, cells)))
    text = section(decide([replace(GUARDED, flows=FlowSet.of((r, *cell) for r, each in certain.routes for cell in each))], [], FACTS, "h1"))
    assert text.count("opens on TCP 80\n") == 1
