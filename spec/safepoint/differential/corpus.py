"""Guest programs by name: those of `tests/programs`, which a wheel brings along as `programs` beside this file."""

from __future__ import annotations

import errno
import os
import re
from dataclasses import dataclass
from pathlib import Path

SHIPPED, CHECKOUT = Path(__file__).parent / "programs", Path(__file__).parents[3] / "tests" / "programs"
PROGRAMS = SHIPPED if SHIPPED.is_dir() else CHECKOUT
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
    """Every program, by name.  Raises FileNotFoundError: there is none."""
    if found := [read(path) for path in sorted(PROGRAMS.rglob("*.py"))]:
        return found
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(PROGRAMS))


def find(name: str) -> Guest:
    """A program by name, or by path.  Raises KeyError."""
    for guest in corpus():
        if guest.name == name:
            return guest
    path = Path(name)
    if path.suffix == ".py" and path.is_file():
        return read(path)
    raise KeyError(name)
