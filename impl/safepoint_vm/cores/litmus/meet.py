"""Where the two sides of a litmus test meet, and the loop of each: a barrier, one race, a barrier, the outcome is tallied."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from safepoint_vm.cores.primitives import give_way, peek, relax
from safepoint_vm.cores.waiting import linger, number_from
from safepoint_vm.language.layout import fields
from safepoint_vm.language.records import Thread, World
from safepoint_vm.language.vocabulary import Array, Line, Racing, Row, Struct, Value, Word, fetch_add, inline, routine

OUTCOMES = 8


class Counted(Array):
    """How often each outcome was seen."""


class Meet(Struct):
    """Where the two sides meet.  What one side writes in a round has a cache line of its own."""

    arrived: Annotated[Word, Racing, Line]  # at barriers, both sides together
    broken: Annotated[Word, Racing, Line]  # 1: a side has waited too long, and both end
    thread: Annotated[Thread, Line]
    world: World
    rounds: Word
    stagger: Word  # the longest random pause after a barrier, in cycles; a power of two less one
    give_up: Word  # turns of waiting at a barrier
    fenced: Word  # "store buffering": 1: locked stores
    left_seed: Annotated[Word, Line]
    right_seed: Annotated[Word, Line]
    left: Annotated[Word, Racing, Line]  # what each side has found in this round
    right: Annotated[Word, Racing, Line]
    guest: Annotated[Word, Racing, Line]  # 1: the guest has made a step
    during: Annotated[Word, Racing, Line]  # the guest's step, as the operation saw it (`text`)
    first: Annotated[Word, Racing, Line]  # of "store buffering"
    second: Annotated[Word, Racing, Line]
    done: Annotated[Word, Racing, Line]
    outcomes: Annotated[Counted, Line, Row(OUTCOMES)]


ARRIVED, BROKEN = (fields(Meet)[name].offset for name in ("arrived", "broken"))


@inline
def barrier(meet: Meet, target: Word) -> None:
    """Wait until `target` arrivals, this one included."""
    fetch_add(meet.arrived, 1)
    turns = Word(0)
    while peek(Word(meet) + ARRIVED) < target and peek(Word(meet) + BROKEN) == 0:
        turns = turns + 1
        relax()
        if turns & 0xFFFF == 0xFFFF:
            give_way()
        if turns > meet.give_up:
            meet.broken = Word(1)


def sides(
    name: str, reset: Any, left: Any, right: Any, outcome: Any
) -> tuple[Callable[[Meet], Word], Callable[[Meet], Word]]:
    """The two loops of a test, `left_NAME` and `right_NAME`."""

    @routine
    def left_side(meet: Meet) -> Word:
        met = Word(0)
        while meet.done < meet.rounds and peek(Word(meet) + BROKEN) == 0:
            barrier(meet, met + 2)
            meet.left_seed = number_from(meet.left_seed)
            linger((meet.left_seed >> 32) & meet.stagger)
            meet.left = left(meet)
            barrier(meet, met + 4)
            if peek(Word(meet) + BROKEN) == 0:
                seen = outcome(meet)
                meet.outcomes[seen] = Value(meet.outcomes[seen] + 1)
                meet.done = meet.done + 1
            barrier(meet, met + 6)
            met = met + 6
        return Word(0)

    @routine
    def right_side(meet: Meet) -> Word:
        met, done = Word(0), Word(0)
        while done < meet.rounds and peek(Word(meet) + BROKEN) == 0:
            reset(meet)
            barrier(meet, met + 2)
            meet.right_seed = number_from(meet.right_seed)
            linger((meet.right_seed >> 32) & meet.stagger)
            meet.right = right(meet)
            barrier(meet, met + 4)
            barrier(meet, met + 6)
            met, done = met + 6, done + 1
        return Word(0)

    left_side.__name__, right_side.__name__ = f"left_{name}", f"right_{name}"
    return left_side, right_side
