"""Where a thread may stand in the protocol's text, and which events it can make next: run from the graph, and remembered.

A `Place` is an activation of a graph at one of its steps, with the local events that it has yet to log.  Nothing here says what
the protocol does: that is the text's alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from safepoint.graph import ir
from safepoint.graph.execute import Activation, Impossible
from safepoint.trace.layout import Layout
from safepoint.trace.observe import STOPPED, Ghosts, Said, event_of, local_events, said


@dataclass(frozen=True)
class Outcome:
    """What an access does to a word that held a given value.  event: None if it is hidden.

    then: where it leads: to two places if a loop over threads may end before a thread that has not begun yet.
    """

    event: Said | None
    new: int
    then: tuple[Place, ...]


@dataclass(eq=False)
class Place:
    """number: of the place.  cell: the word that it accesses next, as `Layout.code` has it; None: none.

    says: the local event that comes next.  silent: the places to which it may go on without an access or an event.
    """

    number: int
    activation: Activation
    queue: tuple[Said, ...]
    cell: int | None = None
    says: Said | None = None
    silent: tuple[Place, ...] = ()
    known: bool = False
    counts: bool = False  # what comes next depends on how many threads there are
    outcomes: dict[int, Outcome | None] = field(default_factory=dict)

    @property
    def is_idle(self) -> bool:
        """Of a requester: it has nothing under way."""
        return self.activation.at is None and not self.queue


class _Word:
    """The one word that a step accesses: the memory of an Activation."""

    def __init__(self, value: int) -> None:
        self.value = value

    def load(self, cell: ir.Cell) -> int:
        return self.value

    def store(self, cell: ir.Cell, value: int) -> bool:
        self.value = value
        return True

    def locked(self, cell: ir.Cell) -> bool:
        return True


class Places:
    """All the places that have been met, each once.  `silent`: kinds of events that the VM does not log."""

    def __init__(self, layout: Layout, silent: frozenset[str]) -> None:
        self.layout, self.silent = layout, silent
        self.begun = 1 + max((n for n, running in enumerate(layout.running) if running), default=0)
        self._threads, self._counted = layout.threads, False
        self.all: list[Place] = []
        self._numbers: dict[object, int] = {}
        nothing = ir.Graph("", ir.WORLD, (), ir.Done(None), [], {})
        self.idle = self._place(Activation(nothing, ir.WORLD, {}, {}, {}), ())

    def begin(self, graph: ir.Graph, me: int | str, env: dict[str, int]) -> Place:
        """Where a procedure or role begins; `me`: the thread that it is given, SELF if that is its own."""
        privates = self.layout.privates(graph)
        activation = Activation(graph, me, env, privates, self.layout.reals, population=self._population)
        activation.begin(Ghosts())
        return self._place(activation, (), rests=False)

    def after_exit(self, start: Place) -> Place | None:
        """Where a thread stands that has not begun yet: as one that has ended.  None: the text has no births."""
        todo, seen = [start], {start.number}
        while todo:
            place = self.know(todo.pop())
            following = [*place.silent]
            if place.cell is not None:
                outcome = self.outcome(place, 0)
                if outcome and outcome.event == said("exited"):
                    return outcome.then[0]
            todo += [p for p in following if p.number not in seen]
            seen |= {p.number for p in following}
        return None

    def know(self, place: Place) -> Place:
        """Work out what comes next there; once."""
        if not place.known:
            place.known = True
            self._work_out(place)
        return place

    def _work_out(self, place: Place) -> None:
        step = place.activation.at
        if place.queue:
            rest = self._place(place.activation, place.queue[1:])
            if place.queue[0][0] in self.silent:
                place.silent = (rest,)
            else:
                place.says = place.queue[0]
        elif step is None:
            pass
        elif step.op == "choose":
            place.silent = tuple(self._chosen(place))
        elif step.cell is None:
            if step.guard is not None:
                return  # `rest()`: for ever
            after = place.activation.copy()
            ghosts = Ghosts()
            after.perform(_Word(0), ghosts)
            stopped = step.op == "pause" and STOPPED in step.where and "stop-reached" not in self.silent
            reached = (said("stop-reached"),) if stopped else ()
            place.silent = (self._settled(place.activation, after, ghosts, reached),)
        else:
            cell = place.activation.cell()
            assert cell is not None
            place.cell = self.layout.code(cell)

    def _chosen(self, place: Place) -> Iterable[Place]:
        """Each way through a choice."""
        for activation, ghosts, _ in place.activation.alternatives(Ghosts(), Ghosts.copy):
            yield self._settled(place.activation, activation.copy(), ghosts)

    def _settled(self, before: Activation, after: Activation, ghosts: Ghosts, first: tuple[Said, ...] = ()) -> Place:
        events = local_events(ghosts, before.privates.get("masked", 0), after.privates.get("masked", 0))
        return self._place(after, first + events)

    def outcome(self, place: Place, value: int) -> Outcome | None:
        """What the access there does to a word that holds `value`; None: it waits."""
        try:
            return place.outcomes[value]
        except KeyError:
            place.outcomes[value] = found = self._perform(place, value)
            return found

    def has_begun(self, thread: int) -> bool:
        """Thread number `thread` has begun.  True: it is the first with so high a number, and what was worked out is void."""
        if thread < self.begun:
            return False
        self.begun = thread + 1
        for place in self.all:
            if place.counts:
                place.outcomes.clear()
        return True

    def _population(self) -> int:
        self._counted = True
        return self._threads

    def _perform(self, place: Place, value: int) -> Outcome | None:
        """With as many threads as there must be, and as many as there may be."""
        self._threads, self._counted = self.begun, False
        least = self._once(place, value)
        place.counts |= self._counted
        self._threads = self.layout.threads
        most = self._once(place, value) if self._counted and self.begun < self._threads else least
        if least is None or most is None or least.then == most.then:
            return least
        return Outcome(least.event, least.new, least.then + most.then)

    def _once(self, place: Place, value: int) -> Outcome | None:
        before, word, ghosts = place.activation, _Word(value), Ghosts()
        step, cell, after = before.at, before.cell(), before.copy()
        assert step is not None
        assert cell is not None
        try:
            if not after.perform(word, ghosts):
                return None
        except Impossible:
            return None
        event = event_of(step, cell, value, word.value, ghosts, after.at)
        if event is not None and event[0] in self.silent:
            event = None
        return Outcome(event, word.value, (self._settled(before, after, ghosts),))

    def after_local(self, place: Place) -> Place:
        """Where it stands when it has logged the local event that comes next."""
        return self._place(place.activation, place.queue[1:])

    def _place(self, activation: Activation, queue: tuple[Said, ...], *, rests: bool = True) -> Place:
        """`rests`: a role that is back at its beginning has nothing under way."""
        step = activation.at
        done = step is None or (rests and step.number in self.layout.resting.get(activation.graph.name, ()))
        if not queue and done and self.all:
            return self.idle
        activation.label = ""
        env, privates = tuple(sorted(activation.env.items())), tuple(sorted(activation.privates.items()))
        where = -1 if step is None else step.number
        key = (activation.graph.name, activation.me, where, env if step else (), privates, queue)
        number = self._numbers.setdefault(key, len(self.all))
        if number == len(self.all):
            self.all.append(Place(number, activation, queue))
        return self.all[number]
