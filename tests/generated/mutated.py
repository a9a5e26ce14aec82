"""Programs with something wrong: text whose lines or tokens were changed, and compiled code whose instructions were."""

from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import strategies as st

from safepoint.guest.code import OPCODES, Code, Handler, Instruction, Program
from safepoint.guest.compiler.program import compile_program
from tests.strategies import EXAMPLES, THREADED

TOKEN = re.compile(r"\n *|[A-Za-z_]\w*|\d+(?:\.\d+)?|'[^'\n]*'|\"[^\"\n]*\"|[-+*/%<>=!&|^~]+|.", re.DOTALL)
CLASSES = (
    ("+", "-", "*", "/", "//", "%", "**", "&", "|", "^", "<<", ">>"),
    ("<", "<=", ">", ">=", "==", "!=", "in", "is"),
    ("=", "+=", "-=", "*=", "//=", "|="),
    ("and", "or"),
    ("break", "continue", "return", "pass", "raise"),
    ("0", "1", "2", "3", "7", "-1", "0.5", "1e300", "4611686018427387903", "None", "True", "''", "'a'", "[]", "[1]"),
)
"""Tokens that can stand for each other; so can any two names of a program."""


def alike(token: str, tokens: list[str]) -> tuple[str, ...] | list[str]:
    """What may stand where this token does."""
    for others in CLASSES:
        if token in others or (others is CLASSES[-1] and re.match(r"[\d'\"]", token)):
            return others
    return [t for t in tokens if t[0].isalpha() or t[0] == "_"] if token[0].isalpha() else tokens


@st.composite
def mutated_programs(draw: st.DrawFn, threads: bool = False) -> str:
    """A program of the corpus with a few lines or tokens deleted, doubled, swapped or replaced by others of their kind."""
    text = draw(st.sampled_from(THREADED if threads else EXAMPLES)).read_text()
    for _ in range(draw(st.integers(1, 3))):
        how = draw(st.sampled_from(("replace", "replace", "replace", "delete", "double", "swap")))
        parts = TOKEN.findall(text) if how == "replace" or draw(st.booleans()) else text.splitlines(keepends=True)
        if not parts:
            break
        at, other = draw(st.integers(0, len(parts) - 1)), draw(st.integers(0, len(parts) - 1))
        match how:
            case "replace":
                at = next((n for n in range(at, len(parts)) if not parts[n].isspace()), at)
                parts[at] = draw(st.sampled_from(alike(parts[at], parts)))
            case "delete":
                del parts[at]
            case "double":
                parts.insert(at, parts[at])
            case _:
                parts[at], parts[other] = parts[other], parts[at]
        text = "".join(parts)
    return text


# ---------------------------------------------------------------------------------------------- code


@st.composite
def damaged(draw: st.DrawFn, threads: bool = False) -> Program:
    """A compiled program of which a function was changed: instructions, handlers, or the size of its frame."""
    good = compile_program(draw(st.sampled_from(THREADED if threads else EXAMPLES)).read_bytes(), "f.py")
    number = draw(st.integers(0, len(good.codes) - 1))
    code = good.codes[number]
    for _ in range(draw(st.integers(1, 3))):
        code = draw(st.sampled_from((changed, changed, changed, moved, covered, framed)))(draw, code)
    return replace(good, codes=(*good.codes[:number], code, *good.codes[number + 1 :]))


def changed(draw: st.DrawFn, code: Code) -> Code:
    """Another opcode or other operands."""
    at = draw(st.integers(0, len(code.instructions) - 1))
    old = code.instructions[at]
    op = draw(st.sampled_from((old.op, *OPCODES)))
    operands = [draw(st.sampled_from((*old.operands, *range(-4, 8)))) for _ in OPCODES[op].operands]
    return with_instructions(code, at, at + 1, Instruction(op, tuple(operands), old.line))


def moved(draw: st.DrawFn, code: Code) -> Code:
    """An instruction that is missing, there twice, or changes places with another; jumps keep their distances."""
    at, other = draw(st.integers(0, len(code.instructions) - 1)), draw(st.integers(0, len(code.instructions) - 1))
    one, two = code.instructions[at], code.instructions[other]
    match draw(st.integers(0, 2)):
        case 0 if len(code.instructions) > 1:
            return with_instructions(code, at, at + 1)
        case 1:
            return with_instructions(code, at, at, two)
    return with_instructions(with_instructions(code, at, at + 1, two), other, other + 1, one)


def covered(draw: st.DrawFn, code: Code) -> Code:
    """Another handler, inside the code or not."""
    size = len(code.instructions)
    start, end, target = (draw(st.integers(0, size)) for _ in range(3))
    return replace(code, handlers=(*code.handlers, Handler(start, end, target, draw(st.integers(0, code.slots)))))


def framed(draw: st.DrawFn, code: Code) -> Code:
    return replace(code, slots=max(0, code.slots + draw(st.integers(-3, 3))))


def with_instructions(code: Code, start: int, end: int, *new: Instruction) -> Code:
    return replace(code, instructions=(*code.instructions[:start], *new, *code.instructions[end:]))
