"""Traces made of random walks of the model: a path of the explorer is a run, so its trace must be accepted.

The walk hears what the text says at each move, and names events by the same table as the acceptor; which moves there are, what
they change, and in which order, is the explorer's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from random import Random

import msgspec

from safepoint.graph.ir import SELF, Cell
from safepoint.graph.text import Text
from safepoint.model.moves import Transition
from safepoint.model.process import Process
from safepoint.model.scopes import SCOPES, Scope
from safepoint.model.system import Model
from safepoint.protocol import files
from safepoint.protocol.names import REQUESTS
from safepoint.protocol.policies import POLICIES
from safepoint.trace.events import EVENTS, Event
from safepoint.trace.lines import RULES, VERSION, Header
from safepoint.trace.observe import CODE, Ghosts, Said, event_of, local_events, said


@dataclass
class Walk:
    """A random walk, as events in the order in which they happened."""

    model: Model
    random: Random
    events: list[tuple[str, Said]] = field(default_factory=list)  # who, what
    busy: int = 1  # how much likelier a guest thread moves than a requester

    def follow(self, states: Sequence[int]) -> int:
        """A path that a search has found.  Returns the state at its end."""
        for state, after in pairwise(states):
            ways = (way for p in self.model.processes for way in heard_edges(p, state))
            self._log(*next((p, state, edge, ghosts) for p, edge, ghosts in ways if state ^ edge.delta == after))
        return states[-1]

    def run(self, moves: int, state: int | None = None) -> int:
        """Returns the state at the end: after n moves, or where there is none."""
        state = self.model.initial if state is None else state
        for _ in range(moves):
            ways = [way for p in self.model.processes for way in heard_edges(p, state)]
            if not ways:
                break
            process, edge, ghosts = self.random.choices(ways, [self.weight(way[0]) for way in ways])[0]
            self._log(process, state, edge, ghosts)
            state ^= edge.delta
        return state

    def weight(self, process: Process) -> int:
        return self.busy if process in self.model.mutators else 1

    def _log(self, process: Process, state: int, edge: Transition, ghosts: Ghosts) -> None:
        after = state ^ edge.delta
        step = process.graph.steps[edge.step]
        masks = [process.privates["masked"].get(s) if "masked" in process.privates else 0 for s in (state, after)]
        local = local_events(ghosts, *masks)
        if step.op == "pause" and "critical" in step.where:
            local = (said("stop-reached"), *local)
        if step.cell is not None:
            cell = step.cell if step.cell.owner != SELF else Cell(process.me, step.cell.word)
            old, new = (self.model.cells[cell].get(s) for s in (state, after))
            event = event_of(step, cell, old, new, ghosts, process.at(after))
            # an unmask is local work before the access that follows it; what is served comes after the take
            early = tuple(e for e in local if e[0] in ("masked", "unmasked"))
            for e in early:
                self.events.append((process.name, e))
            if event is not None:
                self.events.append((process.name, event))
            local = tuple(e for e in local if e not in early)
        for e in local:
            self.events.append((process.name, e))


def heard_edges(process: Process, state: int) -> list[tuple[Process, Transition, Ghosts]]:
    """The moves of a process, each with the ghosts that are heard in it."""
    found: list[tuple[Process, Transition, Ghosts]] = []
    ghosts = Ghosts()
    hear = process.ghost

    def listening(op: str, owner: int | str, kind: int) -> None:
        ghosts.ghost(op, owner, kind)
        hear(op, owner, kind)

    process.ghost = listening  # type: ignore[method-assign]
    try:
        for edge in process.edges(state):
            found.append((process, edge, ghosts.copy()))
            ghosts.heard.clear()
    finally:
        del process.ghost
    return found


def header(model: Model, variants: Sequence[str] = ()) -> Header:
    threads = [m.name for m in model.mutators]
    widths = dict(model.scope.widths or model.policy.widths)
    made = Header(0, 0, "safepoint-trace", VERSION, RULES, "the model", model.policy.name, threads, threads)
    return msgspec.structs.replace(made, entries=widths["entry"], variants=[*variants])


def struct(who: str, event: Said, names: list[str], before: int, after: int) -> Event:
    """An event of a walk as a line of a trace."""
    kind, owner, detail = event
    cls = EVENTS[kind]
    fields: dict[str, object] = {"seq": 0, "chain": 0, "by": who, "before": before, "after": after}
    wanted = cls.__struct_fields__[5:]
    if "to" in wanted:
        fields["to"] = names[owner] if isinstance(owner, int) else who
    if "kinds" in wanted:
        fields["kinds"] = [name for bit, name in REQUESTS.items() if bit & int(detail)]
    if kind == "entered":
        site, _, index = str(detail).partition("[")
        fields |= {"site": site, "entry": int(index.rstrip("]") or 0)}
    for name in {"kind", "word", "entry"} & {*wanted} - {*fields}:
        fields[name] = REQUESTS[int(detail)] if name == "kind" else detail
    return msgspec.convert(fields, cls)


def stamped(walk: Walk, names: list[str], random: Random, overlap: int = 0) -> list[Event]:
    """The events with stamps: each interval holds the moment of its event, and reaches over up to `overlap` others'."""
    last: dict[str, float] = {}
    following: list[int] = [0] * len(walk.events)
    coming: dict[str, int] = {}
    for number in range(len(walk.events) - 1, -1, -1):
        who = walk.events[number][0]
        following[number] = coming.get(who, len(walk.events) + overlap)
        coming[who] = number
    found: list[tuple[float, float]] = []
    for number, (who, _) in enumerate(walk.events):
        low = max(last.get(who, -1) + 0.001, number - random.random() * overlap)
        high = min(following[number] - 0.6, number + random.random() * overlap)
        low, high = min(low, number - 0.01), max(high, number + 0.01)
        last[who] = high
        found.append((low, high))
    ends = sorted((point, which, number) for number, pair in enumerate(found) for which, point in enumerate(pair))
    stamps = {(number, which): stamp for stamp, (_, which, number) in enumerate(ends)}
    return sorted(
        (
            struct(who, event, names, stamps[number, 0], stamps[number, 1])
            for number, (who, event) in enumerate(walk.events)
        ),
        key=lambda e: e.before,
    )


def model_of(policy: str, scope: str | Scope, mutant: str = "") -> Model:
    """What is logged executes no compiled code: it has no words there."""
    chosen = SCOPES[scope] if isinstance(scope, str) else scope
    found = POLICIES[policy]
    chosen = replace(chosen, widths=(*((row, n) for row, n in chosen.widths or found.widths if row != CODE), (CODE, 0)))
    return Model(Text(files(found.trigger)), chosen, mutant, found)
