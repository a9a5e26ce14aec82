"""Every guest program on three machines, with requests before every step and in the middle of whatever they cause."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from safepoint.differential.compare import EVERY_STEP, Tally, compare, sampled, schedules
from safepoint.differential.corpus import Guest, corpus
from safepoint.differential.reference import Reference
from safepoint.differential.runs import Undisturbed, repeat, undisturbed
from safepoint.differential.schedule import Schedule
from safepoint.guest.code import BACK_EDGES
from safepoint.protocol.policies import FOLDED
from safepoint_vm.target import FoldedTarget
from tests.oracle import run as cpython

PROGRAMS = Path(__file__).parents[1] / "programs"
GUESTS = corpus()
ALONE = [guest for guest in GUESTS if guest.alone]  # of those with threads, CPython runs as many at once as it likes
SHORT, SHORTER, MIDDLING = 150, 45, 500
"""Steps of programs in which second posts are made in every run (SHORTER: with threads), and of those posted to before every
step.  The longer ones, nightly: those took most of an hour."""
ATTAINED = {"loops_only": (0, 1), "calls_only": (1, 0), "gcd": (1, 1)}
"""Greatest distances, in frame pushes and back-edges, of programs that have only the one, or both."""


@pytest.fixture(scope="module")
def folded() -> FoldedTarget:
    return FoldedTarget()


def by_name(guest: Guest) -> str:
    return guest.name


def test_every_program_of_the_checkout_is_compared() -> None:
    assert {Path(guest.file) for guest in GUESTS} == set(PROGRAMS.rglob("*.py")) != set()


@pytest.mark.timeout(600)  # a minute alone; other workers may want the processor too
@pytest.mark.parametrize("guest", GUESTS, ids=by_name)
@pytest.mark.parametrize(
    ("seconds", "every"), [(SHORT, MIDDLING), pytest.param(None, EVERY_STEP, marks=pytest.mark.nightly)]
)
def test_interpreter_agrees_with_reference(seconds: int | None, every: int, guest: Guest, folded: FoldedTarget) -> None:
    tally = Tally()
    seconds = min(seconds, SHORTER) if seconds and not guest.alone else seconds
    compare(folded, guest.source, guest.name, guest.stack, tally, random.Random(1), seconds=seconds, every=every)
    undisturbed.cache_clear()  # kept for mutants, of which there is none here: Python's collector would look at it again and again
    assert not tally.mismatches, "\n".join(map(str, tally.mismatches))
    assert tally.worst.within(FOLDED.declared)
    if guest.name in ATTAINED:
        assert (tally.worst.frames, tally.worst.back_edges) == ATTAINED[guest.name], (
            f"{FOLDED.declared} is not attained"
        )


@pytest.mark.parametrize("guest", ALONE, ids=by_name)
def test_machine_code_agrees_with_cpython(guest: Guest, folded: FoldedTarget) -> None:
    """Output and exception; and the checks that CPython counts in the instrumented source."""
    folded.load(guest.source, guest.name, guest.stack)
    folded.start()
    folded.run()
    seen, opinion = folded.observe(), cpython(guest.source)
    assert (seen.output, seen.error) == (opinion.output, opinion.error)
    if seen.error != "RecursionError":  # how deep a stack is, is each machine's own affair
        assert (seen.frames, seen.back_edges) == (opinion.frames, opinion.back_edges)
        assert seen.traceback == tuple(f"{function}:{line}" for line, function in opinion.lines)


def test_short_programs_are_posted_to_before_every_step() -> None:
    short = Undisturbed("i = 0\nwhile i < 9:\n    i += 1\n", "short", 512)
    steps = [s.step for s in schedules(short, random.Random(1), 0) if s.kind == "STOP"]
    assert steps == list(range(short.steps))
    long = Undisturbed("i = 0\nwhile i < 999:\n    i += 1\n    i += 0\n", "long", 512)
    assert long.steps > EVERY_STEP
    assert len({s.step for s in schedules(long, random.Random(1), 0)}) == sampled(long.steps) < sampled(1) == 50


def test_second_posts_reach_every_access_of_a_slow_path() -> None:
    """A STOP at a back-edge: its own accesses (a guest step before each), then the owner's."""
    own = len(("lock", "stop", "pending", "limit", "wake", "state")) + len(BACK_EDGES)
    run = Undisturbed("i = 0\nwhile i < 2:\n    i += 1\n", "short", 512)
    at = next(step for step in range(run.steps) if run.before(step + 1).checks(0)["back_edges"] == 1)
    trial = run.run(Schedule(at, "STOP"))
    made = [s for s in schedules(run, random.Random(1), None) if s.step == at and s.kind == "STOP" and s.also]
    assert [s.at for s in made if s.also == "step"] == list(range(own))
    assert [s.at for s in made if s.also == "STOP"] == list(range(own, trial.in_all))
    assert trial.in_all - own >= 5 + 1 + 4  # restore, take, park


@pytest.mark.parametrize("name", ["missing_name", "births", "asks_nobody"])
def test_a_run_that_is_broken_off_is_the_whole_run(name: str) -> None:
    """The reference machine's run is cut short where an earlier one has stood: it must say what a whole run says."""
    guest = next(g for g in GUESTS if g.name == name)
    run, whole, rng = Undisturbed(guest.source, guest.name, guest.stack), Reference(), random.Random(1)
    whole.load(guest.source, guest.name, guest.stack)
    for schedule in schedules(run, rng, SHORTER):
        cut = run.run(schedule)
        if rng.random() < 0.1:
            assert cut.observation == repeat(whole, schedule, run.longest).observation, str(schedule)
    assert run.joined > 20, "no run is broken off where another one has stood"


def test_without_any_program_nothing_is_compared(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("safepoint.differential.corpus.PROGRAMS", tmp_path)
    with pytest.raises(FileNotFoundError, match=str(tmp_path)):
        corpus()
