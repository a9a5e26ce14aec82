"""The interpreter's own traces: every program of the corpus is a run of the protocol; one compiled from a mutated text is not."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from click.testing import CliRunner

pytest.importorskip("llvmlite", reason="the interpreter is not installed (pip install '.[vm]')")

from safepoint.cli.main import cli
from safepoint.guest.code import BACK_EDGES
from safepoint.guest.compiler.program import compile_program
from safepoint.protocol.words import INTERRUPT, MANAGED, SAMPLE
from safepoint.trace.files import Reader
from safepoint.trace.verdict import Verdict, judge
from safepoint_vm.generate.engine import Variant
from safepoint_vm.threads.recording import BUFFER
from safepoint_vm.threads.vm import Vm, run

PROGRAMS = Path(__file__).parents[1] / "programs"
CORPUS = sorted(path.relative_to(PROGRAMS).as_posix() for path in PROGRAMS.rglob("*.py"))
SAMPLE_OF_IT = (
    "fib.py", "masked_ways.py", "interrupted_loops.py", "collects.py", "recursion_limit.py", "threads/collectors.py",
    "threads/births.py", "threads/pipeline.py", "threads/sleeper.py", "threads/interrupts_itself.py",
)  # fmt: skip


def traced(source: bytes, name: str) -> io.BytesIO:
    trace = io.BytesIO()
    run(compile_program(source, name), io.StringIO(), errors=io.StringIO(), trace=trace)
    trace.seek(0)
    return trace


def accepted(program: str) -> None:
    verdict = judge(traced((PROGRAMS / program).read_bytes(), program), program)
    assert verdict.refusal is None
    assert verdict.not_judged == {}
    assert verdict.counts["spawned"] == verdict.counts["exited"] >= 1


@pytest.mark.parametrize("program", SAMPLE_OF_IT)
def test_a_program_of_the_corpus_is_a_run_of_the_protocol(program: str) -> None:
    accepted(program)


@pytest.mark.nightly  # half a minute, and programs that run for long
@pytest.mark.parametrize("program", CORPUS)
def test_every_program_of_the_corpus_is_a_run_of_the_protocol(program: str) -> None:
    accepted(program)


COUNTS = b"""
i = 0
while i < 3000:
    i += 1
def f():
    return 0
for i in range(2000):
    f()
"""


def test_every_check_is_logged_also_those_that_do_not_fit_into_the_buffer() -> None:
    """The first turn of a `while` is entered by a test at its end, or not: one back-edge more or less a loop."""
    trace = traced(COUNTS, "counts.py")
    verdict = judge(trace, "counts.py")
    assert verdict.refusal is None
    assert verdict.counts["pushed"] == 2000
    assert abs(verdict.counts["looped"] - 5000) <= 2
    assert verdict.events > BUFFER
    trace.seek(0)
    assert Reader(trace, "counts.py").header.entries == len(BACK_EDGES)


BUSY = b"""
from time import sleep
def f(n):
    if n:
        f(n - 1)
i = 0
try:
    while i < 20000:
        f(3)
        sleep(0.001)
        i += 1
except KeyboardInterrupt:
    pass
"""


def posted(mutant: str) -> Verdict:
    """A thread that runs until it is interrupted is sampled 40 times and stopped 10 times, while it runs."""
    program, variant = compile_program(BUSY, "busy.py"), Variant(traced=True, mutant=mutant)
    with Vm(program, io.StringIO(), variant=variant) as vm:
        thread = vm.start()
        for _ in range(2000):
            if thread.guest.record.get("state") == MANAGED:  # it has begun: what was pending has been dropped
                break
            thread.done.wait(0.01)
        for turn in range(40):
            vm.world.post(thread.guest, SAMPLE)
            if turn % 4 == 0:
                with vm.world.stopped():
                    pass
        vm.world.post(thread.guest, INTERRUPT)
        thread.done.wait(30)
        recording = vm.world.recording
        assert recording is not None
    trace = io.BytesIO()
    recording.write(trace, "a test")
    trace.seek(0)
    return judge(trace, "busy.py")


def test_requests_from_outside_are_seen_in_the_trace() -> None:
    verdict = posted("")
    assert verdict.refusal is None
    assert verdict.counts["posted"] >= 41
    assert verdict.counts["stop-reached"] == 10
    assert verdict.counts["entered"] >= 1
    assert verdict.requesters in (1, 2)  # the host; and the OS thread that ends a sleep of its own guest thread


@pytest.mark.parametrize(
    ("mutant", "rule"),
    [
        ("word-forgotten", "POISON-EVERY-WORD"),
        pytest.param("take-before-restore", "RESTORE-BEFORE-TAKE", marks=pytest.mark.nightly),
        pytest.param("post-does-not-wake", "POST-WAKES", marks=pytest.mark.nightly),
    ],
)
def test_a_mutated_text_compiled_into_the_interpreter_is_refused_with_its_rule(mutant: str, rule: str) -> None:
    """The mistake is in each pass through the slow path, or in each post: no race is needed to see it."""
    refusal = posted(mutant).refusal
    assert refusal is not None
    assert refusal.rule == rule


def test_the_command_writes_a_trace_that_the_command_accepts(tmp_path: Path) -> None:
    trace = tmp_path / "run.trace"
    program = PROGRAMS / "collects.py"
    result = CliRunner().invoke(cli, ["run", str(program), "--trace", str(trace)])
    assert result.exit_code == 0, result.output
    assert result.stdout == CliRunner().invoke(cli, ["run", str(program)]).stdout
    assert CliRunner().invoke(cli, ["accept", str(trace)]).exit_code == 0


def test_the_reference_machine_writes_none(tmp_path: Path) -> None:
    arguments = ["run", str(PROGRAMS / "fib.py"), "--machine", "reference", "--trace", str(tmp_path / "t")]
    result = CliRunner().invoke(cli, arguments)
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "writes no trace" in result.stderr
