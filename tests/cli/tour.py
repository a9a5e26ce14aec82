"""docs/tour.md: its steps, run as a reader would run them.  `python -m tests.cli.tour` writes what the commands print into the page;
`… 6 8` does so for these two steps.

A line `…` of the page stands for any lines.  What no two runs have the same of is masked, on the page as in what is printed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "tour.md"
LEFT_OUT = "…\n"
SESSION = "safepoint repl"
"""The command whose block is a session at a terminal."""
SECONDS = 280
"""For one command, at most: `policies` takes 20 of CPU time, and tests share the cores."""

MASKS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    ("safepoint policies", ((r"\b\d\.\d\d\b", "N"),)),
    ("safepoint profile", ((r"(?<=: )[\d,]+ samples for \d+\.\d\d s", "N samples for N s"),)),
    (
        "cat straight.txt",
        ((r"^MainThread;<module> \(straight\.py:1\) \d+\n", ""), (r" \d+$", " N")),  # a sample before the first call
    ),
    ("examples/tiny_vm/tiny_vm_traced", ((r"(?<=[,;] )\d+(?! wrong)\b", "N"),)),
    (
        "safepoint accept",
        (
            (r"(?<=never happened: ).*", "…"),
            (r"^orders of what overlaps: .*\n", ""),
            (r"(?<=run\.trace:)\d+: T\d: took [A-Z|]+:", "N: T: took:"),
            (r"\b[\d,]*\d\b(?= events| requesters|.*of \d declared)", "N"),
        ),
    ),
)
"""What a command begins with -> (what varies, what stands for it): times, and what threads on real cores decide."""

PROGRESS = re.compile(r"^\w+: \d+ (?:(?:done in .*|of \d+); last: .*|of \d+ after \d+ s)\n", re.MULTILINE)
"""What is said of progress where there is no terminal: at one nothing is left of it."""


@dataclass(frozen=True)
class Command:
    """A line that the page has behind `$ `, and what it shows below."""

    line: str
    shown: str

    def masked(self, said: str) -> str:
        """What was printed, without what varies."""
        for begin, masks in MASKS:
            for pattern, instead in masks if self.line.startswith(begin) else ():
                said = re.sub(pattern, instead, said, flags=re.MULTILINE)
        return said

    def is_shown(self, said: str) -> bool:
        """Is it what the page shows?"""
        parts = map(re.escape, map(self.masked, f"\n{self.shown}".split(f"\n{LEFT_OUT}")))
        return re.fullmatch("\n(?:.*\n)*?".join(parts), f"\n{self.masked(said)}") is not None

    def anew(self, said: str) -> str:
        """What was printed, with as much left out as the page leaves out: all but as many lines at the begin and the end."""
        head, left_out, tail = f"\n{self.shown}".rpartition(f"\n{LEFT_OUT}")
        lines = said.splitlines(keepends=True)
        first, last = head.count("\n"), tail.count("\n")
        if not left_out or not first + last or first + last >= len(lines):
            return said
        return "".join([*lines[:first], LEFT_OUT, *(lines[-last:] if last else [])])


@dataclass(frozen=True)
class Section:
    """What stands under one heading."""

    title: str
    body: str

    def commands(self) -> Iterator[Command]:
        """In the page's order, without the session."""
        for block in re.findall(r"^```console\n(.*?)^```$", self.body, re.DOTALL | re.MULTILINE):
            if not block.startswith(f"$ {SESSION}\n"):
                for line, shown in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE):
                    yield Command(line, shown)

    def session(self) -> str:
        """The session that it shows; "": none."""
        found = re.search(rf"^```console\n\$ {SESSION}\n(.*?)^```$", self.body, re.DOTALL | re.MULTILINE)
        return found[1] if found else ""


def programs(page: str) -> dict[str, str]:
    """Name -> content, of each program that the page shows: the name is the last that stands above it in backquotes."""
    found = {}
    for above, program in re.findall(r"^([^\n]+)\n\n```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE):
        found[re.findall(r"`(\w+\.py)`", above)[-1]] = program
    return found


def sections(page: str) -> list[Section]:
    """Those with a number."""
    parts = re.split(r"^## (?=\d)", page, flags=re.MULTILINE)[1:]
    return [Section(part.partition("\n")[0], re.split(r"^## ", part, flags=re.MULTILINE)[0]) for part in parts]


@dataclass(frozen=True)
class Place:
    """Where the reader stands: a folder with the programs of the page and an example of the checkout; and the commands on the path."""

    folder: Path
    page: str

    def __post_init__(self) -> None:
        binaries = self.folder / "bin"
        binaries.mkdir()
        command = binaries / "safepoint"
        command.write_text(
            f"#!/bin/sh\nexec {sys.executable} -c 'from safepoint.cli.entry import main; main()' \"$@\"\n",
            encoding="utf-8",
        )
        command.chmod(0o755)
        (binaries / "python").symlink_to(sys.executable)
        for name, program in programs(self.page).items():
            (self.folder / name).write_text(program, encoding="utf-8")
        left = shutil.ignore_patterns("safepoint.h", "*.so", "tiny_vm", "tiny_vm_traced", ".mutant", "__pycache__")
        shutil.copytree(ROOT / "examples" / "tiny_vm", self.folder / "examples" / "tiny_vm", ignore=left)

    def run(self, line: str) -> tuple[int, str]:
        """Exit status, and what a reader sees.  Raises subprocess.TimeoutExpired."""
        paths = os.pathsep.join([".", str(ROOT / "spec"), str(ROOT / "impl")])
        path = f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["sh", "-c", line], cwd=self.folder, env={**os.environ, "PATH": path, "PYTHONPATH": paths}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=SECONDS, check=False,
        )  # fmt: skip
        return done.returncode, PROGRESS.sub("", done.stdout)


def main(only: Collection[str]) -> None:
    """Write what each command prints now into the page, where that is not what it shows.  only: numbers of sections; none: all."""
    page = PAGE.read_text(encoding="utf-8")
    for section in sections(page):
        if only and section.title.partition(".")[0] not in only:
            continue
        body, end = section.body, 0
        with tempfile.TemporaryDirectory() as folder:
            place = Place(Path(folder), page)
            for command in section.commands():
                said = place.run(command.line)[1]
                same = command.is_shown(said) and command.shown != LEFT_OUT
                at = body.index(command.shown, body.index(f"$ {command.line}\n", end) + len(command.line) + 3)
                new = command.shown if same else command.anew(said)
                end = at + len(new)
                body = body[:at] + new + body[at + len(command.shown) :]
        page = page.replace(section.body, body)
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
