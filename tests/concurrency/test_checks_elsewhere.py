"""Controlled schedules under policies that check elsewhere than at pushes and back-edges: at returns, or at allocations."""

from __future__ import annotations

import pytest

from safepoint.differential.cases import case
from safepoint.differential.controlled import Ran
from safepoint.differential.follow import judge
from safepoint.differential.schedulers import Exhaustive, Replay
from safepoint.protocol.policies import POLICIES
from safepoint.trace.events import Checked, Entered, Locked
from safepoint.verify.controlled import interpreter, run_case
from safepoint_vm.language.layout import Record
from safepoint_vm.memory.heap import GuestHeap

ELSEWHERE = [policy.name for policy in POLICIES.values() if policy.elsewhere]
OPCODES = {"return": "RETURN", "allocation": "LIST"}


def places(ran: Ran) -> list[str]:
    """The instructions of guest code before which another actor might have gone on."""
    return [made.statement.removeprefix("guest code: ") for made in ran.made if not made.file]


@pytest.mark.parametrize("policy", ELSEWHERE)
def test_another_may_go_on_before_a_check_elsewhere(policy: str) -> None:
    """Before a return under one policy, before a list display under the other, before neither under most."""
    checks = OPCODES[POLICIES[policy].elsewhere]
    (other,) = {*OPCODES.values()} - {checks}
    ran, usual = (interpreter().control(case("lists", policy=each), Replay({})) for each in (policy, "cpython"))
    assert [places(ran).count(each) for each in (checks, other)] == [2, 0]
    assert not {*OPCODES.values()} & {*places(usual)}
    assert sum(isinstance(event, Checked) for event in ran.events) == 2
    assert not any(isinstance(event, Checked) for event in usual.events)


@pytest.mark.parametrize(
    ("policy", "made"),
    [(name, "calls" if POLICIES[name].elsewhere == "return" else "full") for name in ELSEWHERE],
)
def test_a_check_elsewhere_that_fails_is_in_the_trace(policy: str, made: str) -> None:
    """The request is there first, no loop is, and a push checks nothing."""
    ran = interpreter().control(case(made, "SAMPLE", policy=policy), Replay({0: 1}))
    assert {event.site for event in ran.events if isinstance(event, Entered)} == {"elsewhere"}
    assert judge(ran) is None


@pytest.mark.parametrize(("policy", "poisoned"), [("yarv", 0), ("hotspot", 1)])
def test_every_schedule_with_a_preemption_of_calls_that_return(policy: str, poisoned: int) -> None:
    """Either begins, and is preempted nowhere, or at one of its places; then the other runs to its end."""
    guest = ["CALL", "RETURN", "CALL", "RETURN", "exit_thread"]
    requester = ["pending", *["page"] * poisoned, "wake"]
    row = run_case(case("calls", "SAMPLE", policy=policy), most=1000, drawn=0)
    assert (row.wrong, row.finished) == (None, True)
    assert row.exhaustive == 2 + len(guest) + len(requester)


@pytest.mark.parametrize("policy", ["ocaml", "pypy_sampling"])
def test_an_allocation_without_room_checks_again_when_it_begins_again(policy: str) -> None:
    """Its own stop has asked its thread, too: the second time it finds that, and then allocates without a check."""
    ran = interpreter().control(case("full", policy=policy), Replay({}))
    checks = [type(event) for event in ran.events if isinstance(event, Checked | Entered)]
    assert checks == [Checked, Entered] * 3
    assert judge(ran) is None


@pytest.mark.parametrize(("policy", "by"), [("ocaml", "T0"), ("pypy_sampling", "T0 asks")])
def test_who_stops_the_world_is_a_requester_where_no_thread_does(policy: str, by: str) -> None:
    """The text of pypy_sampling has no stop by a thread: while it is outside guest code a requester makes one."""
    ran = interpreter().control(case("full", policy=policy), Replay({}))
    assert {event.by for event in ran.events if isinstance(event, Locked)} == {by}
    assert judge(ran) is None


@pytest.mark.rule("LIMIT-KEEPS-POISON")
def test_a_collection_that_makes_a_poisoned_end_real_again_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """In every schedule: the thread's own stop has poisoned it, too."""
    grant = GuestHeap.grant

    def forgetful(heap: GuestHeap, thread: Record) -> bool:
        room = grant(heap, thread)
        thread.set("heap_limit", thread.get("heap_limit_real"))
        return room

    def found() -> set[str]:
        search = Exhaustive(1, 400)
        wrong = [judge(interpreter().control(case("full", "SAMPLE", policy="ocaml"), each)) for each in search]
        assert search.finished
        return {"" if each is None else each.by for each in wrong}

    assert found() == {""}
    monkeypatch.setattr(GuestHeap, "grant", forgetful)
    assert found() == {"trace"}


SMALL = [
    ("yarv", "lists", "SAMPLE"),
    ("hotspot", "lists", "INTERRUPT"),
    ("ocaml", "masked lists", "INTERRUPT"),
    ("pypy_sampling", "lists", "SAMPLE"),
]
LARGER = [("ocaml", "full", "SAMPLE"), ("pypy_sampling", "full", "INTERRUPT"), ("pypy_sampling", "full", "STOP")]


def all_of_two(policy: str, program: str, asked: str) -> None:
    row = run_case(case(program, asked, policy=policy), most=10_000, drawn=0, preemptions=2)
    assert (row.wrong, row.finished) == (None, True)


@pytest.mark.parametrize(("policy", "program", "asked"), SMALL)
def test_nothing_is_wrong_on_any_schedule_with_two_preemptions(policy: str, program: str, asked: str) -> None:
    all_of_two(policy, program, asked)


@pytest.mark.nightly  # 9,000 schedules
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("policy", "program", "asked"), LARGER)
def test_the_same_where_every_allocation_collects(policy: str, program: str, asked: str) -> None:
    all_of_two(policy, program, asked)
