"""The page that shows all that `safepoint verify` prints, made anew: `make output`, which takes as long as `make verify`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "verify-output.md"
BLOCK = re.compile(r"(?<=^```text\n).*?(?=^```$)", re.DOTALL | re.MULTILINE)


def shown() -> str:
    """The output that the page shows."""
    (block,) = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    return str(block)


def bare(output: str) -> str:
    """Without the spaces that a wrapped line ends with."""
    return "".join(f"{line.rstrip()}\n" for line in output.splitlines())


VARIES = re.compile(
    r"^real cores: .*?(?=^target )|^left out: concurrency: races: .*?(?=^left out: |^holds: )", re.DOTALL | re.MULTILINE
)
"""What a race decides: how much was counted on real cores, and which races were not met."""


def steady(output: str) -> str:
    """Without what no two runs have the same of."""
    return VARIES.sub("", bare(output))


def page(output: str) -> str:
    """The page with another output."""
    return BLOCK.sub(lambda _: bare(output), PAGE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    PAGE.write_text(page(sys.stdin.read()), encoding="utf-8")
