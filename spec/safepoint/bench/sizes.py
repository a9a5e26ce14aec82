"""The guest programs of `safepoint bench` in each of their sizes: `bench/programs/NAME.SUFFIX`, whose line `N = …` is the size.

A wheel brings them along as `programs` beside this file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

SHIPPED, CHECKOUT = Path(__file__).parent / "programs", Path(__file__).parents[3] / "bench" / "programs"
PROGRAMS = SHIPPED if SHIPPED.is_dir() else CHECKOUT
SIZE = re.compile(r"^((?:local |const )?N = )(\d+)", re.MULTILINE)
EMPTY = "empty"
"""The program whose time is that of a start."""
THREADED = "churn"
"""The program that has threads."""


@dataclass(frozen=True)
class Sizes:
    """What stands for N.  `full` is what the file has: .2 to 1 s in ours.  `less`: about a tenth of that.  `tiny`: to compare outputs."""

    less: int
    tiny: int


SIZES = {
    "fib": Sizes(32, 12),
    "while": Sizes(10_000_000, 1000),
    "for": Sizes(10_000_000, 1000),
    "nested": Sizes(300_000, 30),
    "sieve": Sizes(800_000, 1000),
    "mandel": Sizes(380, 12),
    "trees": Sizes(100, 1),
    "queens": Sizes(11, 5),
    "strings": Sizes(1_000_000, 1000),
    "spectral": Sizes(160, 8),
    "churn": Sizes(400_000, 200),
}
"""Each program, in the order of the tables."""


def source(program: str, suffix: str, size: int | None = None) -> str:
    """The text of a program, with another size if one is given.  ValueError: it has no line that is its size, or several.  OSError: no file."""
    if program == EMPTY:
        return ""
    file = PROGRAMS / f"{program}.{suffix}"
    text = file.read_text(encoding="utf-8")
    if len(SIZE.findall(text)) != 1:
        raise ValueError(f"{file}: there must be one line `N = …`, its size")
    return text if size is None else SIZE.sub(lambda found: f"{found[1]}{size}", text)


def full(program: str, suffix: str) -> int:
    """The size that the file has.  ValueError: as `source`."""
    found = SIZE.search(source(program, suffix))
    assert found
    return int(found[2])
