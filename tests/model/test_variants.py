"""What not every VM does: a fence for all threads, a signal handler on its thread, stops that are fair."""

from __future__ import annotations

from dataclasses import replace

import pytest

from safepoint.graph.text import Text
from safepoint.model.explore import Result, search
from safepoint.model.fairness import IN_A_ROW, check_fairness, too_many
from safepoint.model.process import Process
from safepoint.model.properties import Properties
from safepoint.model.scopes import SCOPES, SLICES, VARIANTS, chosen
from safepoint.model.system import Model

TEXT = Text()


def reached(scope: str, memory: str = "tso") -> Result:
    result = search(Model(TEXT, SCOPES[scope], memory=memory), lambda _: None)
    assert not result.broken
    return result


def moves(process: Process, state: int) -> tuple[int, ...]:
    return process.moves(state & process.footprint)


def test_each_variant_has_a_tiny_scope() -> None:
    assert set(VARIANTS) <= {name for scope in chosen("tiny") for name in scope.slices}
    assert not VARIANTS.keys() & SLICES.keys()


@pytest.mark.rule("REQUESTER-IS-A-BARRIER")
def test_a_fence_for_all_threads_waits_until_no_store_is_on_its_way() -> None:
    result = reached("membarrier-1")
    thread, coordinator = result.model.processes
    fencing = [state for state in result.reached if coordinator.at(state).op == "fence_others"]
    on_their_way = [bool(thread.in_flight(state)) for state in fencing]
    assert {True, False} == set(on_their_way)
    for state, waits in zip(fencing, on_their_way, strict=True):
        own = bool(coordinator.in_flight(state))
        assert len(moves(coordinator, state)) == (own if waits or own else 1)


def test_without_store_buffers_a_fence_is_a_silent_step() -> None:
    result = reached("membarrier-1", "sc")
    coordinator = result.model.requesters[0]
    fencing = [state for state in result.reached if coordinator.at(state).op == "fence_others"]
    assert fencing
    assert all(len(moves(coordinator, state)) == 1 for state in fencing)


@pytest.mark.rule("POST-NEVER-WAITS")
def test_a_thread_stands_still_while_its_handler_runs() -> None:
    """But for its stores, and the handler's, which are in one store buffer, and reach memory at any time."""
    result = reached("signal-1")
    thread, handler = result.model.processes
    assert handler.me == thread.me
    assert handler.buffer is thread.buffer
    running = [state for state in result.reached if handler.at(state).op != "pause"]
    assert {bool(thread.in_flight(state)) for state in running} == {True, False}
    for state in running:
        assert len(moves(thread, state)) == bool(thread.in_flight(state))
        assert moves(handler, state) or thread.in_flight(state)


@pytest.mark.rule("HELD-RUNS-FIRST")
@pytest.mark.parametrize(
    ("scope", "most"), [("fairness-1", [1]), ("fairness-coordinators-1", [1]), ("fairness-2", [2, 1])]
)
def test_the_number_of_stops_in_a_row_is_exact(scope: str, most: list[int]) -> None:
    """Two find the first of two threads, and one finds the last: the shortest path to as many is there, to one more none is, as
    the check itself finds."""
    result = reached(scope)
    for thread, n in enumerate(most):
        path = too_many(result, thread, n - 1)
        state = path[-1]
        assert sum(d.stopped for d in Properties(result.model).doings(state)) == 1
        assert not Properties(result.model).in_guest(state, thread)
    assert most == [*[IN_A_ROW] * (len(most) - 1), 1]
    assert check_fairness(result) is result


@pytest.mark.rule("HELD-RUNS-FIRST")
def test_stops_that_are_not_fair_have_no_such_number() -> None:
    result = search(Model(TEXT, SCOPES["fairness-1"], "stops-again-at-once"), lambda _: None)
    assert all(too_many(result, 0, most) for most in range(5))
    found = check_fairness(result)
    assert (found.broken, found.path) == ("runs-between-stops", too_many(result, 0, 1))


def test_a_long_text_is_not_taken_for_an_endless_one() -> None:
    """Two stops of three threads in a row, and their ends, each statement read inside the one before it."""
    model = Model(TEXT, replace(SCOPES["nesting-1"], threads=3))
    assert sum(step.op == "cas" and step.guard is not None for step in model.mutators[0].graph.steps) == 2
