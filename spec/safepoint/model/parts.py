"""A judgement in parts, each of few bits of the state, so that a search may ask once for all states that agree on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


def _everywhere(_state: int) -> bool:
    return True


@dataclass(frozen=True)
class Part:
    """`judge` reads no bit outside `reads`: two states that agree there are judged alike.  It is asked only where `where`
    holds, which reads no bit outside `looks`: so few bits that most states are done with after them.
    """

    reads: int
    judge: Callable[[int], str]
    looks: int = 0
    where: Callable[[int], bool] = _everywhere


@dataclass(frozen=True)
class Parts:
    """A judge: the first complaint of its parts, or ""."""

    parts: tuple[Part, ...]

    def __call__(self, state: int) -> str:
        for part in self.parts:
            if part.where(state) and (bad := part.judge(state)):
                return bad
        return ""
