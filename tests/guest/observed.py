"""The distances between checks that a program shows on the reference machine: the same four measures as the static ones.

Each thread's run is cut behind each of its checks.  An instruction that polls is begun again after each poll: it is counted once,
with the first check behind its beginning; its units are those since its last poll.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from safepoint.conform.distances import distance
from safepoint.guest.code import Program
from safepoint.guest.heap import WORK, Poll
from safepoint.guest.reference.heap import ReferenceHeap
from safepoint.guest.reference.machine import Machine
from safepoint.guest.reference.sites import Sites
from safepoint.guest.reference.world import World
from safepoint.protocol.policies import FOLDED
from safepoint.protocol.policy import Policy

LONG = 400_000  # steps; a program that takes more is cut off, and what it has shown by then counts


@dataclass
class Part:
    """What a thread does from behind one check up to and including the next, or its end."""

    frames: int = 0
    back_edges: int = 0
    instructions: int = 0
    units: int = 0


@dataclass
class Thread:
    parts: list[Part] = field(default_factory=lambda: [Part()])
    waits: bool = False  # in a check that has been counted


class Cuts:
    """What each thread does between two checks.  frames, back_edges: whether these are checks."""

    def __init__(self, frames: bool, back_edges: bool) -> None:
        self.checks = {"frames": frames, "back_edges": back_edges, "elsewhere": True}
        self.threads: dict[int, tuple[Sites, Thread]] = {}  # the sites are kept, so that no other has their identity

    def went(self, sites: Sites, machine: Machine, by: Mapping[str, int], went: int, units: int) -> None:
        """A thread has executed these checks, and an instruction, if it `went`, with these units of bulk work."""
        _, thread = self.threads.setdefault(id(sites), (sites, Thread()))
        part = thread.parts[-1]
        part.frames += by["frames"]
        part.back_edges += by["back_edges"]
        if any(by[kind] and looked for kind, looked in self.checks.items()):
            part.instructions += 1
            thread.parts.append(part := Part())
            thread.waits = not went
        elif went and thread.waits:
            thread.waits = False
        elif went and (machine.state.ended or not machine.state.polling):
            part.instructions += 1
        part.units += units

    def most(self, checks: int) -> dict[str, int]:
        """The largest distance of each measure.  checks: how many parts in a row are one way."""
        most = dict.fromkeys(("frames", "back_edges", "instructions", "units"), 0)
        for _, thread in self.threads.values():
            for first in range(len(thread.parts)):
                way = thread.parts[first : first + checks]
                for measure in most:
                    most[measure] = max(most[measure], sum(getattr(part, measure) for part in way))
        return most


class Observed(World):
    """A world whose threads' runs are cut, each in several ways.  policy: whose checks elsewhere are counted."""

    def __init__(self, program: Program, stack: int, cuts: Sequence[Cuts], policy: Policy) -> None:
        super().__init__(program, stack, policy=policy)
        self.cuts = cuts
        self.units = 0  # of the step under way

    def advance(self, number: int, most: int = 1) -> int:
        sites = self.sites[number]
        before, self.units = counts(sites), 0
        went = super().advance(number, most)
        if number in self.over and not went:
            return went
        went_by = distance(before, counts(sites))
        for cuts in self.cuts:
            cuts.went(sites, self.machines[number], went_by, went, self.units)
        return went


def counts(sites: Sites) -> Mapping[str, int]:
    return {"frames": sites.frames, "back_edges": sites.back_edges, "elsewhere": sites.elsewhere}


def observed(
    program: Program,
    stack: int = 4096,
    *,
    frames: bool = True,
    back_edges: bool = True,
    checks: int = 1,
    longest: int = LONG,
    policy: Policy = FOLDED,
) -> dict[str, int]:
    """The largest distance of each measure that a run shows.  checks: how many parts in a row are one way."""
    cuts = Cuts(frames, back_edges)
    observe(program, stack, [cuts], longest, policy)
    return cuts.most(checks)


def observe(program: Program, stack: int, cuts: Sequence[Cuts], longest: int, policy: Policy = FOLDED) -> None:
    """Run a program for at most `longest` steps, and cut its threads' runs in these ways."""
    world = Observed(program, stack, cuts, policy)
    work = ReferenceHeap.work

    def counted(heap: ReferenceHeap, units: int) -> None:
        try:
            work(heap, units)
        except Poll:
            world.units = WORK
            raise
        world.units = heap._units

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ReferenceHeap, "work", counted)
        for _ in range(longest):
            if not world.step():
                return
