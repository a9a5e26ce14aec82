"""Guest programs from instructions, for tests that must not depend on the guest's compiler."""

from __future__ import annotations

import io

from safepoint.guest.code import Code, FunctionConstant, Instruction, Program
from safepoint.guest.faults import Fault
from safepoint.guest.values import Function, Value
from safepoint_vm.generate.engine import PLAIN, Variant, engine
from safepoint_vm.language.machine import Exited
from safepoint_vm.memory.heap import SIZE
from safepoint_vm.memory.image import Image
from safepoint_vm.threads.thread import GuestThread
from safepoint_vm.threads.world import GuestWorld

Line = tuple[object, ...]


def code(name: str, slots: int, *lines: Line, parameters: tuple[str, ...] = ()) -> Code:
    """A line is (opcode, operand, …)."""
    instructions = tuple(
        Instruction(str(op), tuple(int(str(operand)) for operand in operands), number + 1)
        for number, (op, *operands) in enumerate(lines)
    )
    return Code(name, parameters, slots, instructions, 1)


def program(*codes: Code, constants: tuple[int | FunctionConstant, ...] = (), variables: int = 0) -> Program:
    names = tuple(f"v{number}" for number in range(variables))
    return Program("test.py", "", codes, constants, names, names)


def fresh(built: Program, stack: int = 1000) -> GuestThread:
    """A thread of the plain engine, in a world of its own."""
    return inhabited(built, stack)[0]


def inhabited(
    built: Program, stack: int = 1000, heap: int = SIZE, stress: bool = False, variant: Variant = PLAIN
) -> tuple[GuestThread, GuestWorld]:
    world = GuestWorld(engine(variant), heap, stress)
    image = Image(engine(variant), built)
    variables = image.globals()
    thread = world.add(lambda record: GuestThread(engine(variant), image, variables, world.heap, stack, record))
    return thread, world


def no_room() -> bool:
    """For programs that fit in the heap."""
    raise AssertionError("the heap is full")


def evaluate(op: str, *operands: int, values: tuple[Value, ...] = ()) -> Value | Fault:
    """Slot 0 after one instruction `op 0 …` whose frame holds `values` from slot 1 on; or what it raises."""
    filling = [("LOADK", number, 0) for number in range(len(values) + 1)]
    built = program(code("<module>", len(values) + 1, *filling, (op, 0, *operands), ("HALT",)))
    thread = fresh(built)
    assert thread.enter(budget=len(filling)) is Exited.STEPPED
    for number, value in enumerate(values):
        thread.stack[number + 1] = word(thread, value)
    finish(thread)
    return thread.fault or thread.slot(0)


def finish(thread: GuestThread) -> str:
    """The output of a thread that runs to its end, to which no request is posted."""
    output = io.StringIO()
    while not thread.ended:
        why = thread.enter()
        if not thread.serve(why, no_room):
            assert why is Exited.PRINT
            output.write(thread.printed(no_room) or "")
            thread.skip()
    return output.getvalue()


def word(thread: GuestThread, value: Value) -> int:
    if isinstance(value, Function):
        return thread.image.word(FunctionConstant(value.number))
    return thread._view.word(value)


def outcome(built: Program, stack: int = 1000) -> tuple[Value | Fault, str]:
    """Slot 0 of the module, or the fault; and the output.  No request is posted."""
    thread = fresh(built, stack)
    output = finish(thread)
    return thread.fault or thread.slot(0), output


ENDLESS = program(code("<module>", 1, ("JUMP_BACK", -1), ("HALT",)))
"""A loop."""
CALLING = program(
    code("<module>", 6, ("CONSTANT", 0, 0), ("CALL", 0, 0), ("JUMP_BACK", -3), ("HALT",)),
    code("f", 1, ("LOADK", 0, 0), ("RETURN", 0)),
    constants=(FunctionConstant(1),),
)
"""Calls in a loop."""
