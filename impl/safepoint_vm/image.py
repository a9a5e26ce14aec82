"""A guest program in memory, as machine code wants it, and the way back: from words and addresses to values and places."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from safepoint.guest import values
from safepoint.guest.code import Code, FunctionConstant, Instruction, Program
from safepoint.guest.values import Value
from safepoint.guest.verifier import verify
from safepoint_vm.encoding import SIZE
from safepoint_vm.engine import Engine
from safepoint_vm.words import CONSTANTS, FUNCTION, UNSET_WORD, Memory, word_of


@dataclass(frozen=True)
class Place:
    """An instruction of the program."""

    code: Code
    number: int

    @property
    def instruction(self) -> Instruction:
        return self.code.instructions[self.number]

    def __str__(self) -> str:
        return f"{self.code.name}:{self.number}"


class Image:
    """Raises BadCode: a program that must not run."""

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
        self._starts = sorted((text.address, number) for number, text in enumerate(self._texts))
        self.constants = Memory(max(1, len(program.constants)), [self.word(c) for c in program.constants])

    @staticmethod
    def _text(engine: Engine, code: Code) -> Memory:
        images = [engine.assemble(instruction) for instruction in code.instructions]
        return Memory(len(images), [int.from_bytes(image, "little", signed=True) for image in images])

    @property
    def start(self) -> int:
        """The address of the module's first instruction."""
        return self._texts[0].address

    def globals(self) -> Memory:
        """A module's variables, before it runs."""
        count = max(1, len(self.program.globals))
        return Memory(count, [UNSET_WORD] * count)

    def word(self, constant: int | FunctionConstant) -> int:
        if isinstance(constant, FunctionConstant):
            return self._functions[constant.number].address + FUNCTION
        return word_of(constant)

    def value(self, word: int) -> Value:
        """What a tagged word stands for, as both machines' values."""
        if word & 1 == 0:
            return word >> 1
        if word in CONSTANTS:
            constant: Value = CONSTANTS[word]  # type: ignore[assignment]
            return constant
        number = self._numbers[word]
        return values.Function(number, self.program.codes[number].name, self.program.codes[number].parameters)

    def place(self, pc: int) -> Place:
        """The instruction at an address."""
        address, number = self._starts[bisect_right(self._starts, (pc, len(self._starts))) - 1]
        return Place(self.program.codes[number], (pc - address) // SIZE)
