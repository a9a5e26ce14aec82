"""Where a VM checks, and by which word.

A `Policy` is the one description of a VM's safepoints: the model, the reference machine and the code generator take the same
object.  `folded` is ours: the frame push compares with the stack limit anyway, and every instruction is dispatched through
a table anyway, so neither the frame push nor the back-edge has an instruction for it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Bound:
    """How many checks of a kind a thread executes, the one that sees included, until it has seen a request.

    A number; "depth": as many as fit on a stack; None: no bound.
    """

    frames: int | str | None
    back_edges: int | str | None

    def as_json(self) -> dict[str, int | str | None]:
        return {"frames": self.frames, "back_edges": self.back_edges}


@dataclass(frozen=True)
class Policy:
    """`sites`: kind of check -> procedure of the protocol's text.  `declared`: the bound it claims."""

    name: str
    title: str
    trigger: str
    sites: dict[str, str]
    declared: Bound


FOLDED = Policy(
    name="folded",
    title="frame push on the poisoned limit, back-edge on the dispatch table: no instruction for either",
    trigger="stack limit and dispatch table",
    sites={"frames": "frame_push", "back_edges": "back_edge"},
    declared=Bound(frames=1, back_edges=1),
)

POLICIES: dict[str, Policy] = {p.name: p for p in (FOLDED,)}
