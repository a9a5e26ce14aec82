"""What a picture of a path consists of, before anything is drawn: a lane for each thread, a rail for each word.

`show.svg` draws it.  Everything is taken from the path and from the text it was found in: whose text, does not matter.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from safepoint.graph.ir import SELF, Cell
from safepoint.graph.text import Text
from safepoint.model.counterexample import statement as statement_of
from safepoint.model.counterexample import value_of
from safepoint.model.path import Path, Taken
from safepoint.show.shapes import CODE, GAP, LANES, LOOP, MARGIN, MONO_WIDE, NUMBERS, SMALL, Rail

Key = tuple[int | str, str]
"""A word: whose, and which."""


@dataclass(frozen=True)
class Lane:
    """The column of one thread."""

    name: str
    role: str
    colour: str
    x: float
    width: float


def lanes_of(path: Path, text: Text) -> dict[int, Lane]:
    """A lane for each thread that moves, in the model's order."""
    moving = sorted({step.mover for step in path.steps}) or [0]
    most = {1: 44, 2: 38, 3: 30}.get(len(moving), 26)
    longest = max([len(source_of(step)) for step in path.steps] + [26])
    width = min(longest, most) * CODE * MONO_WIDE + 26
    return {
        number: Lane(
            path.model.movers[number].name,
            role_of(path, text, number),
            LANES[place % len(LANES)],
            MARGIN + NUMBERS + (0 if path.loop is None else LOOP) + place * (width + GAP),
            width,
        )
        for place, number in enumerate(moving)
    }


def role_of(path: Path, text: Text, number: int) -> str:
    """The first sentence of what the text says of the role."""
    procedure = text.functions.get(path.model.movers[number].graph.name)
    told = (ast.get_docstring(procedure.node) if procedure else "") or ""
    return " ".join(told.split()).split(". ", maxsplit=1)[0].rstrip(".")


def rails_of(path: Path, text: Text, start: float) -> list[Rail]:
    """A rail for each word that changes, and for the other trigger words of the same owners: one left real may be the point."""
    rails: list[Rail] = []
    for (owner, word), first in words_of(path).items():
        kind = kind_of(path, owner, word)
        told = [value_of(path, word, value, text) for value in (first, *later(path, (owner, word)))]
        longest = max(len(line) + (line != s) for s in (word, *told) for line in s.split("|"))
        width = longest * SMALL * MONO_WIDE + 22
        start += GAP if rails and rails[-1].owner != owner else 0
        rails.append(Rail(owner, word, kind, start, width, told[0]))
        start += width
    return rails


def words_of(path: Path) -> dict[Key, int]:
    """The words of the picture, with the values they begin with: owner by owner, trigger words first."""
    first: dict[Key, int] = {}
    for step in path.steps:
        for c in step.changes:
            first.setdefault((c.owner, c.word), c.old)
    owners = {owner for owner, _ in first}
    for cell, where in path.model.cells.items():
        if not isinstance(cell.owner, int | str) or cell.owner not in owners or not is_trigger(path, cell.word):
            continue
        first.setdefault((cell.owner, cell.word), where.get(path.model.initial))
    kinds, triggers = ("trigger", "shared", "private"), list(path.model.reals)

    def place(key: Key) -> tuple[object, ...]:
        owner, word = key
        base = word.split("[", maxsplit=1)[0]
        rank = triggers.index(base) if base in triggers else 0
        return isinstance(owner, str), str(owner), kinds.index(kind_of(path, owner, word)), rank, word

    return {key: first[key] for key in sorted(first, key=place)}


def later(path: Path, key: Key) -> list[int]:
    return [c.new for step in path.steps for c in step.changes if (c.owner, c.word) == key]


def kind_of(path: Path, owner: int | str, word: str) -> str:
    if is_trigger(path, word):
        return "trigger"
    return "shared" if Cell(owner, word) in path.model.cells else "private"


def is_trigger(path: Path, word: str) -> bool:
    return word.split("[", maxsplit=1)[0] in path.model.reals


def source_of(step: Taken) -> str:
    """The statement alone; the case that was chosen has a line of its own."""
    told = statement_of(step)
    return told.removeprefix(f"{step.move.cases}: ") if step.move.cases else told


def wrap_code(source: str, width: float) -> list[str]:
    """Lines of a statement that fit in a lane; what is over three lines is cut, visibly."""
    most, lines = int((width - 26) / CODE / MONO_WIDE), [""]
    for word in re.findall(r"\S+\s*", source):
        # a line ends behind a word; or, of a word that no line has room for, behind a parenthesis
        for piece in re.findall(r"[^(]+\(?|\(", word) if len(word.rstrip()) > most - 4 else [word]:
            if lines[-1].strip() and len(lines[-1] + piece.rstrip()) > most:
                lines.append("    ")
            lines[-1] += piece
            while len(lines[-1].rstrip()) > most:
                lines[-1:] = [lines[-1][:most], "    " + lines[-1][most:]]
    lines = [line.rstrip() for line in lines]
    return lines if len(lines) <= 3 else [*lines[:2], lines[2][: most - 2].rstrip() + " …"]


def place_of(step: Taken, text: Text) -> str:
    """Which procedure of the text, and the line in its file."""
    where = step.move.name.split(":", maxsplit=1)[0].split("/")[-1]
    procedure = text.functions.get(where)
    if is_drain(step):
        return "the processor: no statement of the text"
    return f"{where}, {procedure.file}:{step.move.line}" if procedure else where


def is_drain(step: Taken) -> bool:
    """A store that leaves its thread's buffer is the processor's step: it stands on no line."""
    return step.move.line == 0


def in_buffer(path: Path) -> set[int]:
    """Numbers of the steps that store to their thread's buffer, or load from it: memory has no part in them (TSO)."""
    found: set[int] = set()
    waiting: dict[int, list[Key]] = {number: [] for number in range(len(path.model.movers))}
    for number, step in enumerate(path.steps, start=1):
        mine = waiting[step.mover]
        access = touched(path, step)
        if is_drain(step):
            mine.pop(0)
        elif access and path.model.memory == "tso":
            op, key = access
            if op == "store" or (op == "load" and key in mine):
                found.add(number)
            mine += [key] if op == "store" else []
    return found


def touched(path: Path, step: Taken) -> tuple[str, Key] | None:
    """The operation of the step, and the word it accesses: also where nothing changes."""
    mover = path.model.movers[step.mover]
    for s in mover.graph.steps:
        if s.name == step.move.name and isinstance(s.cell, Cell):
            owner = mover.me if s.cell.owner == SELF else s.cell.owner
            if isinstance(owner, int | str):
                return s.op, (owner, s.cell.word)
    return None
