"""The main job: hold the protocol, its mutants, the interpreter, and any other target to their claims, and say what came of it.

Each section gives a plain value for the JSON of the same name; None means that it was not tried, and `left_out` says why.
"""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import Executor, ProcessPoolExecutor

from safepoint.conform.judge import UnknownTarget, as_json, find_target, judge
from safepoint.model.scopes import not_combined
from safepoint.verify.interpreter import differential, implementation_mutants
from safepoint.verify.report import Progress, Quiet, Report, Row
from safepoint.verify.text import in_any_number, mutants, protocol


def run(*, quick: bool = True, targets: tuple[str, ...] = (), progress: Progress | None = None) -> Report:
    """Everything that is built, in the order in which a mistake would be cheapest to understand."""
    report, told = Report(), progress or Quiet()
    report.left_out["combinations"] = f"no scope has together: {', '.join(not_combined('small'))}"
    report.left_out["concurrency"] = "not built yet: controlled schedules and real cores"
    # Not forked: the parent may have threads, and a child must not inherit machine code half built.
    with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn")) as pool:
        protocol(report, pool, told)
        in_any_number(report, pool, told)
        mutants(report, pool, told)
        try:
            find_target("folded")
        except UnknownTarget as error:
            for section in ("differential", "implementation_mutants"):
                report.left_out[section] = f"{error} -- the interpreter needs: pip install 'safepoint[vm]'"
        else:
            differential(report, pool, told, quick)
            implementation_mutants(report, pool, told)
            targets = ("folded", *targets)
        _targets(report, pool, targets, told)
    return report


def judged(name: str) -> tuple[Row, list[str]]:
    verdicts = judge(find_target(name), name)
    return as_json(name, verdicts), [v.report for v in verdicts if v.verdict == "refuted"]


def _targets(report: Report, pool: Executor, names: tuple[str, ...], told: Progress) -> None:
    with told.section("targets", len(names)) as done:
        for row, refuted in pool.map(judged, dict.fromkeys(names)):
            report.targets.append(row)
            report.failures += refuted
            done(row["name"])
