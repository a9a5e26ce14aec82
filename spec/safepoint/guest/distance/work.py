"""Bulk work: the units that an instruction may do, and whether its polls lie between them.

A unit is an item of a list, or a character of a string, as `heap.Heap.work` counts them.  An instruction that may do more than
WORK polls after each WORK of them (LONG-WORK-POLLS): so between two of its polls it does WORK, and between two checks a way does
the sum over its instructions.

What walks a list polls as it goes.  What is handed to a function of the host, which looks at all of a string, is counted and polled
for *before* it begins, and then done at once: joining, repeating, cutting, comparing and searching strings, making a text, reading
a number from one.  Such an instruction is unbounded in units, whatever it polled; `Work.at_once` names what it does.
"""

from __future__ import annotations

from typing import NamedTuple

from safepoint.guest.code import Instruction
from safepoint.guest.distance.flow import Flow, Point
from safepoint.guest.distance.kinds import LIST, NONE, NUMBER, SEQUENCE, SHORT, STRING, TEXT, WORD, repeated, union
from safepoint.guest.heap import WORK
from safepoint.guest.operations.builtins import BUILTINS
from safepoint.guest.operations.comparison import COMPARE


class Work(NamedTuple):
    """units: counted between two checks of the instruction, at most.  polls: whether it may do more, and poll.

    at_once: what it does without a check inside, whatever the number of units; "": nothing.
    """

    units: int = 0
    polls: bool = False
    at_once: str = ""


NOTHING = Work()
WALK = Work(WORK, True)


def _at_once(what: str) -> Work:
    return Work(WORK, True, what)


def work_of(flow: Flow, point: Point) -> Work:
    """The work of an instruction that may be reached."""
    instruction = flow.instruction(point)

    def read(slot: int) -> int:
        return flow.kinds(point, slot)

    match instruction:
        case Instruction("ADD" | "IADD", (_, left, right)):
            return _added(read(left), read(right), instruction.op == "IADD")
        case Instruction("MUL" | "IMUL", (_, left, right)):
            kinds = repeated(read(left), read(right))
            return _at_once("a string repeated") if kinds & TEXT else _walked(kinds)
        case Instruction("SLICE", (_, of, _)):
            return _at_once("a part of a string") if read(of) & STRING else _walked(read(of), WORD)
        case Instruction("LESS_JUMP_BACK", (left, right, _)):
            return _compared(flow, read(left), read(right))
        case Instruction("IN" | "NOT_IN", (_, left, right)):
            return _sought(flow, read(left), read(right))
        case Instruction(op, (_, left, right)) if op in COMPARE and op not in ("IS", "IS_NOT"):
            return _compared(flow, read(left), read(right))
        case Instruction("POP_AT" | "DELETE_INDEX", operands):
            return _walked(read(operands[instruction.op == "POP_AT"]) & LIST)
        case Instruction("INDEX", (_, of, _)) | Instruction("FOR_EACH", (_, of, _)):
            return Work(1) if read(of) & TEXT else NOTHING
        case Instruction("POP", (_, of)):
            return Work(1) if read(of) & LIST else NOTHING
        case Instruction("FORMAT" | "PRINT" | "PRINT_END", (first, count)):
            return _text([read(slot) for slot in range(first, first + count)])
        case Instruction("BUILTIN", (first, number, count)):
            return _built(flow, BUILTINS[number], [read(slot) for slot in range(first, first + count)])
    return NOTHING


def _walked(kinds: int, text: int = 0) -> Work:
    """Of a list, whose items are many; text: the units if it is a string, which is short."""
    if kinds & LIST:
        return WALK
    return Work(text) if kinds & SHORT else NOTHING


def _added(left: int, right: int, in_place: bool) -> Work:
    if left & TEXT and right & TEXT and (left | right) & STRING:
        return _at_once("strings joined")
    grows = in_place and left & LIST and right & TEXT
    return WALK if grows or left & right & LIST else _walked(left if left & TEXT and right & TEXT else 0, 2 * WORD)


def _compared(flow: Flow, left: int, right: int) -> Work:
    """Of two strings as much as the shorter one has."""
    texts, lists = left & TEXT and right & TEXT, left & right & LIST
    if left & right & STRING or (lists and flow.elements() & STRING):
        return _at_once("strings compared")
    return WALK if lists else Work(WORD) if texts else NOTHING


def _sought(flow: Flow, wanted: int, inside: int) -> Work:
    if wanted & TEXT and inside & STRING:
        return _at_once("a string searched")
    if inside & LIST:
        items = _compared(flow, wanted, flow.elements())
        return items if items.at_once else WALK
    return Work(WORD) if wanted & inside & SHORT or (wanted & STRING and inside & SHORT) else NOTHING


def _text(parts: list[int]) -> Work:
    """A text of several values, with a blank or the newline behind each: of numbers short, of anything else as long as that is."""
    if union(parts) & ~(NUMBER | NONE | SHORT):
        return _at_once("a text made")
    units = (WORD + 1) * len(parts) + 1
    return Work(units) if units <= WORK else WALK


def _built(flow: Flow, name: str, arguments: list[int]) -> Work:
    of = union(arguments[:1])
    match name:
        case "chr":
            return Work(1)
        case "str" | "repr":
            short = NUMBER | NONE | (TEXT if name == "str" else 0)
            return _at_once("a text made") if of & ~short else Work(WORD)
        case "int" | "float" | "abs" | "ord":
            return _at_once(f"{name}() of a string") if of & STRING else Work(WORD if of & SHORT else 0)
        case "sum":
            return WALK if of & SEQUENCE else NOTHING
        case "min" | "max" if len(arguments) == 1:
            if of & LIST and flow.elements() & STRING:
                return _at_once("strings compared")
            return WALK if of & SEQUENCE else NOTHING
        case "min" | "max":
            each = _compared(flow, union(arguments), union(arguments))
            many = each.units * len(arguments) > WORK
            return each if each.at_once else WALK if many else Work(each.units * len(arguments), each.polls)
    return NOTHING
