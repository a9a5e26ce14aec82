"""The interpreter's traces under each policy that it has machine code for: runs of that policy's protocol; of a mutated text, none."""

from __future__ import annotations

import io
from pathlib import Path

import msgspec
import pytest

pytest.importorskip("llvmlite", reason="the interpreter is not installed (pip install '.[vm]')")

from safepoint.graph.text import Text
from safepoint.guest.compiler.program import compile_program
from safepoint.guest.features import NotWrittenFor, refuse
from safepoint.protocol import files
from safepoint.protocol.policies import FOLDED, POLICIES
from safepoint.protocol.words import INTERRUPT, MANAGED, SAMPLE
from safepoint.trace.files import Reader
from safepoint.trace.layout import Layout, UnknownTrace
from safepoint.trace.lines import Header
from safepoint.trace.verdict import Verdict, judge
from safepoint_vm.generate.engine import Variant
from safepoint_vm.handlers.shared.checks import MECHANISMS
from safepoint_vm.threads.recording import variants_of
from safepoint_vm.threads.vm import Vm, run

PROGRAMS = Path(__file__).parents[1] / "programs"
CORPUS = sorted(path.relative_to(PROGRAMS).as_posix() for path in PROGRAMS.rglob("*.py"))
OTHERS = [policy.name for policy in POLICIES.values() if policy.trigger in MECHANISMS and policy is not FOLDED]
SAMPLE_OF_IT = ("interrupted_loops.py", "masked_ways.py", "collects.py", "threads/births.py")
FEW = 2
"""Programs of a sample that are written for every policy, at least."""


def judged(program: str, policy: str) -> Verdict | None:
    """None: the policy's text is not written for the program."""
    code, trace = compile_program((PROGRAMS / program).read_bytes(), program), io.BytesIO()
    try:
        refuse(code, POLICIES[policy])
    except NotWrittenFor:
        return None
    run(code, io.StringIO(), errors=io.StringIO(), trace=trace, policy=POLICIES[policy])
    trace.seek(0)
    assert Reader(trace, program).header.policy == policy
    trace.seek(0)
    return judge(trace, program)


@pytest.mark.parametrize("policy", OTHERS)
def test_programs_under_a_policy_are_runs_of_its_protocol(policy: str) -> None:
    verdicts = [verdict for program in SAMPLE_OF_IT if (verdict := judged(program, policy)) is not None]
    assert len(verdicts) >= FEW
    assert [verdict.refusal for verdict in verdicts] == [None] * len(verdicts)
    assert all(not verdict.not_judged for verdict in verdicts)
    for kind, site in (("pushed", "push"), ("looped", "back-edge")):
        assert (sum(verdict.counts[kind] for verdict in verdicts) > 0) == (site in POLICIES[policy].sites)


@pytest.mark.nightly  # the whole corpus under each policy: minutes
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("policy", OTHERS)
def test_the_whole_corpus_under_a_policy(policy: str) -> None:
    refused = {program: verdict.refusal for program in CORPUS if (verdict := judged(program, policy)) is not None}
    assert {program: refusal for program, refusal in refused.items() if refusal is not None} == {}


def test_a_check_that_counts_logs_its_load_and_its_store() -> None:
    """Each check of pypy that passes stores its ticker."""
    verdict = judged("interrupted_loops.py", "pypy")
    assert verdict is not None
    assert verdict.counts["counted"] == verdict.counts["pushed"] + verdict.counts["looped"] > 0


def test_a_sleep_is_a_check_site_only_where_threads_sleep() -> None:
    """The interpreter looks after each sleep: its header says so, where the policy's text has sleeps and no such look."""
    assert {policy.name: variants_of(policy) for policy in (FOLDED, POLICIES["cpython"], POLICIES["skybison"])} == {
        "folded": [],
        "cpython": ["waking"],
        "skybison": [],
    }
    header = Header(0, 0, "safepoint-trace", 1, 1, "a test", "cpython", ["T0"], ["T0"], variants=["waking"])
    assert Layout(header).policy.name == "cpython"
    with pytest.raises(UnknownTrace, match="policy skybison has no variant 'waking'"):
        Layout(msgspec.structs.replace(header, policy="skybison"))


BUSY = b"""
def f(n):
    if n:
        f(n - 1)
i = 0
try:
    while i < 20000:
        f(3)
        print([i])
        i += 1
except KeyboardInterrupt:
    pass
"""


def posted(policy: str, mutant: str = "") -> Verdict:
    """A thread that calls, loops and prints until it is interrupted is sampled 20 times and stopped 5 times, while it runs."""
    program, variant = compile_program(BUSY, "busy.py"), Variant(traced=True, mutant=mutant, policy=POLICIES[policy])
    with Vm(program, io.StringIO(), variant=variant) as vm:
        thread = vm.start()
        for _ in range(2000):
            if thread.guest.record.get("state") == MANAGED:  # it has begun
                break
            thread.done.wait(0.001)
        for turn in range(20):
            vm.world.post(thread.guest, SAMPLE)
            if turn % 4 == 0:
                with vm.world.stopped():
                    pass
            thread.done.wait(0.0005)
        vm.world.post(thread.guest, INTERRUPT)
        thread.done.wait(30)
        recording = vm.world.recording
        assert recording is not None
    trace = io.BytesIO()
    recording.write(trace, "a test")
    trace.seek(0)
    return judge(trace, "busy.py")


@pytest.mark.parametrize("policy", OTHERS)
def test_requests_from_outside_are_seen_in_the_trace(policy: str) -> None:
    verdict = posted(policy)
    assert verdict.refusal is None
    assert verdict.counts["posted"] >= 21
    assert verdict.counts["stop-reached"] == 5
    assert verdict.counts["entered"] >= 1


@pytest.mark.parametrize("policy", OTHERS)
def test_a_mutated_text_under_a_policy_is_refused_with_its_rule(policy: str) -> None:
    """The mistake is in each post: no race is needed to see it."""
    refusal = posted(policy, "post-does-not-wake").refusal
    assert refusal is not None
    assert refusal.rule == "POST-WAKES"


def poisons(policy: str) -> bool:
    """Has its mechanism words to restore?"""
    return "word-forgotten" in Text(files(POLICIES[policy].trigger)[:-1]).mutants


@pytest.mark.parametrize("policy", [policy for policy in OTHERS if poisons(policy)])
def test_a_mechanism_s_own_mutant_is_refused_with_its_rule(policy: str) -> None:
    refusal = posted(policy, "never-restored").refusal
    assert refusal is not None
    assert refusal.rule in (
        "OWNER-RESTORES",
        "RESTORE-BEFORE-TAKE",
    )  # the take comes, and a word is still to be restored


@pytest.mark.parametrize("stress", [False, True])
def test_a_check_that_finds_no_room_is_logged_too(stress: bool) -> None:
    """Each list of a program, whether its TLAB has room, is refilled, or the world is collected for it."""
    code, trace = compile_program("for i in range(200):\n    x = [i, i]\n", "lists.py"), io.BytesIO()
    run(code, io.StringIO(), errors=io.StringIO(), trace=trace, policy=POLICIES["ocaml"], stress=stress)
    trace.seek(0)
    verdict = judge(trace, "lists.py")
    assert verdict.refusal is None
    assert verdict.counts["checked"] >= 200
