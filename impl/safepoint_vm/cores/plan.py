"""What a loop on a core of its own is told, and what it has found: one `Plan` each."""

from __future__ import annotations

from typing import Annotated

from safepoint_vm.language.records import ROOM, World
from safepoint_vm.language.vocabulary import Array, Line, Racing, Row, Struct, Word

BUCKETS = 256
UNBOUNDED = 1 << 62


class Buckets(Array):
    """A histogram: see `bucket_of`."""


class Plan(Struct):
    """Of one requester.  Distances are in executed checks, times in cycles of the clock."""

    halt: Annotated[Word, Racing, Line]  # 1: end soon
    world: Annotated[World, Line]
    rounds: Word
    seed: Word
    first: Word  # number of the first thread that it asks
    kind: Word  # `ping`: what is posted; `storm`: the kinds, of which each post takes one
    second: Word  # `ping`: what is posted shortly afterwards; 0: nothing
    pause: Word  # the longest pause, in cycles; a power of two less one
    aim: Word  # the first place, counted from 1, at which a post is aimed
    aims: Word  # … and how many there are; 0: none
    rest: Word  # microseconds to sleep after each 16 rounds; 0: none
    often: Word  # turns of waiting between two offers of the core to others, less one; a power of two less one
    patience: Word  # checks after which a post that was not taken is lost
    slack: Word  # checks that a count read across cores may be behind
    give_up: Word  # turns of waiting after which the run is stuck
    done: Annotated[Word, Racing, Line]
    lost: Word
    frames: Word  # the policy's bound of frame pushes between a post and the check that sees it; UNBOUNDED: it has none
    back_edges: Word  # … and of back-edges
    elsewhere: Word  # … and of returns or allocations
    beyond: Word  # seen later than that, and `slack`
    later: Word  # seen within the bound, and after more than 1 + slack checks
    worst: Word  # the greatest distance, in checks of the kinds that have a bound
    void: Word  # the thread ended before it took the post
    stuck: Word
    moved: Word  # `stops`: guest code ran while the world was stopped
    returning: Word  # … or a thread stood between publishing that it returns and looking (allowed)
    idle: Word  # … or between this stop and the one before no check was executed
    entered: Annotated[Buckets, Line, Row(BUCKETS)]  # from post to slow path
    seen: Annotated[Buckets, Row(BUCKETS)]  # from post to take; of `stops`: from the request to the world's stop
    served: Annotated[Buckets, Row(BUCKETS)]  # from post to the end of what it asks for
    marks: Annotated[Buckets, Row(ROOM)]  # `turns`: the checks that each thread had executed


def edge_of(bucket: int) -> int:
    """The least number that is beyond a bucket: four buckets for each power of two, so it is at most a quarter too great."""
    if bucket < 8:
        return bucket + 1
    exponent, rest = divmod(bucket - 4, 4)
    return (rest + 5) << exponent
