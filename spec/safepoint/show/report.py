"""All that `safepoint verify` found as one HTML file: no script, nothing fetched, fit to be attached to an issue.

The page's text is in `report.html` beside this file; here is what it is filled with.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path as File
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from safepoint.graph.text import Text
from safepoint.model.explore import Result
from safepoint.model.mutants import attempt
from safepoint.model.path import Path, path_of, replay
from safepoint.model.scopes import SCOPES
from safepoint.model.system import Model
from safepoint.protocol.rules import RULES
from safepoint.show.svg import picture

if TYPE_CHECKING:
    from safepoint.verify.report import Report

TEMPLATE = "report.html"
REPLAY = re.compile(r"safepoint replay '(m:[^']+)'")


@dataclass(frozen=True)
class Caught:
    """A counterexample, drawn; and the command that walks it again."""

    drawing: Markup
    replay: str
    scope: str


def page_of(report: Report) -> str:
    """The page about our own text, with the shortest counterexample of each mutant, and of each failure that has one."""
    text = Text()
    failed = [replay(text, string) for failure in report.failures for string in REPLAY.findall(failure)]
    return html(report, text, [found_again(text, row) for row in report.mutants if row["caught"]], failed)


def found_again(text: Text, row: dict[str, Any]) -> Result:
    """What caught a mutant: the scope and the memory model are known, so that none of the others is searched again."""
    return attempt(Model(text, SCOPES[row["scope"]], row["name"], memory=row["memory"]))


def html(report: Report, text: Text, counterexamples: list[Result], failed: Sequence[Path] = ()) -> str:
    """The page.  A counterexample of a mutant stands with the mutant, one of the protocol itself with the verdict."""
    paths = [*map(path_of, counterexamples), *failed]
    drawn = {p.model.mutant: caught(p, text) for p in paths if p.model.mutant}
    environment = Environment(
        loader=FileSystemLoader(File(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["bound"] = bound
    return environment.get_template(TEMPLATE).render(
        report=report,
        verdict=verdict(report),
        summary=summary(report),
        own=[caught(p, text) for p in paths if not p.model.mutant],
        scopes=SCOPES,
        rules=[{**asdict(rule), "mutants": [m for m in report.mutants if m["rule"] == rule.id]} for rule in RULES.values()],
        drawn=drawn,
        places={m.name: f"{m.file}:{m.line}" for m in text.mutants.values()},
        noticed={row["name"]: row["differential"] for row in report.implementation_mutants or [] if row["differential"] is not None},
        differential=list(figures(report.differential or {})),
        concurrency=list(figures(report.concurrency or {})),
        version=version("safepoint"),
    )  # fmt: skip


def caught(path: Path, text: Text) -> Caught:
    drawing = Markup(picture(path, text))
    return Caught(drawing, path.replay, path.model.scope.name)


def verdict(report: Report) -> str:
    """Nothing explored is no verdict, whatever else went well."""
    if report.failures:
        return "refuted"
    return "holds" if report.protocol else "not explored"


def summary(report: Report) -> Iterator[str]:
    """The figures that the verdict rests on."""
    states = sum(row["states"] for row in report.protocol)
    yield f"{len(report.protocol)} scopes, {states:,} states"
    yield f"{sum(row['caught'] for row in report.mutants)} of {len(report.mutants)} mutants caught"
    if report.differential:
        yield f"{report.differential['interrupts']:,} interrupts of the interpreter tried, {report.differential['mismatches']} mismatches"
    if report.left_out:
        yield f"left out: {', '.join(report.left_out).replace('_', ' ')}"


def bound(value: dict[str, int | str | None] | None) -> str:
    """`frames 1, back-edges 1`; null is unbounded, and no bound at all is a dash."""
    if value is None:
        return "-"
    return ", ".join(f"{k.replace('_', '-')} {'unbounded' if v is None else v}" for k, v in value.items())


def figures(row: dict[str, Any], inside: str = "") -> Iterator[tuple[str, str]]:
    """Each number of a section with its name, also of one whose fields were added after this was written."""
    for key, value in row.items():
        name = f"{inside}{key.replace('_', ' ')}"
        if isinstance(value, dict):
            yield from figures(value, f"{name}: ")
        else:
            yield name, f"{value:,}" if isinstance(value, int | float) else str(value)
