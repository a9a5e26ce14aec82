"""Superinstructions do what their opcodes do one by one: on all kinds of values, beside CPython, from every entry into a sequence."""

from __future__ import annotations

import io

import pytest

from safepoint.guest.code import OPCODES, SMALL, Instruction
from safepoint.guest.compiler.program import compile_program
from safepoint.protocol.words import INTERRUPT
from safepoint_vm.generate.engine import PLAIN, Variant, engine
from safepoint_vm.generate.substitutes import in_place
from safepoint_vm.generate.triggers import ALONE, FUSED_NUMBERS, NUMBERS
from safepoint_vm.handlers import mutated
from safepoint_vm.handlers.fused import COMPARISONS, FUSED, Fused, fused_at
from safepoint_vm.language.machine import Exited
from safepoint_vm.threads.vm import Vm
from tests import oracle
from tests.impl.building import Line, code, inhabited, program
from tests.impl.running import FILE, begun
from tests.impl.waiting import soon

ONE_BY_ONE = Variant(fused=False)
OPERATORS = {
    "LESS": "<", "LESS_EQUAL": "<=", "GREATER": ">", "GREATER_EQUAL": ">=", "EQUAL": "==", "NOT_EQUAL": "!=", "IS": "is", "IS_NOT": "is not",
}  # fmt: skip
VALUES = "[0, 7, -7, 4611686018427387903, 1.5, -0.0, 1e300, float('nan'), True, False, None, 'a', '', [], [7], f]"

COMPARED = """
def f(n):
    return n

def loop(x, y):
    if x {op} y:
        print("yes", end=" ")
    if not x {op} y:
        print("no", end=" ")
    if x {op} {small}:
        print("small", end=" ")
    print(x {op} y or y {op} x)

values = {values}
values = values + [values, 10 ** 9]
for x in values:
    for y in values:
        try:
            loop(x, y)
        except TypeError as e:
            print(e)
"""
INDEXED = """
def f(n):
    return n

for x in {values} + [[1, 0, [], None, ""], "text"]:
    for i in {values} + [1, 2, 4]:
        try:
            if x[i]:
                print("yes", end=" ")
            if not x[i]:
                print("no", end=" ")
            print(x[0])
            print(x[-1] or "none", x[3])
        except (TypeError, IndexError) as e:
            print(e)
"""
COMPUTED = """
def f(n):
    return n

def run(x, y, items):
    print(x * y * 3 + y, x * y + x)
    print(x * x + y * y, x * y * x + y)
    print(x + y + x, x * x * y)
    print(2.5 * x, 2.5 * x < 2.5, x < 2.5)
    try:
        print(x * x - y * y, x * y - x, x - y + x, y - x)
    except TypeError as e:
        print(e)
    one = 1
    items[0] = 7
    items[one] = None
    print(items[0], items[1])
    print(f(x + 1), f(f(y + 2)))

values = {values} + [4e-308]
for x in values:
    for y in values:
        for items in [[1, 2], [1], "ab"]:
            try:
                run(x, y, items)
            except (TypeError, OverflowError, IndexError, ValueError, MemoryError) as e:
                print(e)
"""
LOOPED = """
def run(low, high, step):
    i, t = low, 0
    while i < high:
        t = t + i
        i = i + 1
    print(i, t, end=" ")
    i = low
    while i < high:
        i = i + 1
    print(i, end=" ")
    while i >= low:
        i = i - step
    print(i, end=" ")
    while i <= high:
        i = i + step
    print(i, end=" ")
    while i > low:
        i -= step
    print(i, end=" ")
    while i + step < 2.5:
        i += step
    while t < 1 and i < 0.5:
        t = t + i
        i = i + step
    for j in range(low, high):
        t = t + j
    print(i, t)

for low in [0, -3, 1.5, True]:
    for high in [0, 1, 5, 2.25]:
        for step in [1, 2, 0.5]:
            try:
                run(low, high, step)
            except TypeError as e:
                print(e)
"""
CALLED = """
def f(n):
    return n
g = 1
for turn in range(3):
    for i in range(3):
        try:
            print(f(turn))
            if i == 1:
                f(f(f(1)), 2)
            if i == 2:
                print(g(1))
            print(missing(turn))
        except (TypeError, NameError) as e:
            print(e)
    g = f

def deep(n):
    return deep(n + 1)
deep(0)
"""


def ran(source: str, variant: Variant) -> tuple[str, str]:
    """What a program prints, and what ends it."""
    output = io.StringIO()
    with Vm(compile_program(source, oracle.FILE), output, variant=variant) as vm:
        outcome = vm.start().outcome()
        vm.finish()
    return output.getvalue(), outcome.fault.kind if outcome.fault else ""


def programs() -> dict[str, str]:
    small = {"LESS": 3, "IS": None, "IS_NOT": None}
    compared = {op: COMPARED.format(op=OPERATORS[op], small=small.get(op, 7), values=VALUES) for op in COMPARISONS}
    return {
        **compared,
        "INDEX": INDEXED.format(values=VALUES),
        "CALL": CALLED,
        "ADD": COMPUTED.format(values=VALUES),
        "FOR_RANGE": LOOPED,
    }


@pytest.mark.parametrize("name", programs())
def test_they_agree_with_their_opcodes_and_with_cpython(name: str) -> None:
    source = programs()[name]
    theirs = oracle.run(source)
    assert ran(source, PLAIN) == ran(source, ONE_BY_ONE) == (theirs.output, theirs.error)


def test_each_is_in_one_of_these_programs() -> None:
    found: set[Fused | None] = set()
    for source in programs().values():
        for each in compile_program(source, oracle.FILE).codes:
            found |= {fused_at(each.instructions, number) for number in range(len(each.instructions))}
    assert found - {None} == {*FUSED}


ENDLESS = {
    "LESS": "while i < 1 and i < 2.5:\n        i = 0",
    "LESS_EQUAL": "while i <= 1:\n        i = 0",
    "GREATER": "while i > -1:\n        i = 0",
    "GREATER_EQUAL": "while i >= 0:\n        i = 0",
    "CONSTANT": "while i < 1 and i < 2.5:\n        i = 0",
    "ADD": "n = 4000000000000000000\n    while i < n:\n        t = t + i\n        i = i + 1",
    "ADDI": "n = 4000000000000000000\n    while i < n:\n        i = i + 1",
    "TRUE_JUMP_BACK": "while i <= 1:\n        i = i + t",
    "FOR_RANGE": "for i in range(4000000000000000000):\n        t = t + 1\n        j = t + i",
}
"""Loops without an end; each is an opcode that begins or ends a superinstruction."""


@pytest.mark.parametrize("name", ENDLESS)
@pytest.mark.rule("POISON-EVERY-WORD")
def test_a_loop_of_superinstructions_sees_a_request(name: str) -> None:
    """Each of its back-edges is executed in one, so no other dispatch could see it."""
    source = f"def loop(i, t):\n    {ENDLESS[name]}\nprint('begins')\nloop(0, 0)\n"
    loop = compile_program(source, FILE).codes[1].instructions
    fused = [fused_at(loop, number) for number in range(len(loop))]
    assert any(each is not None and each.loops and name in each.ops for each in fused)
    with begun(source) as (vm, program):
        assert soon(lambda: vm.world.threads != [] and program.output != "")
        vm.world.post(vm.world.threads[0], INTERRUPT)
        assert program.wait().error == "KeyboardInterrupt"


@pytest.mark.parametrize("each", [each for each in FUSED if each.loops], ids=lambda each: each.name)
@pytest.mark.rule("POISON-EVERY-WORD")
def test_a_poisoned_entry_is_the_opcode_alone(each: Fused) -> None:
    thread, _ = inhabited(program(code("<module>", 1, ("HALT",))))
    number = FUSED_NUMBERS[each.name]
    alone, together = engine(PLAIN).addresses[each.first], engine(PLAIN).addresses[each.name]
    assert thread.record.get("table", number) == thread.record.get("base", number) == together
    engine(PLAIN).procedure("post", thread.address, INTERRUPT)
    assert thread.record.get("table", number) == alone
    assert thread.record.get("base", number) == together


def test_what_a_sequence_may_be() -> None:
    """It has a check site only at the end, so that the opcode at a site is not replaced."""
    for each in FUSED:
        assert all(OPCODES[op].site == "" for op in each.ops[:-1]), each
        assert ALONE[FUSED_NUMBERS[each.name]] == NUMBERS[each.first]
    assert not {*FUSED_NUMBERS.values()} & {*NUMBERS.values()}


def instruction(op: str, *operands: int) -> Instruction:
    return Instruction(op, operands, 1)


def test_what_was_written_again_is_not_what_is_read() -> None:
    """The second product takes the place of the first, so a sum reads neither of them as the sequence would."""
    first, second = instruction("MUL", 5, 0, 0), instruction("MUL", 6, 1, 1)
    found = fused_at([first, second, instruction("ADD", 4, 5, 6)], 0)
    assert found is not None
    assert found.name == "MUL_and_MUL_and_ADD_21"
    for other in (
        [first, instruction("MUL", 5, 1, 1), instruction("ADD", 4, 5, 5)],
        [first, second, instruction("ADD", 4, 6, 5)],
        [first, second, instruction("ADD", 4, 5, 5)],
    ):
        assert fused_at(other, 0) is None, other


def test_only_what_hands_its_result_on_is_fused() -> None:
    less, jump = instruction("LESS", 2, 0, 1), instruction("FALSE_JUMP", 2, 5)
    named = fused_at([less, jump], 0)
    assert named is not None
    assert named.name == "LESS_and_FALSE_JUMP"
    assert fused_at([less, instruction("FALSE_JUMP", 1, 5)], 0) is None
    assert fused_at([less], 0) is None
    assert fused_at([less, instruction("MOVE", 3, 2), jump], 0) is None
    for constant in SMALL:
        assert fused_at([instruction("LOADK", 1, constant), less, jump], 0) is None
        assert fused_at([instruction("LOADK", 1, constant), instruction("IS", 2, 0, 1), jump], 0) is not None
    found = fused_at([instruction("LOADK", 1, 5), less, jump], 0)
    assert found is not None
    assert found.ops == ("LOADK", "LESS", "FALSE_JUMP")
    assert fused_at([instruction("LOADK", 0, 5), less, jump], 0) is None  # the left operand


MIDDLE: list[Line] = [
    ("LOADK", 0, 3), ("LOADK", 1, 9), ("JUMP", 1),  # to the LESS
    ("LOADK", 1, 1), ("LESS", 2, 0, 1), ("FALSE_JUMP", 2, 1), ("LOADK", 0, 100), ("HALT",),
]  # fmt: skip


@pytest.mark.parametrize("variant", [PLAIN, ONE_BY_ONE], ids=["fused", "one by one"])
def test_a_jump_into_the_middle_finds_the_opcode_that_stands_there(variant: Variant) -> None:
    thread, _ = inhabited(program(code("<module>", 3, *MIDDLE)), variant=variant)
    assert thread.enter() is Exited.FINISHED
    assert [thread.slot(slot) for slot in range(3)] == [100, 9, True]


def test_a_step_is_one_opcode() -> None:
    lines = [("LOADK", 0, 3), *MIDDLE[3:]]
    thread, _ = inhabited(program(code("<module>", 3, *lines)))
    seen = []
    while thread.enter(budget=1) is Exited.STEPPED:
        seen.append(str(thread.code_address()))
    assert seen == [f"<module>:{number}" for number in (1, 2, 3, 5)]
    assert thread.enter(budget=1) is Exited.FINISHED


@pytest.mark.parametrize("mutant", [name for name, instead in mutated.SUBSTITUTES.items() if "CALL" in instead])
def test_a_mutant_of_an_opcode_is_in_no_superinstruction(mutant: str) -> None:
    built = engine(Variant(mutant=mutant))
    addresses = in_place(built.addresses, mutant)
    assert addresses["GLOBAL_and_ADDI_and_CALL"] == addresses["GLOBAL"]
    assert addresses["CALL"] != engine(PLAIN).addresses["CALL"]
    assert addresses["LESS_and_FALSE_JUMP"] != addresses["LESS"]
