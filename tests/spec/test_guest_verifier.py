"""The verifier refuses what it must, and what it lets through cannot make a machine fail, or run for ever unchecked."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safepoint.guest.code import BACK_EDGES, OPCODES, Code, FunctionConstant, Instruction, Program
from safepoint.guest.compiler import compile_program
from safepoint.guest.machine import Machine
from safepoint.guest.sites import Sites
from safepoint.guest.verifier import BadCode, verify
from tests.strategies import EXAMPLES

Line = tuple[str, tuple[int, ...]]


def program(*lines: Line, slots: int = 8, module: bool = False) -> Program:
    """A module that calls nothing, and a function of one parameter with these instructions; or a module of them."""
    code = tuple(Instruction(op, operands, 1) for op, operands in lines)
    halt = Code("<module>", (), 1, (Instruction("HALT", (), 1),), 1)
    codes = (Code("<module>", (), slots, code, 1),) if module else (halt, Code("f", ("a",), slots, code, 1))
    return Program("f.py", "", codes, (1,), ("g",), ("a",))


RETURN: Line = ("RETURN", (0,))
REFUSED = {
    "no such opcode": (0, [("NOSUCH", ()), RETURN]),
    "operands, not": (0, [("MOVE", (0,)), RETURN]),
    "out of range": (0, [("MOVE", (2**15, 0)), RETURN]),
    "no constant": (0, [("CONSTANT", (1, 1)), RETURN]),
    "no global": (0, [("GLOBAL", (1, 1)), RETURN]),
    "no name": (0, [("BOUND", (0, 1)), RETURN]),
    "beyond the frame": (0, [("MOVE", (8, 0)), RETURN]),
    "CALL needs a slot beyond": (1, [("MOVE", (6, 0)), ("CALL", (6, 0)), RETURN]),
    "control leaves": (1, [RETURN, ("JUMP", (5,)), RETURN]),
    "leaves the function's code": (0, [("MOVE", (1, 0))]),
    "jumps forward, not by -1": (1, [("MOVE", (1, 0)), ("JUMP", (-1,)), RETURN]),
    "jumps backward, not by 0": (0, [("JUMP_BACK", (0,)), RETURN]),
    "HALT in f": (0, [("HALT", ())]),
    "does not jump to its FOR_RANGE": (0, [("FOR_PREPARE", (1, 0)), RETURN]),
    "reads slot 3": (0, [("MOVE", (1, 3)), RETURN]),
    "reads slot 1": (2, [("FALSE_JUMP", (0, 1)), ("MOVE", (1, 0)), ("RETURN", (1,))]),
    "reads slot 2": (4, [("MOVE", (2, 0)), ("MOVE", (1, 0)), ("CALL", (1, 0)), ("MOVE", (1, 1)), ("RETURN", (2,))]),
    "reads slot 5": (5, [("LOADK", (1, 0)), ("LOADK", (2, 0)), ("LOADK", (3, 1)), ("FOR_PREPARE", (1, 0)),
                         ("FOR_RANGE", (5, 1, -1)), ("RETURN", (5,))]),
    "no prepared loop": (3, [("LOADK", (1, 0)), ("LOADK", (2, 0)), ("LOADK", (3, 1)), ("FOR_RANGE", (0, 1, -1)), RETURN]),
    "may hold no prepared loop": (5, [("LOADK", (1, 0)), ("LOADK", (2, 0)), ("LOADK", (3, 1)), ("FOR_PREPARE", (1, 1)),
                                      ("LOADK", (2, 9)), ("FOR_RANGE", (0, 1, -2)), RETURN]),
}  # fmt: skip


@pytest.mark.parametrize(("what", "number", "lines"), [(k, *v) for k, v in REFUSED.items()], ids=REFUSED.keys())
def test_bad_code_is_refused_at_its_place(what: str, number: int, lines: list[Line]) -> None:
    with pytest.raises(BadCode) as caught:
        verify(program(*lines))
    assert what in str(caught.value)
    assert (caught.value.function, caught.value.number) == ("f", number)


def test_a_cycle_without_a_back_edge_is_refused_whatever_its_jumps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Directions alone forbid it today; the graph is what counts: take the mark from an opcode, and its loops are refused."""
    loop = program(("JUMP", (1,)), ("MOVE", (1, 0)), ("TRUE_JUMP_BACK", (0, -2)), RETURN)
    verify(loop)
    monkeypatch.setattr("safepoint.guest.verifier.BACK_EDGES", tuple(o for o in BACK_EDGES if o != "TRUE_JUMP_BACK"))
    with pytest.raises(BadCode, match="cycle") as caught:
        verify(loop)
    assert caught.value.number == 1


def test_programs_as_a_whole() -> None:
    good = program(RETURN)
    verify(good)
    for bad, what in [
        (replace(good, constants=(2**62,)), "63 bits"),
        (replace(good, constants=(FunctionConstant(2),)), "63 bits"),
        (replace(good, constants=(FunctionConstant(0),)), "63 bits"),
        (program(RETURN, slots=0), "beyond"),
        (program(), "no instructions"),
        (program(("LOADK", (0, 1)), RETURN, module=True), "RETURN in <module>"),
    ]:
        with pytest.raises(BadCode, match=what):
            verify(bad)


def without_site(machine: Machine, limit: int) -> int:
    """How many instructions in a row visit no check site, at most."""
    run = longest = 0
    for _ in range(limit):
        run = 0 if OPCODES[machine.state.frame.instruction.op].site else run + 1
        longest = max(longest, run)
        if not machine.step():
            break
    return longest


@st.composite
def damaged(draw: st.DrawFn) -> Program:
    """A compiled program with some operands or opcodes changed."""
    good = compile_program(draw(st.sampled_from(EXAMPLES)).read_bytes(), "f.py")
    number = draw(st.integers(0, len(good.codes) - 1))
    code = good.codes[number]
    instructions = list(code.instructions)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(instructions) - 1))
        op = draw(st.sampled_from((instructions[at].op, *OPCODES)))
        old = instructions[at].operands
        operands = [draw(st.sampled_from((*old, *range(-4, 8)))) for _ in OPCODES[op].operands]
        instructions[at] = Instruction(op, tuple(operands), 1)
    codes = [*good.codes]
    codes[number] = replace(code, instructions=tuple(instructions))
    return replace(good, codes=tuple(codes))


@given(damaged())
def test_verified_code_never_makes_the_machine_fail_and_always_comes_to_a_site(program: Program) -> None:
    try:
        verify(program)
    except BadCode:
        return
    longest = without_site(Machine(program, Sites(300)), limit=400)
    assert longest <= sum(len(c.instructions) for c in program.codes) * 30
