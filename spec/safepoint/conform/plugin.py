"""The pytest plugin: `pytest --pyargs safepoint.conform --safepoint-target NAME` judges a VM, one test for each claim.

pytest loads this file at every start where the project is installed, so it imports nothing before it is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from safepoint.conform.judge import Verdict
    from safepoint.conform.target import Target

OPTION = "--safepoint-target"
VERDICT = "safepoint-verdict"
"""The user property of a test report that holds the claim's line for the summary."""
TARGET: pytest.StashKey[Target] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("safepoint", "judging a VM's safepoints")
    group.addoption(OPTION, metavar="NAME", help="entry point of the group safepoint.targets, or module:Class")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Find the target before the first claim: a wrong name is one error, not one for each claim."""
    if not any(_is_ours(item) for item in items):
        return
    from safepoint.conform.judge import UnknownTarget, find_target, registered

    name = config.getoption(OPTION)
    if name is None:
        raise pytest.UsageError(
            f"no target to judge: give {OPTION} NAME (registered: {registered()}) or {OPTION} module:Class"
        )
    try:
        config.stash[TARGET] = find_target(name)
    except UnknownTarget as error:
        raise pytest.UsageError(str(error)) from error


def _is_ours(item: pytest.Item) -> bool:
    """Does the test use the fixture of this file, and not one that a conftest has put in its place?"""
    known = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {})
    return any(fixture.func.__module__ == __name__ for fixture in known.get("safepoint_target", ())[-1:])


@pytest.fixture(scope="session")
def safepoint_target(pytestconfig: pytest.Config) -> Target:
    return pytestconfig.stash[TARGET]


def summary_of(verdict: Verdict) -> str:
    """One line: how many cases were tried, the greatest distances, and the kinds that the target does not offer."""
    if verdict.evidence is None:
        return verdict.report.splitlines()[0]
    from safepoint.conform.runs import in_words

    found = verdict.evidence
    parts = [f"{verdict.claim.name} holds: {found.tried:,} cases"]
    if found.worst:
        parts.append(f"at most {in_words(found.worst.as_json())}")
    if found.not_offered:
        parts.append(f"not offered: {', '.join(found.not_offered)}")
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
