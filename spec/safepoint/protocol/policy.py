"""What a policy is: where a VM checks, by which mechanism, and which bound it declares.

The model, the reference machine and the code generator take the same object; `policies` has one a file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from shlex import quote

Checks = int | str | None
"""A number of checks; "depth": as many as fit on a stack; None: no bound."""

COMPILED_BACK_EDGE = "compiled back-edge"
"""The site at which all threads check one row of words, `World.code`."""

SITES: dict[str, str] = {
    "push": "a frame push",
    "back-edge": "a jump backward, or the header of a loop",
    "return": "a return, before the frame is popped",
    "allocation": "an allocation",
    COMPILED_BACK_EDGE: "a jump backward of compiled code, which all threads share",
}
"""Where guest code may check: what the text calls it (`checks_at`), and what it is."""

COUNTED = ("ticker", "budget")
"""The trigger words that count checks: what is real in them is the policy's period."""

USUAL = ("push", "back-edge")
"""The sites of a policy that names none: one for each way to run for ever."""

FURTHER: dict[str, str] = {"returns": "return", "allocations": "allocation"}
"""Of the kinds of check that a `Bound` counts those that only some policies make, each to its site.  The others count everywhere."""

SITE_OF: dict[str, str] = {"frames": "push", "back_edges": "back-edge", **FURTHER}
"""Kind of check that a `Bound` counts, to its site."""


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
    """Upper bound on checks executed from the completed post to, and including, the check that notices the request.

    returns, allocations: of these it is claimed by policies that check there; None: unbounded, or no site of the policy.
    """

    frames: Checks
    back_edges: Checks
    returns: Checks = None
    allocations: Checks = None

    def __str__(self) -> str:
        """`frames 1, back-edges unbounded`; returns and allocations where they have a bound."""
        return self.beside(self)

    def beside(self, other: Bound) -> str:
        """The same, with returns and allocations where either of the two has a bound."""
        return ", ".join(
            f"{kind.replace('_', '-')} {'unbounded' if n is None else n}"
            for kind, n in self.of_kinds().items()
            if kind in self.as_json() or kind in other.as_json()
        )

    def within(self, declared: Bound) -> bool:
        """Is it no worse than declared, in each kind?"""
        most = declared.of_kinds()
        return all(at_most(n, most[kind]) for kind, n in self.of_kinds().items())

    def worse(self, other: Bound) -> Bound:
        """The greater of each kind."""
        pairs = ((kind, n, other.of_kinds()[kind]) for kind, n in self.of_kinds().items())
        return Bound(**{kind: n if at_most(more, n) else more for kind, n, more in pairs})

    def unattained(self, found: Bound) -> dict[str, tuple[Checks, int]]:
        """Of a declared bound the kinds of check in which it claims less than was found, each with both numbers.

        Not of a kind that was never counted (0), nor of "depth": how deep a stack is, each world decides.
        """
        declared = self.of_kinds()
        return {
            kind: (declared[kind], n)
            for kind, n in found.of_kinds().items()
            if isinstance(n, int) and n and declared[kind] != "depth" and not at_most(declared[kind], n)
        }

    def of_kinds(self) -> dict[str, Checks]:
        """The number of each kind of check."""
        return dict(vars(self))

    def as_json(self) -> dict[str, Checks]:
        """Frames and back-edges; of returns and allocations those that have a bound."""
        return {kind: n for kind, n in self.of_kinds().items() if n is not None or kind not in FURTHER}


def elsewhere(sites: Sequence[str]) -> str:
    """Of these sites the one that is neither a frame push nor a back-edge; "": there is none."""
    return next((site for site in FURTHER.values() if site in sites), "")


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
    sites: tuple[str, ...] = USUAL
    words: tuple[str, ...] = ()
    waives: dict[str, str] = field(default_factory=dict, hash=False)
    slices: tuple[str, ...] = ()
    widths: tuple[tuple[str, int], ...] = (("entry", 1),)
    base: int = 0
    period: int = 0

    @property
    def elsewhere(self) -> str:
        """Where it checks beside frame pushes and back-edges, by the procedure of that name: a site, at most one; "": nowhere."""
        return elsewhere(self.sites)

    def further(self, checks: int) -> dict[str, int]:
        """A number of checks there, by the site; {} if there is none."""
        return {self.elsewhere: checks} if self.elsewhere else {}

    def with_period(self, period: int) -> Policy:
        """The same with another ticker or budget: it declares that many checks where it declares its own."""
        declared = {kind: period if n == self.period else n for kind, n in self.declared.of_kinds().items()}
        return replace(self, declared=Bound(**declared), period=period)
