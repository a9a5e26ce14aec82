"""`safepoint verify`: hold the protocol, its mutants, the interpreter and other targets to their claims.

A section that cannot run stays None in the report, and `left_out` says why.
"""

from __future__ import annotations

from concurrent.futures import Executor

from safepoint.conform.judge import TargetRow, UnknownTarget, Verdict, find_target, judge, target_row
from safepoint.model.scopes import not_combined
from safepoint.verify.interpreter import OURS, differential, implementation_mutants
from safepoint.verify.report import Progress, Quiet, Report
from safepoint.verify.text import in_any_number, mutants, protocol
from safepoint.verify.workers import hearing_control_c, workers


def run(*, quick: bool = True, targets: tuple[str, ...] = (), progress: Progress | None = None) -> Report:
    """All sections, in the order in which a mistake is cheapest to understand.

    `targets`: names for `find_target`, to be judged too.  Raises UnknownTarget, ProtocolError, NotExplored.
    """
    report = Report()
    progress = progress or Quiet()
    report.left_out["combinations"] = f"no scope has together: {', '.join(not_combined('small'))}"
    report.left_out["concurrency"] = "not built yet: controlled schedules and real cores"
    with workers() as pool:
        protocol(report, pool, progress)
        in_any_number(report, pool, progress)
        mutants(report, pool, progress)
        try:
            find_target(OURS)
        except UnknownTarget as error:
            for section in ("differential", "implementation_mutants"):
                report.left_out[section] = f"the interpreter cannot run: {error} (pip install llvmlite)"
        else:
            differential(report, pool, progress, quick)
            implementation_mutants(report, pool, progress)
            targets = (OURS, *targets)
        judge_targets(report, pool, targets, progress)
    return report


def judge_target(name: str) -> tuple[TargetRow, list[Verdict]]:
    """In a worker: every claim of the judge, held against one target.  Raises UnknownTarget."""
    with hearing_control_c():
        verdicts = judge(find_target(name), name)
    return target_row(name, verdicts), verdicts


def judge_targets(report: Report, pool: Executor, names: tuple[str, ...], progress: Progress) -> None:
    """Judge each target once."""
    with progress.section("targets", len(names)) as done:
        for row, verdicts in pool.map(judge_target, dict.fromkeys(names)):
            report.targets.append(row)
            if row.unjudged:
                report.left_out[f"target {row.name}"] = row.unjudged
            report.failures += [v for v in verdicts if v.verdict == "refuted"]
            done(row.name)
