"""What a policy is: where a VM checks, by which mechanism, and which bound it declares.

The model, the reference machine and the code generator take the same object; `policies` has one a file.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from shlex import quote

Checks = int | str | None
"""A number of checks; "depth": as many as fit on a stack; None: no bound."""

SITES: dict[str, str] = {
    "push": "a frame push",
    "back-edge": "a jump backward, or the header of a loop",
}
"""Where guest code may check: what the text calls it (`checks_at`), and what it is."""

COUNTED = ("ticker", "budget")
"""The trigger words that count checks: what is real in them is the policy's period."""


def at_most(n: Checks, most: Checks) -> bool:
    """Is n no worse than `most`?  A number is no worse than "depth", and anything is no worse than None."""
    if most is None or n == most:
        return True
    if n is None or n == "depth":
        return False
    return most == "depth" or (isinstance(n, int) and isinstance(most, int) and n <= most)


def option(name: str, usual: str = "") -> str:
    """How a command names a policy, with a blank behind it; nothing of the `usual` one."""
    return "" if name == usual else f"-p {quote(name)} "


@dataclass(frozen=True)
class Bound:
    """Upper bound on checks executed from the completed post to, and including, the check that notices the request."""

    frames: Checks
    back_edges: Checks

    def __str__(self) -> str:
        """`frames 1, back-edges unbounded`."""
        return ", ".join(
            f"{kind.replace('_', '-')} {'unbounded' if n is None else n}" for kind, n in self.as_json().items()
        )

    def within(self, declared: Bound) -> bool:
        """Is it no worse than declared, in both kinds?"""
        return at_most(self.frames, declared.frames) and at_most(self.back_edges, declared.back_edges)

    def as_json(self) -> dict[str, Checks]:
        return {"frames": self.frames, "back_edges": self.back_edges}


@dataclass(frozen=True, kw_only=True)
class Policy:
    """One VM's safepoints, or one family's.

    name: as on the command line.  title: the mechanism in one line.
    trigger: the file of `protocol/triggers` that has it.
    sites: where its guest code checks (names of SITES).  What it executes elsewhere checks nothing.
    words: the trigger words that its checks read, by name.
    declared: the bound that it claims.
    waives: properties that it does not claim, each with the reason.
    slices: features that its text is written for (names of `scopes.SLICES`).
    widths: how many words each array of trigger words has in a model, e.g. (("entry", 1),).
    base: a limit below it is request bits (0: it never is).
    period: what a ticker, or a budget, is set to.
    """

    name: str
    title: str
    trigger: str
    declared: Bound
    sites: tuple[str, ...] = tuple(SITES)
    words: tuple[str, ...] = ()
    waives: dict[str, str] = field(default_factory=dict, hash=False)
    slices: tuple[str, ...] = ()
    widths: tuple[tuple[str, int], ...] = (("entry", 1),)
    base: int = 0
    period: int = 0

    def with_period(self, period: int) -> Policy:
        """The same with another ticker or budget: it declares that many checks where it declares its own."""
        declared = (period if n == self.period else n for n in (self.declared.frames, self.declared.back_edges))
        return replace(self, declared=Bound(*declared), period=period)
