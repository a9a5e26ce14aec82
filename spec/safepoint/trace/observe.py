"""Which event a step of the protocol's text is: the one table between the text and what a VM logs.

A step is recognised by what it does: the word, the value that it leaves there, and the ghosts that belong to it.  Every step that
changes a shared word is an event; one that only reads is hidden, unless it is a check.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from safepoint.graph import ir
from safepoint.protocol.words import ASKED, ENDED, INTERRUPT, MANAGED, NATIVE, NOTHING, OWN, PARKED, RUNNING

WRITES: dict[tuple[str, int], str] = {
    ("state", PARKED): "parked",
    ("state", NATIVE): "native-entered",
    ("state", ENDED): "exited",
    ("wake", 0): "blocked",
    ("wake", 1): "woken",
    ("stop", 1): "stop-requested",
    ("stop", 0): "stop-released",
    ("lock", 1): "locked",
    ("lock", 0): "unlocked",
    ("operation", RUNNING): "handshake-claimed",
    ("operation", OWN): "handshake-claimed",
    ("operation", ASKED): "handshake-backed-off",
    ("operation", NOTHING): "handshake-done",
    ("pending", 0): "cleared",
}
"""Word, and the value that a step leaves there, to the event that it is."""

BACK = {PARKED: "resumed", NATIVE: "native-left", ENDED: "spawned"}
"""Of a thread that publishes MANAGED: where it was, to the event that it is."""

GHOSTS = {
    "posted": "posted",
    "given_back": "posted",
    "taken": "took",
    "asked": "handshake-asked",
    "ran": "handshake-run",
}
"""Ghost that belongs to a step, to the event that it is; the first two are of these kinds of request."""

PASSED = {"frame_push": "pushed", "back_edge": "looped", "elsewhere": "checked"}
"""Procedure whose first access is a check, to the event that it is when it passes."""
SITES = {"frame_push": "push", "back_edge": "back-edge", "look_again": "look", "elsewhere": "elsewhere"}
"""The same, to the site of the slow path that is entered when it fails."""
CODE = "code"
"""The row of words that all threads check, in compiled code: a trace is of a VM that executes none, and says nothing of it."""
SLOW = "slow_path"
BORN = "drop"
"""The procedure in which a thread that begins drops what is pending: whichever word that is in."""
STOPPED = "critical"
"""The procedure of the text in which the world is stopped."""

LOCAL = ("served", "masked", "unmasked", "stop-reached")
"""Events that are no shared access."""

KINDS = tuple(
    sorted(
        {
            *WRITES.values(),
            *BACK.values(),
            *GHOSTS.values(),
            *PASSED.values(),
            *LOCAL,
            "poisoned",
            "restored",
            "counted",
            "entered",
        }
    )
)
"""Every kind of event."""
WORLD_EVENTS = ("locked", "unlocked", "stop-requested", "stop-released")
"""Events of the world's words."""

ANY = -1
"""The value of a word that is not followed, because the VM does not log all that changes it."""

Said = tuple[str, int | str, int | str]
"""An event as text and trace both give it: its kind; the owner of the word (its own: SELF; the world's: WORLD); what else it says."""


def said(kind: str, owner: int | str = ir.SELF, detail: int | str = 0) -> Said:
    return kind, owner, detail


def site_of(site: str, index: int) -> str:
    """Site of a slow path, and which word of a row of trigger words was read there."""
    return f"{site}[{index}]" if index else site


@dataclass
class Ghosts:
    """The listener of a step: what the text says beside its accesses."""

    heard: list[tuple[str, int]] = field(default_factory=list)

    def ghost(self, op: str, owner: int | str, kind: int) -> None:
        self.heard.append((op, kind))

    def claim(self, name: str, holds: bool) -> None: ...
    def happens(self, name: str) -> None: ...
    def branch(self, place: str, taken: bool) -> None: ...

    def copy(self) -> Ghosts:
        return Ghosts([*self.heard])


def local_events(ghosts: Ghosts, before: int, after: int) -> tuple[Said, ...]:
    """What a thread does by itself in local work; `before`, `after`: what it masks."""
    events = [said("served", detail=kind) for op, kind in ghosts.heard if op == "served"]
    if bool(before & INTERRUPT) != bool(after & INTERRUPT):
        events.append(said("masked" if after & INTERRUPT else "unmasked"))
    return tuple(events)


def event_of(
    step: ir.Step, cell: ir.Cell, old: int, new: int, ghosts: Ghosts, following: ir.Step | None
) -> Said | None:
    """The event that an access is; None: it is hidden.  `cell`: its word, the owner made out.  `following`: the next step.

    Raises ValueError for a write that is no event: then the text says what no trace can.
    """
    owner = ir.WORLD if cell.owner == ir.WORLD else cell.owner
    assert isinstance(owner, int | str)
    word = cell.word.split("[", maxsplit=1)[0]
    for op, kind in ghosts.heard:
        if op in GHOSTS:
            return said(GHOSTS[op], owner, kind if op in ("posted", "given_back", "taken") else 0)
    if step.op == "load":
        return _check(step, cell, following)
    if word == CODE or (step.op == "cas" and old == new):
        return None
    if BORN in step.where:
        return said("cleared", owner)
    for operand in (fixed for e in step.operands for fixed in ir.atoms(e) if isinstance(fixed, ir.Fixed)):
        return said("poisoned" if operand.which == "poison" else "restored", owner, cell.word)
    if word == "ticker":
        return said("counted", owner)
    if word == "state" and new == MANAGED:
        return None if old == MANAGED else said(BACK[old], owner)
    if (word, new) in WRITES:
        return said(WRITES[word, new], owner)
    raise ValueError(f"{step.file}:{step.line}: {step.source}: no event says that {cell} becomes {new}")


def _check(step: ir.Step, cell: ir.Cell, following: ir.Step | None) -> Said | None:
    if SLOW in step.where:
        return None
    site = next((name for name in reversed(step.where) if name in SITES), None)
    index = int(cell.word.partition("[")[2].rstrip("]") or 0) if site == "back_edge" else 0
    if following is not None and SLOW in following.where:
        return said("entered", detail=site_of(SITES[site], index)) if site else None
    return said(PASSED[site], detail=index) if site in PASSED else None


def kinds_of(graph: ir.Graph, step: ir.Step) -> set[str]:
    """The events that a step may be, as its text shows them, if it is no check."""
    if step.cell is None:
        return set()
    heard = {tree.op for tree in graph.local(step.then[0]) if isinstance(tree, ir.Ghost)}
    if found := {GHOSTS[op] for op in heard if op in GHOSTS}:
        return found
    if step.op == "load":
        return set()
    if BORN in step.where:
        return {"cleared"}
    word = step.cell.word.split("[", maxsplit=1)[0]
    if word == CODE:
        return set()
    fixed = [a for e in step.operands for a in ir.atoms(e) if isinstance(a, ir.Fixed)]
    if fixed:
        return {"poisoned" if fixed[0].which == "poison" else "restored"}
    if word == "ticker":
        return {"counted"}
    left = step.operands[-1] if step.operands else None
    if word == "state" and left == ir.Const(MANAGED):
        return set() if step.op == "fetch_or" else {*BACK.values()}
    return {kind for (name, value), kind in WRITES.items() if name == word and ir.Const(value) == left}
