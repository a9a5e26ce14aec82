"""What a rule says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """`text`: one normative sentence.  `without`: what breaks.  `checks`: the properties that hold a model to it."""

    id: str
    title: str
    text: str
    without: str
    source: str
    checks: tuple[str, ...]
