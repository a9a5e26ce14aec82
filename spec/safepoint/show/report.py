"""All that `safepoint verify` found as one HTML file: no script, nothing fetched, fit to be attached to an issue.

The page's text is in `report.html` beside this file; here is what it is filled with.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path as File
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from safepoint.differential.cores import ConcurrencyRow
from safepoint.graph.text import Text
from safepoint.model.explore import Result
from safepoint.model.memory.names import says
from safepoint.model.mutants import all_mutants, attempt
from safepoint.model.path import Path, path_of
from safepoint.model.scopes import SCOPES
from safepoint.model.system import Model
from safepoint.protocol.policies import FOLDED, POLICIES
from safepoint.protocol.rules import RULES
from safepoint.show.failures import bound_text, failure_text
from safepoint.show.latency import histogram
from safepoint.show.proved import COUNTED as BOUNDED
from safepoint.show.proved import not_measured, policy_lines
from safepoint.show.svg import picture
from safepoint.verify.explore import Decision

if TYPE_CHECKING:
    from safepoint.verify.report import Report
from safepoint.verify.rows import as_json, mutant_label

TEMPLATE = "report.html"


@dataclass(frozen=True)
class Drawn:
    """A counterexample as a picture; the command that replays it; and the name of its scope."""

    drawing: Markup
    replay: str
    scope: str


def page_of(report: Report) -> str:
    """The page about our own text, with the shortest counterexample of each mutant, and of each failure that has one."""
    text = Text()
    caught = [row for row in report.mutants if row.caught]
    return html(
        report, text, [find_again(text, mutant=r.name, scope=r.scope, memory=r.memory, policy=r.policy) for r in caught]
    )


def find_again(text: Text, *, mutant: str, scope: str, memory: str, policy: str = FOLDED.name) -> Result:
    """The counterexample of a mutant: searched in the scope and memory model that are known to catch it, and in no other."""
    return attempt(Model(text, SCOPES[scope], mutant, POLICIES[policy], memory))


def html(report: Report, text: Text, mutants: Sequence[Result]) -> str:
    """The page.  `mutants`: their counterexamples, each shown with its mutant; those of failures stand with the verdict."""
    failed = [failure.result for failure in report.failures if isinstance(failure, Decision) and failure.result.broken]
    environment = Environment(
        loader=FileSystemLoader(File(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["bound"] = bound_text
    environment.filters["memory"] = says
    noticed = {
        row.name: row.differential for row in report.implementation_mutants or [] if row.differential is not None
    }
    policies = list(policy_lines(report))
    return environment.get_template(TEMPLATE).render(
        report=report,
        verdict=report.verdict,
        summary=summary(report),
        failures=[failure_text(failure) for failure in report.failures],
        own=[draw(path_of(result), text) for result in failed],
        scopes=SCOPES,
        policies=policies,
        bounded=BOUNDED,
        not_measured=not_measured(policies),
        rules=[
            {**asdict(rule), "mutants": [m for m in report.mutants if m.rule == rule.id]} for rule in RULES.values()
        ],
        drawn={
            mutant_label(r.model.policy.name, r.model.mutant): draw(path_of(r), r.model.text) for r in mutants if r.path
        },
        places={mutant_label(p.name, m.name): f"{m.file}:{m.line}" for p, m in all_mutants()},
        noticed=noticed,
        differential=list(figures(as_json(report.differential))) if report.differential else [],
        schedules=list(figures(asdict(report.schedules))) if report.schedules else [],
        concurrency=list(counted(report.concurrency)) if report.concurrency else [],
        latency=plot(report.concurrency) if report.concurrency else "",
        version=version("safepoint"),
    )


def draw(path: Path, text: Text) -> Drawn:
    """A path, drawn."""
    return Drawn(Markup(picture(path, text)), path.replay, path.model.scope.name)


COUNTED = ("requests", "lost", "coalesced", "duplicated", "beyond_bound", "stops", "moved", "handshakes", "births")
"""What of a campaign on real cores the page has; `moved`: guest steps while the world was stopped."""


def counted(row: ConcurrencyRow) -> Iterator[tuple[str, str]]:
    for name in COUNTED:
        yield name.replace("_", " ").replace("moved", "guest steps in a stop"), f"{getattr(row, name):,}"
    yield "races met", f"{row.met} of {len(row.races)}"
    yield "seeded mutants caught", f"{row.caught} of {len(row.seeded)}"


def plot(row: ConcurrencyRow) -> Markup:
    """From post to slow path, drawn; "" if nothing was measured."""
    if not (row.latency_us and row.latency_histogram_us):
        return Markup("")
    return Markup(
        histogram("From the begin of a post to its target's slow path", row.latency_histogram_us, dict(row.latency_us))
    )


def summary(report: Report) -> Iterator[str]:
    """The figures that the verdict rests on."""
    states = sum(row.states for row in report.protocol)
    yield f"{len(report.protocol)} scopes, {states:,} states"
    yield f"{sum(row.caught for row in report.mutants)} of {len(report.mutants)} mutants caught"
    if found := report.differential:
        yield f"{found.interrupts:,} interrupts of the interpreter tried, {found.mismatches} mismatches"
    if report.not_run:
        yield f"not run: {', '.join(report.not_run).replace('_', ' ')}"
    if report.left_out:
        yield f"left out: {', '.join(report.left_out).replace('_', ' ')}"


def figures(row: dict[str, Any], inside: str = "") -> Iterator[tuple[str, str]]:
    """Each number of a section with its name; of a record inside it, "record: name"."""
    for key, value in row.items():
        name = f"{inside}{key.replace('_', ' ')}"
        if isinstance(value, dict):
            yield from figures(value, f"{name}: ")
        else:
            yield name, f"{value:,}" if isinstance(value, int | float) else str(value)
