"""A guest program in memory, for machine code; and back, from words and addresses to values and instructions."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, groupby
from typing import TYPE_CHECKING

from safepoint.guest import values
from safepoint.guest.code import Code, FunctionConstant, Instruction, Program
from safepoint.guest.faults import Location as Line
from safepoint.guest.verifier import verify
from safepoint_vm.generate.assembler import SIZE
from safepoint_vm.generate.engine import Engine
from safepoint_vm.language.layout import Memory
from safepoint_vm.language.tagged import float_word, word_of
from safepoint_vm.language.words import FUNCTION, LANDING_WORDS, OBJECT, UNSET_WORD
from safepoint_vm.memory import objects as encoded

if TYPE_CHECKING:
    from safepoint_vm.tier.install import Tier


@dataclass(frozen=True)
class CodeAddress:
    """An instruction of the program.  `number`: its index in `code`; `start`: address of the code's first instruction."""

    code: Code
    number: int
    start: int

    def address(self, number: int) -> int:
        """The address of another instruction of the same code."""
        return self.start + SIZE * number

    @property
    def instruction(self) -> Instruction:
        return self.code.instructions[self.number]

    def __str__(self) -> str:
        return f"{self.code.name}:{self.number}"


class Image:
    """A program in memory, which may `grow`.  BadCode: the verifier rejects it.

    `sources`: the text of each file of it.  `tier`: compiles its functions.
    """

    def __init__(self, engine: Engine, program: Program, tier: Tier | None = None) -> None:
        self.engine, self.tier, self.sources = engine, tier, dict[str, str]()
        self._files: list[str] = []  # of each code, and so on
        self._texts: list[Memory] = []
        self._codes: list[Memory] = []
        self._functions: list[Memory] = []
        self._numbers: dict[int, int] = {}  # of the codes, by their functions' tagged words
        self._landings: list[tuple[int, list[int]]] = []  # (address, rows)
        self._objects: list[Memory] = []  # constants that are objects
        self._words: list[int] = []  # of the constants
        self.grow(program)

    def grow(self, program: Program) -> None:
        """Load what a program has beyond the loaded one, which it begins with.  BadCode: as `Image`; nothing has changed then.

        No thread may be in guest code, and all have to `GuestThread.use` the new tables before they are there again.  What was
        loaded stays where it is.
        """
        first = len(self._texts)
        verify(program, first)
        self.program = program
        self.sources[program.file] = program.source
        for number, code in enumerate(program.codes[first:], first):
            text = self._text(code)
            made = Memory(3, [code.slots, len(code.parameters), text.address])
            function = Memory(2, [0, made.address])
            self._files.append(program.file)
            self._texts.append(text)
            self._codes.append(made)
            self._functions.append(function)
            self._numbers[function.address + FUNCTION] = number
            self._landings.append((text.address, self._rows(code, text.address)))
        self._starts = sorted((text.address, number) for number, text in enumerate(self._texts))
        rows = [0, 0, 0, 0, *chain.from_iterable(rows for _, rows in sorted(self._landings))]
        self.landings = Memory(1 + len(rows), [len(rows) // LANDING_WORDS, *rows])
        self._words += [self.word(constant) for constant in program.constants[len(self._words) :]]
        self.constants = Memory(max(1, len(self._words)), self._words)

    def _text(self, code: Code) -> Memory:
        images = self.engine.assemble(code.instructions)
        words = [int.from_bytes(image, "little", signed=True) for image in images]
        return self.tier.load(code, words) if self.tier else Memory(len(words), words)

    @staticmethod
    def _rows(code: Code, address: int) -> list[int]:
        """The rows of a code in a `Landings`.  The handler of an instruction is the first of its code that covers it."""
        landings = [(0, 0, 0)] * len(code.instructions)
        for handler in reversed(code.handlers):
            landing = address + SIZE * handler.target, handler.slot, code.slots
            landings[handler.start : handler.end] = [landing] * (handler.end - handler.start)
        rows: list[int] = []
        for found, run in groupby(enumerate(landings), lambda numbered: numbered[1]):
            rows += address + SIZE * next(run)[0], *found
        return rows

    @property
    def start(self) -> int:
        """The address of the module's first instruction."""
        return self._texts[0].address

    def start_of(self, function: values.Function) -> int:
        """The address of its first instruction."""
        return self._texts[function.number].address

    @cached_property
    def halt(self) -> int:
        """The address of a HALT: the return address of a thread's first frame.  Stays where it is, as all that was loaded."""
        ops = [instruction.op for instruction in self.program.codes[0].instructions]
        return self.start + SIZE * ops.index("HALT")

    def globals(self, old: Memory | None = None) -> Memory:
        """New variables of the module: UNSET, or with the values of `old` ones, which were fewer or as many."""
        count = max(1, len(self.program.globals))
        kept = [old[number] for number in range(old.words)] if old else []
        return Memory(count, [*kept, *[UNSET_WORD] * (count - len(kept))])

    def word(self, constant: float | str | FunctionConstant) -> int:
        """The tagged word of a constant.  Strings and boxed floats become static objects, which no collector moves."""
        match constant:
            case FunctionConstant(number):
                return self._functions[number].address + FUNCTION
            case str():
                return self._static(encoded.string_object(constant))
            case int():
                return word_of(constant)
        packed = float_word(constant)
        return self._static(encoded.float_object(constant)) if packed is None else packed

    def _static(self, image: bytes) -> int:
        self._objects.append(encoded.static(image))
        return self._objects[-1].address + OBJECT

    def function(self, word: int) -> values.Function:
        """The function with this tagged word."""
        number = self._numbers[word]
        return values.Function(number, self.program.codes[number].name, self.program.codes[number].parameters)

    def function_word(self, function: values.Function) -> int:
        """The tagged word of a function."""
        return self._functions[function.number].address + FUNCTION

    def line(self, pc: int) -> Line:
        """The line of a traceback for the instruction at an address: (file, line, function)."""
        address, number = self._starts[bisect_right(self._starts, (pc, len(self._starts))) - 1]
        code = self.program.codes[number]
        return self._files[number], code.instructions[(pc - address) // SIZE].line, code.name

    def code_address(self, pc: int) -> CodeAddress:
        """The instruction at an address."""
        address, number = self._starts[bisect_right(self._starts, (pc, len(self._starts))) - 1]
        return CodeAddress(self.program.codes[number], (pc - address) // SIZE, address)
