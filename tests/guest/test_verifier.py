"""The verifier refuses what it must, and what it lets through cannot make a machine fail, or run for ever unchecked."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from safepoint.guest.code import BACK_EDGES, OPCODES, STRAIGHT, Code, FunctionConstant, Handler, Instruction, Program
from safepoint.guest.faults import KINDS
from safepoint.guest.operations.builtins import BUILTINS
from safepoint.guest.reference.machine import Machine
from safepoint.guest.reference.sites import Sites
from safepoint.guest.verifier import BadCode, handlers_of, verify
from tests.generated.mutated import damaged

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
    "does not jump to its FOR_EACH": (0, [("EACH_PREPARE", (0, 0)), RETURN]),
    "slot 0 may hold no prepared loop": (1, [("LOADK", (1, 0)), ("FOR_EACH", (2, 0, -1)), RETURN]),
    "slot 1 may hold no prepared loop": (4, [("MOVE", (1, 0)), ("EACH_PREPARE", (1, 2)), ("LOADK", (1, 0)), ("JUMP", (0,)),
                                             ("FOR_EACH", (3, 1, -3)), RETURN]),
    "FOR_EACH needs a slot beyond": (0, [("FOR_EACH", (0, 7, -1)), RETURN]),
    "no builtin": (0, [("BUILTIN", (0, len(BUILTINS), 1)), RETURN]),
    "no kind": (0, [("MATCHES", (0, 0, len(KINDS))), RETURN]),
    "BUILTIN of 2 values": (1, [("MOVE", (1, 0)), ("BUILTIN", (0, BUILTINS.index("abs"), 2)), RETURN]),
    "BUILTIN of 0 values": (0, [("BUILTIN", (0, BUILTINS.index("max"), 0)), RETURN]),
    "EXCEPTION of 2 values": (1, [("MOVE", (1, 0)), ("EXCEPTION", (0, 0, 2)), RETURN]),
    "PRINT_END of 0 values": (0, [("PRINT_END", (0, 0)), RETURN]),
    "LIST reads slot 2": (1, [("MOVE", (1, 0)), ("LIST", (0, 3)), RETURN]),
    "LIST needs a slot beyond": (0, [("LIST", (8, 0)), RETURN]),
    "SLICE reads slot 3": (2, [("MOVE", (1, 0)), ("MOVE", (2, 0)), ("SLICE", (0, 1, 2)), RETURN]),
    "leaves the function": (0, [("APPEND", (0, 0))]),
    "more than 1024 instructions without a check site": (0, [("MOVE", (1, 0))] * STRAIGHT + [RETURN]),
}  # fmt: skip


@pytest.mark.parametrize(("what", "number", "lines"), [(k, *v) for k, v in REFUSED.items()], ids=REFUSED.keys())
def test_bad_code_is_refused_at_its_place(what: str, number: int, lines: list[Line]) -> None:
    with pytest.raises(BadCode) as caught:
        verify(program(*lines))
    assert what in str(caught.value)
    assert (caught.value.function, caught.value.number) == ("f", number)


def test_straight_code_is_as_long_as_it_may_be_between_two_sites() -> None:
    """A CALL that raises at once visits none: what is before it counts with its handler's code."""
    straight = [("MOVE", (1, 0))] * (STRAIGHT - 1)
    verify(program(*straight, RETURN))
    verify(program(*straight, ("POLL", ()), *straight, RETURN))
    verify(program(*straight, ("CALL", (1, 0)), *straight, RETURN))
    verify(
        covered(
            *straight[1:],
            ("CALL", (1, 0)),
            ("RETURN", (0,)),
            ("RETURN", (0,)),
            handler=Handler(STRAIGHT - 2, STRAIGHT - 1, STRAIGHT, 6),
        )
    )
    with pytest.raises(BadCode, match="without a check site"):
        verify(
            covered(
                *straight,
                ("CALL", (1, 0)),
                ("RETURN", (0,)),
                ("RETURN", (0,)),
                handler=Handler(STRAIGHT - 1, STRAIGHT, STRAIGHT + 1, 6),
            )
        )


def test_a_cycle_without_a_back_edge_is_refused_whatever_its_jumps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Directions alone forbid it today; the graph is what counts: take the mark from an opcode, and its loops are refused."""
    loop = program(("JUMP", (1,)), ("MOVE", (1, 0)), ("TRUE_JUMP_BACK", (0, -2)), RETURN)
    verify(loop)
    monkeypatch.setattr("safepoint.guest.verifier.BACK_EDGES", tuple(o for o in BACK_EDGES if o != "TRUE_JUMP_BACK"))
    with pytest.raises(BadCode, match="cycle") as caught:
        verify(replace(loop))  # another object: one without a mistake is not looked at again
    assert caught.value.number == 1


def covered(*lines: Line, handler: Handler, slots: int = 8) -> Program:
    good = program(*lines, slots=slots)
    return replace(good, codes=(good.codes[0], replace(good.codes[1], handlers=(handler,))))


def test_a_handler_gets_the_exception_and_what_was_sure_before() -> None:
    """Slot 1 is written by all that is covered, and yet not sure: the first of them may raise."""
    lines: list[Line] = [("INDEX", (1, 0, 0)), ("MOVE", (2, 1)), RETURN, ("RETURN", (0,))]
    verify(covered(*lines, handler=Handler(0, 2, 3, 4)))
    verify(covered(*lines[:3], ("RETURN", (4,)), handler=Handler(0, 2, 3, 4)))
    verify(covered(*lines[:3], ("RETURN", (1,)), handler=Handler(1, 2, 3, 4)))
    for slot in (1, 2, 5):
        with pytest.raises(BadCode, match=f"RETURN reads slot {slot}, which may hold nothing"):
            verify(covered(*lines[:3], ("RETURN", (slot,)), handler=Handler(0, 2, 3, 4)))


def test_what_lies_behind_a_call_that_raised_is_lost() -> None:
    lines: list[Line] = [("MOVE", (1, 0)), ("MOVE", (2, 0)), ("MOVE", (3, 0)), ("CALL", (2, 0)), RETURN]
    verify(covered(*lines, ("RETURN", (1,)), handler=Handler(3, 4, 5, 6)))
    with pytest.raises(BadCode, match="reads slot 2"):
        verify(covered(*lines, ("RETURN", (2,)), handler=Handler(3, 4, 5, 6)))


def test_a_handler_that_overwrites_a_loop_ends_it() -> None:
    loop: list[Line] = [
        ("MOVE", (1, 0)),
        ("EACH_PREPARE", (1, 1)),
        ("INDEX", (3, 3, 3)),
        ("FOR_EACH", (3, 1, -2)),
        RETURN,
    ]
    verify(covered(*loop, handler=Handler(2, 3, 3, 4)))
    for slot, what in [(1, "reads slot 2, which may hold nothing"), (2, "slot 1 may hold no prepared loop")]:
        with pytest.raises(BadCode, match=what):
            verify(covered(*loop, handler=Handler(2, 3, 3, slot)))


def test_what_lies_behind_a_caught_exception_is_lost() -> None:
    """Machine code clears it, so that it keeps nothing alive."""
    lines: list[Line] = [("MOVE", (2, 0)), ("INDEX", (3, 0, 0)), RETURN, ("RETURN", (2,))]
    verify(covered(*lines, handler=Handler(1, 2, 3, 3)))
    with pytest.raises(BadCode, match="reads slot 2"):
        verify(covered(*lines, handler=Handler(1, 2, 3, 1)))


def test_a_cycle_through_a_handler_holds_a_back_edge() -> None:
    """An exception raised in its own handler, again and again."""
    with pytest.raises(BadCode, match="cycle") as caught:
        verify(covered(("MOVE", (1, 0)), ("RAISE", (0,)), handler=Handler(1, 2, 0, 2)))
    assert caught.value.number == 0
    verify(covered(("MOVE", (1, 0)), ("TRUE_JUMP_BACK", (0, -2)), ("RAISE", (0,)), RETURN, handler=Handler(1, 2, 0, 2)))


@pytest.mark.parametrize("bad", [(1, 1, 0, 0), (-1, 1, 0, 0), (0, 3, 0, 0), (0, 1, 2, 0), (0, 1, -1, 0), (0, 1, 1, 8)])
def test_handlers_lie_inside_the_code(bad: tuple[int, int, int, int]) -> None:
    with pytest.raises(BadCode, match="Handler"):
        verify(covered(("MOVE", (1, 0)), RETURN, handler=Handler(*bad)))


def test_the_first_handler_that_covers_an_instruction_is_the_one() -> None:
    code = covered(("MOVE", (1, 0)), ("MOVE", (2, 0)), RETURN, handler=Handler(1, 2, 2, 1)).codes[1]
    outer = Handler(0, 3, 2, 2)
    assert handlers_of(replace(code, handlers=(*code.handlers, outer))) == [outer, code.handlers[0], outer]


def test_programs_as_a_whole() -> None:
    good = program(RETURN)
    verify(good)
    for bad, what in [
        (replace(good, constants=(2**62,)), "63-bit"),
        (replace(good, constants=(None,)), "63-bit"),  # type: ignore[arg-type]
        (replace(good, constants=(FunctionConstant(2),)), "63-bit"),
        (replace(good, constants=(FunctionConstant(0),)), "63-bit"),
        (program(RETURN, slots=0), "beyond"),
        (program(), "no instructions"),
        (program(("LOADK", (0, 1)), RETURN, module=True), "RETURN in <module>"),
        (program(("LOADK", (0, 1)), ("RAISE", (0,)), module=True), "no HALT"),
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


@given(damaged())
def test_verified_code_never_makes_the_machine_fail_and_always_comes_to_a_site(program: Program) -> None:
    try:
        verify(program)
    except BadCode:
        return
    longest = without_site(Machine(program, Sites(300)), limit=400)
    assert longest <= sum(len(c.instructions) for c in program.codes) * 30
