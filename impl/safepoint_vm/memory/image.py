"""A guest program in memory, for machine code; and back, from words and addresses to values and instructions."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import chain, groupby

from safepoint.guest import values
from safepoint.guest.code import Code, FunctionConstant, Instruction, Program
from safepoint.guest.verifier import verify
from safepoint_vm.generate.engine import Engine
from safepoint_vm.generate.instruction import SIZE
from safepoint_vm.language.layout import Memory
from safepoint_vm.language.tagged import float_word, word_of
from safepoint_vm.language.words import FUNCTION, LANDING_WORDS, OBJECT, UNSET_WORD
from safepoint_vm.memory import objects as encoded


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
    """A program in memory.  BadCode: the verifier rejects it."""

    def __init__(self, engine: Engine, program: Program) -> None:
        verify(program)
        self.program = program
        self._texts = [self._text(engine, code) for code in program.codes]
        self._codes = [
            Memory(3, [code.slots, len(code.parameters), text.address])
            for code, text in zip(program.codes, self._texts, strict=True)
        ]
        self._functions = [Memory(2, [0, code.address]) for code in self._codes]
        self._numbers = {function.address + FUNCTION: number for number, function in enumerate(self._functions)}
        self._objects: list[Memory] = []  # constants that are objects
        self._starts = sorted((text.address, number) for number, text in enumerate(self._texts))
        self.landings = self._landings()
        self.constants = Memory(max(1, len(program.constants)), [self.word(c) for c in program.constants])

    @staticmethod
    def _text(engine: Engine, code: Code) -> Memory:
        images = [engine.assemble(instruction) for instruction in code.instructions]
        return Memory(len(images), [int.from_bytes(image, "little", signed=True) for image in images])

    def _landings(self) -> Memory:
        """A `Landings`.  The handler of an instruction is the first of its code that covers it."""
        rows = [(0, 0, 0, 0)]
        for address, number in self._starts:
            code = self.program.codes[number]
            landings = [(0, 0, 0)] * len(code.instructions)
            for handler in reversed(code.handlers):
                landing = address + SIZE * handler.target, handler.slot, code.slots
                landings[handler.start : handler.end] = [landing] * (handler.end - handler.start)
            for found, run in groupby(enumerate(landings), lambda numbered: numbered[1]):
                rows.append((address + SIZE * next(run)[0], *found))
        return Memory(1 + LANDING_WORDS * len(rows), [len(rows), *chain.from_iterable(rows)])

    @property
    def start(self) -> int:
        """The address of the module's first instruction."""
        return self._texts[0].address

    def start_of(self, function: values.Function) -> int:
        """The address of its first instruction."""
        return self._texts[function.number].address

    @property
    def halt(self) -> int:
        """The address of a HALT: the return address of a thread's first frame."""
        ops = [instruction.op for instruction in self.program.codes[0].instructions]
        return self.start + SIZE * ops.index("HALT")

    def globals(self) -> Memory:
        """New variables of the module, all UNSET."""
        count = max(1, len(self.program.globals))
        return Memory(count, [UNSET_WORD] * count)

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

    def code_address(self, pc: int) -> CodeAddress:
        """The instruction at an address."""
        address, number = self._starts[bisect_right(self._starts, (pc, len(self._starts))) - 1]
        return CodeAddress(self.program.codes[number], (pc - address) // SIZE, address)
