"""What is explored: the named instances, each with the reason for its bounds, from the smallest to the largest."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Scope:
    """So many threads, these roles beside them, a stack of `depth` frames, rows of trigger words of these widths."""

    name: str
    group: str  # tiny: seconds; small: a minute; nightly: more
    threads: int
    roles: tuple[str, ...]
    why: str
    depth: int = 1
    widths: tuple[tuple[str, int], ...] = (("entry", 1),)


STOP, INTERRUPT = ("coordinator",), ("interrupter",)
BOTH = STOP + INTERRUPT

SCOPES: dict[str, Scope] = {
    s.name: s
    for s in (
        Scope("interrupt-1", "tiny", 1, INTERRUPT, "the smallest world in which a request can be lost"),
        Scope("stop-1", "tiny", 1, STOP, "a thread may be in guest code, native or parked when a stop comes"),
        Scope("both-1", "tiny", 1, BOTH, "two requesters at one thread: one posts while the other's request is being taken"),
        Scope("both-1-loops", "tiny", 1, BOTH, "two back-edge opcodes: three trigger words, restored and poisoned one by one",
              widths=(("entry", 2),)),
        Scope("both-1-deep", "tiny", 1, BOTH, "two frames: an overflow that is not the first push", depth=2),
        Scope("interrupt-2", "small", 2, INTERRUPT, "a post to one thread must not disturb another"),
        Scope("stop-2", "small", 2, STOP, "one thread runs while the coordinator still waits for the other"),
        Scope("both-2", "nightly", 2, BOTH, "all there is, for two threads"),
        Scope("interrupt-3", "nightly", 3, INTERRUPT, "three threads, to compare with one and two: nothing new may appear"),
    )
}  # fmt: skip


def chosen(group: str, threads: int | None = None) -> list[Scope]:
    """The scopes of a group and of those before it: "tiny", "small" (tiny too), "nightly" (all)."""
    groups = ("tiny", "small", "nightly")
    wanted = groups[: groups.index(group) + 1]
    return [s for s in SCOPES.values() if s.group in wanted and threads in (None, s.threads)]
