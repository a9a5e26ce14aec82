"""The acceptor: is there an order of the events, each somewhere between its stamps, that is a run of the protocol?

An access is settled when its interval has closed: then it must have happened in each candidate that is kept, maybe after some of
those whose intervals are open meanwhile (`world`).  A check, and what is no access, is settled at once where that is the same.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

from safepoint.graph import ir
from safepoint.trace.bounds import CHECKS, Bounded, Bounds, Late
from safepoint.trace.candidate import Candidate, Near
from safepoint.trace.crowd import Crowds, Told
from safepoint.trace.events import EVENTS, Event, ToThread
from safepoint.trace.layout import GUEST, Layout, UnknownTrace
from safepoint.trace.observe import LOCAL, PASSED, WORLD_EVENTS
from safepoint.trace.orders import Undecided
from safepoint.trace.refusal import Happening, Refusal, late, refuse
from safepoint.trace.steps import Steps
from safepoint.trace.world import World

MOST_ACTORS = 1 << 14
"""Names of threads and requesters in one trace."""
MOST_KNOWN = 1 << 16
KINDS = {cls: kind for kind, cls in EVENTS.items()}
AT_ONCE = frozenset((*PASSED.values(), *LOCAL))


@dataclass(slots=True)
class Known:
    """What is known of events that say the same.  bound: what counts them for the declared bound.  count: how many there were."""

    told: Told
    at_once: bool
    is_check: bool
    is_birth: bool
    bound: Bounded | None
    count: int = 0


class Acceptor:
    """Takes the events of a trace one by one."""

    def __init__(self, layout: Layout, like: Acceptor | None = None) -> None:
        """like: another acceptor with the same layout: what it has worked out is not worked out again.  Raises UnknownTrace."""
        self.layout = layout
        self.rules: Crowds = like.rules if like else Crowds(layout)
        self.steps: Steps = like.steps if like else Steps()
        self.beginning: Candidate = like.beginning if like else first(layout, self.rules)
        self.world = World(self.rules, self.steps, self.beginning)
        self.names = [*layout.names]
        self._counts: Counter[str] = Counter()
        self.refusal: Refusal | None = None
        self.bounds = Bounds(layout)
        self._actors = dict(layout.names)
        self._open: list[tuple[int, int, Told, Event]] = []
        self._known: dict[tuple[object, ...], Known] = {}

    @property
    def most(self) -> int:
        """The most candidates that there were at once."""
        return self.world.most

    @property
    def requesters(self) -> int:
        """How many have asked for something that are no guest threads."""
        return len(self.names) - self.layout.threads

    def take(self, event: Event, line: int) -> bool:
        """The next event of the file; False: no run explains what has been taken so far, and `refusal` says why.

        Raises UnknownTrace for a name that the header does not have, and Undecided.
        """
        opened, world, before = self._open, self.world, event.before
        while opened and opened[0][0] < before:
            closed = heappop(opened)
            if not world.close(closed[2], not opened):
                return self._refused(closed)
        key = event.key()
        known = self._known.get(key)
        if known is None:
            known = self._know(event, key)
        known.count += 1
        told = known.told
        actor = told.actor
        if world.opened[actor] is not None and not self._in_turn(actor):
            return False
        if not (known.at_once and world.at_once(told)):
            world.opened[actor] = told
            world.stale.append(actor)
            heappush(opened, (event.after, line, told, event))
        if known.is_birth and self.rules.has_begun(actor):
            world.forget()
        if known.bound is not None and (actor in self.bounds.waiting or not known.is_check):
            try:
                known.bound(actor, told.said, event)
            except Late as error:
                if self.finish():  # else it is refused for a better reason
                    self.refusal = late(self.layout, Happening(event, told, line), error)
                return False
        return True

    def finish(self) -> bool:
        """The trace is over: settle what is still open."""
        while self._open:
            closed = heappop(self._open)
            if not self.world.close(closed[2], not self._open):
                return self._refused(closed)
        return True

    def counts(self) -> Counter[str]:
        """Events of each kind."""
        for known in self._known.values():
            self._counts[known.told.kind] += known.count
            known.count = 0
        return self._counts

    def _know(self, event: Event, key: tuple[object, ...]) -> Known:
        kind, detail = KINDS[type(event)], event.detail()
        if kind in self.layout.silent:
            raise UnknownTrace(f"the header says that no {kind} is logged (take it out of `silent`)")
        actor = self._actors.get(event.by)
        if actor is None:
            actor = self._requester(event.by)
        owner: int | str = ir.SELF
        otherwise = None
        if kind in WORLD_EVENTS:
            owner = ir.WORLD
        elif isinstance(event, ToThread):
            number = self.layout.names.get(event.to)
            if number is None:
                there = ", ".join([*self.layout.names][:8])
                raise UnknownTrace(f"it speaks of thread {event.to!r} (the header's threads are: {there})")
            if number == actor:
                otherwise = kind, number, detail
            else:
                owner = number
        told = self.rules.told(kind, (kind, owner, detail), otherwise, actor)
        if len(self._known) > MOST_KNOWN:
            self.counts()
            self._known.clear()
        known = Known(told, kind in AT_ONCE, kind in CHECKS, kind == "spawned", self.bounds.of(kind))
        self._known[key] = known
        return known

    def _requester(self, name: str) -> int:
        if len(self.names) >= MOST_ACTORS:
            raise Undecided(f"there are more than {MOST_ACTORS} names of requesters (use a name again)")
        self._actors[name] = number = len(self.names)
        self.names.append(name)
        self.world.add(self.rules.idle)
        return number

    def _in_turn(self, actor: int) -> bool:
        """Its last event is over, where both have the same stamp."""
        last = next(entry for entry in self._open if entry[2].actor == actor)
        self._open.remove(last)
        heapify(self._open)
        return self.world.close(last[2], not self._open) or self._refused(last)

    def _refused(self, opened: tuple[int, int, Told, Event]) -> bool:
        """Its interval has closed, and it has happened in no candidate.  Returns False."""
        _, line, told, event = opened
        self.refusal = refuse(self.world.whole(), self.names, Happening(event, told, line))
        return False


def first(layout: Layout, rules: Crowds) -> Candidate:
    """The beginning of a trace.  Raises UnknownTrace if a thread shall begin later, and the policy has no births."""
    start = rules.places.begin(layout.graphs[GUEST], ir.SELF, {})
    unborn = rules.places.after_exit(start)
    if unborn is None and not all(layout.running):
        raise UnknownTrace(f"policy {layout.policy.name} has no births (name every thread in `running`)")
    crowds = [rules.of([start if running or unborn is None else unborn]) for running in layout.running]
    values = tuple(layout.initial(layout.unknown))
    near = Near(rules, range(len(crowds)), range(len(values)))
    return tuple([near.settled(crowd, actor, values) for actor, crowd in enumerate(crowds)]), values, 0
