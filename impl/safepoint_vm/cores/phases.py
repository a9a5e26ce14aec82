"""The phases of a campaign: which guest program runs, and which requesters race with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from safepoint.protocol.words import HANDSHAKE, INTERRUPT, SAMPLE, STOP, TERMINATE
from safepoint_vm.cores import programs
from safepoint_vm.cores.emitter import BOTH, OWNERS, REQUESTERS

ENDLESS = 1 << 60


@dataclass(frozen=True)
class Requester:
    """One loop of `requesters`, with what differs from the defaults of its plan.

    `share`: of the campaign's requests, its rounds; 0: as many as there is time for.  `aim`: the procedure at whose first AIMED
    accesses it aims its posts.  One requester at most posts SAMPLE, or its distances are not those of its own posts.
    """

    loop: str
    share: float = 0.0
    settings: Mapping[str, int] = field(default_factory=dict)
    aim: str = ""


@dataclass(frozen=True)
class Phase:
    """`time`: its share of the campaign's time.  `measured`: its latencies are those of the campaign.

    `jitter`: the procedures of owners, requesters or both pause before each access, which widens each window, and empties store
    buffers: both kinds of phase are needed.
    `duel`: a guest thread and a requester, each on a core of its own, and neither offers it to others.
    `period`: of the ticker or budget of its threads; 0: the policy's own.
    """

    name: str
    source: str
    time: float
    requesters: tuple[Requester, ...]
    measured: bool = False
    jitter: str = ""
    duel: bool = False
    period: int = 0


def ping(share: float, settings: Mapping[str, int] = MappingProxyType({}), aim: str = "") -> Requester:
    """Posts one by one; with a `second` kind, in pairs."""
    return Requester("ping", share, {"kind": SAMPLE, **settings}, aim)


PAIR = {"second": STOP, "pause": 1023}
HINTS = STOP | HANDSHAKE
"""Bits that say only where to look: without a stop or an operation they are served at once."""
CROWDED = {"often": 1023}
STORM = (
    Requester("storm", 0.3, {"kind": HINTS, "pause": 2047, "rest": 50}),
    Requester("storm", 0, {"kind": HINTS, "first": 1, "rest": 20}, "start_thread"),
    Requester("storm", 0, {"kind": HINTS, "first": 1, "rest": 20}, "exit_thread"),
    Requester("storm", 0, {"kind": STOP, "first": 1, "rest": 20}, "reenter"),
    Requester("storm", 0, {"kind": INTERRUPT | TERMINATE, "first": 1, "pause": 4095, "rest": 2000}),
    Requester("stops", 0, CROWDED | {"rest": 200}),
    Requester("stops", 0, CROWDED | {"rest": 300}),
    Requester("handshakes", 0, CROWDED | {"first": 1, "rest": 100}),
    ping(0, CROWDED | {"rest": 100}),
)
CAMPAIGN = (
    Phase("one by one, in a loop", programs.LOOP, 0.1, (ping(0.1),), measured=True, duel=True),
    Phase("one by one, in calls", programs.CALLS, 0.1, (ping(0.1),), measured=True, duel=True),
    Phase("in pairs", programs.CALLS, 0.1, (ping(0.1, PAIR),), duel=True),
    Phase(
        "native regions and sleeps", programs.NATIVE, 0.15,
        (
            ping(0.05, PAIR | CROWDED),
            Requester("stops", 0, CROWDED | {"rest": 20}),
            Requester("handshakes", 0, CROWDED | {"rest": 20}),
        ),
    ),
    Phase(
        "stops of several", programs.MANY.replace("THREADS", "2"), 0.15,
        (
            ping(0.05, CROWDED | {"first": 1}),
            Requester("stops", 0, CROWDED | {"rest": 20}),
            Requester("stops", 0, CROWDED | {"rest": 20}),
        ),
    ),
    Phase("everything at once, wide windows", programs.STORM, 0.2, STORM, jitter=BOTH),
    Phase("everything at once", programs.STORM, 0.2, STORM),
)  # fmt: skip
"""What `verify` runs."""

PAIRS = (
    Phase(
        "in pairs, in a loop", programs.LOOP, 0.5, (ping(0.5, {"second": STOP}, "slow_path"),), jitter=OWNERS, duel=True
    ),
    Phase(
        "in pairs, in calls",
        programs.CALLS,
        0.25,
        (ping(0.25, {"second": STOP}, "push_failed"),),
        jitter=BOTH,
        duel=True,
    ),
    Phase("one by one, in a loop", programs.LOOP, 0.25, (ping(0.25),), jitter=REQUESTERS, duel=True),
)
"""What shows a lost request most surely: no other requester's post covers it, and the second is aimed.  For the seeded mutants."""
OUTSIDE = (
    Phase("operations, in a duel", programs.NATIVE, 0.4, (Requester("handshakes", 0.4),), duel=True),
    Phase("stops, in a duel", programs.CALLS, 0.3, (Requester("stops", 0.3),), duel=True),
    Phase("stops of native code, in a duel", programs.NATIVE, 0.3, (Requester("stops", 0.3),), duel=True),
)
"""What shows most surely that a thread runs guest code when it may not, or that an operation is run twice."""
LOSES = (
    "take-before-restore", "second-word-late", "unlocked-take", "unlocked-post", "poison-before-post", "word-forgotten",
)  # fmt: skip
RUNS = (
    "does-not-wait", "stop-without-park", "no-recheck", "handshake-unclaimed", "handshake-unchecked", "handshake-not-awaited",
)  # fmt: skip


def phases_for(mutant: str) -> tuple[Phase, ...]:
    """Those that show a mutant most surely, if any do: one that loses requests, or runs guest code when it may not; else both.

    In none of them is there a collection: a guest that runs in the middle of one would end this process.
    """
    if mutant in LOSES:
        return PAIRS
    return OUTSIDE if mutant in RUNS else PAIRS + OUTSIDE
