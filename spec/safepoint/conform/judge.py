"""Find a target by its name, and hold the claims against it: for the command line, `verify` and pytest alike."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import entry_points
from pkgutil import resolve_name
from textwrap import indent

from safepoint.conform.claims import CLAIMS, Claim
from safepoint.conform.runs import Evidence, Refuted
from safepoint.conform.target import NotOffered, Target
from safepoint.protocol.policy import Bound

GROUP = "safepoint.targets"


class UnknownTarget(Exception):
    """There is no target of that name, or it cannot be made; one line that says what to write."""


@dataclass(frozen=True)
class Verdict:
    """On one claim.

    `verdict`: "holds", "refuted" or "not offered".  `evidence`: None unless the claim holds.  `report`: for the last two why, in
    lines to print; of a refutation the last line is the command that repeats it.
    """

    claim: Claim
    verdict: str
    evidence: Evidence | None
    report: str = ""


def find_target(name: str) -> Target:
    """A new instance of the target registered under `name`, or of `module:Class`.  Raises UnknownTarget."""
    for entry in entry_points(group=GROUP, name=name):
        return _make(name, entry.value)
    if ":" in name:
        return _make(name, name)
    raise UnknownTarget(f"no target {name!r} (registered: {registered()}; write one of these, or module:Class)")


def registered() -> str:
    """The names of all registered targets, for a message."""
    return ", ".join(sorted({e.name for e in entry_points(group=GROUP)})) or "none"


def _make(name: str, where: str) -> Target:
    try:
        found = resolve_name(where)
    except (ImportError, AttributeError, ValueError) as error:
        raise UnknownTarget(
            f"target {name!r} cannot be imported: {error} (write an importable module:Class)"
        ) from error
    if not (isinstance(found, type) and issubclass(found, Target)):
        raise UnknownTarget(f"target {name!r} is not a safepoint.conform.target.Target (derive the class from it)")
    try:
        return found()
    except TypeError as error:
        raise UnknownTarget(f"target {name!r} cannot be made: {error} (the class must need no arguments)") from error


def hold(claim: Claim, target: Target, name: str) -> Verdict:
    """Hold one claim against a target.  `name`: what the target is called on the command line; "": a fixture makes it."""
    option, name = f" --safepoint-target {name}" if name else "", name or target.name
    try:
        return Verdict(claim, "holds", claim.check(target))
    except NotOffered as missing:
        return Verdict(claim, "not offered", None, f"{claim.name} was not judged: {name} does not offer {missing}")
    except Refuted as refuted:
        repeat = f"repeat    pytest --pyargs safepoint.conform{option} -k {claim.name}"
        report = f"{claim.name} is refuted: {name}\n{indent(claim.sentence + chr(10) + str(refuted), '  ')}\n  {repeat}"
        return Verdict(claim, "refuted", None, report)


def judge(target: Target, name: str = "") -> list[Verdict]:
    """Hold every claim, whatever the others gave.  An exception of the adapter itself is passed on: its author must see it."""
    return [hold(claim, target, name or target.name) for claim in CLAIMS.values()]


@dataclass(frozen=True, kw_only=True)
class TargetRow:
    """One target in the JSON of `verify` and `conform`.

    `claims`: how many were judged.  `bound`: the greatest distances observed; None if no request was seen.
    """

    name: str
    claims: int
    refuted: tuple[str, ...]
    not_offered: tuple[str, ...]
    bound: Bound | None


def target_row(name: str, verdicts: list[Verdict]) -> TargetRow:
    """The verdicts on a target in one row."""
    worst = [v.evidence.worst for v in verdicts if v.evidence and v.evidence.worst]
    return TargetRow(
        name=name,
        claims=sum(v.verdict != "not offered" for v in verdicts),
        refuted=tuple(v.claim.name for v in verdicts if v.verdict == "refuted"),
        not_offered=tuple(v.claim.name for v in verdicts if v.verdict == "not offered"),
        bound=worst[0] if worst else None,
    )
