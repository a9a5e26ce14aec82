"""What is explored: the named instances, each with the reason for its bounds, from the smallest to the largest.

A feature is a slice: each alone in the tiny group, listed pairs in the small one.  What is combined nowhere is listed by
`not_combined`, and printed at the end of a run.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

SLICES: dict[str, str] = {
    "masks": "critical sections in which an interrupt stays pending",
    "handlers": "a handler runs guest code at the site: it pushes, overflows and is interrupted again",
    "blocking": "a thread sleeps until somebody posts",
    "collect": "a guest thread is itself the coordinator",
    "limit": "the real limit changes while the thread runs",
    "births": "threads end and begin, also while the world is stopped",
}


@dataclass(frozen=True)
class Scope:
    """So many threads, these roles beside them, a stack of `depth` frames.  `widths`: if not the policy's own."""

    name: str
    group: str  # tiny: seconds; small: a minute; nightly: more
    threads: int
    roles: tuple[str, ...]
    why: str
    slices: tuple[str, ...] = ()
    depth: int = 1
    widths: tuple[tuple[str, int], ...] = ()


STOP, INTERRUPT, SAMPLE, TERMINATE, HANDSHAKE = "coordinator", "interrupter", "sampler", "terminator", "handshaker"

SCOPES: dict[str, Scope] = {
    s.name: s
    for s in (
        Scope("interrupt-1", "tiny", 1, (INTERRUPT,), "the smallest world in which a request can be lost"),
        Scope("stop-1", "tiny", 1, (STOP,), "a thread may be in guest code, native or parked when a stop comes"),
        Scope("handshake-1", "tiny", 1, (HANDSHAKE,), "one operation, by the target or for it"),
        Scope("terminate-1", "tiny", 1, (TERMINATE,), "a second TERMINATE comes while the first unwinds", ("masks",)),
        Scope("sample-1", "tiny", 1, (SAMPLE,), "a request that raises nothing: the guest goes on, and is asked again"),
        Scope("masks-1", "tiny", 1, (INTERRUPT,), "an interrupt comes before, in and after a critical section", ("masks",)),
        Scope("handlers-1", "tiny", 1, (INTERRUPT,), "the next interrupt comes while the handler of the last one runs", ("handlers",)),
        Scope("blocking-1", "tiny", 1, (INTERRUPT,), "a post comes at each moment of falling asleep", ("blocking",)),
        Scope("limit-1", "tiny", 1, (INTERRUPT,), "the limit changes while it is poisoned", ("limit",)),
        Scope("births-1", "tiny", 1, (STOP,), "a thread begins while the world is stopped, or being stopped", ("births",)),
        Scope("late-post-1", "tiny", 1, (INTERRUPT,), "a masked thread ends with a request pending, and another takes its place", ("births", "masks")),
        Scope("collect-1", "tiny", 1, (STOP,), "two coordinators, one of them the thread that the other stops", ("collect",)),
        Scope("coordinators-1", "tiny", 1, (STOP, STOP), "two coordinators beside one thread"),
        Scope("both-1", "tiny", 1, (STOP, INTERRUPT), "one posts while the other's request is being taken"),
        Scope("raise-two-1", "tiny", 1, (INTERRUPT, TERMINATE), "two requests that raise are taken at once", ("masks",)),
        Scope("interrupt-1-loops", "tiny", 1, (INTERRUPT,), "two back-edge opcodes: three trigger words, poisoned and restored one by one",
              widths=(("entry", 2),)),
        Scope("interrupt-1-deep", "tiny", 1, (INTERRUPT,), "two frames: an overflow that is not the first push", depth=2),
        Scope("three-posters-1", "small", 1, (INTERRUPT, TERMINATE, SAMPLE), "three posters, of three kinds, at one thread"),
        Scope("interrupt-2", "small", 2, (INTERRUPT,), "a post to one thread must not disturb another"),
        Scope("stop-2", "small", 2, (STOP,), "one thread runs while the coordinator still waits for the other"),
        Scope("handshake-2", "small", 2, (HANDSHAKE,), "an operation on one thread while the other runs"),
        Scope("stop-handshake-1", "small", 1, (STOP, HANDSHAKE), "a thread that waits for an operation is asked to stop"),
        Scope("stop-blocking-1", "small", 1, (STOP, INTERRUPT), "a sleeper is stopped, woken, interrupted", ("blocking",)),
        Scope("stop-masks-1", "small", 1, (STOP, INTERRUPT), "a stop inside a critical section", ("masks",)),
        Scope("stop-handlers-1", "small", 1, (STOP, INTERRUPT), "a stop inside a handler", ("handlers",)),
        Scope("stop-limit-1", "small", 1, (STOP,), "a stop while the limit changes", ("limit",)),
        Scope("births-blocking-1", "small", 1, (STOP,), "threads that end and sleep", ("births", "blocking")),
    )
}  # fmt: skip

GROUPS = ("tiny", "small", "nightly")


def chosen(group: str, threads: int | None = None, slices: tuple[str, ...] | None = None) -> list[Scope]:
    """The scopes of a group and of those before it; `slices`: only those whose features are among these."""
    wanted = GROUPS[: GROUPS.index(group) + 1]
    return [
        s
        for s in SCOPES.values()
        if s.group in wanted and threads in (None, s.threads) and (slices is None or set(s.slices) <= set(slices))
    ]


def not_combined() -> list[str]:
    """Pairs of features that no scope has together: what was not explored."""
    pairs = combinations(SLICES, 2)
    return [f"{a} + {b}" for a, b in pairs if not any({a, b} <= set(s.slices) for s in SCOPES.values())]
