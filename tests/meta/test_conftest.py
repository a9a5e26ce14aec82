"""What tests/conftest.py promises: unknown rules stop the run, and nothing is left out without a word."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(directory: Path, test: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """One test file under our conftest, in a directory of its own."""
    shutil.copy(ROOT / "tests" / "conftest.py", directory)
    (directory / "test_one.py").write_text(f"import pytest\n\n{test}\n")
    (directory / "pytest.ini").write_text("[pytest]\nmarkers = rule(id): a rule\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=60, check=False)


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


def test_what_cannot_run_is_left_out_by_name(tmp_path: Path) -> None:
    (tmp_path / "impl").mkdir()
    (tmp_path / "impl" / "test_two.py").write_text("import llvmlite\n")
    (tmp_path / "blocked.py").write_text("import sys\nsys.modules['llvmlite'] = None\n")
    done = run(tmp_path, "def test_it(): pass", "-p", "blocked")
    assert done.returncode == 0, done.stdout
    assert "left out: tests/impl (llvmlite is not installed: pip install -e '.[vm,test]')" in done.stdout
    assert "1 passed" in done.stdout
