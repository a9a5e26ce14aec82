"""Tiny VM, built with the emitted header: on real cores, under sanitizers, traced, judged; and with mistakes put in."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from examples.tiny_vm.bytecode import OPS
from examples.tiny_vm.target import TinyVm
from examples.tiny_vm.trace import trace
from safepoint.cli.main import cli
from safepoint.conform.claims import CLAIMS
from safepoint.conform.judge import hold
from safepoint.conform.programs import LOOPS
from safepoint.conform.runs import Runs
from safepoint.conform.schedules import ANY_SCHEDULE
from safepoint.conform.target import INTERRUPT, NotOffered
from safepoint.graph.text import Text
from tests.emit.building import TINY, needs_cc, run, tiny_vm
from tests.rules import case

NAME = "examples.tiny_vm.target:TinyVm"
SAID = re.compile(
    r"(\d+) interrupts, (\d+) of them of a thread that had ended, (\d+) stops, (\d+) operations; (\d+) collections, (\d+) lives, (\d+) wrong\n"
)
RULE_OF = {mutant.name: mutant.rule for mutant in Text().mutants.values()}
NOT_OFFERED = {
    "except-and-finally-run",
    "blocked-guest-is-woken",
    "blocked-guest-is-not-waited-for",
    "threads-are-told-apart",
    "births-are-clean",
}


# -- on real cores


def test_it_is_short() -> None:
    """Lines that are neither blank nor a comment alone."""
    lines = [
        line for file in TINY.glob("*.[ch]") if file.name != "safepoint.h" for line in file.read_text().splitlines()
    ]
    assert len([line for line in lines if line.strip() and not re.fullmatch(r" *(/\*.*\*/)", line)]) <= 300


@needs_cc
@pytest.mark.parametrize("optimize", ["-O2", "-O3"])
def test_no_request_is_lost_and_nothing_runs_in_a_stop(optimize: str, tmp_path: Path) -> None:
    """The command of docs/adopt.md asks for a million."""
    done = run(tiny_vm(tmp_path, optimize), 4000)
    assert done.returncode == 0, done.stderr
    found = SAID.fullmatch(done.stderr)
    assert found
    requests, dropped, stops, operations, collections, lives, wrong = map(int, found.groups())
    assert (requests, stops, operations, wrong) == (4000, 250, 1000, 0)
    assert dropped < requests / 4  # T2 ends whenever it is interrupted, and what then comes too late is dropped
    assert collections > 10
    assert lives > 100


@needs_cc
@pytest.mark.parametrize(
    "sanitizers", [("-fsanitize=thread", "-DSP_PORTABLE"), ("-fsanitize=undefined,address", "-fno-sanitize-recover=all")], ids=["thread", "undefined"]
)  # fmt: skip
def test_it_is_clean_under_sanitizers(sanitizers: tuple[str, ...], tmp_path: Path) -> None:
    done = run(tiny_vm(tmp_path, "-O1", "-g", *sanitizers), 1000)
    assert done.returncode == 0, done.stderr
    assert SAID.fullmatch(done.stderr)


MEMBARRIER = ("-D_GNU_SOURCE=", "-include", "unistd.h", "-include", "sys/syscall.h",
              "-DSP_FENCE_OTHERS()=syscall(SYS_membarrier, 1, 0, 0)")  # fmt: skip
"""The fence of all other threads that needs no registration."""


@needs_cc
@pytest.mark.parametrize("variant", ["EXCLUSIVE", "LEAVING", "FAIRNESS", "MEMBARRIER"])
def test_each_variant_of_the_protocol_runs(variant: str, tmp_path: Path) -> None:
    done = run(tiny_vm(tmp_path, "-O2", f"-DSP_{variant}=1", *(MEMBARRIER if variant == "MEMBARRIER" else ())), 400)
    assert done.returncode == 0, done.stderr
    assert done.stderr.endswith(" 0 wrong\n")


@needs_cc
def test_thread_sanitizer_sees_a_stop_that_does_not_wait(tmp_path: Path) -> None:
    """So it is not clean because it sees nothing: the collector moves what its owner reads."""
    program = tiny_vm(tmp_path, "-O1", "-g", "-fsanitize=thread", "-DSP_PORTABLE", mutant="does-not-wait")
    assert any("ThreadSanitizer: data race" in run(program, 1000).stderr for _ in range(5))


@needs_cc
@pytest.mark.parametrize("mutant", [case(RULE_OF[m], m, m) for m in ("post-does-not-wake", "stop-without-park")])
def test_a_request_is_lost(mutant: str, tmp_path: Path) -> None:
    """A sleeper is not woken; a thread that took a stop runs on, and its coordinator waits for it."""
    done = run(tiny_vm(tmp_path, "-O2", mutant=mutant), 1000, seconds=1)
    assert (done.returncode, done.stderr) == (1, "lost: a request is not answered\n")


# -- traced


def traced(directory: Path, mutant: str = "") -> Result:
    """What the acceptor says of a run."""
    done = run(tiny_vm(directory, "-O2", "-DSP_TRACED", mutant=mutant), 200)
    assert done.returncode == 0, done.stderr
    file = directory / "run.trace"
    file.write_text("".join(trace(done.stdout.splitlines())), encoding="utf-8")
    return CliRunner().invoke(cli, ["accept", str(file)])


@needs_cc
def test_its_trace_is_a_run_of_the_protocol(tmp_path: Path) -> None:
    result = traced(tmp_path)
    assert result.exit_code == 0, result.output
    assert re.match(r"accepted: [\d,]{5,} events, 4 threads, ", result.output)
    unjudged = re.findall(r"not judged: never happened: (.*)", result.output)
    assert {kind for line in unjudged for kind in line.split(", ")} <= {
        "handshake-backed-off", "masked", "unmasked", "resumed", "parked", "native-left", "looped", "pushed"
    }  # fmt: skip
    assert "is not logged" not in result.output


@needs_cc
@pytest.mark.parametrize("mutant", [case(RULE_OF[m], m, m) for m in ("poison-before-post", "take-before-restore")])
def test_its_trace_is_refused_with_the_rule_that_is_broken(mutant: str, tmp_path: Path) -> None:
    """Whatever the threads did: the order is wrong each time."""
    result = traced(tmp_path, mutant)
    assert result.exit_code == 1
    assert result.output.splitlines()[1].startswith(f"  {RULE_OF[mutant]}: ")


@needs_cc
def test_a_log_that_is_full_is_said_and_an_empty_one_is_no_trace(tmp_path: Path) -> None:
    """Else nothing would be judged, and nothing found wrong."""
    done = run(tiny_vm(tmp_path, "-O2", "-DSP_TRACED"), 10_000_000)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "the log is full: ask for fewer requests\n"
    command = [sys.executable, str(TINY / "trace.py")]
    traced = subprocess.run(command, input="", capture_output=True, text=True, timeout=60, check=False)
    assert (traced.returncode, traced.stdout) == (1, "")
    assert traced.stderr == "trace.py: the log is empty: tiny_vm_traced says why\n"


# -- the Makefile


@pytest.mark.skipif(shutil.which("make") is None, reason="no make: its Makefile is not looked at (install make)")
def test_a_build_takes_no_header_of_another_mutant(tmp_path: Path) -> None:
    """`make MUTANT=x`, then `make`: the mistake is gone again.  What the commands write is their own command line."""
    shutil.copy(TINY / "Makefile", tmp_path)
    for name, code in (
        ("safepoint", 'shift 2; echo "$*" > safepoint.h'),
        ("cc", 'cat safepoint.h; for each; do [ "$last" != -o ] || touch "$each"; last=$each; done'),
    ):
        (tmp_path / name).write_text(f"#!/bin/sh\n{code}\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    for name in ("main.c", "vm.c", "vm.h"):
        (tmp_path / name).touch()
    environment = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}

    def build(*mutant: str) -> str:
        done = subprocess.run(
            ["make", "-s", "all", *mutant],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        for file in (
            tmp_path.iterdir()
        ):  # as if a while had passed: two builds may fall into one tick of the file system's clock
            os.utime(file, (file.stat().st_atime - 10, file.stat().st_mtime - 10))
        return done.stdout

    built = [build(), build("MUTANT=a.b+c.d"), build("MUTANT=a.b+c.d"), build(), build("MUTANT=e"), build()]
    sound, first, second = (
        "-o safepoint.h\n" * 2,
        "--mutant a.b+c.d -o safepoint.h\n" * 2,
        "--mutant e -o safepoint.h\n" * 2,
    )
    assert built == [sound, first, "", sound, second, sound]


# -- judged


@needs_cc
def test_the_judge_refutes_nothing_of_it() -> None:
    runs = Runs(TinyVm())
    verdicts = {claim.name: hold(claim, runs, NAME) for claim in (*CLAIMS.values(), ANY_SCHEDULE)}
    assert {name for name, verdict in verdicts.items() if verdict.verdict == "not offered"} == NOT_OFFERED
    others = {name: verdict for name, verdict in verdicts.items() if name not in NOT_OFFERED}
    assert {verdict.verdict for verdict in others.values()} == {"holds"}, [v.report for v in others.values()]
    evidence = verdicts["seen-within-bound"].evidence
    assert evidence is not None
    assert evidence.worst == {"frames": 1, "back_edges": 1}


REFUTED = {
    "take-before-restore": "not-lost-in-slow-path",
    "unlocked-take": "not-lost-in-slow-path",
    "unlocked-post": "not-lost-in-slow-path",
    "word-forgotten": "seen-within-bound",
    "never-restored": "checks-pass-again",
    "overflow-wins": "interrupt-raises",
    "push-not-retried": "no-fake-overflow",
    "masked-taken": "masks-hold",
    "unmask-forgets": "masks-hold",
}
"""Mutant to a claim that says what its rule says goes wrong without it."""


@needs_cc
@pytest.mark.parametrize(
    ("mutant", "claim"), [case(RULE_OF[mutant], mutant, mutant, claim) for mutant, claim in REFUTED.items()]
)
def test_the_judge_refutes_a_header_with_a_mistake(mutant: str, claim: str) -> None:
    assert hold(CLAIMS[claim], Runs(TinyVm().mutated(mutant)), NAME).verdict == "refuted"


@needs_cc
def test_a_mutant_that_the_header_cannot_have_is_not_offered() -> None:
    with pytest.raises(NotOffered):
        TinyVm().mutated("no-such-mutant")


def seen_although_the_guest_runs_in_the_middle(vm: TinyVm, at: int, steps: int) -> bool:
    """Before access number `at` of a post, the guest makes these steps.  Then it goes on: does it see the request?"""
    vm.start()
    assert vm.step(4)  # i and total are 0
    accesses = 0

    def middle() -> None:
        nonlocal accesses
        accesses += 1
        if accesses == at:
            vm.vm.vm_run(vm.thread, steps)

    vm.watch(middle)
    vm.post(INTERRUPT)
    vm.watch(None)
    assert accesses == 4  # the bit, two poisons, the wake
    vm.run()
    return vm.observe().error == "KeyboardInterrupt"


@needs_cc
@pytest.mark.parametrize("mutant", ["", "poison-before-post"])
def test_a_check_between_two_accesses_of_a_post(mutant: str) -> None:
    """Deterministic: the guest fails its back-edge's check between the poison of both words and the bit, finds nothing, restores,
    and runs on.  One turn of the loop is 13 steps; it pushes no frame, so the poisoned limit alone stops it nowhere.
    """
    vm = TinyVm(mutant)
    vm.load(LOOPS.source, LOOPS.name)
    found = [seen_although_the_guest_runs_in_the_middle(vm, at, 13) for at in (1, 2, 3, 4)]
    assert found == ([True] * 4 if not mutant else [True, True, False, True])


def test_the_compiler_of_its_programs_knows_its_opcodes() -> None:
    listed = re.search(r"enum op \{.*?\*/(.*?)\};", (TINY / "vm.h").read_text(encoding="utf-8"), re.DOTALL)
    assert listed is not None
    assert tuple(listed[1].replace(",", " ").split()) == OPS


def test_what_its_programs_cannot_say_is_not_offered() -> None:
    from examples.tiny_vm.bytecode import compiled

    with pytest.raises(NotOffered, match="try:"):
        compiled("try:\n    x = 1\nfinally:\n    x = 2\n")
