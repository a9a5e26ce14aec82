"""`safepoint replay` of a schedule on any target that can be stepped, and what it says where it cannot."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from safepoint.cli.main import cli
from safepoint.conform.target import STOP
from safepoint.differential.reference import Reference
from safepoint.graph.text import Text
from safepoint.guest.lockstep import MAIN
from safepoint.verify.replay import CannotReplay, Repeated, replay
from tests.conform.toy import Toy

OURS = "safepoint.differential.reference:Reference"


class Deaf(Reference):
    """Forgets every STOP."""

    def post(self, kind: str, thread: int = MAIN) -> None:
        if kind != STOP:
            super().post(kind, thread)


class Stranger(Toy):
    """Can be judged, and not stepped by a schedule."""


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "strangers", sys.modules[__name__])


def test_a_strangers_target_that_is_right_agrees() -> None:
    found = replay("s:fib@3STOP", Text(), target=OURS)
    assert isinstance(found, Repeated)
    assert found.agrees
    assert [seen.kind for seen in found.observed.seen] == ["STOP"]


def test_a_strangers_target_that_is_wrong_differs_and_prints_the_command_that_repeats_it() -> None:
    command = ["replay", "--target", "strangers:Deaf", "s:fib@3STOP"]
    result = CliRunner().invoke(cli, command)
    assert result.exit_code == 1
    assert "seen         reference (Seen(kind='STOP'" in result.output
    assert result.output.rstrip().endswith("again: safepoint replay --target strangers:Deaf 's:fib@3STOP'")


@pytest.mark.parametrize("page", ["CHANGELOG.md", "README.md", "CONTRIBUTING.md", "impl/README.md", "spec/README.md"])
def test_a_schedule_that_a_page_shows_can_be_repeated(page: str) -> None:
    text = (Path(__file__).parents[2] / page).read_text(encoding="utf-8")
    for string in re.findall(r"safepoint replay '(s:[^']+)'", text):
        assert replay(string, Text(), target=OURS).agrees


@pytest.mark.parametrize(
    ("string", "target", "mutant", "said"),
    [
        (
            "s:fib@3STOP",
            "strangers:Stranger",
            "",
            "cannot be driven by a schedule (derive it from safepoint.differential.",
        ),
        ("s:fib@3STOP", OURS, "no-lock", "does not offer mutated (leave out --mutant)"),
        ("s:fib@99999STOP", OURS, "", "steps, numbered from 0 (step 99999 is not one)"),
    ],
)
def test_what_cannot_be_replayed_says_why(string: str, target: str, mutant: str, said: str) -> None:
    with pytest.raises(CannotReplay) as caught:
        replay(string, Text(), mutant, target)
    assert said in str(caught.value)


def test_a_program_that_does_not_compile_says_where(tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    path.write_text("x = 1\ny = {1: 2}\n", encoding="utf-8")
    with pytest.raises(CannotReplay, match=r":2:5: .*\(write instead: "):
        replay(f"s:{path}@0STOP", Text(), target=OURS)


SCHEDULE = ("replay", "s:loop|SAMPLE@sc:5>1")
MISSING = "raise ModuleNotFoundError(\"No module named 'llvmlite'\", name='llvmlite')"


@pytest.mark.parametrize(
    ("source", "told", "command"),
    [
        (MISSING, "No module named 'llvmlite'", SCHEDULE),
        (
            "raise ImportError('nothing there')",
            "nothing there",
            ("distance", "--mutant", "compiled-loop-unpoisoned", "f.py"),
        ),
        ("import os\nos.stat('/no/such/library.so')", "FileNotFoundError: ", SCHEDULE),
    ],
    ids=["missing", "unnamed", "no shared library"],
)
def test_without_what_the_interpreter_needs_it_says_what_to_install(
    source: str, told: str, command: tuple[str, ...], tmp_path: Path
) -> None:
    """In a process of its own: this one may have imported it."""
    (tmp_path / "llvmlite.py").write_text(source + "\n", encoding="utf-8")
    (tmp_path / "f.py").write_text("print(1)\n", encoding="utf-8")
    start = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from safepoint.cli.entry import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", start, *command], capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    assert told in done.stderr
    assert done.stderr.endswith(" (pip install llvmlite)\n")
