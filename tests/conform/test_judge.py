"""The judge tells a VM that is right from twins of it that are wrong, and says why."""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import ClassVar

import pytest

from safepoint.conform.claims import CLAIMS
from safepoint.conform.judge import TargetRow, UnknownTarget, Verdict, find_target, hold, judge, target_row
from safepoint.conform.outcomes import outcomes
from safepoint.conform.programs import PROGRAMS, Program
from safepoint.conform.runs import Runs
from safepoint.conform.target import KINDS, NotOffered, Observation, Target
from safepoint.protocol.policy import Bound
from tests.conform import twins
from tests.conform.threads_toy import ThreadsToy
from tests.conform.toy import Guest, Toy

ROOT = Path(__file__).parents[2]

ALONE = {
    twins.Dreaming: "runs-as-python-does",
    twins.Sluggish: "seen-within-bound",
    twins.Repeating: "exactly-once",
    twins.Shadowing: "neither-hides-the-other",
    twins.OneShot: "seen-again",
    twins.Shallow: "interrupt-raises",
    twins.Recounting: "nothing-else-changes",
    twins.Generous: "no-fake-overflow",
    twins.Stuck: "storm-progress",
    twins.Unfair: "storm-starves-no-thread",
    twins.Hasty: "not-lost-in-slow-path",
    twins.Undead: "ended-thread-is-left-alone",
    twins.Restless: "checks-pass-again",
    twins.Unanswered: "requester-is-answered",
    twins.Untidy: "except-and-finally-run",
    twins.Maskless: "masks-hold",
    twins.Sleeper: "blocked-guest-is-woken",
    twins.Polite: "blocked-guest-is-not-waited-for",
    twins.Astray: "threads-are-told-apart",
    twins.Stale: "births-are-clean",
}
"""A twin for each claim, which it alone tells from a right VM."""
BROKEN: dict[type[Toy], set[str]] = {twin: {claim} for twin, claim in ALONE.items()} | {
    twins.Forgetful: {
        "seen-within-bound", "neither-hides-the-other", "seen-again", "storm-starves-no-thread", "not-lost-in-slow-path",
    },
    twins.Uncounted: {"seen-within-bound"},
    twins.Unbounded: {"seen-within-bound"},
    twins.Partial: {"neither-hides-the-other", "storm-starves-no-thread", "not-lost-in-slow-path"},
    twins.Deaf: {"seen-again", "storm-starves-no-thread"},
    twins.Forward: {"nothing-else-changes", "storm-progress"},
    twins.Fearful: {"nothing-else-changes", "no-fake-overflow", "storm-progress", "masks-hold"},
    twins.Swallowing: {"interrupt-raises", "except-and-finally-run", "masks-hold"},
    twins.Leaky: {"masks-hold"},
}  # fmt: skip


THREADED = ("blocked-guest-is-woken", "blocked-guest-is-not-waited-for", "threads-are-told-apart", "births-are-clean")
"""The claims that the toy with one thread cannot be held to."""


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


def test_python_says_what_an_interrupt_leads_to() -> None:
    died = "KeyboardInterrupt"
    program = Program(
        "small", "try:\n    print(1)\nexcept KeyboardInterrupt:\n    print(2)\nfinally:\n    print(3)\n", ""
    )
    assert outcomes(program, 0) == {("", "")}
    once = {("", died), ("2\n3\n", ""), ("1\n2\n3\n", ""), ("1\n", died), ("1\n3\n", died)}
    assert outcomes(program, 1) == once
    handled = {("3\n", died), ("2\n3\n", died), ("1\n3\n", died), ("1\n2\n3\n", died)}  # the second, in the handler
    finished = {("2\n", died), ("1\n2\n", died)}  # the second, at the beginning of the `finally`
    assert outcomes(program, 2) == handled | finished


def test_a_right_vm_passes_and_attains_its_bound() -> None:
    verdicts = judge(ThreadsToy())
    assert [(v.claim.name, v.verdict) for v in verdicts] == [(name, "holds") for name in CLAIMS]
    assert all(v.evidence and v.evidence.tried for v in verdicts)
    row = target_row("toy", verdicts)
    assert row == TargetRow(name="toy", claims=len(CLAIMS), bound={"frames": 1, "back_edges": 1})
    assert not row.unjudged


@pytest.mark.parametrize("twin", BROKEN, ids=lambda t: t.__name__)
def test_a_broken_twin_is_refuted(twin: type[Toy]) -> None:
    assert refuted(twin()) == BROKEN[twin]


def test_every_claim_alone_breaks_some_twin() -> None:
    assert sorted(ALONE.values()) == sorted(CLAIMS)


def held(claim: str, target: Target, name: str = "toy") -> Verdict:
    return hold(CLAIMS[claim], Runs(target), name)


@pytest.mark.parametrize("claim", ["seen-within-bound", "seen-again", "storm-progress"])
def test_a_vm_that_never_ends_is_refuted_not_waited_for(claim: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("safepoint.conform.runs.ENOUGH", 1000)
    verdict = held(claim, twins.Endless())
    assert verdict.verdict == "refuted"
    assert ("ended False" if claim == "storm-progress" else "still runs after 1,000 steps") in verdict.report


def test_a_refutation_says_what_happened_and_how_to_repeat_it() -> None:
    assert held("seen-within-bound", twins.Forgetful(), "twins:Forgetful").report == (
        "seen-within-bound is refuted: twins:Forgetful\n"
        "  A request is seen within the declared number of checks,"
        " unless the thread ends before that.\n"
        "  program   loops\n"
        "  posted    before step 0: STOP\n"
        "  seen      STOP never; the thread ended after 0 frame pushes, 13 back-edges\n"
        "  claimed   the declared bound: 1 frame push, 1 back-edge\n"
        "  repeat    pytest --pyargs safepoint.conform --safepoint-target twins:Forgetful -k seen-within-bound"
    )


def test_the_interleaving_in_the_slow_path_is_named() -> None:
    report = held("not-lost-in-slow-path", twins.Hasty()).report
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
    assert held("seen-within-bound", target).verdict == ("holds" if holds else "refuted")


def test_a_vm_in_which_nothing_is_ever_seen_does_not_pass_by_declaring_no_bound() -> None:
    class Blind(Toy):
        bound = Bound(None, None)

        def post(self, kind: str, thread: int = 0) -> None:
            pass

    assert "seen      none, ever" in held("seen-within-bound", Blind()).report


def test_a_kind_that_is_never_seen_is_not_covered_by_another() -> None:
    class HalfBlind(Toy):
        bound = Bound(None, None)

        def post(self, kind: str, thread: int = 0) -> None:
            if kind == "STOP":
                super().post(kind)

    report = held("seen-within-bound", HalfBlind()).report
    assert "posted    INTERRUPT, " in report
    assert "seen      none, ever" in report


def test_a_request_that_is_seen_before_any_check_is_seen() -> None:
    """As in a VM that looks at every instruction: Lua's hook, CPython's eval breaker after a call."""

    class Alert(Toy):
        bound = Bound(0, 0)
        further: ClassVar = {"instruction": 1}

        def step(self, count: int = 1) -> bool:
            if self.pending and not self.ended:
                self.guest = raising(self.guest, self.slow_path)
            return super().step(count)

    def raising(guest: Guest, look: Callable[[], None]) -> Guest:
        with suppress(KeyboardInterrupt):
            look()
            return (yield from guest)
        guest.throw(KeyboardInterrupt)
        return (yield from guest)

    verdict = held("seen-within-bound", Alert())
    assert verdict.verdict == "holds", verdict.report
    assert verdict.evidence
    assert verdict.evidence.worst == {"frames": 0, "back_edges": 0, "instruction": 0}


class Returning(Toy):
    """Looks at returns, and not at frame pushes."""

    bound = Bound(None, 1)
    further: ClassVar = {"return": 1}

    def start(self) -> None:
        super().start()
        self.returns = 0

    def push(self) -> None:
        self.frames += 1
        if self.depth + 1 > self.most:
            raise RecursionError
        self.depth += 1

    def pop(self, result: int) -> int:
        self.returns += 1
        if self.entry == "look":
            self.slow_path()
        return super().pop(result)

    def serve(self, bits: set[str]) -> None:
        before = len(self.seen)
        try:
            super().serve(bits)
        finally:
            self.seen[before:] = [replace(seen, further={"return": self.returns}) for seen in self.seen[before:]]

    def observe(self) -> Observation:
        return replace(super().observe(), further={"return": self.returns})


def test_other_checks_than_pushes_and_back_edges_have_a_bound() -> None:
    assert not refuted(Returning())
    worst = held("seen-within-bound", Returning()).evidence
    assert worst
    assert worst.worst == {"frames": 5, "back_edges": 1, "return": 1}  # fib(5) pushes five frames before one returns

    class Overstated(Returning):
        further: ClassVar = {"return": 0}

    report = held("seen-within-bound", Overstated()).report
    assert "1 return" in report
    assert "the declared bound: unbounded frame pushes, 1 back-edge, 0 returns" in report


class Bursty(Toy):
    """A right VM: an incremental collection makes three checks of twelve slow, disturbed or not; and a tracer's word is always poison."""

    def start(self) -> None:
        super().start()
        self.checks_made = 0

    def look(self) -> None:
        self.checks_made += 1
        self.slow_entries += self.checks_made % 12 in (9, 10, 11)

    def push(self) -> None:
        self.look()
        super().push()

    def back_edge(self) -> None:
        self.look()
        super().back_edge()

    def observe(self) -> Observation:
        return replace(super().observe(), words={"limit": "poison" if self.limit < 0 else "real", "trace": "poison"})


def test_what_is_slow_undisturbed_too_is_right() -> None:
    assert held("checks-pass-again", Bursty()).verdict == "holds"


def test_without_a_count_of_slow_entries_nothing_is_said_of_them() -> None:
    class Silent(twins.Restless):
        def slow_path(self) -> None:
            super().slow_path()
            self.slow_entries = 0

    verdict = held("checks-pass-again", Silent())
    assert (verdict.verdict, "Observation.slow_entries" in verdict.report) == ("not offered", True)


def test_what_is_not_offered_is_named() -> None:
    """Whether it is declared, or is refused at run time."""

    class Modest(Toy):
        offers = Toy.offers - {"exceptions", "HANDSHAKE"}

        def post(self, kind: str, thread: int = 0) -> None:
            if kind == "STOP":
                raise NotOffered("STOP")
            super().post(kind)

        def load(self, source: str, file: str = "<guest>", stack: int = 4096) -> None:
            if file == "to-the-limit":
                raise NotOffered("a small stack")
            super().load(source, file, stack)

    verdicts = {v.claim.name: v for v in judge(Modest(), "modest")}
    assert {name for name, v in verdicts.items() if v.verdict == "not offered"} == {
        "storm-progress", "nothing-else-changes", "not-lost-in-slow-path", "requester-is-answered", "storm-starves-no-thread",
        "neither-hides-the-other", "no-fake-overflow", "except-and-finally-run", "checks-pass-again", *THREADED,
    }  # fmt: skip
    assert verdicts["storm-progress"].report == "storm-progress was not judged: modest does not offer STOP"
    assert verdicts["no-fake-overflow"].report == "no-fake-overflow was not judged: modest does not offer a small stack"
    assert verdicts["seen-within-bound"].verdict == "holds"
    assert verdicts["seen-within-bound"].left_out == {
        "STOP": "not offered", "HANDSHAKE": "not offered", "program to-the-limit": "needs a small stack",
        "program catches": "needs exceptions", "program cleans-up": "needs exceptions",
    }  # fmt: skip


@pytest.mark.parametrize("ability", ["stack", "exceptions", "masks", "watch", "locks", "threads", *KINDS])
def test_what_is_missing_leaves_out_what_needs_it_and_no_more(ability: str) -> None:
    class Lacking(ThreadsToy):
        offers = ThreadsToy.offers - {ability}

    need = {
        "stack": {"no-fake-overflow"},
        "exceptions": {"except-and-finally-run"},
        "masks": {"masks-hold"},
        "watch": {"not-lost-in-slow-path"},
        "locks": {"blocked-guest-is-woken", "blocked-guest-is-not-waited-for", "threads-are-told-apart"},
        "threads": {"threads-are-told-apart", "births-are-clean"},
        "STOP": {"storm-progress", "not-lost-in-slow-path"},
        "INTERRUPT": {
            "interrupt-raises", "storm-starves-no-thread", "not-lost-in-slow-path", "except-and-finally-run", "masks-hold",
            "blocked-guest-is-woken", "threads-are-told-apart", "births-are-clean",
        },
        "HANDSHAKE": set(),
    }  # fmt: skip
    verdicts = judge(Lacking())
    assert {v.claim.name for v in verdicts if v.verdict != "holds"} == need[ability]


def test_a_target_that_offers_nothing_is_no_success() -> None:
    class Idle(Toy):
        def load(self, source: str, file: str = "<guest>", stack: int = 4096) -> None:
            raise NotOffered("Python")

    row = target_row("idle", judge(Idle(), "idle"))
    assert row.claims == 0
    assert row.unjudged == "no request was judged: idle offers too little (write Target.offers)"


def test_a_program_that_is_wrong_undisturbed_is_one_claims_matter() -> None:
    class Wrong(Toy):
        def say(self, value: int) -> None:
            super().say(value + 1)

    verdicts = {v.claim.name: v for v in judge(Wrong())}
    assert {name for name, v in verdicts.items() if v.verdict == "refuted"} == {"runs-as-python-does"}
    assert verdicts["interrupt-raises"].verdict == "holds"  # as far as "to-the-limit" goes, which prints nothing
    assert verdicts["interrupt-raises"].left_out == {
        f"program {name}": "is wrong undisturbed" for name in ("loops", "calls", "recursive", "nested")
    }
    assert verdicts["masks-hold"].verdict == "not offered"


def test_an_adapter_that_fails_is_neither_refuted_nor_right() -> None:
    class Failing(Toy):
        def watch(self, callback: Callable[[], None] | None) -> None:
            raise ZeroDivisionError("division\nby zero")

    verdicts = {v.claim.name: v for v in judge(Failing(), "failing")}
    verdict = verdicts["not-lost-in-slow-path"]
    assert verdict.verdict == "no verdict"
    assert re.fullmatch(
        r"not-lost-in-slow-path was not judged: the adapter of failing raised ZeroDivisionError: division by zero \(.*:\d+\)",
        verdict.report,
    )
    assert target_row("failing", list(verdicts.values())).unjudged == verdict.report
    twice = target_row("failing", [*verdicts.values(), verdict])
    assert twice.unjudged == f"{verdict.report}; nor was 1 other"


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
    assert f"{len(CLAIMS) - len(THREADED) + 1} passed, {len(THREADED)} skipped" in done.stdout
    assert "at most 1 frame push, 1 back-edge" in done.stdout


def test_pytest_refutes_a_broken_vm_and_the_command_it_prints_repeats_it(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, "--safepoint-target", "twins:Forgetful")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "  seen      STOP never; the thread ended after 0 frame pushes, 13 back-edges" in done.stdout
    assert "Traceback" not in done.stdout
    again = run_pytest(tmp_path, "--safepoint-target", "twins:Forgetful", "-k", "seen-within-bound")
    assert again.returncode == 1
    assert "1 failed" in again.stdout
    assert f"{len(CLAIMS)} deselected" in again.stdout


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


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [(("--safepoint-target", "no-such"), 4, "no target 'no-such'"), ((), 1, "give --safepoint-target NAME")],
)
def test_xdist_reports_a_missing_target_too(options: tuple[str, ...], status: int, said: str, tmp_path: Path) -> None:
    done = run_pytest(tmp_path, "-n", "1", *options)
    assert done.returncode == status, done.stdout + done.stderr
    assert said in done.stderr + done.stdout
    assert "INTERNALERROR" not in done.stdout


def test_the_plugin_imports_nothing_heavy() -> None:
    code = "import sys, pytest; before = set(sys.modules); import safepoint.conform.plugin; print(*(set(sys.modules) - before))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "spec")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=30, check=True
    )
    assert set(done.stdout.split()) == {"safepoint", "safepoint.conform", "safepoint.conform.plugin"}
