"""Spin, asked about a model: as many states and transitions as it stores, and its verdict."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DEEPEST = 600_000
"""Steps of one path: Spin goes deep first, and no path is longer than there are states."""


MISSING = [tool for tool in ("spin", "gcc") if shutil.which(tool) is None]
"""What is not installed; without it there is no second opinion."""


@dataclass(frozen=True)
class Opinion:
    states: int
    transitions: int
    errors: int
    complaint: str  # Spin's own words for the first error


WATCHED = "WATCHED"
"""The variable of the environment with which pan looks at what `watch` says."""


def run(where: Path, *command: str, environment: Mapping[str, str] = os.environ) -> str:
    done = subprocess.run(
        command, cwd=where, capture_output=True, text=True, timeout=60, check=False, env={**environment}
    )
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout[-500:]}{done.stderr[-500:]}"
    return done.stdout


def ask_spin(where: Path, source: str, *defines: str, pan: tuple[str, ...] = ()) -> Opinion:
    """Its opinion of a model that is asked about once."""
    make_pan(where, source, *defines)
    return ask_pan(where, *pan)


def watch(condition: str) -> str:
    """A process that moves only where the condition holds, and is an error there, if that is asked."""
    return f"active proctype watch() {{ end: if :: c_expr {{ {WATCHED} }} && ({condition}) -> assert(false) fi }}\n"


def make_pan(where: Path, source: str, *defines: str) -> None:
    """The program that explores a model.  -o2: words that are only written are part of a state too.

    -O0, as nearly all the time goes into gcc: -O1 takes 2 s more, and makes the largest search here 0.5 s shorter.
    """
    (where / "model.pml").write_text(source)
    complaints = run(where, "spin", "-a", "-o2", *defines, "model.pml")
    assert "rror" not in complaints, complaints
    run(
        where,
        "gcc",
        "-O0",
        "-w",
        "-DNOREDUCE",
        "-DSAFETY",
        f'-D{WATCHED}=(getenv("{WATCHED}")!=0)',
        "-o",
        "pan",
        "pan.c",
    )


def ask_pan(where: Path, *options: str, watched: bool = False) -> Opinion:
    """Up to the first error."""
    environment = {WATCHED: "1"} if watched else {}
    told = run(where, "./pan", f"-m{DEEPEST}", "-w18", *options, environment=environment)
    assert "max search depth too small" not in told
    states, transitions, errors = (
        int(match[1])
        for pattern in (r"(\d+) states, stored", r"(\d+) transitions", r"errors: (\d+)")
        if (match := re.search(pattern, told))
    )
    complaint = re.search(r"pan:1: (.*)", told)
    # Spin counts how the initial state came to be as a transition
    return Opinion(states, transitions - 1, errors, complaint[1] if complaint else "")
