"""What holds for every test: hypothesis profiles, tests by rule (`--rule ID`), and a name for what is left out."""

from __future__ import annotations

import difflib
import gc
import importlib.util
import os
import platform
import signal
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("dev", max_examples=50, deadline=None)
settings.register_profile("ci", max_examples=100, deadline=None, derandomize=True, print_blob=True)
settings.register_profile(
    "nightly", max_examples=5000, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))  # `--hypothesis-profile` comes later, and wins

NEED_THE_INTERPRETER = ("impl", "differential", "concurrency", "bench")


def why_no_interpreter() -> str:
    """Empty if machine code can be made here."""
    if importlib.util.find_spec("llvmlite") is None:
        return "llvmlite is not installed: pip install -e '.[vm,test]'"
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        return f"machine code is made for Linux x86-64 only, this is {platform.system()} {platform.machine()}"
    return ""


def left_out() -> list[str]:
    """The directories of tests that exist and cannot run here."""
    here = Path(__file__).parent
    return [d for d in NEED_THE_INTERPRETER if (here / d).is_dir()] if why_no_interpreter() else []


collect_ignore = ["programs", *left_out()]  # the programs are guest programs


def unknown(rules: Iterable[object]) -> str:
    """Names the ids that are not ids of rules; empty if all are."""
    from safepoint.protocol.rules import RULES

    wrong = [str(rule) for rule in rules if rule not in RULES]
    near = [name for rule in wrong for name in difflib.get_close_matches(rule, RULES, 1)]
    nearest = f" (did you mean {', '.join(near)}?)" if near else ""
    return f"unknown rule {', '.join(wrong)}{nearest}; `safepoint rules` lists them" if wrong else ""


def pytest_addoption(parser: pytest.Parser) -> None:
    text = "run only the tests that check this rule of the protocol; given twice, those of either"
    parser.addoption("--rule", action="append", default=[], metavar="ID", type=str.upper, help=text)


def pytest_configure(config: pytest.Config) -> None:
    """An unknown id ends the run before collection, with exit status 4: it would select nothing.

    Tests press Control-C.  Where it is ignored, as in what a shell begins in the background, it is not, from here on.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if wrong := unknown(config.getoption("--rule")):
        raise pytest.UsageError(wrong)


def check_rules(marks: Iterable[pytest.Mark]) -> None:
    """`@pytest.mark.rule("ID")` cites rules of the protocol; one that does not exist is an error, not a test."""
    for mark in marks:
        wrong = unknown(mark.args) if mark.args else "a rule mark without an id; `safepoint rules` lists them"
        if wrong:
            pytest.fail(wrong, pytrace=False)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """At collection, where an error also reaches the process that started the workers."""
    check_rules(metafunc.definition.iter_markers("rule"))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """What only a parameter of the test cites."""
    check_rules(item.iter_markers("rule"))


@pytest.fixture
def say(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """For tests that count: a line to be printed at the end, if they pass."""
    return lambda line: request.node.user_properties.append(("said", line))


def is_nightly(config: pytest.Config) -> bool:
    return "nightly" in (config.getoption("--hypothesis-profile"), os.environ.get("HYPOTHESIS_PROFILE"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests marked nightly run in that profile only; `--rule` keeps the tests that cite one of its rules."""
    rules = set(config.getoption("--rule"))

    def is_wanted(item: pytest.Item) -> bool:
        cited = {rule for mark in item.iter_markers("rule") for rule in mark.args}
        on_time = is_nightly(config) or item.get_closest_marker("nightly") is None
        return on_time and (not rules or bool(rules & cited))

    wanted = {item: is_wanted(item) for item in items}
    config.hook.pytest_deselected(items=[item for item in items if not wanted[item]])
    items[:] = [item for item in items if wanted[item]]


def pytest_collection_finish() -> None:
    """What was collected stays to the end: Python's collector looked at it again and again, for a sixth of the time of all tests."""
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)


def executes(thread: threading.Thread) -> bool:
    """Has an OS thread a processor, or does it want one?  Linux only: elsewhere False."""
    try:
        said = Path(f"/proc/self/task/{thread.native_id}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return said.rpartition(")")[2].split()[0] == "R"


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """No test leaves a guest thread that executes: it would take a core from all tests after it.  Those that wait for ever do no harm."""
    until = time.monotonic() + 20
    while any(thread.name == "guest" and executes(thread) for thread in threading.enumerate()):
        if time.monotonic() > until:
            pytest.fail(f"{item.nodeid} has left a guest thread that executes", pytrace=False)
        time.sleep(0.01)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests that count have counted; and never leave anything out silently."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == "said":
                terminalreporter.write_line(str(value))
    if not is_nightly(terminalreporter.config):
        terminalreporter.write_line(
            "left out: what is marked nightly (pytest --hypothesis-profile=nightly)", yellow=True
        )
    if left_out():
        names = ", ".join(f"tests/{d}" for d in left_out())
        terminalreporter.write_line(f"left out: {names} ({why_no_interpreter()})", yellow=True)
