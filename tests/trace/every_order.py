"""The acceptor's verdict the plain way: every order of what overlaps, and every hidden step at every moment, one place a thread.

Nothing is left out, put together or remembered, so it is for a few events only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from safepoint.graph import ir
from safepoint.trace.crowd import Crowds
from safepoint.trace.events import EVENTS, Event, ToThread
from safepoint.trace.layout import GUEST, Layout
from safepoint.trace.observe import WORLD_EVENTS, Said
from safepoint.trace.places import Place

KINDS = {cls: kind for kind, cls in EVENTS.items()}
State = tuple[tuple[int, ...], tuple[Place, ...], frozenset[int]]
"""The words, where each actor stands, and the events that have happened."""


class EveryOrder:
    """Traces of one layout, in which all threads run from the beginning, and all kinds of events are logged."""

    def __init__(self, layout: Layout) -> None:
        self.layout, self.rules = layout, Crowds(layout)
        self.places = self.rules.places

    def refused(self, events: Sequence[Event]) -> int | None:
        """The number of the first event, in the order in which intervals end, that no run explains; None: all are explained."""
        names = [*self.layout.names]
        names += dict.fromkeys(e.by for e in events if e.by not in self.layout.names)
        start = self.places.begin(self.layout.graphs[GUEST], ir.SELF, {})
        standing = [start] * self.layout.threads + [self.places.idle] * (len(names) - self.layout.threads)
        states = {(tuple(self.layout.initial(frozenset())), tuple(standing), frozenset[int]())}
        said = [[(names.index(e.by), way) for way in self._said(e)] for e in events]
        for number in sorted(range(len(events)), key=lambda n: events[n].after):
            began = [n for n, event in enumerate(events) if event.before < events[number].after]
            states = {state for state in self._closure(states, began, said) if number in state[2]}
            if not states:
                return number
        return None

    def _said(self, event: Event) -> list[Said]:
        """What an event may be called in the text."""
        kind = KINDS[type(event)]
        if kind in WORLD_EVENTS:
            return [(kind, ir.WORLD, event.detail())]
        if not isinstance(event, ToThread):
            return [(kind, ir.SELF, event.detail())]
        ways: list[Said] = [(kind, self.layout.names[event.to], event.detail())]
        return [*ways, (kind, ir.SELF, event.detail())] if event.to == event.by else ways

    def _closure(
        self, states: set[State], began: Sequence[int], said: Sequence[Sequence[tuple[int, Said]]]
    ) -> set[State]:
        """All that may come of these states before the next interval begins."""
        todo, seen = [*states], {*states}
        while todo:
            for after in self._moves(todo.pop(), began, said):
                if after not in seen:
                    seen.add(after)
                    todo.append(after)
        return seen

    def _moves(self, state: State, began: Sequence[int], said: Sequence[Sequence[tuple[int, Said]]]) -> Iterator[State]:
        memory, standing, done = state
        for actor, place in enumerate(standing):
            for then in self.places.know(place).silent:
                yield memory, _with(standing, actor, then), done
            for memory_, event, then in self._access(memory, actor, place):
                if event is None:
                    yield memory_, _with(standing, actor, then), done
        for number in began:
            if number not in done:
                for actor, says in said[number]:
                    if standing[actor].is_idle:  # a requester begins what begins by this event
                        for start in self.rules.starts(says):
                            yield memory, _with(standing, actor, start), done
                    for memory_, then in self._event(memory, actor, standing[actor], says):
                        yield memory_, _with(standing, actor, then), done | {number}

    def _access(
        self, memory: tuple[int, ...], actor: int, place: Place
    ) -> Iterator[tuple[tuple[int, ...], Said | None, Place]]:
        if place.cell is not None:
            word = self.layout.resolve(place.cell, actor)
            outcome = self.places.outcome(place, memory[word])
            if outcome is not None:
                after = (*memory[:word], outcome.new, *memory[word + 1 :])
                for then in outcome.then:
                    yield after, outcome.event, then

    def _event(
        self, memory: tuple[int, ...], actor: int, place: Place, says: Said
    ) -> Iterator[tuple[tuple[int, ...], Place]]:
        if place.says == says:
            yield memory, self.places.after_local(place)
        for after, event, then in self._access(memory, actor, place):
            if event == says:
                yield after, then


def _with(standing: tuple[Place, ...], actor: int, place: Place) -> tuple[Place, ...]:
    return (*standing[:actor], place, *standing[actor + 1 :])
