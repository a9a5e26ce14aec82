"""`safepoint verify`: hold the protocol, its mutants, the interpreter and other targets to their claims.

A section that cannot run stays None in the report, and `left_out` says why.
"""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import Executor, ProcessPoolExecutor

from safepoint.conform.judge import TargetRow, UnknownTarget, Verdict, find_target, judge, target_row
from safepoint.model.scopes import not_combined
from safepoint.verify.interpreter import OURS, differential, implementation_mutants
from safepoint.verify.report import Progress, Quiet, Report
from safepoint.verify.text import in_any_number, mutants, protocol


def run(*, quick: bool = True, targets: tuple[str, ...] = (), progress: Progress | None = None) -> Report:
    """All sections, in the order in which a mistake is cheapest to understand.

    `targets`: names for `find_target`, to be judged too.  Raises UnknownTarget, ProtocolError, NotExplored.
    """
    report = Report()
    progress = progress or Quiet()
    report.left_out["combinations"] = f"no scope has together: {', '.join(not_combined('small'))}"
    report.left_out["concurrency"] = "not built yet: controlled schedules and real cores"
    # Not forked: the parent may have threads, and a child must not inherit machine code half built.
    with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn")) as pool:
        protocol(report, pool, progress)
        in_any_number(report, pool, progress)
        mutants(report, pool, progress)
        try:
            find_target(OURS)
        except UnknownTarget as error:
            for section in ("differential", "implementation_mutants"):
                report.left_out[section] = f"the interpreter is not installed: {error} (pip install 'safepoint[vm]')"
        else:
            differential(report, pool, progress, quick)
            implementation_mutants(report, pool, progress)
            targets = (OURS, *targets)
        judge_targets(report, pool, targets, progress)
    return report


def judge_target(name: str) -> tuple[TargetRow, list[Verdict]]:
    """Every claim of the judge, held against one target: the row, and the verdicts that refute."""
    verdicts = judge(find_target(name), name)
    return target_row(name, verdicts), [v for v in verdicts if v.verdict == "refuted"]


def judge_targets(report: Report, pool: Executor, names: tuple[str, ...], progress: Progress) -> None:
    """Judge each target once."""
    with progress.section("targets", len(names)) as done:
        for row, refuted in pool.map(judge_target, dict.fromkeys(names)):
            report.targets.append(row)
            if row.unjudged:
                report.left_out[f"target {row.name}"] = row.unjudged
            report.failures += refuted
            done(row.name)
