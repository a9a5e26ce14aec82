"""What must hold of code before a machine may run it, so that machine code need not check it.

Every operand is in range, every slot in the frame and written before it is read, every jump goes where its opcode says,
nothing runs off the end, and *every cycle of the control flow holds a back-edge opcode*, also one that goes through
exception handlers: so no guest can run for ever between two check sites.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from safepoint.guest.code import (
    BACK_EDGES,
    INT_MAX,
    INT_MIN,
    LINK,
    OPCODES,
    Code,
    FunctionConstant,
    Handler,
    Instruction,
    Program,
)
from safepoint.guest.faults import KINDS
from safepoint.guest.operations.builtins import ARGUMENTS, BUILTINS

NEVER_NEXT = ("JUMP", "JUMP_BACK", "FOR_PREPARE", "EACH_PREPARE", "RAISE", "RERAISE", "RETURN", "HALT")
"""After these the next instruction does not follow."""

LOOPS = {"FOR_PREPARE": ("FOR_RANGE", 3), "EACH_PREPARE": ("FOR_EACH", 2)}
"""What prepares a loop -> the back-edge opcode that it jumps to, and how many slots the loop has."""

STEPS = {step: (prepare, slots) for prepare, (step, slots) in LOOPS.items()}


class BadCode(Exception):
    """Code that must not run.  `function`: its name; `number`: of the instruction, from 0; -1: the function as a whole."""

    def __init__(self, function: str, number: int, what: str) -> None:
        self.function, self.number, self.what = function, number, what
        super().__init__(f"{function}:{number}: {what}" if number >= 0 else f"{function}: {what}")


def verify(program: Program) -> None:
    """Raise `BadCode` for the first mistake."""
    for constant in program.constants:
        match constant:
            case FunctionConstant(number):
                good = 0 < number < len(program.codes)
            case int(value):
                good = INT_MIN <= value <= INT_MAX
            case value:
                good = isinstance(value, float | str)
        if not good:
            raise BadCode("<module>", -1, f"the constant {constant} is no int of 63 bits, float, string or function")
    for code in program.codes:
        _verify_instructions(program, code)
        _verify_cycles(code)
        _verify_slots(code)


def handlers_of(code: Code) -> list[Handler | None]:
    """For each instruction, where control goes if it raises; None: out of the function."""
    found: list[Handler | None] = [None] * len(code.instructions)
    for handler in reversed(code.handlers):  # the first is the one
        found[handler.start : handler.end] = [handler] * (handler.end - handler.start)
    return found


def successors(code: Code, number: int) -> Iterator[int]:
    """Where control can go from an instruction that does not raise; a CALL goes to the next one."""
    instruction = code.instructions[number]
    if instruction.op not in NEVER_NEXT:
        yield number + 1
    if OPCODES[instruction.op].jumps:
        yield number + 1 + instruction.operands[-1]


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
    for number, instruction in enumerate(code.instructions):
        if what := _wrong(program, code, number, instruction):
            raise BadCode(code.name, number, what)
    if code is program.codes[0] and all(i.op != "HALT" for i in code.instructions):
        raise BadCode(code.name, -1, "no HALT, which is where a thread's first function returns to")


def _wrong(program: Program, code: Code, number: int, instruction: Instruction) -> str:
    opcode = OPCODES.get(instruction.op)
    if opcode is None:
        return f"no such opcode: {instruction.op}"
    if len(instruction.operands) != len(opcode.operands):
        return f"{opcode.name} has {len(opcode.operands)} operands, not {len(instruction.operands)}"
    sizes = {
        "constant": len(program.constants),
        "global": len(program.globals),
        "name": len(program.names),
        "builtin": len(BUILTINS),
        "kind": len(KINDS),
    }
    for operand, value in zip(opcode.operands, instruction.operands, strict=True):
        if not operand.low <= value <= operand.high:
            return f"{operand.name} = {value} is out of range"
        if value >= sizes.get(operand.kind, value + 1):
            return f"there is no {operand.kind} {value}"
    if max(_touched(instruction), default=-1) >= code.slots:
        return f"{opcode.name} needs a slot beyond the frame's {code.slots}"
    if opcode.name == ("RETURN" if code is program.codes[0] else "HALT"):
        return f"{opcode.name} in {code.name}"
    if not _counted(instruction):
        return f"{opcode.name} of {instruction.operands[-1]} values"
    return _wrong_target(code, number, instruction)


def _counted(instruction: Instruction) -> bool:
    """Whether there are as many values as are wanted, where that is not any number."""
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
        target, step = code.instructions[number + 1 + offset], LOOPS[instruction.op][0]
        if target.op != step or target.operands[1] != loop:
            return f"{instruction.op} does not jump to its {step}"
    return ""


# ---------------------------------------------------------------------------------------------- cycles


def _verify_cycles(code: Code) -> None:
    """Without its back-edge opcodes the control flow has no cycle: remove what has no way in, again and again."""
    graph: dict[int, list[int]] = {n: [] for n in range(len(code.instructions))}
    for n, handler in enumerate(handlers_of(code)):
        if code.instructions[n].op not in BACK_EDGES:
            graph[n] = [*successors(code, n), *([handler.target] if handler else [])]
    ways_in = dict.fromkeys(graph, 0)
    for targets in graph.values():
        for target in targets:
            ways_in[target] += 1
    free = [n for n, count in ways_in.items() if count == 0]
    while free:
        n = free.pop()
        del ways_in[n]
        for target in graph[n]:
            ways_in[target] -= 1
            if ways_in[target] == 0:
                free.append(target)
    if ways_in:
        raise BadCode(code.name, min(ways_in), "a cycle of the control flow holds no back-edge opcode")


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
    """What is sure of a code's slots, as bits of an int: that they hold a value, and that a prepared loop begins there."""

    def __init__(self, code: Code) -> None:
        self.code = code
        self.handlers = handlers_of(code)
        self.first_bit = {"FOR_PREPARE": code.slots, "EACH_PREPARE": 2 * code.slots}

    def holds(self, slot: int) -> int:
        return 1 << slot

    def prepared(self, prepare: str, loop: int) -> int:
        return 1 << self.first_bit[prepare] + loop

    def without(self, facts: int, slots: Iterable[int]) -> int:
        """These slots may have changed, and no loop that they belong to is prepared any more."""
        for slot in slots:
            facts &= ~self.holds(slot)
            for prepare, (_, size) in LOOPS.items():
                for loop in range(max(0, slot - size + 1), slot + 1):
                    facts &= ~self.prepared(prepare, loop)
        return facts

    def below(self, facts: int, base: int) -> int:
        """Nothing from slot `base` on is what it was."""
        kept = (1 << base) - 1
        for prepare, (_, size) in LOOPS.items():
            kept |= (1 << max(0, base - size + 1)) - 1 << self.first_bit[prepare]
        return facts & kept

    def missing(self, instruction: Instruction, facts: int) -> str:
        """What the instruction needs and may not find."""
        for slot in _reads(instruction):
            if not facts & self.holds(slot):
                return f"{instruction.op} reads slot {slot}, which may hold nothing"
        if instruction.op in STEPS and not facts & self.prepared(STEPS[instruction.op][0], instruction.operands[1]):
            return f"slot {instruction.operands[1]} may hold no prepared loop"
        return ""

    def after(self, number: int, facts: int) -> Iterator[tuple[int, int]]:
        """The facts at each successor.  A callee's frame lies over all that is behind the call's base.

        A handler finds nothing behind its exception: there were intermediate values, which need not be kept alive.
        """
        instruction = self.code.instructions[number]
        op, first = instruction.op, (*instruction.operands, 0)[0]
        under = self.below(facts, first) if op == "CALL" else facts
        changed = self.without(under, _writes(instruction))
        for slot in _writes(instruction):
            changed |= self.holds(slot)
        if op in LOOPS:
            changed |= self.prepared(op, first)
        for target in successors(self.code, number):
            through = op in STEPS and target == number + 1  # no turn is left: dst is as it was
            yield target, facts if through else changed
        if handler := self.handlers[number]:  # what raises has written nothing
            yield handler.target, self.below(under, handler.slot) | self.holds(handler.slot)


def _verify_slots(code: Code) -> None:
    """Each slot read holds a value on every way there, and each step of a loop finds it prepared."""
    if len(code.parameters) > code.slots:
        raise BadCode(code.name, -1, "more parameters than slots")
    facts = Facts(code)
    sure = {0: (1 << len(code.parameters)) - 1}
    todo = [0]
    while todo:
        number = todo.pop()
        if what := facts.missing(code.instructions[number], sure[number]):
            raise BadCode(code.name, number, what)
        for target, now in facts.after(number, sure[number]):
            known = sure.get(target, now) & now
            if known != sure.get(target):
                sure[target] = known
                todo.append(target)
