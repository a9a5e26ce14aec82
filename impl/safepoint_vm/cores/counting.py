"""The balance of a run: what was posted, taken, dropped and served, kind by kind and record by record, must come out exactly."""

from __future__ import annotations

from collections.abc import Sequence

from safepoint.differential.cores import CoresRun, Percentiles
from safepoint.protocol.words import ENDED, EVERYTHING
from safepoint_vm.cores.plan import edge_of
from safepoint_vm.cores.races import races_met
from safepoint_vm.cores.tally import CHECKS, KINDS
from safepoint_vm.cores.world import TalliedWorld
from safepoint_vm.language.layout import Record

HANDSHAKE = KINDS.index("HANDSHAKE")


def pending_words(record: Record, base: int) -> tuple[int, int]:
    """What is pending, as bits: in the word that is posted to, and what its owner has put aside.

    base: as `Policy.base`; not 0: the bits are in the limit, which else holds none.
    """
    if not base:
        return record.get("pending") & EVERYTHING, 0
    limit = record.get("limit")
    return limit if 0 <= limit < base else 0, record.get("deferred")


def pending_bits(record: Record, base: int = 0) -> int:
    """The requests that are pending and deliverable to a thread that has not ended, as bits."""
    if record.get("state") == ENDED:
        return 0
    posted, aside = pending_words(record, base)
    return (posted | aside) & ~(record.get("masked") | record.get("ending"))


def checks_of(record: Record) -> int:
    """The checks that a record's guest has executed."""
    return sum(record.get(name) for name in CHECKS)


def gone(tally: Record, kind: int) -> int:
    """The requests of a kind, of those posted to a record, that are pending there no more."""
    return sum(tally.get(name, kind) for name in ("taken", "merged", "dropped"))


class Staying:
    """Which requests stay pending, found by looking again and again at a world that no requester posts to any more.

    Its guest threads may: one that collects asks the others to stop.  So a bit that is pending at two looks need not be the same request.
    It is if none of its kind has gone in between.
    """

    def __init__(self, world: TalliedWorld, base: int) -> None:
        self._world, self._base = world, base
        self._since: dict[
            tuple[int, int], tuple[int, int]
        ] = {}  # record and kind, to its checks and what was gone when a look found it

    def look(self) -> list[int]:
        """For each request that is pending, the checks which its thread has executed since a look found it."""
        found: dict[tuple[int, int], tuple[int, int]] = {}
        ages = []
        for number, (record, tally) in enumerate(zip(self._world.records, self._world.tallies, strict=False)):
            before = [gone(tally, kind) for kind in range(len(KINDS))]
            checks = checks_of(record)
            bits = pending_bits(record, self._base)
            for kind in (kind for kind in range(len(KINDS)) if bits >> kind & 1):
                known = self._since.get((number, kind))
                if known is None or known[1] != gone(tally, kind):
                    known = checks_of(record), before[kind]
                found[number, kind] = known
                ages.append(checks - known[0])
        self._since = found
        return ages


def add_tallies(run: CoresRun, mutant: str, world: TalliedWorld) -> None:
    """Add the tallies of a world in which nothing runs any more.

    Each post that found its bit clear has set it, and so has a request given back; each set bit is taken, merged with one that its owner
    had put aside, dropped by a birth (or an end, of those aside), or still pending in the record of a thread that has ended.  Fewer: bits
    were lost.  More: a take covered no post.  Each INTERRUPT and TERMINATE that was served is raised in the guest, once.
    """
    for record, tally in zip(world.records, world.tallies, strict=True):
        for kind in range(len(KINDS)):
            posted, found = tally.get("posted", kind), tally.get("found", kind)
            run.requests += posted
            run.coalesced += found + tally.get("merged", kind)
            pending = sum(word >> kind & 1 for word in pending_words(record, world.engine.policy.base))
            balance(run, posted - found + tally.get("given", kind), gone(tally, kind) + pending)
            if kind != HANDSHAKE:
                balance(run, tally.get("taken", kind) - tally.get("returned", kind), record.get("served", kind))
        balance(run, tally.get("asked"), record.get("served", HANDSHAKE))
        run.overrun += tally.get("overrun")
        run.births += tally.get("steps", world.birth)
        for name in ("natives", "sleeps", "parks", "raised"):
            run.details[name] += tally.get(name)
    for name in ("INTERRUPT", "TERMINATE"):
        served = sum(record.get("served", KINDS.index(name)) for record in world.records)
        run.raised += world.raised[name]
        balance(run, served, world.raised[name])
    run.races.update(races_met(mutant, world.tallies, world.own, world.engine.policy.trigger))


def balance(run: CoresRun, owed: int, done: int) -> None:
    """What was owed must have been done, and once."""
    run.lost += max(0, owed - done)
    run.duplicated += max(0, done - owed)


def histogram(counts: Sequence[int], cycles: float) -> Percentiles | None:
    """`counts`: by bucket; `cycles`: of the clock, in a microsecond.  None: nothing was counted."""
    total = sum(counts)
    if not total:
        return None

    def below(share: float) -> float:
        seen = 0
        for bucket, count in enumerate(counts):
            seen += count
            if seen >= share * total:
                return round(edge_of(bucket) / cycles, 3)
        raise AssertionError("a share is at most 1")

    buckets = tuple((round(edge_of(bucket) / cycles, 3), count) for bucket, count in enumerate(counts) if count)
    return Percentiles(p50=below(0.5), p99=below(0.99), max=below(1), count=total, buckets=buckets)
