"""Why no run explains an event: the rule, found in the comments of the text where it and what was possible instead part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from safepoint.graph import ir
from safepoint.protocol.rules import RULES
from safepoint.trace.candidate import Whole
from safepoint.trace.citing import cited_before, cited_near, cited_on
from safepoint.trace.crowd import Told
from safepoint.trace.events import BITS, Event
from safepoint.trace.layout import Layout
from safepoint.trace.observe import PASSED, SITES, SLOW, STOPPED, Said, kinds_of
from safepoint.trace.places import Place

OUT_OF_PLACE: dict[str, str] = {
    "pushed": "POISON-EVERY-WORD",
    "looped": "POISON-EVERY-WORD",
    "checked": "POISON-EVERY-WORD",
    "counted": "EXPIRED-IS-SEEN",
    "entered": "POISON-EVERY-WORD",
    "posted": "POST-BEFORE-POISON",
    "poisoned": "POST-BEFORE-POISON",
    "restored": "OWNER-RESTORES",
    "took": "RESTORE-BEFORE-TAKE",
    "served": "TAKEN-IS-SERVED",
    "parked": "STOP-PARKS",
    "resumed": "STOP-PARKS",
    "native-entered": "REENTER-LOOKS-AGAIN",
    "native-left": "REENTER-LOOKS-AGAIN",
    "blocked": "BLOCK-LOOKS-AGAIN",
    "woken": "POST-WAKES",
    "cleared": "BIRTH-IS-CLEAN",
    "spawned": "BIRTH-REENTERS",
    "exited": "BIRTH-REENTERS",
    "masked": "MASKED-STAYS",
    "unmasked": "MASKED-STAYS",
    "locked": "ONE-COORDINATOR",
    "unlocked": "ONE-COORDINATOR",
    "stop-requested": "ONE-COORDINATOR",
    "stop-reached": "STOP-AWAITS-ALL",
    "stop-released": "START-BEFORE-UNLOCK",
    "handshake-asked": "HANDSHAKE-ONCE",
    "handshake-claimed": "HANDSHAKE-ONCE",
    "handshake-run": "HANDSHAKE-ONCE",
    "handshake-done": "HANDSHAKE-ONCE",
    "handshake-backed-off": "HANDSHAKE-ONCE",
}
"""Kind of event to the rule that it breaks where nothing led to it: its thread runs guest code, or its requester asked for nothing."""

WALKED = ("posted", "poisoned", "woken")
"""What a coordinator logs of each thread that it asks, the first first."""


@dataclass(frozen=True)
class Happening:
    """An event of the file.  line: its own."""

    event: Event
    told: Told
    line: int


@dataclass(frozen=True)
class Refusal:
    """The first event that no run explains.  instead: what could have come from the same thread, each with its line of the text.

    passed_over: the thread that a stop would have asked instead of the one that it asks; "" of all else.
    """

    line: int
    by: str
    event: str
    rule: str
    why: str
    instead: tuple[str, ...]
    passed_over: str = ""

    def lines(self, name: str) -> list[str]:
        """For people: the place in the trace of this name, the rule, and what was possible instead."""
        first = f"refused: {name}:{self.line}: {self.by}: {self.event}: no run of the protocol explains it"
        return [first, f"  {self.rule}: {self.why}", *(f"  possible instead: {each}" for each in self.instead)]

    def as_json(self) -> dict[str, object]:
        return {
            "line": self.line, "thread": self.by, "event": self.event, "rule": self.rule, "why": self.why,
            "instead": list(self.instead),
        }  # fmt: skip


def refuse(candidate: Whole, names: Sequence[str], happening: Happening) -> Refusal:
    """The event's interval has closed, and it has happened in no candidate; this is one.  `names`: of the actors."""
    places = candidate.crowd_for(happening.told.actor, happening.told.said).places
    instead: dict[str, Place] = {}
    for place in places:
        for told in _next(candidate, names, happening, place):
            instead.setdefault(told, place)
    waiting = [p for p in places if p.activation.at is not None and p.cell is not None]
    due = _due(candidate, happening, places)
    other = "" if due is None or happening.told.kind != due[0] else names[int(due[1])]
    asked = other or (due is not None and happening.told.kind == "stop-reached")
    rule = "STOP-AWAITS-ALL" if asked else _rule(candidate, happening, [*instead.values()] or waiting)
    return Refusal(
        happening.line,
        happening.event.by,
        describe(happening),
        rule,
        RULES[rule].text,
        tuple(sorted(instead)[:8]),
        other,
    )


def _due(candidate: Whole, happening: Happening, places: Sequence[Place]) -> Said | None:
    """What a loop over the threads says next, of another thread than the event; None: nothing.

    Only the first that is logged of each thread: it shows in which order they are walked, and which one is left out.
    """
    layout, told = candidate.rules.layout, happening.told
    first = next((kind for kind in WALKED if kind not in layout.silent), None)
    for place in places:
        step = place.activation.at
        if step is None or step.cell is None or not isinstance(step.cell.owner, ir.Local) or place.says is not None:
            continue
        assert place.cell is not None
        value = candidate.memory[layout.resolve(place.cell, told.actor)]
        outcome = candidate.rules.places.outcome(place, max(value, 0))
        due = outcome.event if outcome else None
        if due is None or due[0] != first or not isinstance(due[1], int):
            continue
        if told.kind != first or (due[2] == told.said[2] and due not in (told.said, told.otherwise)):
            return due
    return None


def late(layout: Layout, happening: Happening, error: Exception) -> Refusal:
    """More checks passed than the bound allows."""
    rule = _out_of_place(layout, happening.told.kind)
    return Refusal(happening.line, happening.event.by, describe(happening), rule, str(error), ("entered",))


def describe(happening: Happening) -> str:
    """The event as a person says it."""
    event = happening.event
    told = [happening.told.kind]
    for name in event.__struct_fields__[5:]:
        value = getattr(event, name)
        if name == "entry" and not value:
            continue
        told.append(f"to {value}" if name == "to" else "|".join(value) or "nothing" if name == "kinds" else str(value))
    return " ".join(told)


def _next(candidate: Whole, names: Sequence[str], happening: Happening, place: Place) -> list[str]:
    """What a thread at this place could log next; or what it waits for."""
    step = place.activation.at
    if place.says is not None:
        return [_told(names, place.says)]
    if step is None or place.cell is None:
        return []
    where = f"({step.file}:{step.line}: {step.source.partition('#')[0].strip()})"
    value = candidate.memory[candidate.rules.layout.resolve(place.cell, happening.told.actor)]
    values = candidate.rules.layout.domain(candidate.rules.layout.word(place.cell)) if value < 0 else (value,)
    outcomes = [candidate.rules.places.outcome(place, v) for v in values]
    told = [f"{_told(names, o.event)} {where}" for o in outcomes if o and o.event]
    if not any(outcomes):
        told.append(f"to wait {where}")
    return told


def _told(names: Sequence[str], event: tuple[str, int | str, int | str]) -> str:
    kind, owner, detail = event
    told = kind if not isinstance(owner, int) else f"{kind} to {names[owner]}"
    if kind in ("posted", "took", "served") and isinstance(detail, int):
        return f"{told} {'|'.join(name for name, bit in BITS.items() if bit & detail) or 'nothing'}"
    return f"{told} {detail}" if isinstance(detail, str) else told


def _rule(candidate: Whole, happening: Happening, places: list[Place]) -> str:
    """The rule of the line that comes first, in the procedure that both the event and what was possible instead stand in."""
    layout, kind = candidate.rules.layout, happening.told.kind
    right = [place for place in places if kind in _could(place)]
    if kind == "took" and right and _holds(candidate, happening, right[0]):
        return "MASKED-STAYS"  # it is pending, and may not be taken now
    for place in right:  # the right step, at a time at which the words do not allow it
        step = place.activation.at
        if step is not None and place.says is None:
            if found := cited_on(layout.text, place.activation.graph, step, range(len(step.where) - 1, -1, -1)):
                return found
    if right or not places or any("pushed" in _could(place) for place in places):
        return _out_of_place(layout, kind)
    paths = _paths(layout, kind)
    best: tuple[int, str] | None = None
    for place in places:
        step = place.activation.at
        if place.says is not None:
            return OUT_OF_PLACE[place.says[0]]
        if step is not None:
            common = max((_common(step.where, path) for path in paths), default=1)
            levels = range(max(common - 1, 0), len(step.where))
            graph = place.activation.graph
            found = (
                cited_on(layout.text, graph, step, levels)
                or cited_before(layout.text, graph, step)
                or cited_near(layout.text, step, levels)
            )
            if found and (best is None or common > best[0]):
                best = common, found
    return best[1] if best is not None else _out_of_place(layout, kind)


def _out_of_place(layout: Layout, kind: str) -> str:
    return "EXPIRED-IS-SEEN" if layout.policy.period and kind in PASSED.values() else OUT_OF_PLACE[kind]


def _holds(candidate: Whole, happening: Happening, place: Place) -> bool:
    """Does the word hold what the event takes, and the text may not take now?"""
    assert place.cell is not None
    value, bits = (
        candidate.memory[candidate.rules.layout.resolve(place.cell, happening.told.actor)],
        happening.told.said[2],
    )
    outcome = candidate.rules.places.outcome(place, value) if value >= 0 else None
    offered = outcome.event[2] if outcome and outcome.event else 0
    return isinstance(bits, int) and isinstance(offered, int) and bits & ~offered & value != 0


def _could(place: Place) -> set[str]:
    """The kinds of events that may come next at a place, whatever the words hold."""
    step = place.activation.at
    if place.says is not None:
        return {place.says[0]}
    if step is None:
        return set()
    could = kinds_of(place.activation.graph, step)
    if step.op == "load" and SLOW not in step.where:
        could |= {PASSED[name] for name in step.where if name in PASSED} | {
            "entered" for name in step.where if name in SITES
        }
    return could


def _paths(layout: Layout, kind: str) -> set[tuple[str, ...]]:
    """Where in the text such an event stands."""
    checks = {("mutator", procedure) for procedure, passed in PASSED.items() if passed == kind}
    if kind == "stop-reached":
        return {step.where for graph in layout.graphs.values() for step in graph.steps if STOPPED in step.where}
    return checks | {
        step.where for graph in layout.graphs.values() for step in graph.steps if kind in kinds_of(graph, step)
    }


def _common(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    length = 0
    while length < min(len(one), len(other)) and one[length] == other[length]:
        length += 1
    return length
