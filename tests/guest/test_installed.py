"""Compiled code beside its bytecode: as a VM might say that it is, right and wrong, each way written by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from safepoint.guest.code import BACK_EDGES, Program
from safepoint.guest.distance.flow import Flow
from safepoint.guest.distance.installed import UNCHECKED_CYCLE, Goes, Installed, InstalledCode, Judged, judge
from safepoint.guest.distance.measure import distance_of, static_distance
from safepoint.guest.verifier import successors
from safepoint.protocol.policies import FOLDED
from tests.guest.compiling import compiled

SOURCE = """\
def f(n):
    while n > 0:
        n -= 1
    return n
x = f(9)
for i in range(3):
    x = f(x)
"""


def as_bytecode(program: Program) -> Installed:
    """Every function compiled, as it should be."""
    return Installed({number: made_of(program, number) for number in range(len(program.codes))})


def made_of(program: Program, number: int) -> InstalledCode:
    code = program.codes[number]
    loops = {at for at, each in enumerate(code.instructions) if each.op in BACK_EDGES}
    goes = {
        at: tuple(Goes(to, to in loops, "as written") for to in successors(code, at))
        for at in range(len(code.instructions))
    }
    pushes = frozenset(at for at, each in enumerate(code.instructions) if each.op == "CALL")
    return InstalledCode(1, goes, tuple(Goes(at, True, "as written") for at in sorted(loops)), pushes)


def judged(program: Program, installed: Installed) -> Judged:
    flow = Flow(program)
    return judge(flow, FOLDED, installed, distance_of(flow, FOLDED))


def changed(program: Program, number: int, **fields: object) -> Judged:
    """With one function that is otherwise."""
    right = as_bytecode(program)
    return judged(program, replace(right, codes={**right.codes, number: replace(right.codes[number], **fields)}))  # type: ignore[arg-type]


def said(found: Judged) -> set[tuple[int, str]]:
    return {(each.line, each.what) for each in found.differences}


@pytest.fixture(scope="module")
def program() -> Program:
    return compiled(SOURCE)


@pytest.fixture(scope="module")
def loop(program: Program) -> int:
    """The back-edge of `f`."""
    (at,) = (at for at, each in enumerate(program.codes[1].instructions) if each.op in BACK_EDGES)
    return at


def test_what_goes_as_the_bytecode_is_as_long(program: Program) -> None:
    found, bytecode = judged(program, as_bytecode(program)), static_distance(program, FOLDED)
    assert found.distance == bytecode
    assert found.holds


def test_what_is_not_compiled_goes_as_its_bytecode(program: Program) -> None:
    only = Installed({1: as_bytecode(program).codes[1]}, left={0: "too large"})
    found = judged(program, only)
    assert found.distance == static_distance(program, FOLDED)
    functions = found.as_json()["functions"]
    assert isinstance(functions, list)
    assert functions[0] == {"function": "<module>", "line": 1, "compiled": False, "why_not": "too large"}
    none = judged(program, Installed(why_not="not here"))
    assert (none.distance, none.holds) == (None, True)


def test_a_way_past_a_check_makes_a_cycle(program: Program, loop: int) -> None:
    """One of the two ways to the back-edge: the one on which the loop turns."""
    goes = dict(made_of(program, 1).goes)
    goes[loop - 1] = tuple(Goes(each.to, False, "straight") for each in goes[loop - 1])
    found = changed(program, 1, goes=goes)
    line = program.codes[1].instructions[loop - 1].line
    its = static_distance(program, FOLDED).measures["instructions"].length
    assert said(found) == {
        (2, UNCHECKED_CYCLE),
        (2, f"a way to a back-edge does not check: from line {line}, straight"),
        (2, "back-edges unbounded as compiled, 1 as bytecode: a loop without a check"),
        (2, f"instructions unbounded as compiled, {its} as bytecode: a loop without a check"),
    }
    assert found.distance is not None
    assert (found.distance.measures["instructions"].length, found.distance.measures["frames"].length) == (None, 1)


def test_a_way_from_outside_past_a_check_is_named(program: Program, loop: int) -> None:
    """A return to a back-edge, say: the loop itself looks, so there is no cycle among the ways inside; yet it is no check to rely on."""
    found = changed(program, 1, comes=(Goes(loop, False, "by a return"),))
    assert (2, "a way to a back-edge does not check: from outside the function, by a return") in said(found)
    assert UNCHECKED_CYCLE not in {each.what for each in found.differences}
    assert found.distance is not None
    assert found.distance.measures["instructions"].length is None


def test_a_frame_push_that_does_not_check_is_gone_through(program: Program) -> None:
    found = changed(program, 0, pushes=frozenset())
    assert {(5, "a frame push does not check"), (7, "a frame push does not check")} <= said(found)
    assert found.distance is not None
    length, bytecode = found.distance.measures["instructions"].length, static_distance(program, FOLDED)
    its = bytecode.measures["instructions"].length
    assert isinstance(length, int)
    assert isinstance(its, int)
    assert length > its


def test_a_longer_way_without_a_cycle_is_not_hidden_by_the_declared_bound() -> None:
    """Two back-edges one after the other, of which none looks, nor turns: 2, though the policy declares 1."""
    program = compiled("for i in range(3):\n    pass\nfor i in range(3):\n    pass\n")
    goes = {
        at: tuple(Goes(each.to, False, each.how) for each in ways if each.to > at)
        for at, ways in made_of(program, 0).goes.items()
    }
    found = changed(program, 0, goes=goes)
    assert found.distance is not None
    assert found.distance.measures["back_edges"].length == 2
    assert "back-edges 2 as compiled, 1 as bytecode" in {each.what for each in found.differences}


def test_a_way_that_the_bytecode_has_not_is_named(program: Program) -> None:
    goes = dict(made_of(program, 1).goes)
    goes[0] = (*goes[0], Goes(len(program.codes[1].instructions) - 1, False, "a jump"))
    line = program.codes[1].instructions[0].line
    assert (line, "compiled code goes on at line 4, where the bytecode does not: a jump") in said(
        changed(program, 1, goes=goes)
    )


def test_what_could_not_be_read_is_named(program: Program) -> None:
    assert said(changed(program, 1, wrong=((0, "not understood"),))) == {
        (program.codes[1].instructions[0].line, "not understood")
    }
