"""Find a target by its name, and hold the claims against it: for the command line, `verify` and pytest alike."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import PurePath
from pkgutil import resolve_name
from textwrap import indent
from traceback import extract_tb, walk_tb

from safepoint.conform.claims import CLAIMS, Claim
from safepoint.conform.runs import Evidence, Refuted, Runs
from safepoint.conform.target import ABILITIES, GuestStuck, NotOffered, Target
from safepoint.protocol.policy import Bound

GROUP = "safepoint.targets"
MOST_TEXT = 500
"""Characters of an exception's text that a report has."""


class UnknownTarget(Exception):
    """There is no target of that name, or it cannot be made; one line that says what to write."""


@dataclass(frozen=True)
class Verdict:
    """On one claim.

    `verdict`: "holds", "refuted", "not offered", or "no verdict": the adapter failed.  `evidence`: None unless the claim holds.
    `report`: for the others why, in lines to print; of a refutation the last line is the command that repeats it.
    `left_out`: what the claim did without -> why.
    """

    claim: Claim
    verdict: str
    evidence: Evidence | None
    report: str = ""
    left_out: Mapping[str, str] = field(default_factory=dict)


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
    module, _, attribute = where.partition(":")
    file = PurePath(module)
    if file.suffix == ".py" or len(file.parts) > 1:
        raise UnknownTarget(
            f"target {name!r} is given by a file's name, not a module's"
            f" (write {file.name.removesuffix('.py')}:{attribute}, with PYTHONPATH={file.parent})"
        )
    try:
        found = resolve_name(where)
    except (Exception, SystemExit) as error:  # the module is a stranger's: it may raise anything
        told = str(error) if isinstance(error, ImportError | AttributeError | SyntaxError) else in_one_line(error)
        instead = "write an importable module:Class"
        if where != name:  # it is installed, and what it needs is not, or is broken
            if broken := _library(error, module.partition(".")[0]):
                instead = f"pip install {broken}"
        elif isinstance(error, ModuleNotFoundError) and error.name:
            top = error.name.partition(".")[0]
            instead = f"install {top}, or set PYTHONPATH to the directory that holds it: PYTHONPATH=. if you are there"
        raise UnknownTarget(f"target {name!r} cannot be imported: {told} ({instead})") from error
    if not (isinstance(found, type) and issubclass(found, Target)):
        raise UnknownTarget(f"target {name!r} is not a safepoint.conform.target.Target (derive the class from it)")
    if lacks := sorted(found.__abstractmethods__):
        raise UnknownTarget(f"target {name!r} lacks {', '.join(lacks)} (write these methods: docs/judge-your-own.md)")
    try:
        target = found()
    except (Exception, SystemExit) as error:
        raise UnknownTarget(
            f"target {name!r} cannot be made: {in_one_line(error)} (the class must need no arguments)"
        ) from error
    if missing := [attribute for attribute in ("name", "bound") if not hasattr(target, attribute)]:
        raise UnknownTarget(f"target {name!r} has no {missing[0]!r} (write it as an attribute of the class)")
    if not isinstance(target.bound, Bound):
        raise UnknownTarget(f"target {name!r} has the bound {target.bound!r} (write Bound(frames=1, back_edges=1))")
    if not (isinstance(target.longest_call, int | float) and target.longest_call > 0):
        raise UnknownTarget(f"target {name!r} has the longest_call {target.longest_call!r} (write seconds, above 0)")
    if not isinstance(target.offers, AbstractSet):
        raise UnknownTarget(f"target {name!r} offers {target.offers!r} (write frozenset({{STOP, INTERRUPT}}))")
    if unknown := sorted(target.offers - ABILITIES.keys()):
        raise UnknownTarget(f"target {name!r} offers {unknown[0]!r} (write some of: {', '.join(ABILITIES)})")
    return target


def _library(error: BaseException, package: str) -> str:
    """The top-level module that a package needs and that cannot be imported; "": none is found.

    The one that an ImportError names; else the first below the package in which the import broke, such as one whose shared library is missing.
    """
    if isinstance(error, ImportError) and error.name and error.name.partition(".")[0] != package:
        return error.name.partition(".")[0]
    tops = [str(frame.f_globals.get("__name__", "")).partition(".")[0] for frame, _ in walk_tb(error.__traceback__)]
    below = tops[len(tops) - tops[::-1].index(package) :] if package in tops else []
    return next((top for top in below if top not in sys.stdlib_module_names), "")


def hold(claim: Claim, runs: Runs, name: str) -> Verdict:
    """Hold one claim against a target.

    `runs`: the target's, for all claims.  `name`: what it is called on the command line; "": a fixture makes it.
    """
    runs.left_out = {}
    option, name = f" --safepoint-target {name}" if name else "", name or runs.target.name
    try:
        return Verdict(claim, "holds", claim.check(runs), left_out=runs.left_out)
    except NotOffered as missing:
        report = f"{claim.name} was not judged: {name} does not offer {missing}"
        return Verdict(claim, "not offered", None, report, runs.left_out)
    except (Refuted, GuestStuck) as refuted:
        repeat = f"repeat    pytest --pyargs safepoint.conform{option} -k {claim.name}"
        report = f"{claim.name} is refuted: {name}\n{indent(claim.sentence + chr(10) + str(refuted), '  ')}\n  {repeat}"
        return Verdict(claim, "refuted", None, report, runs.left_out)
    except KeyboardInterrupt:  # Control-C
        raise
    except BaseException as error:  # noqa: BLE001  # whatever an adapter raises
        report = f"{claim.name} was not judged: the adapter of {name} raised {in_one_line(error)}"
        return Verdict(claim, "no verdict", None, report, runs.left_out)


def in_one_line(error: BaseException) -> str:
    """An exception, and the place where it was raised."""
    where = extract_tb(error.__traceback__)[-1]
    try:
        said = str(error)
    except Exception:  # noqa: BLE001  # a stranger's class
        said = "its text cannot be made"
    text = " ".join(f"{type(error).__name__}: {said[:MOST_TEXT]}".split())
    printable = "".join(c if c.isprintable() else "?" for c in text)
    return f"{printable} ({where.filename}:{where.lineno})"


def judge(target: Target, name: str = "") -> list[Verdict]:
    """Hold every claim, whatever the others gave."""
    runs = Runs(target)
    return [hold(claim, runs, name or target.name) for claim in CLAIMS.values()]


@dataclass(frozen=True, kw_only=True)
class TargetRow:
    """One target in the JSON of `verify` and `conform`.

    `claims`: how many were judged.  `no_verdict`: those at which the adapter failed, and `failed`: how, at the first.  `left_out`: what
    claims that hold did without -> why.  `bound`: kind of check -> the greatest distance observed; None if no request was seen.
    """

    name: str
    claims: int
    refuted: tuple[str, ...] = ()
    not_offered: tuple[str, ...] = ()
    no_verdict: tuple[str, ...] = ()
    failed: str = ""
    left_out: dict[str, str] = field(default_factory=dict)
    bound: dict[str, int] | None = None

    @property
    def unjudged(self) -> str:
        """Why there is no verdict on the target, in one line; "" if there is one."""
        if self.no_verdict:
            more = len(self.no_verdict) - 1
            return self.failed + (
                f"; nor {'were' if more > 1 else 'was'} {more} other{'s' * (more > 1)}" if more else ""
            )
        if self.refuted or self.bound:
            return ""
        return f"no request was judged: {self.name} offers too little (write Target.offers)"


def target_row(name: str, verdicts: list[Verdict]) -> TargetRow:
    """The verdicts on a target in one row."""
    worst = [v.evidence.worst for v in verdicts if v.evidence and v.evidence.worst]

    def named(verdict: str) -> tuple[str, ...]:
        return tuple(v.claim.name for v in verdicts if v.verdict == verdict)

    return TargetRow(
        name=name,
        claims=sum(v.verdict in {"holds", "refuted"} for v in verdicts),
        refuted=named("refuted"),
        not_offered=named("not offered"),
        no_verdict=named("no verdict"),
        failed=next((v.report for v in verdicts if v.verdict == "no verdict"), ""),
        left_out={what: why for v in verdicts if v.verdict == "holds" for what, why in v.left_out.items()},
        bound=worst[0] if worst else None,
    )
