"""The static distance is never less than what a run shows, equals what every way walked shows, and mistakes in it are seen by that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safepoint.differential.corpus import Guest, corpus, find
from safepoint.guest.code import Program
from safepoint.guest.distance import ways
from safepoint.guest.distance.flow import Flow, Point
from safepoint.guest.distance.longest import ZERO
from safepoint.guest.distance.measure import Distance, looks_at, static_distance, unseen
from safepoint.guest.distance.raises import Raises
from safepoint.guest.distance.work import NOTHING
from safepoint.guest.verifier import BadCode, verify
from safepoint.protocol.policies import FOLDED, OCAML, PYPY, YARV
from safepoint.protocol.policy import Bound, Policy
from tests.generated.mutated import damaged
from tests.generated.once import once
from tests.generated.programs import programs
from tests.generated.threads import threaded
from tests.guest.brute import MEASURES, TooMany, Walk
from tests.guest.compiling import compiled
from tests.guest.observed import Cuts, observe, observed

POLICIES: dict[str, Policy] = {
    "folded": FOLDED,
    "pypy": PYPY,
    "calls": replace(FOLDED, name="calls", declared=Bound(1, None)),
    "loops": replace(FOLDED, name="loops", declared=Bound(None, 1)),
    "yarv": YARV,
    "ocaml": OCAML,
    "neither": replace(FOLDED, name="neither", declared=Bound(None, None)),
}
"""Four of ours; and what looks at frame pushes only, at back-edges only, or at nothing."""
STEPS = 3_000
"""Of a run: enough for its loops to turn and its functions to return."""
STACK = 4096


def exceeded(found: Distance, program: Program, policy: Policy, stack: int, steps: int = STEPS) -> list[str]:
    """What a run shows that is further than the static distance."""
    frames, back_edges, _ = looks_at(policy)
    shown = observed(
        program, stack, frames=frames, back_edges=back_edges, checks=unseen(policy), longest=steps, policy=policy
    )
    return beyond(found, shown, stack)


def beyond(found: Distance, shown: dict[str, int], stack: int) -> list[str]:
    """What has been shown that is further than what is said."""
    said = {**found.measures, "units": found.counted}
    return [  # what a run has shown when it is cut off, it has shown
        f"{measure}: {shown[measure]} in a run, {most} said"
        for measure, measured in said.items()
        if (most := measured.at_most(stack)) is not None and shown[measure] > most
    ]


# ---------------------------------------------------------------------------------------------- never less


ALIKE = ("folded", "calls", "loops")
"""Policies that differ in what they look at alone: a program's run is the same under each."""
EVERY = [(policy, guest) for guest in corpus() for policy in ALIKE]
SAMPLE = [(policy, guest) for policy in ("yarv", "ocaml") for guest in corpus()[::4]]
"""Of the policies that check elsewhere: what they share with the others is seen there."""


@pytest.mark.parametrize(("policy", "guest"), [pytest.param(p, g, id=f"{g.name}-{p}") for p, g in (*EVERY, *SAMPLE)])
def test_no_program_of_the_corpus_goes_further(policy: str, guest: Guest) -> None:
    found = static_distance(program_of(guest), POLICIES[policy])
    if policy in ALIKE:
        assert beyond(found, shown(guest)[policy], guest.stack) == []
    else:
        assert exceeded(found, program_of(guest), POLICIES[policy], guest.stack) == []


@cache
def program_of(guest: Guest) -> Program:
    return compiled(guest.source)


@cache
def shown(guest: Guest) -> dict[str, dict[str, int]]:
    """What one run of a program shows under each of the policies that are alike."""
    cuts = {name: Cuts(*looks_at(POLICIES[name])[:2]) for name in ALIKE}
    assert {unseen(POLICIES[name]) for name in ALIKE} == {1}
    observe(program_of(guest), guest.stack, [*cuts.values()], STEPS)
    return {name: each.most(1) for name, each in cuts.items()}


@given(source=programs(), name=st.sampled_from(sorted(POLICIES)))
@once
def test_no_random_program_goes_further(source: str, name: str) -> None:
    program, policy = compiled(source), POLICIES[name]
    assert exceeded(static_distance(program, policy), program, policy, STACK) == []


@given(source=threaded())
@once
def test_no_random_program_with_threads_goes_further(source: str) -> None:
    program = compiled(source)
    assert exceeded(static_distance(program, FOLDED), program, FOLDED, STACK) == []


@given(program=st.one_of(damaged(), damaged(threads=True)), name=st.sampled_from(sorted(POLICIES)))
def test_no_damaged_code_goes_further(program: Program, name: str) -> None:
    """As far as the verifier lets it through: then it holds what no compiler makes."""
    try:
        verify(program)
    except BadCode:
        return
    policy = POLICIES[name]
    assert exceeded(static_distance(program, policy), program, policy, 300, steps=1_500) == []


@given(source=programs(budget=300))
@once
def test_when_values_are_not_followed_it_is_never_less(source: str) -> None:
    program = compiled(source)
    exact, coarse = static_distance(program, FOLDED), static_distance(program, FOLDED, most=0)
    assert coarse.coarse
    for name, measured in exact.measures.items():
        most = coarse.measures[name].at_most(STACK)
        assert most is None or (measured.at_most(STACK) or 0) <= most


ATTAINED = (
    *("asks_nobody", "back_edge_first", "bubble_sort", "calls_only", "collatz", "floor_division", "gcd", "global_variables", "loops_only"),
    *("mandelbrot", "matrix_product", "n_queens", "nested_loops", "range_signs", "rational_matrices", "sieve", "spectral_norm"),
    *("sum_of_digits", "type_error", "while_true", "zero_division", "births", "handshakes", "parallel_sum", "pipeline", "thread_tree"),
)  # fmt: skip


@pytest.mark.parametrize("name", ATTAINED)
def test_these_programs_attain_it(name: str) -> None:
    """In instructions: their longest way is one that a run takes."""
    guest = find(name)
    program = program_of(guest)
    most = static_distance(program, FOLDED).measures["instructions"].length
    assert most == observed(program, guest.stack, longest=20_000)["instructions"]


# ---------------------------------------------------------------------------------------------- every way, walked


def finite(found: Distance) -> dict[str, int] | None:
    """None: some length is not a number, so there is no walking every way."""
    lengths = {name: found.measures[name].length for name in MEASURES}
    numbers = {name: n for name, n in lengths.items() if isinstance(n, int)}
    return numbers if len(numbers) == len(lengths) else None


def is_recursive(program: Program) -> bool:
    values = Flow(program)
    calls = [point for point in values.reached if values.instruction(point).op == "CALL"]
    above = {
        code: {callee for point in calls if point[0] == code for callee in values.callees(point)} for code, _ in calls
    }
    for _ in above:  # to what is called by what is called …
        above = {
            code: callees.union(*(above.get(callee, set()) for callee in callees)) for code, callees in above.items()
        }
    return any(code in callees for code, callees in above.items())


@pytest.mark.parametrize("policy", ["folded", "loops", "yarv", "ocaml"])
def test_it_is_the_longest_of_all_ways_of_a_program(policy: str) -> None:
    """Of each program of the corpus that has neither recursion nor too many ways for walking every one."""
    compared = 0
    for guest in corpus():
        program = program_of(guest)
        found = finite(static_distance(program, POLICIES[policy]))
        if found is None or is_recursive(program):
            continue
        try:
            longest = Walk(program, *looks_at(POLICIES[policy])).longest()
        except TooMany:
            continue
        assert (guest.name, found) == (guest.name, longest)
        compared += 1
    assert compared >= 50


@given(source=programs(budget=300))
@once
def test_it_is_the_longest_of_all_ways_of_a_random_program(source: str) -> None:
    program = compiled(source)
    found = finite(static_distance(program, FOLDED))
    if found is None or is_recursive(program):
        return
    try:
        longest = Walk(program).longest()
    except TooMany:
        return
    assert found == longest


# ---------------------------------------------------------------------------------------------- mistakes are seen

RETURNING = """\
def f(a):
    return a + 1
def g(a):
    return f(a) + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1
x = g(1)
"""
RAISING = """\
def f():
    x = 1
    x = 2
    x = 3
    x = 4
    return 1 // 0
try:
    f()
except ZeroDivisionError:
    x = 1
    x = 2
    x = 3
    x = 4
    x = 5
"""
CHOSEN = f"""\
def one(a):
    return a
def two(a):
    return a{" + 1" * 30}
for f in [one, two]:
    f(1)
"""
STARTED = f"""\
from threading import Thread
def f(a):
    return a{" + 1" * 30}
t = Thread(target=f, args=(1,))
t.start()
t.join()
"""
LOOPING = "x = 9\nfor i in range(3):\n    x = i\n    x = i\n    x = i\n"
LONG = "a = [1] * 40000\n"
NAMELESS = "try:\n    y\nexcept NameError:\n    x = 1\n    x = 2\n    x = 3\n    x = 4\n"
UNSET_AGAIN = f"y = 1\ntry:\n    1 // 0\nexcept ZeroDivisionError as y:\n    pass\n{NAMELESS}"
DOWN = "def f(n):\n    if n > 0:\n        f(n - 1)\nf(50)\n"
CAUGHT = "def f(n):\n    if n > 0:\n        try:\n            f(n - 1)\n        except ValueError:\n            pass\n        f(n - 1)\n    else:\n        raise ValueError\ntry:\n    f(9)\nexcept ValueError:\n    pass\n"
TURNS = "x = 0\nwhile x < 500:\n    x = x + 1\n"


def _without(graph_of: Callable[..., object], drop: Callable[[Point], bool]) -> Callable[..., object]:
    """A function that gives edges, without those to some nodes."""

    def edges(*args: object) -> object:
        return [(weight, to) for weight, to in graph_of(*args) if to is None or not drop(to)]  # type: ignore[attr-defined]

    return edges


def _no_returns(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ways.Ways, "edges", _without(ways.Ways.edges, lambda to: to[1] == ways.RETURNED))


def _no_exceptions(patch: pytest.MonkeyPatch) -> None:
    raised = ways.Ways._left
    patch.setattr(ways.Ways, "_left", lambda self, *args: (raised(self, *args)[0], []))


def _first_callee(patch: pytest.MonkeyPatch) -> None:
    callees = Flow.callees
    patch.setattr(Flow, "callees", lambda self, point: callees(self, point)[:1])


def _no_threads(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Flow, "roots", property(lambda self: [0]))


def _only_behind_pushes(patch: pytest.MonkeyPatch) -> None:
    starts = ways.Ways.starts

    def some(self: ways.Ways, measure: str) -> Iterator[object]:
        return (start for start in starts(self, measure) if start[2] is None or start[2] in self.calls)

    patch.setattr(ways.Ways, "starts", some)


def _no_polls(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ways, "work_of", lambda *_: NOTHING)


def _no_way_into_callees(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ways.Ways, "through", lambda self, _: dict.fromkeys(self.callers, ways.Through(None, ZERO, None)))


def _loops_turn_once(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("safepoint.guest.distance.longest.Longest._rank", lambda *_: 0)


def _recursion_has_one_frame(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ways.Ways, "_descent", lambda *_: ZERO)


def _no_name_errors(patch: pytest.MonkeyPatch) -> None:
    may = Raises.may
    patch.setattr(Raises, "may", lambda self, point: self.flow.instruction(point).op != "GLOBAL" and may(self, point))


def _once_set_is_set(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Raises, "_bit", lambda _, name: 1 << name)


MISTAKES: dict[str, tuple[Callable[[pytest.MonkeyPatch], None], str, str]] = {
    "returns end a way": (_no_returns, RETURNING, "folded"),
    "exceptions end a way": (_no_exceptions, RAISING, "folded"),
    "a call has one callee": (_first_callee, CHOSEN, "folded"),
    "only the first thread begins": (_no_threads, STARTED, "folded"),
    "no way begins behind a back-edge": (_only_behind_pushes, LOOPING, "folded"),
    "a long instruction does not poll": (_no_polls, LONG, "folded"),
    "calls are stepped over": (_no_way_into_callees, RETURNING, "loops"),
    "every global is set": (_no_name_errors, NAMELESS, "folded"),
    "a global that was set stays set": (_once_set_is_set, UNSET_AGAIN, "folded"),
    "recursion has one frame": (_recursion_has_one_frame, DOWN, "yarv"),
    "a loop has one turn": (_loops_turn_once, TURNS, "calls"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_of_the_analysis_is_seen_by_a_run(mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make, source, name = MISTAKES[mistake]
    program, policy = compiled(source), POLICIES[name]
    assert exceeded(static_distance(program, policy), program, policy, STACK) == []
    make(monkeypatch)
    assert exceeded(static_distance(program, policy), program, policy, STACK)


def test_a_frame_that_catches_what_its_recursion_raises_is_seen_by_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a small stack, which is gone down a thousand times: were it taken for one way down, that would be too little."""
    program, stack = compiled(CAUGHT), 200
    assert exceeded(static_distance(program, YARV), program, YARV, stack, 20_000) == []
    monkeypatch.setattr(ways.Ways, "catches", lambda *_: False)
    assert exceeded(static_distance(program, YARV), program, YARV, stack, 20_000)


@pytest.mark.parametrize("mistake", ["returns end a way", "exceptions end a way"])
def test_programs_of_the_corpus_see_it_too(mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    MISTAKES[mistake][0](monkeypatch)
    seen = 0
    for guest in corpus():
        program = program_of(guest)
        seen += bool(exceeded(static_distance(program, FOLDED), program, FOLDED, guest.stack, 1_000))
    assert seen >= 3
