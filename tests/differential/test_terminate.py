"""TERMINATE before every step, on both machines: what the guest's language makes of it."""

from __future__ import annotations

from functools import lru_cache

import pytest

from safepoint.conform.target import INTERRUPT, Observation
from safepoint.differential.compare import differences
from safepoint.differential.runs import Undisturbed, repeat
from safepoint.differential.schedule import Schedule
from safepoint.differential.stepped import TERMINATE
from safepoint.guest.compiler.program import compile_program
from safepoint_vm.target import FoldedTarget

CAUGHT = """
def f():
    pass
for i in range(2):
    try:
        f()
    except:
        print("bare")
    try:
        f()
    except BaseException:
        print("base")
    try:
        f()
    except (ValueError, TypeError) as e:
        print("pair")
"""
"""Whatever is posted here, no handler runs."""

BLOCKS = """
from threading import Lock
def f():
    pass
lock = Lock()
def work(n):
    while True:
        print("in")
        try:
            f()
        finally:
            f()
            print("out")
            if n == 0:
                return 0
            if n == 1:
                break
            if n == 2:
                n = 0
                continue
            if n == 3:
                n[0]
            if n == 4:
                try:
                    raise ValueError("own")
                except ValueError:
                    f()
                return 4
def swallows(n):
    try:
        work(n)
        with lock:
            f()
    except:
        f()
    f()
for n in range(5):
    swallows(n)
    print("left")
"""
"""Each way out of a `finally`: to the end, by a jump, a return or another exception; and a handler inside it."""


@lru_cache
def target() -> FoldedTarget:
    return FoldedTarget()


def each_step(source: str) -> list[tuple[Schedule, Observation]]:
    """What a TERMINATE before each step leads to; the same on both machines."""
    run = Undisturbed(source, "terminated", 4096)
    target().load(source, "terminated")
    found = []
    for step in range(run.steps):
        schedule = Schedule(step, TERMINATE)
        expected = run.run(schedule).observation
        assert differences(expected, repeat(target(), schedule).observation) == {}, schedule
        found.append((schedule, expected))
    return found


@pytest.mark.rule("TERMINATE-ONCE")
def test_no_except_catches_it() -> None:
    found = each_step(CAUGHT)
    assert {o.output for _, o in found} == {""}
    assert [o.error for _, o in found].count("Terminated") >= len(found) - 2  # after the last check site it is not seen


@pytest.mark.rule("TERMINATE-ONCE")
def test_every_finally_runs_and_it_is_raised_again_whatever_way_that_is_left() -> None:
    """Once it is seen no further loop turn, no handler and nothing behind it runs: only the `finally`s that were entered."""
    found = each_step(BLOCKS)
    terminated = [o for _, o in found if o.error == "Terminated"]
    assert len(terminated) >= len(found) - 2
    for o in terminated:
        said = o.output.split()
        assert said.count("in") == said.count("out") or said[-1] == "in"
        assert said.count("in") - said.count("out") <= 1
    assert {o.output.split()[-1] for o in terminated if o.output} == {"in", "out", "left"}


@pytest.mark.rule("TERMINATE-ONCE")
def test_a_second_one_stays_pending_while_the_first_unwinds() -> None:
    """Posted at each shared access that follows the first; the thread ends with it, and it is seen once."""
    source = (
        "try:\n    for i in range(2):\n        pass\nfinally:\n    print(1)\n    for i in range(2):\n        pass\n"
    )
    run = Undisturbed(source, "twice", 4096)
    target().load(source, "twice")
    trial = run.run(Schedule(2, TERMINATE))
    pending = set()
    for at in range(trial.in_post, trial.in_all):
        schedule = Schedule(2, TERMINATE, at=at, also=TERMINATE)
        o = run.run(schedule).observation
        assert differences(o, repeat(target(), schedule).observation) == {}
        assert (o.error, o.output) == ("Terminated", "1\n")
        assert [s.kind for s in o.seen] == [TERMINATE]
        pending.add(o.words["pending"])
    assert pending == {"0", "16"}  # before the first was taken they coalesce


SECTIONS = """
from safepoint.guest.api import masked, terminable
def f():
    pass
def work(n):
    try:
        with masked():
            f()
    finally:
        f()
    print("out", n)
for n in range(2):
    with terminable():
        with terminable():
            work(n)
        f()
        print("inner", n)
    print("outer", n)
"""


def test_it_ends_at_the_innermost_section_and_the_thread_goes_on() -> None:
    """Seen in one it ends the rest of that one; seen outside of them it ends the thread, which prints nothing more."""
    whole = [f"{place} {n}" for n in range(2) for place in ("out", "inner", "outer")]
    ways = set()
    for _, o in each_step(SECTIONS):
        said = o.output.splitlines()
        lacks = [line for line in whole if line not in said]
        assert said == [line for line in whole if line in said]
        if o.error:
            assert o.error == "Terminated"
            assert said == whole[: len(said)]
            assert not said or said[-1].startswith("outer")
            ways.add("ended")
        else:
            assert lacks in ([], ["out 0"], ["out 1"], ["inner 0"], ["inner 1"])
            ways.add(" ".join(lacks))
    assert ways == {"ended", "", "out 0", "out 1", "inner 0", "inner 1"}


@pytest.mark.rule("TERMINATE-ONCE", "UNMASK-LOOKS")
def test_a_second_one_is_raised_where_the_first_has_ended() -> None:
    """In the middle of the first's slow path or behind it: the `finally` is whole, and both sections are ended, or the two are one."""
    source = (
        "from safepoint.guest.api import terminable\n"
        "with terminable():\n with terminable():\n  try:\n   for i in range(2):\n    pass\n  finally:\n   print(1)\n   for i in range(2):\n"
        "    pass\n   print(2)\n print(3)\nprint(4)\n"
    )
    run = Undisturbed(source, "twice", 4096)
    target().load(source, "twice")
    step = next(s for s in range(run.steps) if run.at_a_site(s, 0))
    trial, found = run.run(Schedule(step, TERMINATE)), set()
    for at in range(trial.in_post, trial.in_all):
        schedule = Schedule(step, TERMINATE, at=at, also=TERMINATE)
        o = run.run(schedule).observation
        assert differences(o, repeat(target(), schedule).observation) == {}
        found.add((o.error, o.output, len(o.seen)))
    assert found == {("", "1\n2\n3\n4\n", 1), ("", "1\n2\n4\n", 2)}


@pytest.mark.rule("TAKEN-IS-SERVED", "GIVEN-BACK-IS-POISONED")
def test_an_interrupt_taken_with_it_is_raised_in_the_finally() -> None:
    source = "def f():\n    pass\ntry:\n    f()\nfinally:\n    try:\n        f()\n    except KeyboardInterrupt:\n        print(2)\n"
    run = Undisturbed(source, "both", 4096)
    step = next(s for s in range(run.steps) if run.at_a_site(s, 0))
    trial = run.run(Schedule(step, INTERRUPT))
    both = (run.run(Schedule(step, INTERRUPT, at=at, also=TERMINATE)) for at in range(trial.in_post, trial.in_all))
    assert ("Terminated", "2\n") in {(t.observation.error, t.observation.output) for t in both}


KINDS = "ValueError, TypeError, KeyError, IndexError, NameError, OSError, EOFError, AssertionError, RuntimeError, MemoryError"


def long_search(body: int) -> str:
    """A body of n instructions, and then a handler that takes many to be found."""
    lines = "".join("            x = x + 1\n" for _ in range(body))
    return (
        f"def f(x):\n    try:\n        try:\n            g()\n{lines}        except ({KINDS}):\n            print('caught')\n"
        "    except KeyboardInterrupt:\n        print('survives')\ndef g():\n    pass\nf(0)\n"
    )


@pytest.mark.rule("TERMINATE-ONCE")
def test_a_poll_where_a_handler_is_looked_for_takes_no_interrupt_in_its_place() -> None:
    """The interrupt is taken with it, and given back: the next check that an exception comes by is that poll."""
    for body in range(900, 1100):
        source = long_search(body)
        ops = [instruction.op for instruction in compile_program(source, "search").codes[1].instructions]
        first = ops.index("MATCHES")
        if "POLL" in ops[first : first + 2 * len(KINDS.split())]:
            break
    else:
        pytest.fail("no handler is so far away that its search has a poll")
    run = Undisturbed(source, "search", 4096)
    target().load(source, "search")
    step = next(s for s in range(run.steps) if run.before(s).instruction(0).line == 4 and run.at_a_site(s, 0))
    trial, seen = run.run(Schedule(step, INTERRUPT)), set()
    for at in range(trial.in_post, trial.in_all):
        schedule = Schedule(step, INTERRUPT, at=at, also=TERMINATE)
        o = run.run(schedule).observation
        assert differences(o, repeat(target(), schedule).observation) == {}
        kinds = [each.kind for each in o.seen]
        if TERMINATE in kinds:
            assert (kinds[0], o.error, o.output) == (TERMINATE, "Terminated", "")
        seen.add(kinds[0])
    assert seen == {TERMINATE, INTERRUPT}
