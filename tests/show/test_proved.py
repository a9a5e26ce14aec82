"""The table of policies on the page of `verify --report`: what was found of each, and what was not, by name."""

from __future__ import annotations

from dataclasses import replace

from safepoint.model.memory.names import C11, SC, TSO
from safepoint.protocol.policies import FOLDED, POLICIES
from safepoint.protocol.policy import Bound
from safepoint.show import report as page
from safepoint.show.proved import COUNTED, NOT_EXPLORED, NOT_MEASURED, not_measured, policy_lines
from safepoint.verify.report import Report
from safepoint.verify.rows import DifferentialRow, ScopeRow
from tests.show.layout import TEXT
from tests.show.outline import Outline

ROW = ScopeRow(
    policy="pypy", memory=SC, threads=1, scope="interrupt-1", states=1, transitions=1, depth=1, seconds=0.1, verdict="holds", bound=Bound(1, 2)
)  # fmt: skip
FOUND = DifferentialRow(programs=7, interrupts=4321, mismatches=0, worst=Bound(1, 1))


def cells(*rows: ScopeRow, policy: str = "pypy") -> dict[str, str]:
    (line,) = (line for line in policy_lines(Report(protocol=list(rows))) if line.policy.name == policy)
    return {**dict(zip(COUNTED, line.proved, strict=True)), "others": line.others}


def test_the_bound_is_the_worst_of_all_scopes_of_that_memory_model_and_policy() -> None:
    assert cells(
        ROW,
        replace(ROW, scope="stop-1", bound=Bound(2, 1)),
        replace(ROW, memory=TSO, bound=Bound(1, None)),
        replace(ROW, policy="dart", bound=Bound(None, None)),
    ) == {SC: "frames 2, back-edges 2", TSO: "frames 1, back-edges unbounded", "others": NOT_EXPLORED}  # fmt: skip


def test_a_scope_that_is_refuted_is_said_in_place_of_a_bound() -> None:
    found = cells(ROW, replace(ROW, scope="stop-1", verdict="refuted", bound=None))
    assert (found[SC], found[TSO]) == ("refuted: stop-1", NOT_EXPLORED)


def test_of_the_other_memory_models_the_verdict_stands_alone() -> None:
    weak = replace(ROW, memory=C11, bound=None)
    assert cells(weak)["others"] == "c11: holds"
    assert cells(weak, replace(weak, scope="stop-1", verdict="refuted"), replace(weak, memory="power"))["others"] == (
        "c11: refuted: stop-1, power: holds"
    )


def test_no_policy_is_left_out_and_what_was_not_measured_has_its_name() -> None:
    lines = list(policy_lines(Report(protocol=[ROW], differential=FOUND)))
    assert [line.policy for line in lines] == list(POLICIES.values())
    assert {line.policy.name for line in lines if line.observed != NOT_MEASURED} == {FOLDED.name}
    assert lines[0].observed == "frames 1, back-edges 1, of 4,321 posts"
    said = not_measured(lines)
    assert all(name in said for name in POLICIES if name != FOLDED.name)
    assert FOLDED.name not in said
    assert FOLDED.name in not_measured(list(policy_lines(Report())))


def test_the_page_has_the_table() -> None:
    said = Outline(page.html(Report(protocol=[ROW], differential=FOUND), TEXT, [])).prose
    table = said.partition("The policies, side by side")[2].partition("Every state of the protocol")[0]
    for policy in POLICIES.values():
        assert f"{policy.name} {', '.join(policy.sites)} {policy.trigger} {policy.declared} " in table
        assert policy.title in table
    assert (
        "pypy push, back-edge ticker frames 2, back-edges 2 frames 1, back-edges 2 not explored not explored" in table
    )
    for missing in ("the distance observed in machine code of", "instructions", "CPU time", "safepoint policies"):
        assert missing in table.partition("Not measured in this run")[2]
