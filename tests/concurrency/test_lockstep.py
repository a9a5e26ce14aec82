"""Several guest threads in one order of steps, on the reference machine and in machine code: also programs that race."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import Phase, find, given, note, settings
from hypothesis import strategies as st

from safepoint.conform.target import INTERRUPT, STOP
from safepoint.differential.compare import differences
from safepoint.differential.runs import Undisturbed, outcome, repeat
from safepoint.differential.schedule import Schedule, parse
from safepoint.differential.stepped import TERMINATE
from safepoint_vm.target import FoldedTarget
from tests.generated.requests import asking

RACE = """
from threading import Lock, Thread
from time import sleep
lock, count, order = Lock(), [0, 0], []
def work(n):
    for i in range(9):
        count[0] += n
    for i in range(2):
        with lock:
            count[1] += 1
    order.append(n)
    sleep(0.00001)
def failing(n):
    order.append(n)
    order[n + 9]
threads = [Thread(target=work, args=(1,)), Thread(target=work, args=(2,)), Thread(target=failing, args=(3,))]
for t in threads:
    t.start()
for t in threads:
    t.join()
print(count, order)
"""
"""The first sum and the order depend on whose turn it is when."""


TURNS = (1, 2, 3, 5, 7, 11, 60, 1000)


def both(source: str, quantum: int, stress: bool = False) -> tuple[Undisturbed, FoldedTarget]:
    target = FoldedTarget(quantum=quantum, stress=stress)
    target.load(source, "race")
    target.start()
    target.run()
    return Undisturbed(source, "race", 4096, quantum), target


@pytest.mark.parametrize("stress", [False, True])
@pytest.mark.parametrize("quantum", TURNS)
def test_a_race_ends_the_same_way_on_both_machines(quantum: int, stress: bool) -> None:
    """`stress`: everything moves at every allocation, also what sleeping threads hold."""
    run, target = both(RACE, quantum, stress)
    assert differences(run.end, target.observe()) == {}
    assert run.end.others[0].startswith("Exception in thread Thread-3 (failing):")
    assert "IndexError" in run.end.others[0]


def test_the_races_differ() -> None:
    """Or the test above would show nothing: with short turns additions are lost, and who is first depends on the turns."""
    ends = {Undisturbed(RACE, "race", 4096, quantum).end.output for quantum in TURNS}
    assert "[27, 4] [1, 2, 3]\n" in ends, "no thread disturbs another"
    assert len(ends) > 3
    assert all(", 4] [" in end for end in ends), "an addition under the lock is lost"


RUNS = {quantum: both(RACE, quantum) for quantum in (1, 3, 1000)}


@given(
    quantum=st.sampled_from(sorted(RUNS)),
    where=st.floats(0, 1, exclude_max=True),
    kind=st.sampled_from([STOP, INTERRUPT, "SAMPLE"]),
    whom=st.integers(0, 3),
    at=st.integers(0, 60),
    also=st.sampled_from(["", STOP, INTERRUPT]),
)
def test_requests_to_any_thread_at_any_moment_of_a_race(
    quantum: int, where: float, kind: str, whom: int, at: int, also: str
) -> None:
    run, target = RUNS[quantum]
    step = int(where * run.steps)
    living = run.before(step).living
    schedule = Schedule(step, kind, at if also else -1, also, living[whom % len(living)])
    assert differences(run.run(schedule).observation, repeat(target, schedule).observation) == {}
    assert parse(schedule.string("race")) == ("race", schedule)


@pytest.mark.parametrize("step", [26, 27])
def test_a_thread_that_is_started_while_the_world_is_being_stopped_takes_its_turn_when_it_is_there(step: int) -> None:
    """Step 27 is a START, at whose end its thread waits: so the new thread is in no order of turns that began before."""
    run, target = RUNS[3]
    for at in (17, 25, 40, 51):
        schedule = Schedule(step, STOP, at, STOP)
        assert differences(run.run(schedule).observation, repeat(target, schedule).observation) == {}


# ---------------------------------------------------------------------------------------------- generated: they ask each other


@given(
    source=asking(),
    quantum=st.sampled_from(TURNS),
    where=st.floats(0, 1, exclude_max=True),
    kind=st.sampled_from([STOP, INTERRUPT, TERMINATE, "SAMPLE"]),
    whom=st.integers(0, 9),
)
def test_generated_threads_that_ask_each_other_do_the_same_on_both_machines(
    source: str, quantum: int, where: float, kind: str, whom: int
) -> None:
    """To raise, to end, for an operation, for a collection; and one request more from the host, to any of them."""
    note(source)
    run, target = Undisturbed(source, "asks", 4096, quantum), FoldedTarget(quantum=quantum)
    target.load(source, "asks")
    target.start()
    assert differences(run.end, outcome(target, lambda: advanced(target, run.longest))) == {}
    step = int(where * run.steps)
    living = run.before(step).living
    schedule = Schedule(step, kind, thread=living[whom % len(living)])
    note(schedule.string("asks"))
    assert differences(run.run(schedule).observation, repeat(target, schedule, run.longest).observation) == {}


def advanced(target: FoldedTarget, most: int) -> None:
    target.step(most)


def goes_on(run: Undisturbed) -> bool:
    """Has a thread been terminated that has gone on, to its end?"""
    ended = sum("\nTerminated\n" in said for said in run.end.others)
    return run.end.ended and sum(seen.kind == TERMINATE for seen in run.end.seen) > ended


@pytest.mark.parametrize(
    "shown",
    [
        lambda run: any("\nTerminated\n" in said for said in run.end.others),
        lambda run: [seen.kind for seen in run.end.seen].count(INTERRUPT) > 0,
        goes_on,
    ],
    ids=["is ended", "is interrupted", "goes on"],
)
def test_the_generated_threads_do_reach_each_other(shown: Callable[[Undisturbed], bool]) -> None:
    """Or the test above would show nothing.  The programs are the same every time."""
    same = settings(max_examples=400, derandomize=True, database=None, phases=[Phase.generate])
    find(asking(), lambda source: shown(Undisturbed(source, "asks", 4096, 7)), settings=same)
