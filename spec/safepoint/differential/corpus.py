"""Guest programs by name: those of `tests/programs` in a checkout, otherwise those that come with the judge."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from safepoint.conform.programs import PROGRAMS

CHECKOUT = Path(__file__).parents[3] / "tests" / "programs"
STACK = 4096
"""Slots of a guest's stack, unless the program's first line says `# stack: N`."""


@dataclass(frozen=True)
class Guest:
    """A program to run: `file` is its name in messages."""

    name: str
    file: str
    source: str
    stack: int

    @property
    def alone(self) -> bool:
        """Does it start no thread?"""
        return "Thread(" not in self.source


def read(path: Path) -> Guest:
    """A program from a file.  Raises OSError, UnicodeDecodeError."""
    source = path.read_text(encoding="utf-8")
    stack = re.match(r"# stack: (\d+)\n", source)
    return Guest(path.stem, str(path), source, int(stack[1]) if stack else STACK)


def corpus() -> list[Guest]:
    """Every program, by name."""
    if CHECKOUT.is_dir():
        return [read(path) for path in sorted(CHECKOUT.rglob("*.py"))]
    return [Guest(p.name, p.name, p.source, p.stack) for p in PROGRAMS]


def left_out() -> str:
    """The programs that `corpus` lacks without a checkout, for a report; empty in a checkout."""
    if CHECKOUT.is_dir():
        return ""
    return f"only the {len(PROGRAMS)} guest programs of the installed package; a checkout has all of tests/programs"


def find(name: str) -> Guest:
    """A program by name, or by path.  Raises KeyError."""
    for guest in corpus():
        if guest.name == name:
            return guest
    path = Path(name)
    if path.suffix == ".py" and path.is_file():
        return read(path)
    raise KeyError(name)
