"""Numbers of checks, by kind: the differences between two places in a run, and what they are called."""

from __future__ import annotations

from collections.abc import Mapping

from safepoint.protocol.policy import Checks

CHECKS = {"frames": ("frame push", "frame pushes"), "back_edges": ("back-edge", "back-edges")}


def distance(start: Mapping[str, int], end: Mapping[str, int]) -> dict[str, int]:
    """Kind of check -> how many were executed between the two."""
    return {check: n - start.get(check, 0) for check, n in end.items()}


def in_words(distances: Mapping[str, Checks]) -> str:
    """Numbers of checks in words: "1 frame push, 2 back-edges"; None is unbounded."""
    numbers: dict[Checks, str] = {None: "unbounded", "depth": "stack depth in"}
    parts = []
    for check, n in distances.items():
        one, many = CHECKS.get(check, (check, f"{check}s"))
        parts.append(f"{numbers.get(n, str(n))} {one if n == 1 else many}")
    return ", ".join(parts)


def most(bound: Checks, stack: int) -> int | None:
    """A declared bound as a number, None if there is none; "depth" is the stack's size, as no frame is smaller than a slot."""
    if bound is None:
        return None
    return stack if bound == "depth" else int(bound)
