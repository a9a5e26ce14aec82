"""The interpreters that `safepoint bench` compares: how each is called, what it says of its version, and which are not installed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

CHECKOUT = Path(__file__).parents[3]
"""Where the sources are kept, unless the package is installed elsewhere."""
PATIENCE = 30.0
"""Seconds in which an interpreter must say its version."""
OURS = "safepoint"
INTERPRETER = "safepoint --no-compile"
REFERENCE = "luajit -joff"
"""The interpreter that all are divided by: LuaJIT's, without its compiler."""


@dataclass(frozen=True)
class Language:
    """An interpreter.

    suffix: of its programs.  command: to be followed by a program's file.  mark: its letter in the picture.  asks: the option with which it
    says its version.  slow: it runs programs of the smaller size.  threads: what stands for them, if it has none that
    share arrays.
    """

    name: str
    suffix: str
    command: tuple[str, ...]
    mark: str
    asks: str = "--version"
    slow: bool = False
    threads: str = ""

    @property
    def installed(self) -> bool:
        return shutil.which(self.command[0]) is not None

    def version(self) -> str:
        """What it says of itself.  OSError, subprocess.SubprocessError: it does not run."""
        if self.name in (OURS, INTERPRETER):
            return f"safepoint {version('safepoint')}, {commit()}"
        last = _said(self.command[0], self.asks).splitlines()[-1]  # PyPy begins with the Python that it speaks
        return re.sub(r" -- Copyright.*|  Copyright.*|^\[|(?<=\d)\]$", "", last)


def _said(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True, cwd=CHECKOUT)
    return done.stdout or done.stderr


def commit() -> str:
    """Which sources of ours these are."""
    if not (CHECKOUT / ".git").exists():  # an installed package: a folder above may be of another repository
        return "installed"
    try:
        changed = ", with changes" if _said("git", "status", "--porcelain", "--untracked-files=no").strip() else ""
        return f"commit {_said('git', 'rev-parse', '--short=10', 'HEAD').strip()}{changed}"
    except (OSError, subprocess.SubprocessError):
        return "of no known commit"


RUN = (sys.executable, "-c", "from safepoint.cli.entry import main; main()", "run")
"""`safepoint run`, of the sources that the bench itself imports."""
LANGUAGES = (
    Language(OURS, "py", RUN, "S"),
    Language(INTERPRETER, "py", (*RUN, "--no-compile"), "s"),
    Language(REFERENCE, "lua", ("luajit", "-joff"), "I", "-v", threads="coroutines"),
    Language("luajit", "lua", ("luajit",), "J", "-v", threads="coroutines"),
    Language("lua 5.4", "lua", ("lua5.4",), "L", "-v", threads="coroutines"),
    Language("cpython", "py", (sys.executable,), "C", slow=True),
    Language("pypy", "py", ("pypy3",), "P"),
    Language("ruby", "rb", ("ruby",), "R", slow=True),
    Language("node --jitless", "js", ("node", "--jitless"), "N", slow=True, threads="generators"),
)
NAMED = {language.name: language for language in LANGUAGES}


def installed(languages: Sequence[Language] = LANGUAGES) -> tuple[list[Language], list[Language]]:
    """Those that are, and those that are not."""
    return [each for each in languages if each.installed], [each for each in languages if not each.installed]
