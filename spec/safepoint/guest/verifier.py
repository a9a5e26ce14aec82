"""What must hold of code before a machine may run it, so that machine code need not check it.

Every operand is in range, every slot in the frame and written before it is read, every jump goes where its opcode says,
nothing runs off the end, and *every cycle of the control flow holds a back-edge opcode*: so no guest can run for ever
between two check sites.
"""

from __future__ import annotations

from collections.abc import Iterator

from safepoint.guest.code import (
    BACK_EDGES,
    INT_MAX,
    INT_MIN,
    LINK,
    OPCODES,
    Code,
    FunctionConstant,
    Instruction,
    Program,
)

NEVER_NEXT = ("JUMP", "JUMP_BACK", "FOR_PREPARE", "RETURN", "HALT")
"""After these the next instruction does not follow."""


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
            case value:
                good = INT_MIN <= value <= INT_MAX
        if not good:
            raise BadCode("<module>", -1, f"the constant {constant} is neither an int of 63 bits nor a function")
    for code in program.codes:
        _verify_instructions(program, code)
        _verify_cycles(code)
        _verify_slots(code)


def successors(code: Code, number: int) -> Iterator[int]:
    """Where control can go from an instruction, inside this function; a CALL goes to the next one."""
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
    for number, instruction in enumerate(code.instructions):
        if what := _wrong(program, code, number, instruction):
            raise BadCode(code.name, number, what)


def _wrong(program: Program, code: Code, number: int, instruction: Instruction) -> str:
    opcode = OPCODES.get(instruction.op)
    if opcode is None:
        return f"no such opcode: {instruction.op}"
    if len(instruction.operands) != len(opcode.operands):
        return f"{opcode.name} has {len(opcode.operands)} operands, not {len(instruction.operands)}"
    sizes = {"constant": len(program.constants), "global": len(program.globals), "name": len(program.names)}
    for operand, value in zip(opcode.operands, instruction.operands, strict=True):
        if not operand.low <= value <= operand.high:
            return f"{operand.name} = {value} is out of range"
        if value >= sizes.get(operand.kind, value + 1):
            return f"there is no {operand.kind} {value}"
    if max(_touched(instruction), default=-1) >= code.slots:
        return f"{opcode.name} needs a slot beyond the frame's {code.slots}"
    if opcode.name == ("RETURN" if code is program.codes[0] else "HALT"):
        return f"{opcode.name} in {code.name}"
    return _wrong_target(code, number, instruction)


def _wrong_target(code: Code, number: int, instruction: Instruction) -> str:
    if any(not 0 <= s < len(code.instructions) for s in successors(code, number)):
        return "control leaves the function's code"
    jumps = OPCODES[instruction.op].jumps
    if jumps and (instruction.operands[-1] < 0) != (jumps == "backward"):
        return f"{instruction.op} jumps {jumps}, not by {instruction.operands[-1]}"
    if instruction.op == "FOR_PREPARE":
        loop, offset = instruction.operands
        target = code.instructions[number + 1 + offset]
        if target.op != "FOR_RANGE" or target.operands[1] != loop:
            return "FOR_PREPARE does not jump to its FOR_RANGE"
    return ""


# ---------------------------------------------------------------------------------------------- cycles


def _verify_cycles(code: Code) -> None:
    """Without its back-edge opcodes the control flow has no cycle: remove what has no way in, again and again."""
    graph = {n: [] if ins.op in BACK_EDGES else list(successors(code, n)) for n, ins in enumerate(code.instructions)}
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
        case Instruction("PRINT", (first, count)):
            return list(range(first, first + count))
        case Instruction("FOR_PREPARE", (loop, _)) | Instruction("FOR_RANGE", (_, loop, _)):
            return [loop, loop + 1, loop + 2]
    return [v for o, v in zip(OPCODES[instruction.op].operands, instruction.operands, strict=True)
            if o.kind == "slot" and o.name != "dst"]  # fmt: skip


def _writes(instruction: Instruction) -> list[int]:
    match instruction:
        case Instruction("CALL", (base, _)):
            return [base]
        case Instruction("FOR_PREPARE", (loop, _)):
            return [loop, loop + 1, loop + 2]
    return [v for o, v in zip(OPCODES[instruction.op].operands, instruction.operands, strict=True) if o.name == "dst"]


def _touched(instruction: Instruction) -> list[int]:
    link = [instruction.operands[0] + LINK - 1] if instruction.op == "CALL" else []
    return [*_reads(instruction), *_writes(instruction), *link]


def _verify_slots(code: Code) -> None:
    """Each slot read holds a value on every way there, and each FOR_RANGE finds the loop as FOR_PREPARE has left it.

    What is sure at an instruction is a set of facts, the bits of an int: `1 << slot`: it holds a value;
    `1 << code.slots + loop`: the loop's three slots are a prepared loop's.
    """
    if len(code.parameters) > code.slots:
        raise BadCode(code.name, -1, "more parameters than slots")
    sure = {0: (1 << len(code.parameters)) - 1}
    todo = [0]
    while todo:
        number = todo.pop()
        instruction = code.instructions[number]
        for slot in _reads(instruction):
            if not sure[number] >> slot & 1:
                raise BadCode(code.name, number, f"{instruction.op} reads slot {slot}, which may hold nothing")
        if instruction.op == "FOR_RANGE" and not sure[number] >> code.slots + instruction.operands[1] & 1:
            raise BadCode(code.name, number, f"slot {instruction.operands[1]} may hold no prepared loop")
        for target, facts in _after(code, number, sure[number]):
            known = sure.get(target, facts) & facts
            if known != sure.get(target):
                sure[target] = known
                todo.append(target)


def _after(code: Code, number: int, facts: int) -> Iterator[tuple[int, int]]:
    """The facts at each successor.  A callee's frame lies over all that is behind the call's base."""
    instruction = code.instructions[number]
    lost = range(instruction.operands[0], code.slots) if instruction.op == "CALL" else _writes(instruction)
    changed = facts
    for slot in lost:
        loops = (code.slots + loop for loop in range(max(0, slot - 2), slot + 1))
        changed &= ~sum((1 << loop for loop in loops), 1 << slot)
    for slot in _writes(instruction):
        changed |= 1 << slot
    if instruction.op == "FOR_PREPARE":
        changed |= 1 << code.slots + instruction.operands[0]
    for target in successors(code, number):
        through = instruction.op == "FOR_RANGE" and target == number + 1  # no turn is left: dst is as it was
        yield target, facts if through else changed
