"""The static distance between checks, of small programs whose instructions are counted by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from safepoint.guest.code import LINK
from safepoint.guest.distance.flow import Flow
from safepoint.guest.distance.measure import Distance, looks_at, static_distance, unseen
from safepoint.guest.distance.raises import Raises
from safepoint.guest.heap import WORK
from safepoint.protocol.policies import FOLDED, POLICIES, PYPY
from safepoint.protocol.policy import Bound, Policy
from tests.guest.compiling import compiled
from tests.guest.observed import observed

ONE_OF_EACH = dict.fromkeys(POLICIES, 1)
CALLS = replace(FOLDED, name="calls", declared=Bound(1, None))
LOOPS = replace(FOLDED, name="loops", declared=Bound(None, 1))
STEPS = 3_000
"""Enough for each of these; the endless one is cut off."""


def of(source: str, policy: Policy = FOLDED) -> Distance:
    return static_distance(compiled(source), policy)


def lengths(found: Distance) -> tuple[object, ...]:
    """Frame pushes, back-edges, instructions, units."""
    return tuple(measured.length for measured in found.measures.values())


def lines(found: Distance, name: str) -> set[int]:
    """Those that are named because there is no bound."""
    return {reason.line for reason in found.measures[name].reasons}


# ---------------------------------------------------------------------------------------------- by hand

SUM = """\
def f(a):
    return a + 1
def g(a):
    return f(a) + 1 + 1 + 1 + 1
x = g(1)
"""
RAISES = """\
def f():
    x = 1
    x = 2
    x = 3
    return 1 // 0
def g():
    return f()
try:
    g()
except ZeroDivisionError:
    x = 1
    x = 2
    x = 3
"""
SHORTER = RAISES.replace("    x = 1\n    x = 2\n    x = 3\n    return", "    return")
THREAD = """\
from threading import Thread
def f(a):
    a = 1
    a = 2
    a = 3
    a = 4
    a = 5
    a = 6
    a = 7
    a = 8
    a = 9
    a = 10
    a = 11
    a = 12
    return a
t = Thread(target=f, args=(1,))
t.start()
t.join()
"""
VALUES = f"""\
def one(a):
    return a
def long(a):
    return a{20 * " + 1"}
def two(a, b):
    return a{30 * " + 1"}
fs = [one, long, two]
fs[1](1)
"""

BY_HAND: dict[str, tuple[str, tuple[object, ...], str]] = {
    "nothing": ("", (0, 0, 1, 0), "HALT"),
    "straight": ("x = 1\ny = x + 2", (0, 0, 6, 0), "LOADK SET_GLOBAL GLOBAL ADDI SET_GLOBAL HALT"),
    "endless": ("while True:\n    pass", (0, 1, 2, 0), "JUMP JUMP_BACK; then JUMP_BACK alone"),
    "for": ("for i in range(3):\n    x = i", (0, 1, 5, 0),
            "LOADK LOADK LOADK FOR_PREPARE FOR_RANGE; a turn has SET_GLOBAL GLOBAL SET_GLOBAL FOR_RANGE"),
    "a long turn": ("for i in range(3):\n    x = i\n    y = i\n    z = i", (0, 1, 8, 0),
                    "SET_GLOBAL, three times GLOBAL SET_GLOBAL, FOR_RANGE"),
    "behind a loop": ("for i in range(0):\n    pass\nx = 1\ny = 1\nz = 1", (0, 1, 7, 0),
                      "behind FOR_RANGE: three times LOADK SET_GLOBAL, HALT"),
    "a branch": ("x = 1\nif x:\n    x = 2\n    x = 3\nelse:\n    x = 4", (0, 0, 10, 0),
                 "LOADK SET_GLOBAL GLOBAL FALSE_JUMP, twice LOADK SET_GLOBAL, JUMP, HALT; the other way is shorter"),
    "a call": ("def f():\n    return 1\nf()", (1, 0, 4, 0), "CONSTANT SET_GLOBAL GLOBAL CALL; behind it LOADK RETURN HALT"),
    "returns": (SUM, (1, 0, 9, 0), "behind the push of f: ADDI RETURN, then four times ADDI, RETURN, then SET_GLOBAL HALT"),
    "an exception": (RAISES, (1, 0, 16, 0),
                     "behind the push of f: five times LOADK, FLOORDIV, MATCHES TRUE_JUMP, three times LOADK SET_GLOBAL, JUMP HALT"),
    "no other exception": (SHORTER, (1, 0, 13, 0),
                           "behind the push of f: LOADK LOADK FLOORDIV, as above; no way begins with a NameError of f, which is set"),
    "a thread": (THREAD, (0, 0, 14, 0), "twelve times LOADK, RETURN, and the module's HALT"),
    "values": (VALUES, (1, 0, 22, 0), "twenty times ADDI, RETURN, HALT; `two`, which takes another number, has thirty"),
}  # fmt: skip
"""Program -> frame pushes, back-edges, instructions, units; and which instructions these are."""


@pytest.mark.parametrize("name", BY_HAND)
def test_small_programs_by_hand(name: str) -> None:
    source, expected, _ = BY_HAND[name]
    assert lengths(of(source)) == expected


@pytest.mark.parametrize("name", BY_HAND)
def test_small_programs_attain_it(name: str) -> None:
    source, expected, _ = BY_HAND[name]
    assert tuple(observed(compiled(source), longest=STEPS).values()) == expected


def test_units_are_those_of_a_way_and_polls_are_back_edges() -> None:
    """LOADK LIST LOADK MUL SET_GLOBAL GLOBAL BUILTIN SET_GLOBAL HALT; MUL and BUILTIN do up to WORK before they would poll."""
    source = f"a = [1] * {WORK}\nx = sum(a)"
    assert lengths(of(source)) == (0, 1, 9, 2 * WORK)
    assert observed(compiled(source)) == {"frames": 0, "back_edges": 0, "instructions": 9, "units": 2 * WORK}
    more = f"a = [1] * {WORK + 1}\nx = sum(a)"
    assert lengths(of(more)) == (0, 1, 9, 2 * WORK)
    assert observed(compiled(more)) == {"frames": 0, "back_edges": 1, "instructions": 4, "units": WORK + 1}


AT_ONCE = {
    "s = 'a' * n": "a string repeated",
    "s = t + t": "strings joined",
    "s = t[1:]": "a part of a string",
    "s = t == t + t": "strings compared",
    "s = 'a' in t": "a string searched",
    "s = int(t)": "int() of a string",
    "s = f'{t}{t}'": "a text made",
    "print(t)": "a text made",
    "s = str([1])": "a text made",
    "s = [t] == [t]": "strings compared",
    "s = t in [t]": "strings compared",
    "s = max([t])": "strings compared",
}


@pytest.mark.parametrize("statement", AT_ONCE)
def test_what_is_done_at_once_is_named_by_its_line(statement: str) -> None:
    """And what does the same to short strings or numbers is not."""
    found = of(f"n = 7\nt = {('a' * 100)!r}\n{statement}")
    units = found.measures["units"]
    assert units.length is None
    assert found.counted.length is not None
    assert {(r.line, r.what.partition(",")[0]) for r in units.reasons} == {(3, AT_ONCE[statement])} | (
        {(3, "strings joined")} if "t + t" in statement else set()
    )
    if statement not in ("s = 'a' * n", "s = t + t", "s = t == t + t", "s = str([1])"):
        assert of(f"n = 7\nt = 'ab'\n{statement}").measures["units"].length is not None


# ---------------------------------------------------------------------------------------------- not finite

DOWN = """\
def f(n):
    if n < 1:
        return 0
    return f(n - 1) + 1
f({n})
"""


def test_returns_behind_each_other_are_as_many_as_frames_fit() -> None:
    """A frame: LOADK LESS FALSE_JUMP GLOBAL ADDI CALL, or LOADK LESS FALSE_JUMP LOADK RETURN, then ADDI RETURN for each below."""
    found = of(DOWN.format(n=100)).measures["instructions"]
    assert (found.length, found.per_frame) == ("depth", 6)
    assert lines(of(DOWN.format(n=100)), "instructions") == {4}
    for n in (0, 1, 50):
        most = found.at_most(LINK * (n + 2) + 8)
        assert most is not None
        assert observed(compiled(DOWN.format(n=n)))["instructions"] == max(6, 5 + 2 * n + 1) <= most


def test_exceptions_that_are_raised_again_are_as_many_as_frames_fit() -> None:
    source = """\
def f(n):
    try:
        if n < 1:
            n // 0
        f(n - 1)
    finally:
        n = 1
        n = 2
        n = 3
try:
    f(20)
except ZeroDivisionError:
    pass
"""
    found = of(source).measures["instructions"]
    most = found.at_most(4096)
    assert found.length == "depth"
    assert most is not None
    assert most >= observed(compiled(source))["instructions"] > 20 * 4


def test_without_a_check_at_back_edges_a_loop_is_unbounded_and_named() -> None:
    source = "def f():\n    return 1\nx = f()\nwhile x < 9:\n    x = x + 1\nfor i in range(2):\n    x = f()\n"
    found = of(source, CALLS)
    assert lengths(found) == (1, None, None, 0)
    assert lines(found, "back_edges") == lines(found, "instructions") == {4}  # the other one holds a frame push
    assert lines(of(source), "instructions") == set()


def test_without_a_check_at_back_edges_polls_see_nothing() -> None:
    found = of("x = sum([1] * 9)\n", CALLS)
    assert lengths(found) == (0, None, 7, None)  # LOADK LIST LOADK MUL BUILTIN SET_GLOBAL HALT
    assert lines(found, "units") == {1}


def test_without_a_check_at_frame_pushes_calls_are_gone_through_and_recursion_is_unbounded() -> None:
    """CONSTANT SET_GLOBAL CONSTANT SET_GLOBAL GLOBAL LOADK CALL, GLOBAL MOVE CALL, ADDI RETURN, four ADDI, RETURN, SET_GLOBAL HALT."""
    assert lengths(of(SUM, LOOPS)) == (2, 0, 19, 0)
    assert observed(compiled(SUM), frames=False)["instructions"] == 19
    found = of(DOWN.format(n=3), LOOPS)
    assert lengths(found) == (None, None, None, None)
    assert lines(found, "instructions") == {4, 5}


UNCAUGHT = """\
def f(n):
    return f(n + 1)
try:
    f(0)
except RecursionError:
    pass
"""
CAUGHT = """\
def f(n):
    try:
        f(n + 1)
    except RecursionError:
        pass
    f(n + 1)
try:
    f(0)
except RecursionError:
    pass
"""


@pytest.mark.parametrize("name", ["yarv", "hotspot"])
def test_where_returns_are_checks_recursion_goes_down_once(name: str) -> None:
    """Known: one push a frame until the stack is full; the exception executes nothing on its way, and leaves them all."""
    policy = POLICIES[name]
    frames = of(UNCAUGHT, policy).measures["frames"]
    assert (frames.length, frames.per_frame) == ("depth", 1)
    assert {reason.what for reason in frames.reasons} == {"calls inside each other, of which none has returned yet"}
    assert lengths(of(UNCAUGHT, policy))[1:] == (0, "depth", 0)
    again = UNCAUGHT + UNCAUGHT[UNCAUGHT.index("try") :]
    twice = of(again, policy).measures["frames"]
    assert twice.per_frame == 2
    for source, found in ((UNCAUGHT, frames), (again, twice)):
        for stack in (60, 120):
            most = found.at_most(stack)
            assert most is not None
            shown = observed(compiled(source), stack, frames=False, policy=policy)["frames"]
            assert most // 2 < shown <= most, (shown, most)


@pytest.mark.parametrize("name", ["yarv", "hotspot"])
def test_where_a_frame_catches_what_its_recursion_raises_it_goes_down_again_and_again(name: str) -> None:
    """Each frame makes a second call when the first has overflowed: twice as many pushes with each frame more, and no check."""
    frames = of(CAUGHT, POLICIES[name]).measures["frames"]
    assert frames.length is None
    assert {(reason.line, reason.what) for reason in frames.reasons if "recursion" in reason.what} == {
        (line, "recursion that goes on after an exception: its frames are left without a check, again and again")
        for line in (3, 6, 8)
    }
    few, more = (observed(compiled(CAUGHT), stack, frames=False, policy=POLICIES[name])["frames"] for stack in (60, 75))
    assert more > 4 * few


def test_a_recursion_inside_a_recursion_is_one_way_down_unless_it_is_caught() -> None:
    """Of two that only descend, one that ends in the other is as deep as the stack; caught in each frame, each frame goes down again."""
    both = """\
def g(n):
    return g(n + 1)
def f(n):
    if n > 9:
        g(n)
    return f(n + 1)
f(0)
"""
    caught = both.replace(
        "        g(n)\n", "        try:\n            g(n)\n        except RecursionError:\n            pass\n"
    )
    yarv = POLICIES["yarv"]
    assert (of(both, yarv).measures["frames"].length, of(caught, yarv).measures["frames"].length) == ("depth", None)
    shown = observed(compiled(both), 120, frames=False, policy=yarv)["frames"]
    assert shown <= (of(both, yarv).measures["frames"].at_most(120) or 0)


def test_what_each_frame_does_on_the_way_out_has_no_bound_if_one_turn_has_none() -> None:
    """A long instruction whose polls see nothing, in the `finally` of each frame: not as deep as the stack, but unbounded."""
    source = """\
def f(n):
    try:
        f(n - 1)
    finally:
        sum([1] * n)
f(9)
"""
    found = of(source, CALLS).measures["units"]
    assert found.length is None


def test_a_ticker_multiplies() -> None:
    """Its period is 2: a way of two turns, of 8 instructions each; frame pushes and back-edges as declared."""
    source = BY_HAND["a long turn"][0]
    assert lengths(of(source, PYPY)) == (0, 2, 16, 0)
    assert observed(compiled(source), checks=2)["instructions"] == 16


def test_how_many_checks_may_pass_unseen() -> None:
    assert {p.name: unseen(p) for p in POLICIES.values()} == ONE_OF_EACH | {"pypy": 2, "v8_ignition": 2}
    assert unseen(replace(FOLDED, declared=Bound(3, 2))) == 4  # two pushes and a back-edge, then the one that sees
    assert unseen(replace(PYPY, declared=Bound(100, 100), period=100)) == 100
    assert looks_at(replace(FOLDED, declared=Bound("depth", 1))) == (False, True, "")


def test_what_is_too_much_is_not_taken_for_less() -> None:
    """Too large to follow values: every function that takes as many arguments may be called.  Too many calls: nothing is bounded."""
    program = compiled(VALUES)
    exact, coarse = static_distance(program, FOLDED), static_distance(program, FOLDED, most=0)
    assert (exact.coarse, coarse.coarse) == (False, True)
    assert coarse.measures["instructions"].length == 22
    assert (exact.measures["units"].length, coarse.measures["units"].length) == (
        0,
        1,
    )  # INDEX, of a list or else of a string
    given_up = static_distance(program, FOLDED, most_calls=1)
    assert lengths(given_up) == (None, None, None, None)
    assert {(r.line, r.what) for r in given_up.measures["units"].reasons} == {
        (8, "not analysed: too many functions that calls may reach")
    }


def test_globals_are_set_if_that_is_found_in_time() -> None:
    flow = Flow(compiled("x = 1\ny = x + 1\n"))  # LOADK SET_GLOBAL GLOBAL ADDI SET_GLOBAL HALT
    assert not Raises(flow).may((0, 2))
    assert Raises(flow, most=3).may((0, 2))
    assert Raises(Flow(flow.program, most=0)).may((0, 2))
