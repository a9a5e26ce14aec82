"""The races that a run counts: each by name, with what it is, and the places of the text at which it is met.

Two kinds of evidence.  A post reads where its target is, right after its locked access: a target writes each place down before it
makes the access there, so a place that is read was reached, and the locked access of a later one not yet made.  And the
text's own branches: a thread that finds the world stopped on its return has raced, whatever the clock says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from safepoint_vm.cores.tally import KINDS, Place, places
from safepoint_vm.language.layout import Record
from safepoint_vm.language.records import SERVED

LOOKS = ("slow_path", "push_failed", "look_again", "unmask")
STOP = KINDS.index("STOP")
assert all(index == number for number, index in enumerate(SERVED.values()))  # rows of both kinds have the same order


@dataclass(frozen=True)
class Race:
    """`at`: its places.  `kind`: met by posts of this kind (None: any) there; with `steps`, by the execution of the place."""

    name: str
    sentence: str
    at: Callable[[Place], bool]
    kind: int | None = None
    steps: bool = False


def parks(place: Place) -> bool:
    """The store of PARKED."""
    return place.where[-1] == "park" and place.what == "store self.state"


RACES = (
    Race("post before the take", "a post comes while its target restores, and has not yet taken", lambda p: "restore" in p.where and p.procedure in LOOKS),
    Race("post after the take", "a post comes while its target serves what it has taken", lambda p: p.procedure in LOOKS and (p.what == "taken" or (p.where[0] == "serve" and "park" not in p.where))),
    Race("post to a parked thread", "a post comes while its target waits for the world to start", lambda p: "park" in p.where),
    Race("stop during a native exit", "a stop is posted while its target publishes its return, or looks", lambda p: p.procedure == "reenter" and "park" not in p.where, STOP),
    Race("return into a stop", "a thread comes back from a native region or a sleep, and finds the world stopped", lambda p: p.procedure in ("reenter", "block") and parks(p), steps=True),
    Race("block against post", "a post comes while its target is about to sleep", lambda p: p.procedure == "block" and p.what in ("store self.wake", "swap self.state", "load self.pending")),
    Race("post to a sleeper", "a post comes while its target sleeps, and wakes it", lambda p: p.procedure == "block" and p.what == "load self.wake"),
    Race("post during a birth", "a post comes while a thread begins in the record", lambda p: p.procedure == "start_thread" and "park" not in p.where),
    Race("birth into a stop", "a thread begins while the world is stopped, and parks", lambda p: p.procedure == "start_thread" and parks(p), steps=True),
    Race("birth with an operation owed", "a thread begins while an operation is owed to its record", lambda p: p.procedure == "start_thread" and p.what == "cas self.operation", steps=True),
    Race("post at the end of a mask", "the end of a critical section finds a request, and takes it", lambda p: p.procedure == "unmask" and p.what == "taken", steps=True),
    Race("given back", "an interrupt is taken together with what ends the thread, and given back", lambda p: "give_back" in p.where and p.what.startswith(("fetch_or", "cas")), steps=True),
    Race("operation by its target", "the target runs the operation", lambda p: "own_handshake" in p.where and p.where[-1] == "operate", steps=True),
    Race("operation by its requester", "the requester runs it while the target is outside", lambda p: p.procedure == "handshake" and p.where[-1] == "operate", steps=True),
    Race("claim against return", "a requester claims the operation, finds its target back, and gives the claim back", lambda p: p.procedure == "handshake" and p.where[-1] == "back_off" and p.what == "store self.operation", steps=True),
    Race("post to an ended thread", "a post comes while its target leaves for good", lambda p: p.procedure == "exit_thread"),
)  # fmt: skip
FURTHER = {
    "two posts in one slow path": "two posts or more come between a take and the end of that slow path",
    "coalesced": "a post finds its kind pending",
    "exit while stopping": "a thread ends while the world is stopped, or about to be",
    "coordinators compete": "a coordinator finds the lock taken",
}
"""Races that are counted in other ways."""
SENTENCES = {race.name: race.sentence for race in RACES} | FURTHER


def names_of(trigger: str) -> list[str]:
    """The races that a mechanism's text has places for: where nothing is restored, none is before the take."""
    known = places("", trigger)
    return [*(race.name for race in RACES if any(race.at(place) for place in known)), *FURTHER]


def races_met(mutant: str, tallies: Iterable[Record], world: Record, trigger: str) -> Counter[str]:
    """How often each race was met, by the tallies of a run."""
    met = Counter(dict.fromkeys(names_of(trigger), 0))
    known = places(mutant, trigger)
    races = [race for race in RACES if race.name in met]
    rows = {race.name: [number for number, place in enumerate(known) if race.at(place)] for race in races}
    for tally in tallies:
        for race in races:
            for number in rows[race.name]:
                if race.steps:
                    met[race.name] += tally.get("steps", number)
                else:
                    kinds = range(len(KINDS)) if race.kind is None else [race.kind]
                    met[race.name] += sum(tally.get("hits", 8 * (number + 1) + kind) for kind in kinds)
        met["two posts in one slow path"] += tally.get("doubled")
        met["coalesced"] += sum(tally.get("found", kind) for kind in range(len(KINDS)))
        met["exit while stopping"] += tally.get("ended_in_stop")
    for tally in (*tallies, world):
        for procedure in ("stop_world", "stop_world_from"):
            met["coordinators compete"] += _waits(known, tally, procedure)
    return met


def _waits(known: tuple[Place, ...], tally: Record, procedure: str) -> int:
    """How often it tried in vain to take the lock."""
    tries = sum(
        tally.get("steps", n) for n, p in enumerate(known) if p.procedure == procedure and p.what == "cas world.lock"
    )
    got = sum(
        tally.get("steps", n) for n, p in enumerate(known) if p.procedure == procedure and p.what == "store world.stop"
    )
    return max(0, tries - got)
