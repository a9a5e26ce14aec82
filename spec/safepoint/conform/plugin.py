"""The pytest plugin: `pytest --pyargs safepoint.conform --safepoint-target NAME` judges a VM, one test for each claim.

pytest loads this file at every start where the project is installed, so it imports nothing before it is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from safepoint.conform.judge import Verdict
    from safepoint.conform.runs import Runs
    from safepoint.conform.target import Target

OPTION = "--safepoint-target"
TARGET: pytest.StashKey[Target] = pytest.StashKey()
VERDICT = "safepoint-verdict"
"""The user property of a test report that holds the claim's line for the summary."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("safepoint", "judging a VM's safepoints")
    group.addoption(OPTION, metavar="NAME", help="entry point of the group safepoint.targets, or module:Class")


def find(config: pytest.Config) -> Target:
    """The target that the option names.  Raises UsageError, in one line."""
    from safepoint.conform.judge import UnknownTarget, find_target, registered

    name = config.getoption(OPTION)
    if name is None:
        raise pytest.UsageError(
            f"no target to judge: give {OPTION} NAME (registered: {registered()}) or {OPTION} module:Class"
        )
    try:
        return find_target(name)
    except UnknownTarget as error:
        raise pytest.UsageError(str(error)) from error


def pytest_configure(config: pytest.Config) -> None:
    """Find the target that is named before xdist starts its workers, which cannot report a wrong name."""
    if config.getoption(OPTION) is not None and config.getoption("numprocesses", None) and not _is_worker(config):
        config.stash[TARGET] = find(config)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Find the target before the first claim: a name that is missing is one error, not one for each claim.

    In a worker of xdist it is one for each, because the collection of a worker must not fail.
    """
    if any(_is_ours(item) for item in items) and TARGET not in config.stash and not _is_worker(config):
        config.stash[TARGET] = find(config)


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _is_ours(item: pytest.Item) -> bool:
    """Does the test use the fixture of this file, and not one that a conftest has put in its place?"""
    known = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {})
    return any(fixture.func.__module__ == __name__ for fixture in known.get("safepoint_target", ())[-1:])


@pytest.fixture(scope="session")
def safepoint_target(pytestconfig: pytest.Config) -> Target:
    try:
        return pytestconfig.stash.get(TARGET, None) or find(pytestconfig)
    except pytest.UsageError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def safepoint_runs(safepoint_target: Target) -> Runs:
    """The target's runs, each made once for all claims."""
    from safepoint.conform.runs import Runs

    return Runs(safepoint_target)


def summary_of(verdict: Verdict) -> str:
    """One line: how many cases were tried, the greatest distances, and what the target does not offer."""
    from safepoint.conform.distances import in_words

    found = verdict.evidence
    if found is None:
        return verdict.report.splitlines()[0]
    parts = [f"{verdict.claim.name} holds: {found.tried:,} cases"]
    if found.worst:
        parts.append(f"at most {in_words(found.worst)}")
    if verdict.left_out:
        parts.append("left out: " + ", ".join(f"{what} ({why})" for what, why in verdict.left_out.items()))
    return "; ".join(parts)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    lines = [
        str(value)
        for reports in terminalreporter.stats.values()
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == VERDICT and report.when == "call"
    ]
    if lines:
        terminalreporter.section("safepoint claims")
        for line in lines:
            terminalreporter.write_line(line)
