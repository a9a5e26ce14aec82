"""The verifier: what must hold of code before a machine runs it, so that machine code need not check it.

Every operand is in range, every slot in the frame and written before it is read, every jump goes where its opcode says,
nothing runs off the end, and *every cycle of the control flow holds a back-edge opcode*, also one that goes through
exception handlers: so no guest can run for ever between two check sites, and no function executes more than STRAIGHT instructions between two.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from weakref import WeakValueDictionary

from safepoint.guest.code import (
    BACK_EDGES,
    INT_MAX,
    INT_MIN,
    LINK,
    NEVER_NEXT,
    OPCODES,
    STRAIGHT,
    Code,
    FunctionConstant,
    Handler,
    Instruction,
    Program,
    target_of,
)
from safepoint.guest.faults import KINDS
from safepoint.guest.operations.builtins import ARGUMENTS, BUILTINS

LOOPS = {"FOR_PREPARE": ("FOR_RANGE", 3), "EACH_PREPARE": ("FOR_EACH", 2)}
"""Opcode that prepares a loop -> the back-edge opcode that it jumps to, and the number of the loop's slots."""

STEPS = {step: (prepare, slots) for prepare, (step, slots) in LOOPS.items()}


class BadCode(Exception):
    """Code that must not run.  function: its name.  number: the instruction's, from 0; -1: the function as a whole."""

    def __init__(self, function: str, number: int, what: str) -> None:
        self.function, self.number, self.what = function, number, what
        super().__init__(f"{function}:{number}: {what}" if number >= 0 else f"{function}: {what}")


_verified: WeakValueDictionary[int, Program] = WeakValueDictionary()  # by `id`: what never changes is looked at once


def verify(program: Program, first: int = 0) -> None:
    """Raise `BadCode` for the first mistake.  `first`: the codes before this one have been verified, with the same tables or shorter ones."""
    if _verified.get(id(program)) is program:
        return
    for constant in program.constants:
        match constant:
            case FunctionConstant(number):
                good = 0 < number < len(program.codes)
            case int(value):
                good = INT_MIN <= value <= INT_MAX
            case value:
                good = isinstance(value, float | str)
        if not good:
            raise BadCode("<module>", -1, f"the constant {constant} is not a 63-bit int, float, string or function")
    for code in program.codes[first:]:
        _verify_instructions(program, code)
        _verify_cycles(code)
        _verify_slots(code)
    _verified[id(program)] = program


def handlers_of(code: Code) -> list[Handler | None]:
    """For each instruction, the handler of what it raises; None: the exception leaves the function."""
    handlers: list[Handler | None] = [None] * len(code.instructions)
    for handler in reversed(code.handlers):  # so that the first one stays
        handlers[handler.start : handler.end] = [handler] * (handler.end - handler.start)
    return handlers


def successors(code: Code, number: int) -> Iterator[int]:
    """The instructions that can follow one that does not raise; a CALL is followed by the next one."""
    instruction = code.instructions[number]
    if instruction.op not in NEVER_NEXT:
        yield number + 1
    if (target := target_of(number, instruction)) is not None:
        yield target


# ---------------------------------------------------------------------------------------------- each on its own


def _verify_instructions(program: Program, code: Code) -> None:
    if not code.instructions:
        raise BadCode(code.name, -1, "no instructions")
    if code is program.codes[0] and code.parameters:
        raise BadCode(code.name, -1, "a module has no parameters")
    for h in code.handlers:
        if not (0 <= h.start < h.end <= len(code.instructions) and 0 <= h.target < len(code.instructions)):
            raise BadCode(code.name, -1, f"{h} is not inside the function's code")
        if not 0 <= h.slot < code.slots:
            raise BadCode(code.name, -1, f"{h} needs a slot beyond the frame's {code.slots}")
    sizes = {"constant": len(program.constants), "global": len(program.globals), "name": len(program.names),
             "builtin": len(BUILTINS), "kind": len(KINDS)}  # fmt: skip
    for number, instruction in enumerate(code.instructions):
        if what := _wrong(sizes, code, code is program.codes[0], number, instruction):
            raise BadCode(code.name, number, what)
    if code is program.codes[0] and all(i.op != "HALT" for i in code.instructions):
        raise BadCode(code.name, -1, "no HALT, which is where a thread's first function returns to")


def _wrong(sizes: Mapping[str, int], code: Code, is_module: bool, number: int, instruction: Instruction) -> str:
    """sizes: of the tables, by the kind of operand that is an index into them."""
    opcode = OPCODES.get(instruction.op)
    if opcode is None:
        return f"no such opcode: {instruction.op}"
    if len(instruction.operands) != len(opcode.operands):
        return f"{opcode.name} has {len(opcode.operands)} operands, not {len(instruction.operands)}"
    for operand, value in zip(opcode.operands, instruction.operands, strict=True):
        if not operand.low <= value <= operand.high:
            return f"{operand.name} = {value} is out of range"
        if operand.kind in sizes and value >= sizes[operand.kind]:
            return f"there is no {operand.kind} {value}"
    if max(_touched(instruction), default=-1) >= code.slots:
        return f"{opcode.name} needs a slot beyond the frame's {code.slots}"
    if opcode.name == ("RETURN" if is_module else "HALT"):
        return f"{opcode.name} in {code.name}"
    if not _counted(instruction):
        return f"{opcode.name} of {instruction.operands[-1]} values"
    return _wrong_target(code, number, instruction)


def _counted(instruction: Instruction) -> bool:
    """Whether the opcode takes as many values as the instruction gives it."""
    match instruction:
        case Instruction("BUILTIN", (_, number, count)):
            least, most = ARGUMENTS[BUILTINS[number]]
            return least <= count and (most is None or count <= most)
        case Instruction("EXCEPTION", (_, _, count)):
            return count <= 1
        case Instruction("PRINT_END" | "THREAD", (_, count)):
            return count >= 1
    return True


def _wrong_target(code: Code, number: int, instruction: Instruction) -> str:
    if any(not 0 <= s < len(code.instructions) for s in successors(code, number)):
        return "control leaves the function's code"
    jumps = OPCODES[instruction.op].jumps
    if jumps and (instruction.operands[-1] < 0) != (jumps == "backward"):
        return f"{instruction.op} jumps {jumps}, not by {instruction.operands[-1]}"
    if instruction.op in LOOPS:
        loop, offset = instruction.operands
        target = code.instructions[number + 1 + offset]
        step, _ = LOOPS[instruction.op]
        if target.op != step or target.operands[1] != loop:
            return f"{instruction.op} does not jump to its {step}"
    return ""


def _verify_cycles(code: Code) -> None:
    """Raise unless the control flow without its back-edge opcodes has no cycle: it can be sorted topologically."""
    graph: dict[int, list[int]] = {}
    for n, handler in enumerate(handlers_of(code)):
        if code.instructions[n].op not in BACK_EDGES:
            graph[n] = [*successors(code, n), *([handler.target] if handler else [])]
    try:
        _verify_straight(code, TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise BadCode(code.name, min(error.args[1]), "a cycle of the control flow holds no back-edge opcode") from None


def _verify_straight(code: Code, order: Iterable[int]) -> None:
    """order: of the instructions, each behind those that can follow it.  A CALL that raises at once visits no site."""
    handlers = handlers_of(code)
    longest = [0] * len(code.instructions)  # the most instructions from this one on, up to a site
    for n in order:
        op, handler = code.instructions[n].op, handlers[n]
        if op in BACK_EDGES:
            continue
        after = [*(() if op == "CALL" else successors(code, n)), *([handler.target] if handler else [])]
        longest[n] = max((1 + longest[m] for m in after), default=int(op != "CALL"))
        if longest[n] > STRAIGHT:
            raise BadCode(
                code.name, n, f"more than {STRAIGHT} instructions without a check site (write instead: a POLL)"
            )


# ---------------------------------------------------------------------------------------------- slots


def _reads(instruction: Instruction) -> list[int]:
    match instruction:
        case Instruction("CALL", (base, count)):
            return [base, *range(base + LINK, base + LINK + count)]
        case Instruction("LIST" | "FORMAT" | "THREAD" | "PRINT" | "PRINT_END", (first, count)):
            return list(range(first, first + count))
        case Instruction("BUILTIN" | "EXCEPTION", (first, _, count)):
            return list(range(first, first + count))
        case Instruction("SLICE", (_, of, bounds)):
            return [of, bounds, bounds + 1]
        case Instruction("FOR_PREPARE", (loop, _)) | Instruction("FOR_RANGE", (_, loop, _)):
            return [loop, loop + 1, loop + 2]
        case Instruction("FOR_EACH", (_, loop, _)):
            return [loop, loop + 1]
    return [v for o, v in zip(OPCODES[instruction.op].operands, instruction.operands, strict=True)
            if o.kind == "slot" and o.name != "dst"]  # fmt: skip


def _writes(instruction: Instruction) -> list[int]:
    match instruction:
        case Instruction("CALL" | "LIST" | "FORMAT" | "THREAD" | "BUILTIN" | "EXCEPTION", (first, *_)):
            return [first]
        case Instruction("FOR_PREPARE", (loop, _)):
            return [loop, loop + 1, loop + 2]
        case Instruction("EACH_PREPARE", (loop, _)):
            return [loop + 1]
    return [v for o, v in zip(OPCODES[instruction.op].operands, instruction.operands, strict=True) if o.name == "dst"]


def _touched(instruction: Instruction) -> list[int]:
    link = [instruction.operands[0] + LINK - 1] if instruction.op == "CALL" else []
    return [*_reads(instruction), *_writes(instruction), *link]


class Facts:
    """Facts about slots, as bits of an int: the slot certainly holds a value; a prepared loop certainly begins there."""

    def __init__(self, code: Code) -> None:
        self.code = code
        self.handlers = handlers_of(code)
        self.reads = [_reads(instruction) for instruction in code.instructions]
        self.writes = [_writes(instruction) for instruction in code.instructions]
        self.first_bit = {"FOR_PREPARE": code.slots, "EACH_PREPARE": 2 * code.slots}

    def holds(self, slot: int) -> int:
        return 1 << slot

    def prepared(self, prepare: str, loop: int) -> int:
        return 1 << self.first_bit[prepare] + loop

    def without(self, facts: int, slots: Iterable[int]) -> int:
        """The facts left when these slots may have changed: no loop that they belong to is still prepared."""
        for slot in slots:
            facts &= ~self.holds(slot)
            for prepare, (_, size) in LOOPS.items():
                for loop in range(max(0, slot - size + 1), slot + 1):
                    facts &= ~self.prepared(prepare, loop)
        return facts

    def below(self, facts: int, base: int) -> int:
        """The facts left when all slots from `base` on may have changed."""
        kept = (1 << base) - 1
        for prepare, (_, size) in LOOPS.items():
            kept |= (1 << max(0, base - size + 1)) - 1 << self.first_bit[prepare]
        return facts & kept

    def missing(self, number: int, facts: int) -> str:
        """The error message if the instruction may not find what it needs, else ""."""
        instruction = self.code.instructions[number]
        for slot in self.reads[number]:
            if not facts & self.holds(slot):
                return f"{instruction.op} reads slot {slot}, which may hold nothing"
        if instruction.op in STEPS and not facts & self.prepared(STEPS[instruction.op][0], instruction.operands[1]):
            return f"slot {instruction.operands[1]} may hold no prepared loop"
        return ""

    def after(self, number: int, facts: int) -> Iterator[tuple[int, int]]:
        """Yield each successor and the facts there.  A callee's frame overlies all slots behind the call's base.

        A handler may use no slot behind its exception: intermediate values were there, which need not be kept alive.
        """
        instruction = self.code.instructions[number]
        op, first = instruction.op, (*instruction.operands, 0)[0]
        under = self.below(facts, first) if op == "CALL" else facts
        changed = self.without(under, self.writes[number])
        for slot in self.writes[number]:
            changed |= self.holds(slot)
        if op in LOOPS:
            changed |= self.prepared(op, first)
        for target in successors(self.code, number):
            loop_ends = op in STEPS and target == number + 1  # dst is as it was
            yield target, facts if loop_ends else changed
        if handler := self.handlers[number]:  # an instruction that raises has written nothing
            yield handler.target, self.below(under, handler.slot) | self.holds(handler.slot)


def _verify_slots(code: Code) -> None:
    """Raise unless each slot read holds a value on every path to it, and each step of a loop finds the loop prepared."""
    if len(code.parameters) > code.slots:
        raise BadCode(code.name, -1, "more parameters than slots")
    facts = Facts(code)
    sure = {0: (1 << len(code.parameters)) - 1}
    todo = [0]
    while todo:
        number = todo.pop()
        if what := facts.missing(number, sure[number]):
            raise BadCode(code.name, number, what)
        for target, now in facts.after(number, sure[number]):
            known = sure.get(target, now) & now
            if known != sure.get(target):
                sure[target] = known
                todo.append(target)
