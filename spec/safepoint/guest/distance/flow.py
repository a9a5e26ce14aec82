"""Where the values of a program may come to: for each instruction that can be reached, the kinds that its slots may hold.

One pass over all functions together, until nothing changes: arguments flow to parameters, results to calls, what a global or an
item of any list is given to all who read one.  So it is known which functions a call may reach: those whose value may come to
the called slot, and that take as many arguments as it gives.  A program for which that takes more than MOST steps is taken as
if every slot might hold anything (`coarse`), which is no less sound.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

from safepoint.guest.code import LINK, Instruction, Program
from safepoint.guest.distance.kinds import (
    FUNCTIONS,
    LIST,
    NUMBER,
    OTHER,
    SHORT,
    TEXT,
    UNSET,
    anything,
    function,
    items,
    made,
)
from safepoint.guest.verifier import handlers_of, successors

Point = tuple[int, int]
"""The number of a function, and of an instruction in it."""
Kinds = tuple[int, ...]

MOST = 5_000_000
"""Slots that are joined, at most, before the analysis gives up being exact."""

ELEMENTS = "elements"
_NO_RESULT = ("BOUND", "SET_GLOBAL", "STORE_INDEX", "DELETE_INDEX", "APPEND", "RETURN", "RAISE", "RERAISE", "UNWINDS", "UNWOUND", "PRINT",
              "PRINT_END", "START", "JOIN", "ACQUIRE", "RELEASE", "SLEEP", "UNMASK", "INTERRUPT", "TERMINATE", "HANDSHAKE", "COLLECT", "POLL",
              "HALT", "JUMP", "JUMP_BACK", "FALSE_JUMP", "TRUE_JUMP", "TRUE_JUMP_BACK", "LESS_JUMP_BACK")  # fmt: skip


class _TooMuch(Exception):
    """More than MOST steps."""


class Flow:
    """coarse: every slot may hold anything, and every instruction is taken as reached.

    reached: the instructions that may be executed.  roots: the functions that a thread may begin with, the module first.
    """

    def __init__(self, program: Program, most: int = MOST) -> None:
        """program: verified."""
        self.program = program
        self.handlers = [handlers_of(code) for code in program.codes]
        self.coarse = False
        self._at: dict[Point, Kinds] = {}
        self._todo: list[Point] = []
        self._left = most
        self._shared: dict[object, int] = {}  # a global, the items of lists, a function's result -> its kinds
        self._readers: dict[object, set[Point]] = {}
        self._targets: set[int] = set()
        self._fit: dict[tuple[int, int], tuple[int, ...]] = {}
        try:
            self._run()
        except _TooMuch:
            self.coarse = True
            self._targets = set(range(1, len(program.codes))) if "THREAD" in program.opcodes else set()
            self._at = {(c, n): () for c, code in enumerate(program.codes) for n in range(len(code.instructions))}

    # -- what it tells

    @property
    def reached(self) -> Iterable[Point]:
        return self._at.keys()

    @cached_property
    def roots(self) -> list[int]:
        return [0, *sorted(self._targets - {0})]

    def instruction(self, point: Point) -> Instruction:
        return self.program.codes[point[0]].instructions[point[1]]

    def kinds(self, point: Point, slot: int) -> int:
        """The kinds that a slot may hold before the instruction."""
        return anything(self.program) if self.coarse else self._at[point][slot]

    def elements(self) -> int:
        """The kinds that the items of lists may have."""
        return anything(self.program) if self.coarse else self._shared.get(ELEMENTS, 0)

    def callees(self, point: Point) -> list[int]:
        """The functions that a CALL may push a frame for."""
        base, count = self.instruction(point).operands
        return list(self._fitting(self.kinds(point, base), count))

    def targets(self, point: Point) -> list[int]:
        """The functions that a thread may begin with that a THREAD makes."""
        first, count = self.instruction(point).operands
        return list(self._fitting(self.kinds(point, first), count - 1))

    def may_fail(self, point: Point) -> bool:
        """Whether a CALL may raise a TypeError before any check."""
        base, _ = self.instruction(point).operands
        known = 0
        for number in self.callees(point):
            known |= function(number)
        return bool(self.kinds(point, base) & ~known)

    def _fitting(self, kinds: int, count: int) -> tuple[int, ...]:
        """The functions among these kinds that take this number of arguments."""
        if (kinds, count) not in self._fit:
            self._fit[kinds, count] = tuple(self._those(kinds, count))
        return self._fit[kinds, count]

    def _those(self, kinds: int, count: int) -> Iterator[int]:
        functions = kinds >> FUNCTIONS
        while functions:
            number = (functions & -functions).bit_length() - 1
            functions &= functions - 1
            if len(self.program.codes[number].parameters) == count:
                yield number

    # -- how it is found

    def _run(self) -> None:
        for name in range(len(self.program.globals)):
            self._shared["global", name] = UNSET
        self._enter(0, [])
        while self._todo:
            self._step(self._todo.pop())

    def _enter(self, number: int, arguments: list[int]) -> None:
        self._join((number, 0), (*arguments, *[UNSET] * (self.program.codes[number].slots - len(arguments))))

    def _join(self, point: Point, kinds: Kinds) -> None:
        self._left -= len(kinds) + 1
        if self._left < 0:
            raise _TooMuch
        before = self._at.get(point)
        now = kinds if before is None else tuple(a | b for a, b in zip(before, kinds, strict=True))
        if now != before:
            self._at[point] = now
            self._todo.append(point)

    def _give(self, what: object, kinds: int) -> None:
        """Kinds that a global, a result or an item may have; who reads it is looked at again."""
        if kinds & ~self._shared.get(what, 0):
            self._shared[what] = self._shared.get(what, 0) | kinds
            self._todo += self._readers.get(what, ())

    def _take(self, what: object, point: Point) -> int:
        self._readers.setdefault(what, set()).add(point)
        return self._shared.get(what, 0)

    def _step(self, point: Point) -> None:
        code, number = point
        here, instruction = self._at[point], self.instruction(point)
        if handler := self.handlers[code][number]:
            self._join((code, handler.target), _put(here, handler.slot, OTHER))
        after = self._after(point, here, instruction)
        if after is None:
            return
        for target in successors(self.program.codes[code], number):
            ends = instruction.op in ("FOR_RANGE", "FOR_EACH") and target == number + 1
            self._join((code, target), here if ends else after)

    def _after(self, point: Point, here: Kinds, instruction: Instruction) -> Kinds | None:
        """The kinds behind the instruction; None: control does not go on there."""
        op, o = instruction.op, (*instruction.operands, 0, 0)
        match op:
            case "CALL":
                return self._called(point, here, o[0], o[1])
            case "GLOBAL":
                value = self._take(("global", o[1]), point) & ~UNSET
                return _put(here, o[0], value) if value else None
            case "BOUND":
                value = here[o[0]] & ~UNSET
                return _put(here, o[0], value) if value else None
            case "FOR_PREPARE":
                return _put(here, o[0], NUMBER, NUMBER, NUMBER)
            case "FOR_RANGE":
                return _put(_put(here, o[1], NUMBER, NUMBER), o[0], NUMBER)
            case "EACH_PREPARE":
                return _put(here, o[0] + 1, NUMBER)
            case "FOR_EACH":
                return _put(here, o[0], items(here[o[1]], self._take(ELEMENTS, point)))
        self._given(point, here, instruction)
        if op in _NO_RESULT:
            return here
        reads = op in ("INDEX", "POP", "POP_AT", "BUILTIN")
        elements = self._take(ELEMENTS, point) if reads else 0
        return _put(here, o[0], made(self.program, instruction, here.__getitem__, elements))

    def _given(self, point: Point, here: Kinds, instruction: Instruction) -> None:
        """What the instruction gives to others."""
        match instruction:
            case Instruction("RETURN", (src,)):
                self._give(("result", point[0]), here[src])
            case Instruction("SET_GLOBAL", (src, name)):
                self._give(("global", name), here[src])
            case Instruction("STORE_INDEX", (_, _, src)) | Instruction("APPEND", (_, src)):
                self._give(ELEMENTS, here[src])
            case Instruction("LIST", (first, count)):
                for slot in range(first, first + count):
                    self._give(ELEMENTS, here[slot])
            case Instruction("IADD", (_, left, right)) if here[left] & LIST and here[right] & TEXT:
                self._give(ELEMENTS, SHORT)
            case Instruction("THREAD", (first, count)):
                for callee in self._fitting(here[first], count - 1):
                    self._targets.add(callee)
                    self._enter(callee, list(here[first + 1 : first + count]))

    def _called(self, point: Point, here: Kinds, base: int, count: int) -> Kinds | None:
        result = 0
        for callee in self._fitting(here[base], count):
            self._enter(callee, list(here[base + LINK : base + LINK + count]))
            result |= self._take(("result", callee), point)
        return _put(here, base, result) if result else None


def _put(kinds: Kinds, slot: int, *new: int) -> Kinds:
    return (*kinds[:slot], *new, *kinds[slot + len(new) :])
