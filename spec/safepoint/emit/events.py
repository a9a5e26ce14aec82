"""Which event of a trace an access of the emitted code is: as the acceptor has it, asked of the same graph."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from safepoint.emit.choose import Chosen
from safepoint.emit.fold import CannotEmit, expression, named
from safepoint.graph.instance import Instance
from safepoint.graph.lower import compile_graph
from safepoint.trace.observe import BACK, GHOSTS, KINDS, PASSED, SITES, kinds_of

RETURNED = "returned"
"""A thread publishes that it runs guest code: `resumed`, `native-left` or `spawned`, by where it was."""
REACHED = {"stop_world": "stop-reached"}
"""Procedure to the event that its end is."""
PRIVATE = {"masked": ("unmasked", "masked")}
"""Private word to what setting it to 0 is, and to anything else."""
EVENTS = (*(kind for kind in KINDS if kind not in BACK.values()), RETURNED)
"""The names that the header has."""


def event(kind: str) -> str:
    """Its name in `SP_EVENT(…)`."""
    return kind.replace("-", "_").upper()


@dataclass
class Events:
    """`at`: (file, line) of an access to what it is; "" if a ghost beside it says so."""

    chosen: Chosen
    at: dict[tuple[str, int], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        folded = self.chosen.folded
        for name, body in self.chosen.bodies.items():
            if expression(body) is None:
                asked = {
                    said[1]
                    for s in body
                    for n in ast.walk(s)
                    if isinstance(n, ast.expr) and (said := named(n, "slice_on"))
                }
                for slices in ((), *((variant,) for variant in folded.variants if variant in asked)):
                    self._read(name, Instance(mutant=folded.mutant, slices=slices, sites=folded.sites))

    def _read(self, name: str, instance: Instance) -> None:
        graph = compile_graph(self.chosen.text, name, instance)
        for step in graph.steps:
            kinds = kinds_of(graph, step)
            if kinds & {*GHOSTS.values()} or (step.op == "cas" and "restored" in kinds):
                self.at[step.file, step.line] = ""  # (of a new limit no trace says anything)
            elif kinds:
                (kind,) = {RETURNED} if kinds <= {*BACK.values()} else kinds
                if self.at.setdefault((step.file, step.line), kind) not in (kind, ""):
                    raise CannotEmit(f"{step.file}:{step.line}: two events at once (write: an access a line)")

    def of(self, file: str, line: int) -> str:
        """The event that the access of a line is; "": none of its own."""
        return self.at.get((file, line), "")


def passed(procedure: str) -> str:
    """Of a procedure whose first access is a check: what it is when it passes."""
    return PASSED.get(procedure, "")


def site(procedure: str) -> str:
    """Of a procedure that enters the slow path: which site that is."""
    return f"SP_AT_{event(SITES[procedure])}" if procedure in SITES else ""


def trigger_word(place: str) -> str:
    """A trigger word, as an event names it; of "": 0."""
    name, _, index = place.partition("[")
    return f"SP_WORD_{name.upper()}{' + ' + index.rstrip(']') if index else ''}" if name else "0"
