"""The verdict on a trace: accepted, or the first event that no run explains; and what could not be judged."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import BinaryIO

from safepoint.graph.collector import seldom_collected
from safepoint.protocol.policy import Bound
from safepoint.trace.accept import Acceptor
from safepoint.trace.events import EVENTS
from safepoint.trace.files import Reader
from safepoint.trace.layout import Layout, UnknownTrace
from safepoint.trace.lines import Header
from safepoint.trace.orders import Undecided
from safepoint.trace.refusal import Refusal
from safepoint.trace.walk import first_names, reordered, walked


class NoVerdict(Exception):
    """The trace is not damaged, but cannot be judged: says the line, why, and what to do."""


@dataclass(frozen=True)
class Verdict:
    """counts: events of each kind, up to the one that is refused.  candidates: the most that there were at once.

    worst: the most checks of each kind up to the one that saw a request.  not_judged: kinds that are not logged, each with what
    is therefore not judged.  absent: kinds that never came, so that nothing was judged of them either.  walked: the order in which the
    coordinators walk the threads, if it is not the header's.
    """

    header: Header
    counts: Counter[str]
    requesters: int
    candidates: int
    declared: Bound
    worst: Bound | None
    not_judged: dict[str, str]
    absent: tuple[str, ...]
    refusal: Refusal | None
    walked: tuple[str, ...] = ()

    @property
    def events(self) -> int:
        return sum(self.counts.values())

    def as_json(self) -> dict[str, object]:
        worst = self.worst.as_json() if self.worst else None
        return {
            "verdict": "refused" if self.refusal else "accepted",
            "vm": self.header.vm,
            "policy": self.header.policy,
            "threads": len(self.header.threads),
            "requesters": self.requesters,
            "events": self.events,
            "counts": dict(sorted(self.counts.items())),
            "candidates": self.candidates,
            "bound": {"declared": self.declared.as_json(), "worst": worst},
            "not_judged": self.not_judged,
            "absent": list(self.absent),
            "walked": list(self.walked),
            "refusal": None if self.refusal is None else self.refusal.as_json(),
        }


COLLECT_AFTER = 50_000
"""New tuples and objects: the acceptor makes no cycles that it drops.  7% of the time, where 8 actors' events overlap 6 others."""


@seldom_collected(COLLECT_AFTER)
def judge(file: BinaryIO, name: str) -> Verdict:
    """Read a trace to its end, in bounded memory.  A damaged one has no verdict, also where an event of it is refused before.

    A coordinator may walk the threads in any order, if always in the same: where it is not the header's, the trace is read again, in
    the order that was found.  Raises DamagedTrace, NoVerdict.
    """
    verdict = _once(file, name, None)
    if verdict.refusal is None or not verdict.refusal.passed_over:
        return verdict
    order = _order(file, name, verdict)
    if not order:
        return verdict
    head = reordered(verdict.header, order)
    file.seek(0)
    again = _once(file, name, head)
    if again.refusal is not None and (
        again.refusal.line <= verdict.refusal.line
        or len(head.running) < len(head.threads)  # which ones may be left out depends on the order
        or (again.refusal.passed_over and _order(file, name, again))
    ):
        raise NoVerdict(_otherwise(name, verdict.refusal, f"here in the order {first_names(head.threads)}"))
    return again


def _order(file: BinaryIO, name: str, verdict: Verdict) -> list[str]:
    """In which the refused stop asks the threads; none if it leaves out the one that was passed over.  Raises NoVerdict."""
    assert verdict.refusal is not None
    if not file.seekable():
        raise NoVerdict(_otherwise(name, verdict.refusal, "or give a file: a pipe can be read only once"))
    file.seek(0)
    reader = Reader(file, name)
    order = walked(reader, reader.header, verdict.refusal)
    return order if verdict.refusal.passed_over in order else []


def _otherwise(name: str, refusal: Refusal, more: str) -> str:
    return (
        f"{name}:{refusal.line}: {refusal.by}: {refusal.event} comes before {refusal.passed_over}, which the header has first"
        f" (write `threads` in the order in which every coordinator walks them, the same in each stop; {more})"
    )


def _once(file: BinaryIO, name: str, instead: Header | None) -> Verdict:
    """`instead`: of the header of the file."""
    reader = Reader(file, name)
    header = instead or reader.header
    try:
        acceptor = Acceptor(Layout(header))
        accepted = True
        for event in reader:
            if accepted:
                accepted = acceptor.take(event, reader.line)
        if accepted:
            acceptor.finish()
    except (UnknownTrace, Undecided) as error:
        raise NoVerdict(f"{name}:{reader.line}: {error}") from None
    if not acceptor.counts():
        raise NoVerdict(
            f"{name}:{reader.line}: no event, so nothing was judged"
            " (check that logging is on in the VM, and that each thread's log is written before the closing record)"
        )
    return _verdict(header, acceptor, () if instead is None else tuple(instead.threads))


def _verdict(header: Header, acceptor: Acceptor, walked: tuple[str, ...]) -> Verdict:
    counts, bounds = acceptor.counts(), acceptor.bounds
    return Verdict(
        header,
        counts,
        acceptor.requesters,
        acceptor.most,
        bounds.layout.declared,
        bounds.found() if bounds.judged else None,
        {kind: EVENTS[kind].unjudged for kind in EVENTS if kind in acceptor.layout.silent},
        tuple(
            kind for kind in sorted(acceptor.layout.possible) if not counts[kind] and kind not in acceptor.layout.silent
        ),
        acceptor.refusal,
        walked,
    )
