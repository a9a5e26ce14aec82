"""What a picture of a path consists of, before anything is drawn: a lane for each thread, a rail for each word.

`show.svg` draws it.  Everything comes from the path and its text, so a custom text is drawn as well as ours.
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
"""A word: (its owner: a thread's number or "world"; its name)."""


@dataclass(frozen=True)
class Lane:
    """The column of one thread.  `role`: a sentence about it; `x`, `width`: in user units of the SVG."""

    name: str
    role: str
    colour: str
    x: float
    width: float


def lanes_of(path: Path, text: Text) -> dict[int, Lane]:
    """A lane for each thread that moves, in the model's order."""
    moving = sorted({step.process for step in path.steps}) or [0]
    most = {1: 44, 2: 38, 3: 30}.get(len(moving), 26)
    longest = max([len(source_of(step)) for step in path.steps] + [26])
    width = min(longest, most) * CODE * MONO_WIDE + 26
    return {
        number: Lane(
            path.model.processes[number].name,
            role_of(path, text, number),
            LANES[place % len(LANES)],
            MARGIN + NUMBERS + (0 if path.loop is None else LOOP) + place * (width + GAP),
            width,
        )
        for place, number in enumerate(moving)
    }


def role_of(path: Path, text: Text, number: int) -> str:
    """The first sentence of the docstring that the text gives the role."""
    procedure = text.functions.get(path.model.processes[number].graph.name)
    said = (ast.get_docstring(procedure.node) if procedure else "") or ""
    return " ".join(said.split()).split(". ", maxsplit=1)[0].rstrip(".")


def rails_of(path: Path, text: Text, start: float) -> list[Rail]:
    """A rail for each word that changes, and for the other trigger words of the same owners: that one stays real may be the bug."""
    rails: list[Rail] = []
    for (owner, word), first in words_of(path).items():
        kind = kind_of(path, owner, word)
        values = [value_of(path, word, value, text) for value in (first, *later(path, (owner, word)))]
        longest = max(len(line) + (line != s) for s in (word, *values) for line in s.split("|"))
        width = longest * SMALL * MONO_WIDE + 22
        start += GAP if rails and rails[-1].owner != owner else 0
        rails.append(Rail(owner, word, kind, start, width, values[0]))
        start += width
    return rails


def words_of(path: Path) -> dict[Key, int]:
    """The words of the picture and their initial values: owner by owner, trigger words first."""
    first: dict[Key, int] = {}
    for step in path.steps:
        for c in step.changes:
            first.setdefault((c.owner, c.word), c.old)
    owners = {owner for owner, _ in first}
    for cell, where in path.model.cells.items():
        if not isinstance(cell.owner, int | str) or cell.owner not in owners or not is_trigger(path, cell.word):
            continue
        first.setdefault((cell.owner, cell.word), where.get(path.model.initial))
    kinds = ("trigger", "shared", "private")
    triggers = list(path.model.reals)

    def place(key: Key) -> tuple[object, ...]:
        owner, word = key
        base = word.split("[", maxsplit=1)[0]
        rank = triggers.index(base) if base in triggers else 0
        return isinstance(owner, str), str(owner), kinds.index(kind_of(path, owner, word)), rank, word

    return {key: first[key] for key in sorted(first, key=place)}


def later(path: Path, key: Key) -> list[int]:
    """The values that a word takes, one after the other."""
    return [c.new for step in path.steps for c in step.changes if (c.owner, c.word) == key]


def kind_of(path: Path, owner: int | str, word: str) -> str:
    """Of a word: "trigger", "shared" or "private"."""
    if is_trigger(path, word):
        return "trigger"
    return "shared" if Cell(owner, word) in path.model.cells else "private"


def is_trigger(path: Path, word: str) -> bool:
    """Does a check read the word?"""
    return word.split("[", maxsplit=1)[0] in path.model.reals


def source_of(step: Taken) -> str:
    """The statement alone: the chosen case has a line of its own."""
    source = statement_of(step)
    return source.removeprefix(f"{step.move.cases}: ") if step.move.cases else source


def wrap_code(source: str, width: float) -> list[str]:
    """Wrap a statement to the width of a lane; after three lines it is cut, and ends in "…"."""
    most = int((width - 26) / CODE / MONO_WIDE)
    lines = [""]
    for word in re.findall(r"\S+\s*", source):
        # a line ends after a word; inside a word that is longer than a line, after a parenthesis
        for piece in re.findall(r"[^(]+\(?|\(", word) if len(word.rstrip()) > most - 4 else [word]:
            if lines[-1].strip() and len(lines[-1] + piece.rstrip()) > most:
                lines.append("    ")
            lines[-1] += piece
            while len(lines[-1].rstrip()) > most:
                lines[-1:] = [lines[-1][:most], "    " + lines[-1][most:]]
    lines = [line.rstrip() for line in lines]
    return lines if len(lines) <= 3 else [*lines[:2], lines[2][: most - 2].rstrip() + " …"]


def place_of(step: Taken, text: Text) -> str:
    """The procedure of the text, its file and line."""
    where = step.move.name.split(":", maxsplit=1)[0].split("/")[-1]
    procedure = text.functions.get(where)
    if is_drain(step):
        return "the processor: no statement of the text"
    return f"{where}, {procedure.file}:{step.move.line}" if procedure else where


def is_drain(step: Taken) -> bool:
    """Is it the processor's step that moves a store from a buffer to memory?  It has no line in the text."""
    return step.move.line == 0


def in_buffer(path: Path) -> set[int]:
    """The numbers of the steps, from 1, that store to or load from their thread's store buffer (TSO), not memory."""
    found: set[int] = set()
    waiting: dict[int, list[Key]] = {number: [] for number in range(len(path.model.processes))}
    for number, step in enumerate(path.steps, start=1):
        mine = waiting[step.process]
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
    """(operation, word) of the step's access, whether or not it changes the word; None: it makes none."""
    process = path.model.processes[step.process]
    for s in process.graph.steps:
        if s.name == step.move.name and isinstance(s.cell, Cell):
            owner = process.me if s.cell.owner == SELF else s.cell.owner
            if isinstance(owner, int | str):
                return s.op, (owner, s.cell.word)
    return None
