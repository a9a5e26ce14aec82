"""The verdict on a trace: accepted, or the first event that no run explains; and what could not be judged."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import BinaryIO

from safepoint.protocol.policy import Bound
from safepoint.trace.accept import Acceptor
from safepoint.trace.events import EVENTS
from safepoint.trace.files import Reader
from safepoint.trace.layout import Layout, UnknownTrace
from safepoint.trace.lines import Header
from safepoint.trace.orders import Undecided
from safepoint.trace.refusal import Refusal


class NoVerdict(Exception):
    """The trace is not damaged, but cannot be judged: says the line, why, and what to do."""


@dataclass(frozen=True)
class Verdict:
    """counts: events of each kind, up to the one that is refused.  candidates: the most that there were at once.

    worst: the most checks of each kind up to the one that saw a request.  not_judged: kinds that are not logged, each with what
    is therefore not judged.  absent: kinds that never came, so that nothing was judged of them either.
    """

    header: Header
    counts: Counter[str]
    requesters: int
    candidates: int
    declared: Bound
    worst: tuple[int, int] | None
    not_judged: dict[str, str]
    absent: tuple[str, ...]
    refusal: Refusal | None

    @property
    def events(self) -> int:
        return sum(self.counts.values())

    def as_json(self) -> dict[str, object]:
        worst = None if self.worst is None else {"frames": self.worst[0], "back_edges": self.worst[1]}
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
            "refusal": None if self.refusal is None else self.refusal.as_json(),
        }


def judge(file: BinaryIO, name: str) -> Verdict:
    """Read a trace to its end, in bounded memory.  A damaged one has no verdict, also where an event of it is refused before.

    Raises DamagedTrace, NoVerdict.
    """
    reader = Reader(file, name)
    try:
        acceptor = Acceptor(Layout(reader.header))
        accepted = True
        for event in reader:
            if accepted:
                accepted = acceptor.take(event, reader.line)
        if accepted:
            acceptor.finish()
    except (UnknownTrace, Undecided) as error:
        raise NoVerdict(f"{name}:{reader.line}: {error}") from None
    return _verdict(reader.header, acceptor)


def _verdict(header: Header, acceptor: Acceptor) -> Verdict:
    counts, bounds = acceptor.counts(), acceptor.bounds
    return Verdict(
        header,
        counts,
        acceptor.requesters,
        acceptor.most,
        bounds.declared,
        (bounds.worst[0], bounds.worst[1]) if bounds.judged else None,
        {kind: EVENTS[kind].unjudged for kind in EVENTS if kind in acceptor.layout.silent},
        tuple(
            kind for kind in sorted(acceptor.layout.possible) if not counts[kind] and kind not in acceptor.layout.silent
        ),
        acceptor.refusal,
    )
