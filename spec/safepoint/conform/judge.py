"""Holds the claims against a target, and finds a target by its name: for the command line, `verify` and pytest alike."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from importlib.metadata import entry_points
from textwrap import indent

from safepoint.conform.claims import CLAIMS, Claim
from safepoint.conform.runs import Evidence, Refuted
from safepoint.conform.target import NotOffered, Target

GROUP = "safepoint.targets"


class UnknownTarget(Exception):
    """No target of that name; one line that says which there are, and how else to name one."""


@dataclass(frozen=True)
class Verdict:
    """`verdict`: "holds", "refuted" or "not offered".  `report`: for the last two the reason, in lines for a person."""

    claim: Claim
    verdict: str
    evidence: Evidence | None
    report: str = ""


def find_target(name: str) -> Target:
    """A new instance of the target registered under `name`, or of `module:Class`.  UnknownTarget if there is none."""
    for entry in entry_points(group=GROUP, name=name):
        return made(name, entry.value)
    if ":" in name:
        return made(name, name)
    raise UnknownTarget(f"no target {name!r} (registered: {registered()}; write one of these, or module:Class)")


def registered() -> str:
    """The names of all registered targets, for a message."""
    return ", ".join(sorted({e.name for e in entry_points(group=GROUP)})) or "none"


def made(name: str, where: str) -> Target:
    module, _, attribute = where.partition(":")
    try:
        cls = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise UnknownTarget(
            f"target {name!r} cannot be imported: {error} (write an importable module:Class)"
        ) from error
    if not (isinstance(cls, type) and issubclass(cls, Target)):
        raise UnknownTarget(f"target {name!r} is no safepoint.conform.target.Target (derive the class from it)")
    return cls()


def hold(claim: Claim, target: Target, name: str) -> Verdict:
    """One claim.  `name`: what the target is called on the command line."""
    try:
        return Verdict(claim, "holds", claim.check(target))
    except NotOffered as missing:
        return Verdict(claim, "not offered", None, f"{claim.name} was not judged: {name} does not offer {missing}")
    except Refuted as refuted:
        repeat = f"repeat    pytest --pyargs safepoint.conform --safepoint-target {name} -k {claim.name}"
        report = f"{claim.name} is refuted: {name}\n{indent(claim.sentence + chr(10) + str(refuted), '  ')}\n  {repeat}"
        return Verdict(claim, "refuted", None, report)


def judge(target: Target, name: str = "") -> list[Verdict]:
    """Every claim, each whatever the others gave.  An exception of the adapter itself is its author's to see: it passes."""
    return [hold(claim, target, name or target.name) for claim in CLAIMS.values()]


def as_json(name: str, verdicts: list[Verdict]) -> dict[str, object]:
    """A row of `targets` in the JSON of `verify`.  `bound`: the greatest distances observed; null if there are none."""
    worst = [v.evidence.worst for v in verdicts if v.evidence and v.evidence.worst]
    return {
        "name": name,
        "claims": sum(v.verdict != "not offered" for v in verdicts),
        "refuted": [v.claim.name for v in verdicts if v.verdict == "refuted"],
        "not_offered": [v.claim.name for v in verdicts if v.verdict == "not offered"],
        "bound": worst[0].as_json() if worst else None,
    }
