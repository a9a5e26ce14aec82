"""`safepoint verify`: hold the protocol, its mutants, the interpreter and other targets to their claims.

A section that cannot run stays None in the report, and `left_out` says why.
"""

from __future__ import annotations

from concurrent.futures import Executor, Future

from safepoint.conform.judge import TargetRow, UnknownTarget, Verdict, find_target
from safepoint.model.scopes import not_combined
from safepoint.verify.controlled import controlled_mutants, schedules
from safepoint.verify.cores import concurrency
from safepoint.verify.interpreter import OURS, differential, implementation_mutants
from safepoint.verify.judging import judge_target
from safepoint.verify.mistakes import own_mistakes
from safepoint.verify.report import Progress, Quiet, Report
from safepoint.verify.text import in_any_number, mutants, protocol
from safepoint.verify.under import races_under, schedules_under


def run(
    *, pool: Executor, quick: bool = True, targets: tuple[str, ...] = (), progress: Progress | None = None
) -> Report:
    """All sections, in the order in which a mistake is cheapest to understand, by the workers of `pool`.

    `targets`: names for `find_target`, to be judged too.  Raises UnknownTarget, ProtocolError, NotExplored.
    """
    report = Report()
    progress = progress or Quiet()
    report.left_out["combinations"] = f"no scope has together: {', '.join(not_combined('small'))}"
    protocol(report, pool, progress)
    in_any_number(report, pool, progress)
    mutants(report, pool, progress, quick=quick)
    try:
        find_target(OURS)
    except UnknownTarget as error:
        for section in ("differential", "schedules", "concurrency", "implementation_mutants"):
            report.left_out[section] = f"the interpreter cannot run: {error}"
        judge_targets(report, begin_judging(pool, targets), progress)
    else:
        judged = begin_judging(pool, (OURS, *targets))  # before the rest: one target keeps one core busy for long
        differential(report, pool, progress, quick)
        schedules(report, pool, progress, quick=quick)
        implementation_mutants(report, pool, progress)
        controlled_mutants(report, pool, progress)
        own_mistakes(report, pool, progress, quick=quick)
        judge_targets(report, judged, progress)
        schedules_under(report, pool, progress, quick=quick)
        concurrency(report, pool, progress, quick=quick)  # when nothing else wants the cores
        if not quick:
            races_under(report, pool, progress)
    return report


Judged = list[Future[tuple[TargetRow, list[Verdict]]]]


def begin_judging(pool: Executor, names: tuple[str, ...]) -> Judged:
    """Judge each target once."""
    return [pool.submit(judge_target, name) for name in dict.fromkeys(names)]


def judge_targets(report: Report, judged: Judged, progress: Progress) -> None:
    """Wait for what `begin_judging` has begun.  Raises UnknownTarget."""
    with progress.section("targets", len(judged)) as done:
        for row, verdicts in (each.result() for each in judged):
            report.targets.append(row)
            if row.unjudged:
                report.left_out[f"target {row.name}"] = row.unjudged
            report.failures += [v for v in verdicts if v.verdict == "refuted"]
            done(row.name)
