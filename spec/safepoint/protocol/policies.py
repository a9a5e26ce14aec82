"""Where a VM checks, and by which word.

A `Policy` is the one description of a VM's safepoints: the model, the reference machine and the code generator take the same
object.  `folded` is ours: the frame push compares with the stack limit anyway, and every instruction is dispatched through
a table anyway, so neither the frame push nor the back-edge has an instruction for it.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Bound:
    """How many checks of a kind a thread executes, the one that sees included, until it has seen a request.

    A number; "depth": as many as fit on a stack; None: no bound.
    """

    frames: int | str | None
    back_edges: int | str | None

    def within(self, declared: Bound) -> bool:
        """Is it no worse than declared, in both kinds?"""
        pairs = ((self.frames, declared.frames), (self.back_edges, declared.back_edges))
        return all(most is None or (isinstance(n, int) and isinstance(most, int) and n <= most) for n, most in pairs)

    def as_json(self) -> dict[str, int | str | None]:
        return {"frames": self.frames, "back_edges": self.back_edges}


@dataclass(frozen=True)
class Policy:
    """One VM's safepoints, or one family's.

    `sites`: kind of check -> procedure of the protocol's text.  `triggers`: the words that checks read, by name.
    `widths`: of rows of trigger words, in a model.  `base`: a limit below it is request bits (0: it never is).
    `period`: what a ticker is set to.  `declared`: the bound it claims.  `waives`: properties that it does not claim, each
    with the reason.  `slices`: features that its text is written for.
    """

    name: str
    title: str
    trigger: str
    sites: dict[str, str]
    declared: Bound
    triggers: tuple[str, ...] = ()
    widths: tuple[tuple[str, int], ...] = (("entry", 1),)
    base: int = 0
    period: int = 0
    waives: dict[str, str] = field(default_factory=dict, hash=False)
    slices: tuple[str, ...] = ()


SITES = {"frames": "frame_push", "back_edges": "back_edge"}
FLAG_SITES = {"frames": "flag_push", "back_edges": "flag_check"}

FOLDED = Policy(
    name="folded",
    title="frame push on the poisoned limit, back-edge on the dispatch table: no instruction for either",
    trigger="stack limit and dispatch table",
    sites=SITES,
    declared=Bound(frames=1, back_edges=1),
    triggers=("limit", "entry"),
    slices=("masks", "handlers", "blocking", "collect", "limit", "births"),
)

DART = Policy(
    name="dart",
    title="request bits inside the stack limit, compared at entry and loop header: one word, so nothing to order",
    trigger="bits in the stack limit",
    sites=SITES,
    declared=Bound(frames=1, back_edges=1),
    triggers=("limit",),
    base=32,
    slices=("handlers", "collect"),
)

CPYTHON = Policy(
    name="cpython",
    title="flag bits tested at entry and back-edge, beside the stack check",
    trigger="flag bits",
    sites=FLAG_SITES,
    declared=Bound(frames=1, back_edges=1),
    slices=("masks", "handlers", "blocking", "collect", "births"),
)

PYPY = Policy(
    name="pypy",
    title="a ticker, counted down without a lock by its owner: a poison may be overwritten, and is healed when it expires",
    trigger="ticker",
    sites=FLAG_SITES,
    declared=Bound(frames=2, back_edges=2),
    triggers=("ticker",),
    period=2,
    waives={
        "pending-is-poisoned": "the owner's store may overwrite the poison; the bound says for how long",
        "awaited-is-poisoned": "the same",
    },
    slices=("handlers", "collect"),
)

POLICIES: dict[str, Policy] = {p.name: p for p in (FOLDED, DART, CPYTHON, PYPY)}
