"""Why no run explains an event: the rule, found in the comments of the text where it and what was possible instead part."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from safepoint.graph import ir
from safepoint.graph.text import Text
from safepoint.protocol.rules import RULES
from safepoint.trace.observe import SITES, kinds_of

if TYPE_CHECKING:
    from safepoint.trace.accept import Acceptor
    from safepoint.trace.candidate import Candidate, Happening
    from safepoint.trace.places import Place

OTHERWISE: dict[str, str] = {
    "pushed": "POISON-EVERY-WORD",
    "looped": "POISON-EVERY-WORD",
    "entered": "POISON-EVERY-WORD",
    "handshake-asked": "HANDSHAKE-ONCE",
    "handshake-run": "HANDSHAKE-ONCE",
    "handshake-done": "HANDSHAKE-ONCE",
    "spawned": "BIRTH-REENTERS",
    "masked": "MASKED-STAYS",
    "unmasked": "MASKED-STAYS",
}
"""Kind of event to the rule that is named where the text's own lines name none."""
LAST = "TAKEN-IS-SERVED"


@dataclass(frozen=True)
class Refusal:
    """The first event that no run explains.  instead: what could have come from the same thread, each with its line of the text."""

    line: int
    by: str
    event: str
    rule: str
    why: str
    instead: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        return {
            "line": self.line, "thread": self.by, "event": self.event, "rule": self.rule, "why": self.why,
            "instead": list(self.instead),
        }  # fmt: skip


def refuse(acceptor: Acceptor, happening: Happening) -> Refusal:
    """The event's interval has closed, and it has happened in no candidate."""
    candidate = acceptor.candidates[0]
    places = candidate.crowd_for(happening).places
    instead: dict[str, Place] = {}
    for place in places:
        for told in _next(acceptor, candidate, happening, place):
            instead.setdefault(told, place)
    waiting = [p for p in places if p.activation.at is not None and p.cell is not None]
    rule = _rule(acceptor, happening, [*instead.values()] or waiting)
    return Refusal(
        happening.line, happening.event.by, describe(happening), rule, RULES[rule].text, tuple(sorted(instead)[:8])
    )


def late(acceptor: Acceptor, happening: Happening, error: Exception) -> Refusal:
    """More checks passed than the bound allows."""
    rule = "EXPIRED-IS-SEEN" if acceptor.layout.policy.period else "POISON-EVERY-WORD"
    return Refusal(happening.line, happening.event.by, describe(happening), rule, str(error), ("entered",))


def describe(happening: Happening) -> str:
    """The event as a person says it."""
    event = happening.event
    told = [happening.kind]
    for name in event.__struct_fields__[5:]:
        value = getattr(event, name)
        if name == "entry" and not value:
            continue
        told.append(f"to {value}" if name == "to" else "|".join(value) or "nothing" if name == "kinds" else str(value))
    return " ".join(told)


def _next(acceptor: Acceptor, candidate: Candidate, happening: Happening, place: Place) -> list[str]:
    """What a thread at this place could log next; or what it waits for."""
    step = place.activation.at
    if place.says is not None:
        return [_told(acceptor, place.says)]
    if step is None or place.cell is None:
        return []
    where = f"({step.file}:{step.line}: {step.source.partition('#')[0].strip()})"
    value = candidate.memory[acceptor.layout.resolve(place.cell, happening.actor)]
    values = acceptor.layout.domain(acceptor.layout.word(place.cell)) if value < 0 else (value,)
    outcomes = [acceptor.rules.places.outcome(place, v) for v in values]
    told = [f"{_told(acceptor, o.event)} {where}" for o in outcomes if o and o.event]
    if not any(outcomes):
        told.append(f"to wait {where}")
    return told


def _told(acceptor: Acceptor, event: tuple[str, int | str, int | str]) -> str:
    kind, owner, detail = event
    told = kind if not isinstance(owner, int) else f"{kind} to {acceptor.names[owner]}"
    if kind in ("posted", "took", "served") and isinstance(detail, int):
        from safepoint.trace.events import BITS

        return f"{told} {'|'.join(name for name, bit in BITS.items() if bit & detail) or 'nothing'}"
    return f"{told} {detail}" if isinstance(detail, str) else told


# ---------------------------------------------------------------------------------------------- rules of the text


def _rule(acceptor: Acceptor, happening: Happening, places: list[Place]) -> str:
    """The rule of the line that comes first, in the procedure that both the event and what was possible instead stand in."""
    text = acceptor.layout.text
    paths = _paths(acceptor, happening)
    best: tuple[int, str] | None = None
    for place in places:
        step = place.activation.at
        if step is None:
            continue
        if happening.kind in _could(acceptor, place):  # the right step, at a time at which the words do not allow it
            levels = range(len(step.where) - 1, -1, -1)
            found = next((rule for level in levels for rule in rules_of(text, step, level)), None)
            depth = 1000
        else:
            common = max((_common(step.where, path) for path in paths), default=1)
            levels = range(max(common - 1, 0), len(step.where))
            found = next((rule for level in levels for rule in rules_of(text, step, level)), None)
            depth = common
        if found and (best is None or depth > best[0]):
            best = depth, found
    if best is not None:
        return best[1]
    return OTHERWISE.get(happening.kind, LAST)


def _could(acceptor: Acceptor, place: Place) -> set[str]:
    step = place.activation.at
    if step is None:
        return set()
    could = {place.says[0]} if place.says else kinds_of(place.activation.graph, step)
    if step.op == "load" and any(name in SITES for name in step.where):
        could |= {"pushed", "looped", "entered"}
    return could


def _paths(acceptor: Acceptor, happening: Happening) -> set[tuple[str, ...]]:
    """Where in the text such an event stands."""
    return {
        step.where
        for graph in acceptor.layout.graphs.values()
        for step in graph.steps
        if happening.kind in kinds_of(graph, step)
    }


def _common(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    length = 0
    while length < min(len(one), len(other)) and one[length] == other[length]:
        length += 1
    return length


def rules_of(text: Text, step: ir.Step, level: int) -> list[str]:
    """The rules in the comments of the line of procedure `level` on the way to a step: the last level is the step's own line."""
    inner = step.where[level + 1] if level + 1 < len(step.where) else None
    procedure = text.functions[step.where[level]]
    lines = _lines(procedure.node, inner, step.line)
    found = [(_cited(text, procedure.file, line)) for line in lines]
    return next((rules for rules in found if rules), [])


@cache
def _lines(node: ast.FunctionDef, calls: str | None, line: int) -> tuple[int, ...]:
    """The lines on which `node` calls a procedure, or the line itself; and of the ifs around it, innermost first."""
    found: list[int] = []

    def visit(inner: ast.AST, around: tuple[int, ...]) -> None:
        if isinstance(inner, ast.stmt) and not isinstance(inner, ast.If | ast.For | ast.Match | ast.FunctionDef):
            called = {n.func.id for n in ast.walk(inner) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
            if (calls in called) if calls else inner.lineno <= line <= (inner.end_lineno or line):
                found.extend((inner.lineno, *reversed(around)))
        elif isinstance(inner, ast.If) and calls is None and inner.test.lineno == line:
            found.extend((line, *reversed(around)))
        deeper = (*around, inner.lineno) if isinstance(inner, ast.If) else around
        for child in ast.iter_child_nodes(inner):
            visit(child, deeper)

    visit(node, ())
    return tuple(found)


def _cited(text: Text, file: str, line: int) -> list[str]:
    comment = text.source(file, line).partition("#")[2]
    return [rule for rule in re.findall(r"[A-Z]+(?:-[A-Z]+)+", comment) if rule in RULES]
