"""Guest code: the opcode table, and the form of a compiled program.

Register code; an instruction is one 64-bit word: the opcode and up to three 16-bit operands, or one 16-bit and one
32-bit operand.  An opcode never serves both forward and backward jumps: each one that jumps backward is a check site, and
a trigger word of the `folded` policy.  Executing it visits the site, whether it then jumps or not.
"""

from __future__ import annotations

from dataclasses import dataclass

LINK = 3
"""A callee's frame begins this many slots after the slot of the called function; the return link, two words, lies between."""


@dataclass(frozen=True)
class Operand:
    """An operand from `low` to `high`, both included.  kind: slot (of the frame), immediate or small (a value), constant,
    global, name, builtin or kind (an index into that table), count, or jump (in instructions, from the next one).
    """

    name: str
    kind: str
    low: int
    high: int


def slot(name: str) -> Operand:
    return Operand(name, "slot", 0, 2**15 - 1)


def immediate(name: str) -> Operand:
    return Operand(name, "immediate", -(2**14), 2**14 - 1)


def small(name: str) -> Operand:
    """A value that fits in 32 bits with its tag: an int, or None, False, True, UNSET (see `SMALL`)."""
    return Operand(name, "small", -(2**30), 2**30 - 1)


def index(name: str, of: str) -> Operand:
    return Operand(name, of, 0, 2**31 - 1)


def operand(name: str, of: str) -> Operand:
    """An index into a short table: 16 bits."""
    return Operand(name, of, 0, 2**15 - 1)


def count(name: str) -> Operand:
    return Operand(name, "count", 0, 2**14 - 1)


def jump(name: str) -> Operand:
    """16 bits; stored in bytes by the machine, so one eighth of them."""
    return Operand(name, "jump", -(2**12) + 1, 2**12 - 2)


def far(name: str) -> Operand:
    return Operand(name, "jump", -(2**28) + 1, 2**28 - 2)


@dataclass(frozen=True)
class Opcode:
    """effect: in words.  site: the kind of check site that executing it visits, or "".  jumps: "forward", "backward" or ""."""

    name: str
    operands: tuple[Operand, ...]
    effect: str
    site: str = ""
    jumps: str = ""


_binary = (slot("dst"), slot("left"), slot("right"))
_unary = (slot("dst"), slot("src"))
_several = (slot("first"), count("count"))

OPCODES: dict[str, Opcode] = {
    o.name: o
    for o in (
        # moving values
        Opcode("LOADK", (slot("dst"), small("value")), "dst = a small constant"),
        Opcode("CONSTANT", (slot("dst"), index("constant", "constant")), "dst = constants[constant]"),
        Opcode("MOVE", _unary, "dst = src"),
        Opcode("GLOBAL", (slot("dst"), index("name", "global")), "dst = globals[name]; NameError if it is UNSET"),
        Opcode("SET_GLOBAL", (slot("src"), index("name", "global")), "globals[name] = src"),
        Opcode("BOUND", (slot("src"), index("name", "name")), "UnboundLocalError if src is UNSET"),
        # arithmetic
        Opcode("ADD", _binary, "dst = left + right"),
        Opcode("ADDI", (slot("dst"), slot("left"), immediate("right")), "dst = left + a small int"),
        Opcode("SUB", _binary, "dst = left - right"),
        Opcode("MUL", _binary, "dst = left * right"),
        Opcode("FLOORDIV", _binary, "dst = left // right"),
        Opcode("TRUEDIV", _binary, "dst = left / right"),
        Opcode("POWER", _binary, "dst = left ** right"),
        Opcode("MOD", _binary, "dst = left % right"),
        Opcode("IADD", _binary, "dst = left, after left += right: a list grows in place"),
        Opcode("IMUL", _binary, "dst = left, after left *= right: a list grows in place"),
        Opcode("AND", _binary, "dst = left & right"),
        Opcode("OR", _binary, "dst = left | right"),
        Opcode("XOR", _binary, "dst = left ^ right"),
        Opcode("SHL", _binary, "dst = left << right"),
        Opcode("SHR", _binary, "dst = left >> right"),
        Opcode("NEG", _unary, "dst = -src"),
        Opcode("POS", _unary, "dst = +src"),
        Opcode("INVERT", _unary, "dst = ~src"),
        Opcode("NOT", _unary, "dst = not src"),
        # comparison
        Opcode("LESS", _binary, "dst = left < right"),
        Opcode("LESS_EQUAL", _binary, "dst = left <= right"),
        Opcode("GREATER", _binary, "dst = left > right"),
        Opcode("GREATER_EQUAL", _binary, "dst = left >= right"),
        Opcode("EQUAL", _binary, "dst = left == right"),
        Opcode("NOT_EQUAL", _binary, "dst = left != right"),
        Opcode("IS", _binary, "dst = left is right"),
        Opcode("IS_NOT", _binary, "dst = left is not right"),
        Opcode("IN", _binary, "dst = left in right"),
        Opcode("NOT_IN", _binary, "dst = left not in right"),
        # lists and strings
        Opcode("LIST", _several, "first = [first, first+1, …]", site="allocation"),
        Opcode("INDEX", (slot("dst"), slot("of"), slot("index")), "dst = of[index]"),
        Opcode("STORE_INDEX", (slot("of"), slot("index"), slot("src")), "of[index] = src"),
        Opcode("DELETE_INDEX", (slot("of"), slot("index")), "del of[index]"),
        Opcode("SLICE", (slot("dst"), slot("of"), slot("bounds")), "dst = of[bounds:bounds+1]; None: from the start, to the end"),
        Opcode("LEN", _unary, "dst = len(src)"),
        Opcode("APPEND", (slot("of"), slot("src")), "of.append(src)"),
        Opcode("POP", (slot("dst"), slot("of")), "dst = of.pop()"),
        Opcode("POP_AT", (slot("dst"), slot("of"), slot("index")), "dst = of.pop(index)"),
        Opcode("FORMAT", _several, "first = ''.join of str(first), str(first+1), …"),
        Opcode("BUILTIN", (slot("first"), operand("builtin", "builtin"), count("count")), "first = builtin(first, first+1, …)"),
        # jumps
        Opcode("JUMP", (far("offset"),), "jump forward", jumps="forward"),
        Opcode("FALSE_JUMP", (slot("condition"), far("offset")), "if not condition: jump forward", jumps="forward"),
        Opcode("TRUE_JUMP", (slot("condition"), far("offset")), "if condition: jump forward", jumps="forward"),
        Opcode("JUMP_BACK", (far("offset"),), "jump backward", site="back_edge", jumps="backward"),
        Opcode("TRUE_JUMP_BACK", (slot("condition"), far("offset")), "if condition: jump backward",
               site="back_edge", jumps="backward"),
        Opcode("LESS_JUMP_BACK", (slot("left"), slot("right"), jump("offset")), "if left < right: jump backward",
               site="back_edge", jumps="backward"),
        Opcode("FOR_PREPARE", (slot("loop"), far("offset")),
               "range(loop, loop+1, loop+2) becomes: next value, turns left, step; jump forward to its FOR_RANGE",
               jumps="forward"),
        Opcode("FOR_RANGE", (slot("dst"), slot("loop"), jump("offset")),
               "if turns are left: one less, dst = next value, next value += step, jump backward",
               site="back_edge", jumps="backward"),
        Opcode("EACH_PREPARE", (slot("loop"), far("offset")),
               "TypeError if loop is neither a list nor a str; loop+1 = 0; jump forward to its FOR_EACH", jumps="forward"),
        Opcode("FOR_EACH", (slot("dst"), slot("loop"), jump("offset")),
               "if loop+1 < len(loop): dst = loop[loop+1], loop+1 += 1, jump backward", site="back_edge", jumps="backward"),
        Opcode("POLL", (), "nothing: a check site in code that has had none for long", site="back_edge"),
        # exceptions
        Opcode("EXCEPTION", (slot("first"), operand("kind", "kind"), count("count")), "first = kind(first, …)"),
        Opcode("RAISE", (slot("src"),), "raise src: this place is added to its traceback"),
        Opcode("RERAISE", (slot("src"),), "raise src again, as no handler matched; its traceback stays as it was"),
        Opcode("UNWINDS", (slot("src"),), "if src is the exception of a TERMINATE: raise it again, as RERAISE does"),
        Opcode("UNWOUND", (slot("src"),),
               "if src is the exception of a TERMINATE: end the unwinding, and raise a request that is pending; else RERAISE src",
               site="unwound"),
        Opcode("MATCHES", (slot("dst"), slot("src"), operand("kind", "kind")), "dst = src is an instance of kind"),
        # calls
        Opcode("CALL", (slot("base"), count("count")),
               "base = base(base+3, …): push a frame that begins at base+3", site="frame_push"),
        Opcode("RETURN", (slot("src"),), "pop the frame; the result goes to the caller's base", site="return"),
        Opcode("PRINT", (slot("first"), count("count")), "print(first, first+1, …), in a native region", site="native"),
        # threads; what blocks is a native region
        Opcode("THREAD", _several, "first = Thread(target=first, args=(first+1, …)): count slots in all"),
        Opcode("START", (slot("src"),), "src.start(), in a native region", site="native"),
        Opcode("JOIN", (slot("src"),), "src.join()", site="block"),
        Opcode("LOCK", (slot("dst"),), "dst = Lock()"),
        Opcode("ACQUIRE", (slot("src"),), "src.acquire(); if interrupted, raise without owning the lock", site="block"),
        Opcode("RELEASE", (slot("src"),), "src.release()"),
        Opcode("SLEEP", (slot("src"),), "sleep(src)", site="block"),
        # requests
        Opcode("MASK", (slot("dst"),), "begin a critical section; dst = whether it is nested in another one"),
        Opcode("UNMASK", (slot("src"),), "if src is False: end the critical section, and raise an interrupt that is pending", site="unmask"),
        Opcode("INTERRUPT", (slot("src"),), "interrupt(src): post KeyboardInterrupt to a thread", site="native"),
        Opcode("TERMINATE", (slot("src"),), "terminate(src): post a TERMINATE to a thread", site="native"),
        Opcode("HANDSHAKE", (slot("src"),), "handshake(src): that thread, or this one on its behalf, runs one operation", site="handshake"),
        Opcode("COLLECT", (), "collect(): stop the world, collect, start it", site="collect"),
        Opcode("PRINT_END", (slot("first"), count("count")), "print(first, …, end=the last of them), in a native region", site="native"),
        Opcode("HALT", (), "end of the module"),
    )
}  # fmt: skip

BACK_EDGES: tuple[str, ...] = tuple(o.name for o in OPCODES.values() if o.site == "back_edge")
"""The opcodes whose check site is the dispatch, and their trigger words: those that jump backward, and POLL."""


SITES = ("CALL", *BACK_EDGES)
"""The opcodes that serve every request."""

NEVER_NEXT = ("JUMP", "JUMP_BACK", "FOR_PREPARE", "EACH_PREPARE", "RAISE", "RERAISE", "RETURN", "HALT")
"""Opcodes after which control never reaches the next instruction."""

STRAIGHT = 1024
"""Instructions that a function executes between two of these, at most: the compiler puts a POLL where there would be more."""


class Unset:
    """What a variable holds before its first assignment."""

    def __repr__(self) -> str:
        return "UNSET"


UNSET = Unset()

SMALL: dict[int, Unset | bool | None] = {-(2**30): None, -(2**30) + 1: False, -(2**30) + 2: True, -(2**30) + 3: UNSET}
"""Operands of LOADK that stand for something other than an int."""

INT_MIN, INT_MAX = -(2**62), 2**62 - 1
"""The exact range of the guest's `int`: 63 bits."""


@dataclass(frozen=True)
class Instruction:
    """augmented: for error messages only: the instruction comes from `x op= y`, or (ACQUIRE) from `with`."""

    op: str
    operands: tuple[int, ...]
    line: int
    augmented: bool = False


def target_of(number: int, instruction: Instruction) -> int | None:
    """The number of the instruction that the one with this number may jump to.  None: it does not jump."""
    return number + 1 + instruction.operands[-1] if OPCODES[instruction.op].jumps else None


@dataclass(frozen=True)
class Handler:
    """Catches what the instructions start … end-1 raise: stores the exception in `slot`, and goes on at `target`."""

    start: int
    end: int
    target: int
    slot: int


@dataclass(frozen=True)
class Code:
    """A guest function, or the module.  Parameters are the first slots.  slots: the size of its frame.

    handlers: the first one that covers an instruction catches what it raises, so inner ones come first.
    """

    name: str
    parameters: tuple[str, ...]
    slots: int
    instructions: tuple[Instruction, ...]
    line: int
    handlers: tuple[Handler, ...] = ()


@dataclass(frozen=True)
class FunctionConstant:
    """The function `codes[number]`."""

    number: int


@dataclass(frozen=True)
class Program:
    """A compiled guest program.  `codes[0]` is the module.  names: of local variables, for error messages."""

    file: str
    source: str
    codes: tuple[Code, ...]
    constants: tuple[int | float | str | FunctionConstant, ...]
    globals: tuple[str, ...]
    names: tuple[str, ...]

    @property
    def opcodes(self) -> frozenset[str]:
        """Those of its instructions."""
        return frozenset(each.op for code in self.codes for each in code.instructions)
