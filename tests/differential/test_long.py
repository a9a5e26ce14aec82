"""Instructions that do much work: on both machines they poll after each WORK units of it, and can be stopped or ended there.

The units are counted here by hand, from the program's text; a poll is counted as a back-edge.
"""

from __future__ import annotations

import pytest

from safepoint.conform.target import INTERRUPT, STOP
from safepoint.differential.compare import differences
from safepoint.differential.reference import Reference
from safepoint.differential.runs import outcome, repeat, undisturbed
from safepoint.differential.schedule import Schedule
from safepoint.guest.code import STRAIGHT
from safepoint.guest.compiler.emitter import SLACK
from safepoint.guest.heap import WORK
from safepoint_vm.target import FoldedTarget

N = WORK + 4000
DEPTH = 14

# text -> units of work of each of its instructions that does more than a few
PROGRAMS: dict[str, list[int]] = {
    "print([1] * N == [1] * N)": [N, N, N],
    "print([1] * N != [2] * N)": [N, N, 256],
    "print([1] * N <= [1] * N)": [N, N, N],
    "print('ab' * N == 'ab' * N, 'ab' * N >= 'ab' * N)": [2 * N] * 6,
    "print('ab' * N == 'cb' * N, 'ab' * N > 'cb' * N)": [2 * N] * 6,
    "print(2 in [1] * N, 1 in [1] * N)": [N, N, N, 256],
    "print('x' in 'ab' * N, 'abc' not in 'ab' * N, '' in 'ab' * N)": [2 * N] * 5,
    "print(len([1] * N + [2] * N), len([1, 2] * N))": [N, N, 2 * N, 2 * N],
    "a = [1] * N\na += a\na *= 2\nprint(len(a))": [N, N, 4 * N],
    "a = [1] * N\na += 'ab' * N\nprint(len(a), a[N], a[-1])": [N, 2 * N, 2 * N],
    "a = [1] * N\na *= 0\nprint(a)": [N],
    "a = []\na += [1] * N\na[:]\na[1:]\nprint(a[N - 1], len('ab' * N + 'c' * N))": [N, N, N, N - 1, 2 * N, N, 3 * N],
    "s = 'ab' * N\nprint(len(s[1:]), len(f'{s}{1}{s}'), s is s)": [2 * N, 2 * N - 1, 4 * N + 1],
    "a = [1, 2, 3] * N\ndel a[1]\na.pop(0)\na.pop(-1)\nprint(len(a), a[0], a[-1])": [3 * N, 3 * N - 1, 3 * N - 1, 1],
    "a = [3, 2] * N\nprint(min(a), max(a), sum(a), sum(a, 0.5), min('ab' * N))": [*[2 * N] * 6, 4 * N - 1],
    "a = [1] * N\na.append(2)\nprint(a[-1])": [N],
    "print(len(str([1] * N)), len(repr('ab' * N)))": [N, N + 3 * N, 2 * N, 2 * N + 2 * N + 2],
    "print([1] * N)": [N, N + 3 * N + 1],
    "print('ab' * N, end='')": [2 * N, 2 * N],
    "try:\n    int('12' * N)\nexcept ValueError:\n    print('no')": [2 * N, 2 * N],
    "print(float('0' * N))": [N, N],
    "while [1] * N < [1] * N:\n    pass": [N, N, N],
    f"a = [1]\nb = [1]\nfor i in range({DEPTH}):\n    a, b = [a, a], [b, b]\nprint(a == b)": [3 * 2**DEPTH - 2],
}
OWN = {"while": 1, "for": DEPTH + 1}
"""Back-edges of the programs' own loops."""


def polls(program: str, units: list[int]) -> int:
    own = sum(count for word, count in OWN.items() if f"{word} " in program)
    return own + sum(max(0, each - 1) // WORK for each in units)


@pytest.mark.rule("LONG-WORK-POLLS")
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_long_instruction_polls_after_each_work_units(program: str) -> None:
    """And is stopped and interrupted there: both machines do the same at each of the polls."""
    source = program.replace("N", str(N))
    run, target = undisturbed(source, "long", 4096), FoldedTarget()
    target.load(source, "long")
    assert run.end.back_edges == polls(program, PROGRAMS[program])
    target.start()
    assert differences(run.end, outcome(target, target.run)) == {}
    at_polls = [step for step in range(run.steps) if run.before(step).world.main.state.polling]
    assert len(at_polls) == polls("", PROGRAMS[program])
    for step in at_polls[:2] + at_polls[-1:]:
        for kind in (STOP, INTERRUPT):
            expected = run.run(Schedule(step, kind))
            actual = repeat(target, Schedule(step, kind))
            assert differences(expected.observation, actual.observation) == {}
            (seen,) = actual.observation.seen
            assert seen.back_edges - actual.posted_at["back_edges"] == 1
            assert actual.observation.error == ("KeyboardInterrupt" if kind == INTERRUPT else run.end.error)
            assert kind == INTERRUPT or actual.observation.output == run.end.output


@pytest.mark.parametrize("program", ["print([1] * N == [1] * N)", "print(len(str([[]] * N)))", "print(sum([0.0] * N))"])
def test_what_it_works_on_may_move_at_a_poll(program: str) -> None:
    source = program.replace("N", str(N))
    run, target = undisturbed(source, "long", 4096), FoldedTarget(stress=True)
    target.load(source, "long")
    target.start()
    assert differences(run.end, outcome(target, target.run)) == {}


@pytest.mark.rule("LONG-WORK-POLLS")
def test_straight_code_is_stopped_and_interrupted_in_its_middle() -> None:
    """It has no call and no loop: its POLLs are all its checks."""
    source = "x = 1\n" * 1000 + "print(x)\n"
    run, target = undisturbed(source, "straight", 4096), FoldedTarget()
    target.load(source, "straight")
    assert run.end.back_edges == (SLACK + 2000) // (STRAIGHT - SLACK)  # a prologue might be before it
    for kind in (STOP, INTERRUPT):
        expected, actual = run.run(Schedule(1000, kind)), repeat(target, Schedule(1000, kind))
        assert differences(expected.observation, actual.observation) == {}
        assert actual.observation.error == ("KeyboardInterrupt" if kind == INTERRUPT else "")


UNCAUGHT = """
from threading import Thread
def f():
    raise ValueError([1] * N)
t = Thread(target=f)
t.start()
t.join()
"""


@pytest.mark.parametrize(("count", "said"), [(1000, "[1, 1, 1"), (N, "<exception str() failed>")])
def test_the_text_of_an_uncaught_exception_takes_no_more_than_work_units(count: int, said: str) -> None:
    """No check can be made there."""
    source = UNCAUGHT.replace("N", str(count))
    run, target = undisturbed(source, "uncaught", 4096), FoldedTarget()
    target.load(source, "uncaught")
    target.start()
    assert differences(run.end, outcome(target, target.run)) == {}
    (text,) = target.observe().others
    assert f"ValueError: {said}" in text


RAISED_AGAIN = """
e = ValueError()
for i in range(N):
    try:
        raise e
    except ValueError:
        pass
raise e
"""


def test_a_traceback_has_no_more_than_work_calls() -> None:
    """Each time that the same exception is raised there is one more to copy."""
    source = RAISED_AGAIN.replace("N", str(WORK + 10))
    target, reference = FoldedTarget(), Reference()
    for each in (target, reference):
        each.load(source, "raised")
        each.start()
        each.run()
    assert differences(reference.observe(), target.observe()) == {}
    assert len(target.observe().traceback) == WORK


OTHER = """
from threading import Thread
a = [1] * N
b = [1] * N
def f():
    print("other")
t = Thread(target=f)
t.start()
print(a == b, len(str(a)))
t.join()
"""


def test_another_thread_has_its_turn_at_a_poll() -> None:
    """In lockstep, a poll ends a step: with turns of two instructions the other thread prints first."""
    source = OTHER.replace("N", str(N))
    target = FoldedTarget(quantum=2)
    target.load(source, "long")
    target.start()
    target.run()
    assert target.observe().output == f"other\nTrue {3 * N}\n"
