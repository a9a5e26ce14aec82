"""What tests/conftest.py promises: unknown rules stop the run, and nothing is left out without a word."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from safepoint.graph.text import Text
from safepoint.protocol.rules import RULES

ROOT = Path(__file__).parents[2]


def run(directory: Path, test: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """One test file under our conftest, in a directory of its own."""
    shutil.copy(ROOT / "tests" / "conftest.py", directory)
    (directory / "test_one.py").write_text(f"import pytest\n\n{test}\n")
    (directory / "pytest.ini").write_text("[pytest]\nmarkers = rule(id): a rule\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=300, check=False)


CITES = '@pytest.mark.rule("{}")\ndef test_it(): pass'
CITES_IN_A_PARAMETER = (
    '@pytest.mark.parametrize("x", [pytest.param(1, marks=pytest.mark.rule("{}"))])\ndef test_it(x): pass'
)


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "with-workers"])
@pytest.mark.parametrize("test", [CITES, CITES_IN_A_PARAMETER], ids=["function", "parameter"])
def test_an_unknown_rule_fails(tmp_path: Path, test: str, workers: tuple[str, ...]) -> None:
    done = run(tmp_path, test.format("NO-SUCH"), *workers)
    assert done.returncode in (1, 2)
    assert "unknown rule NO-SUCH; `safepoint rules` lists them" in done.stdout


def test_a_known_rule_passes(tmp_path: Path) -> None:
    assert run(tmp_path, CITES.format("POST-BEFORE-POISON")).returncode == 0


BOTH = "\n".join(
    CITES.format(rule).replace("test_it", f"test_{n}") for n, rule in enumerate(["STOP-PARKS", "STOP-ENDS"])
)


@pytest.mark.parametrize(
    ("rules", "passed"), [((), 3), (("STOP-PARKS",), 1), (("STOP-PARKS", "STOP-ENDS"), 2)], ids=["none", "one", "two"]
)
def test_the_option_selects_what_cites_a_rule(tmp_path: Path, rules: tuple[str, ...], passed: int) -> None:
    done = run(tmp_path, f"{BOTH}\ndef test_other(): pass", *(f"--rule={rule}" for rule in rules))
    assert done.returncode == 0
    assert f"{passed} passed" in done.stdout


def test_the_option_selects_by_a_parameters_rule(tmp_path: Path) -> None:
    done = run(tmp_path, CITES_IN_A_PARAMETER.format("STOP-PARKS"), "--rule=STOP-PARKS")
    assert "1 passed" in done.stdout


def test_the_option_takes_any_case_and_names_the_nearest(tmp_path: Path) -> None:
    assert "1 passed" in run(tmp_path, BOTH, "--rule=stop-parks").stdout
    assert (
        "unknown rule STOP-PARK (did you mean STOP-PARKS?); `safepoint rules` lists them"
        in run(tmp_path, BOTH, "--rule=stop-park").stderr
    )


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "with-workers"])
def test_tests_can_press_control_c_where_it_is_ignored(tmp_path: Path, workers: tuple[str, ...]) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        done = run(
            tmp_path,
            "import signal\ndef test_it():\n    with pytest.raises(KeyboardInterrupt):\n        signal.raise_signal(2)",
            *workers,
        )
    finally:
        signal.signal(signal.SIGINT, before)
    assert "1 passed" in done.stdout


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "with-workers"])
def test_a_rule_that_does_not_exist_selects_nothing_and_says_so(tmp_path: Path, workers: tuple[str, ...]) -> None:
    done = run(tmp_path, "def test_it(): pass", "--rule=NO-SUCH", *workers)
    assert done.returncode == 4
    assert done.stderr.strip() == "ERROR: unknown rule NO-SUCH; `safepoint rules` lists them"


def test_every_rule_has_a_test() -> None:
    """What `safepoint rules ID` tells to run selects something; the id of a test of a mutant begins with its rule."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", "tests/model"]
    collect = partial(subprocess.run, cwd=ROOT, capture_output=True, text=True, timeout=300, check=True)
    found = collect([*command, *(f"--rule={rule}" for rule in RULES)]).stdout.splitlines()
    selected = {line.partition("[")[2].removesuffix("]") for line in found if "::" in line}
    assert {f"{m.rule}:{m.name}" for m in Text().mutants.values()} <= selected
    assert set(RULES) <= {name.partition(":")[0] for name in selected}


def test_what_cannot_run_is_left_out_by_name(tmp_path: Path) -> None:
    (tmp_path / "impl").mkdir()
    (tmp_path / "impl" / "test_two.py").write_text("import llvmlite\n")
    (tmp_path / "blocked.py").write_text("import sys\nsys.modules['llvmlite'] = None\n")
    done = run(tmp_path, "def test_it(): pass", "-p", "blocked")
    assert done.returncode == 0, done.stdout
    assert "left out: tests/impl (llvmlite is not installed: pip install -e '.[vm,test]')" in done.stdout
    assert "1 passed" in done.stdout
