"""What a run on real cores writes down: the layout of a tally, one for each record of a thread and one for the world's.

A tally hangs at the record's `hook`, which is free in engines that are not hooked.  Words that must balance are written by the owner alone, or
by locked additions, which stand directly after a locked access of the text.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, NamedTuple

from safepoint.graph.ir import Graph
from safepoint.protocol.names import REQUESTS
from safepoint.protocol.policies import FOLDED, PATCHED
from safepoint_vm.generate import protocol
from safepoint_vm.generate.triggers import widths_of
from safepoint_vm.generate.variant import Variant
from safepoint_vm.language.vocabulary import Array, Line, Racing, Row, Struct, Word

KINDS = tuple(REQUESTS.values())
"""The kinds of request, each at its bit's number."""
CHECKS = ("frames", "back_edges", "elsewhere")
"""The words of a record that count the checks which its guest has executed: at pushes, at back-edges, at returns or allocations."""
LOOPS = 4
"""Back-edges that compiled code may have in a campaign, for each of which a post writes a word more."""
PLACES = 1024
"""Places in the text, at most: each shared access of each procedure, and for each procedure its end."""


class Place(NamedTuple):
    """A shared access of a compiled procedure, or (`what` is "taken") what follows the take."""

    procedure: str
    where: tuple[str, ...]  # the procedures of the text around it, outermost first
    what: str


class Counts(Array, shared=True):
    """Words that are read by one core while another writes them."""


class Tally(Struct):
    """Of one record.  Rows of kinds have a word for each bit of `pending`."""

    total: Annotated[Word, Racing, Line]  # posts of any kind, and what was given back
    posted: Annotated[Counts, Row(8)]  # posts of each kind, locked
    found: Annotated[Counts, Row(8)]  # … that found their bit set: coalesced
    given: Annotated[Counts, Row(8)]  # bits that the owner gave back, and that were not set meanwhile
    returned: Annotated[Counts, Row(8)]  # bits that the owner gave back
    ended_in_stop: Annotated[Word, Racing]  # ends of threads while the world was stopped, or about to be
    begun: Annotated[Word, Racing]  # threads that have begun anew in the record: changed before their counts begin at 0
    asked: Annotated[Word, Racing]  # operations that were asked for
    overrun: Annotated[Word, Racing]  # operations, run by a requester, during which the guest executed a check
    phase: Annotated[
        Word, Racing, Line
    ]  # the place at which its owner is, counted from 1; 0: in guest code, or outside
    before: Annotated[Word, Racing]  # `total`, at the latest take
    doubled: Annotated[Word, Racing]  # slow paths in whose time, from take to end, two posts or more came
    entered: Annotated[Word, Racing]  # clock at the beginning of the latest slow path
    taken: Annotated[Counts, Row(8)]  # bits taken, of each kind
    merged: Annotated[
        Counts, Row(8)
    ]  # bits taken that stood aside already: what two posts have set is one from here on
    dropped: Annotated[Counts, Row(8)]  # bits dropped by a birth, or of those aside by an end
    frames_at: Annotated[
        Counts, Row(8)
    ]  # checks of frame pushes that the guest had executed at the latest take of each kind
    back_edges_at: Annotated[Counts, Row(8)]  # … and of back-edges
    elsewhere_at: Annotated[Counts, Row(8)]  # … and of returns or allocations
    taken_clock: Annotated[Counts, Row(8)]  # … and the clock
    served_clock: Annotated[Counts, Row(8)]  # the clock when the latest one of each kind was served
    natives: Annotated[Word, Racing]  # native regions that `live` went through
    sleeps: Annotated[Word, Racing]  # … and sleeps
    parks: Annotated[Word, Racing]  # … and waits of a procedure
    raised: Annotated[Word, Racing]  # times that machine code was left to raise what was requested
    begin: Word  # addresses of handlers at which `live` enters again
    after_push: Word
    after_back_edge: Word
    after_elsewhere: Word
    after_unmask: Word
    patience: Word  # turns for which `live` waits in machine code before it leaves the wait to the host
    seed: Word  # of this thread's random numbers
    steps: Annotated[Counts, Line, Row(PLACES)]  # how often each place was executed
    hits: Annotated[Counts, Row(8 * PLACES)]  # posts of each kind by the place at which they met the owner


@cache
def graphs(mutant: str, trigger: str = FOLDED.trigger) -> dict[str, Graph]:
    """The procedures as they are compiled.  `trigger`: the mechanism.  ProtocolError: no such mutant."""
    policy = PATCHED if trigger == PATCHED.trigger else FOLDED  # whose compiled loops have jumps; all others entries
    return protocol.graphs(mutant, trigger, widths_of(Variant(policy=policy, loops=LOOPS)))


@cache
def places(mutant: str, trigger: str = FOLDED.trigger) -> tuple[Place, ...]:
    """Every place, by number."""
    found: list[Place] = []
    for name, graph in graphs(mutant, trigger).items():
        found += [Place(name, step.where, step.name.rpartition(":")[2]) for step in graph.steps]
        found.append(Place(name, (name,), "taken"))
    assert len(found) < PLACES
    return tuple(found)


def first_place(mutant: str, procedure: str, trigger: str = FOLDED.trigger) -> int:
    """The number of a procedure's first place; that of its step `n` is n more."""
    return next(number for number, place in enumerate(places(mutant, trigger)) if place.procedure == procedure)
