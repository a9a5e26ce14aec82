"""The judge tells a VM that is right from twins of it that are wrong, and says why."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from safepoint.conform.claims import CLAIMS
from safepoint.conform.judge import TargetRow, UnknownTarget, find_target, hold, judge, target_row
from safepoint.conform.programs import PROGRAMS, Program
from safepoint.conform.target import NotOffered
from safepoint.protocol.policy import Bound
from tests.conform import twins
from tests.conform.toy import Toy

ROOT = Path(__file__).parents[2]

BROKEN = {
    twins.Forgetful: {"seen-within-bound", "exactly-once", "not-lost-in-slow-path"},
    twins.Hasty: {"not-lost-in-slow-path"},
    twins.Repeating: {"exactly-once"},
    twins.Partial: {"exactly-once", "not-lost-in-slow-path"},
    twins.Forward: {"nothing-else-changes", "storm-progress"},
    twins.Fearful: {"nothing-else-changes", "no-fake-overflow", "storm-progress"},
    twins.Generous: {"nothing-else-changes", "no-fake-overflow", "storm-progress"},
    twins.Stuck: {"storm-progress"},
    twins.Undead: {"ended-thread-is-left-alone"},
    twins.Swallowing: {"interrupt-raises"},
    twins.Dreaming: {"runs-as-python-does", "exactly-once"},
}


def refuted(target: Toy) -> set[str]:
    return {v.claim.name for v in judge(target) if v.verdict == "refuted"}


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.name)
def test_programs_do_under_cpython_what_the_judge_expects(program: Program) -> None:
    printed, error = io.StringIO(), ""
    with contextlib.redirect_stdout(printed):
        try:
            exec(compile(program.source, program.name, "exec"), {})
        except RecursionError as overflow:
            error = type(overflow).__name__
    assert (printed.getvalue(), error) == (program.output, program.error)


def test_a_right_vm_passes_and_attains_its_bound() -> None:
    verdicts = judge(Toy())
    assert [(v.claim.name, v.verdict) for v in verdicts] == [(name, "holds") for name in CLAIMS]
    assert all(v.evidence and v.evidence.tried for v in verdicts)
    assert target_row("toy", verdicts) == TargetRow(
        name="toy", claims=len(CLAIMS), refuted=(), not_offered=(), bound=Bound(1, 1)
    )


@pytest.mark.parametrize("twin", BROKEN, ids=lambda t: t.__name__)
def test_a_broken_twin_is_refuted(twin: type[Toy]) -> None:
    assert refuted(twin()) == BROKEN[twin]


def test_every_claim_is_broken_by_some_twin() -> None:
    assert set().union(*BROKEN.values()) == set(CLAIMS)


def test_a_vm_that_never_ends_is_refuted_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("safepoint.conform.runs.ENOUGH", 1000)
    assert "the guest still runs after 1,000 steps" in hold(CLAIMS["seen-within-bound"], twins.Endless(), "toy").report


def test_a_refutation_says_what_happened_and_how_to_repeat_it() -> None:
    assert hold(CLAIMS["seen-within-bound"], twins.Forgetful(), "twins:Forgetful").report == (
        "seen-within-bound is refuted: twins:Forgetful\n"
        "  A request is seen within the declared number of frame pushes and back-edges,"
        " unless the thread ends before that.\n"
        "  program   loops\n"
        "  posted    before step 0: STOP\n"
        "  seen      STOP never; the thread ended after 0 frame pushes, 13 back-edges\n"
        "  claimed   the declared bound: 1 frame push, 1 back-edge\n"
        "  repeat    pytest --pyargs safepoint.conform --safepoint-target twins:Forgetful -k seen-within-bound"
    )


def test_the_interleaving_in_the_slow_path_is_named() -> None:
    report = hold(CLAIMS["not-lost-in-slow-path"], twins.Hasty(), "toy").report
    assert "STOP, and INTERRUPT at shared access 4 of it" in report  # 0-2: the post; 3: the take


@pytest.mark.parametrize(
    ("bound", "holds"),
    [
        (Bound(2, 5), True),
        (Bound("depth", "depth"), True),
        (Bound(None, 1), True),
        (Bound(1, 0), False),
        (Bound(0, None), False),
    ],
)
def test_the_declared_bound_is_what_counts(bound: Bound, *, holds: bool) -> None:
    target = Toy()
    target.bound = bound
    assert ("seen-within-bound" not in refuted(target)) == holds


def test_a_vm_in_which_nothing_is_ever_seen_does_not_pass_by_declaring_no_bound() -> None:
    class Blind(Toy):
        bound = Bound(None, None)

        def post(self, kind: str) -> None:
            pass

    verdict = hold(CLAIMS["seen-within-bound"], Blind(), "toy")
    assert "seen      none, ever" in verdict.report


def test_what_is_not_offered_is_named() -> None:
    class Modest(Toy):
        def post(self, kind: str) -> None:
            if kind == "STOP":
                raise NotOffered("STOP")
            super().post(kind)

    verdicts = {v.claim.name: v for v in judge(Modest(), "modest")}
    assert verdicts["storm-progress"].verdict == "not offered"
    assert verdicts["storm-progress"].report == "storm-progress was not judged: modest does not offer STOP"
    bounded = verdicts["seen-within-bound"]
    assert bounded.verdict == "holds"
    assert bounded.evidence is not None
    assert bounded.evidence.not_offered == ("STOP",)


@pytest.mark.parametrize(
    "name", ["no-such", "no.such:Module", "safepoint.protocol.policies:NoSuch", "safepoint.protocol.policies:Bound"]
)
def test_an_unknown_target_is_one_line_that_says_what_to_write(name: str) -> None:
    with pytest.raises(UnknownTarget, match=r"^[^\n]*\(.*\)[^\n]*$") as caught:
        find_target(name)
    assert name in str(caught.value)


# ---------------------------------------------------------------------------------------------- in a real pytest


def run_pytest(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """As a stranger would, in a directory of their own, with the plugin as installed (or by name, if it is not)."""
    installed = entry_points(group="pytest11", name="safepoint")
    command = [sys.executable, "-m", "pytest", "--pyargs", "safepoint.conform", "-p", "no:cacheprovider"]
    paths = [str(ROOT / "spec"), str(Path(__file__).parent), str(ROOT), os.environ.get("PYTHONPATH", "")]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    return subprocess.run(
        [*command, *([] if installed else ["-p", "safepoint.conform.plugin"]), *arguments],
        cwd=directory,
        env={**environment, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_pytest_passes_a_right_vm(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, "--safepoint-target", "toy:Toy")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(CLAIMS)} passed" in done.stdout
    assert "at most 1 frame push, 1 back-edge" in done.stdout


def test_pytest_refutes_a_broken_vm_and_the_command_it_prints_repeats_it(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, "--safepoint-target", "twins:Forgetful")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "  seen      STOP never; the thread ended after 0 frame pushes, 13 back-edges" in done.stdout
    assert "Traceback" not in done.stdout
    again = run_pytest(tmp_path, "--safepoint-target", "twins:Forgetful", "-k", "seen-within-bound")
    assert again.returncode == 1
    assert "1 failed" in again.stdout
    assert "8 deselected" in again.stdout


def test_pytest_says_what_to_give_if_no_target_is_named(tmp_path: Path) -> None:
    done = run_pytest(tmp_path)
    assert done.returncode == 4
    assert "give --safepoint-target NAME" in done.stderr + done.stdout


@pytest.mark.parametrize(("made", "status"), [("toy.Toy()", 0), ("twins.Forgetful()", 1)])
def test_a_conftest_may_make_the_target_itself(made: str, status: int, tmp_path: Path) -> None:
    """With arguments, say; no option names it, and the command that repeats a refutation has none."""
    (tmp_path / "conftest.py").write_text(
        f"import pytest, toy, twins\n\n@pytest.fixture(scope='session')\ndef safepoint_target():\n    return {made}\n"
    )
    done = run_pytest(tmp_path)
    assert done.returncode == status, done.stdout + done.stderr
    assert "repeat    pytest --pyargs safepoint.conform -k seen-within-bound" in done.stdout or status == 0


def test_pytest_says_so_if_the_target_is_unknown(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, "--safepoint-target", "no-such")
    assert done.returncode == 4, done.stdout + done.stderr
    assert "no target 'no-such'" in done.stderr + done.stdout


def test_the_plugin_imports_nothing_heavy() -> None:
    code = "import sys, pytest; before = set(sys.modules); import safepoint.conform.plugin; print(*(set(sys.modules) - before))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "spec")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=30, check=True
    )
    assert set(done.stdout.split()) == {"safepoint", "safepoint.conform", "safepoint.conform.plugin"}
