"""Kinds of values: which a slot may hold, as bits of an int, and which an instruction makes of its operands'.

A bit for each kind, and one for each function of the program, so that a call knows whom it may call.  All numbers are one kind,
and bools with them.  Items of lists are not told apart by list: one set of bits stands for the items of every list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce
from operator import or_

from safepoint.guest.code import UNSET as NO_VALUE
from safepoint.guest.code import FunctionConstant, Instruction, Program
from safepoint.guest.operations.builtins import BUILTINS
from safepoint.guest.values import small

NUMBER, NONE, SHORT, STRING, LIST, OTHER, UNSET = (1 << n for n in range(7))
"""SHORT: a string of at most WORD characters; STRING: any longer one.  OTHER: an exception, thread or lock."""
FUNCTIONS = 7
"""The number of the bit of function 0."""
WORD = 64
"""Characters: a text of a number, None, False or True has fewer, and most strings that a program writes out."""
TEXT = SHORT | STRING
SEQUENCE = TEXT | LIST


def function(number: int) -> int:
    """The bit of a function."""
    return 1 << FUNCTIONS + number


def anything(program: Program) -> int:
    """All bits, but for the module's: no value is the module."""
    return (1 << FUNCTIONS + len(program.codes)) - 1 & ~function(0)


def of_constant(program: Program, number: int) -> int:
    match program.constants[number]:
        case FunctionConstant(code):
            return function(code)
        case str(text):
            return SHORT if len(text) <= WORD else STRING
    return NUMBER


def of_small(number: int) -> int:
    value = small(number)
    if value is None:
        return NONE
    return UNSET if value is NO_VALUE else NUMBER


def union(kinds: Iterable[int]) -> int:
    """All that any of them may be."""
    return reduce(or_, kinds, 0)


def total(left: int, right: int) -> int:
    """Of `left + right`."""
    return ((NUMBER | LIST) & left & right) | (STRING if left & TEXT and right & TEXT else 0)


def repeated(left: int, right: int) -> int:
    """Of the sequence that `left * right` repeats."""
    return SEQUENCE & ((left if right & NUMBER else 0) | (right if left & NUMBER else 0))


def product(left: int, right: int) -> int:
    """Of `left * right`."""
    kinds = repeated(left, right)
    return (NUMBER & left & right) | (LIST & kinds) | (STRING if kinds & TEXT else 0)


def items(of: int, elements: int) -> int:
    """Of an item of a list or string."""
    return (SHORT if of & TEXT else 0) | (elements if of & LIST else 0)


Read = Callable[[int], int]
"""Slot -> the kinds that it may hold."""


def made(program: Program, instruction: Instruction, read: Read, elements: int) -> int:
    """The kinds that the instruction's result may have, for an opcode that writes its first operand and is no CALL, GLOBAL or FOR_….

    elements: the kinds of the items of lists.
    """
    op, o = instruction.op, instruction.operands
    match op:
        case "LOADK":
            return of_small(o[1])
        case "CONSTANT":
            return of_constant(program, o[1])
        case "MOVE":
            return read(o[1])
        case "SLICE":
            return read(o[1]) & SEQUENCE
        case "ADD":
            return total(read(o[1]), read(o[2]))
        case "IADD":
            return total(read(o[1]), read(o[2])) | (LIST & read(o[1]))
        case "MUL" | "IMUL":
            return product(read(o[1]), read(o[2]))
        case "INDEX" | "POP" | "POP_AT":
            return items(read(o[1]), elements)
        case "LIST":
            return LIST
        case "FORMAT":
            return STRING
        case "EXCEPTION" | "THREAD" | "LOCK":
            return OTHER
        case "BUILTIN":
            return _built(BUILTINS[o[1]], [read(slot) for slot in range(o[0], o[0] + o[2])], elements)
    return NUMBER  # every other operator, comparison and test


def _built(name: str, arguments: list[int], elements: int) -> int:
    match name:
        case "chr":
            return SHORT
        case "str" | "repr":
            short = union(arguments) & ~(NUMBER | NONE | (SHORT if name == "str" else 0)) == 0
            return SHORT if short else STRING
        case "min" | "max" if len(arguments) == 1:
            return items(arguments[0], elements)
        case "min" | "max":
            return union(arguments)
        case "sum":
            return NUMBER | elements | union(arguments[1:])
    return NUMBER
