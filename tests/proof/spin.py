"""Spin, asked about a model: as many states and transitions as it stores, and its verdict."""

from __future__ import annotations

import re
import shutil
import subprocess
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


def run(where: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=where, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout[-500:]}{done.stderr[-500:]}"
    return done.stdout


def ask_spin(where: Path, source: str, *defines: str, pan: tuple[str, ...] = ()) -> Opinion:
    """Up to the first error.  -o2: words that are only written are part of a state too.

    -O0, as nearly all the time goes into gcc: -O1 takes 2 s more, and makes the largest search here 0.5 s shorter.
    """
    (where / "model.pml").write_text(source)
    complaints = run(where, "spin", "-a", "-o2", *defines, "model.pml")
    assert "rror" not in complaints, complaints
    run(where, "gcc", "-O0", "-w", "-DNOREDUCE", "-DSAFETY", "-o", "pan", "pan.c")
    told = run(where, "./pan", f"-m{DEEPEST}", "-w18", *pan)
    assert "max search depth too small" not in told
    states, transitions, errors = (
        int(match[1])
        for pattern in (r"(\d+) states, stored", r"(\d+) transitions", r"errors: (\d+)")
        if (match := re.search(pattern, told))
    )
    complaint = re.search(r"pan:1: (.*)", told)
    # Spin counts how the initial state came to be as a transition
    return Opinion(states, transitions - 1, errors, complaint[1] if complaint else "")
