"""The interpreter with the checks of other VMs: machine code against the reference machine, which executes the same policy's text."""

from __future__ import annotations

import random
import shlex
from dataclasses import replace

import pytest
from click.testing import CliRunner

from safepoint.cli.main import cli
from safepoint.differential.compare import Tally, compare
from safepoint.differential.corpus import Guest, corpus, find
from safepoint.differential.runs import repeat, undisturbed
from safepoint.differential.schedule import Schedule
from safepoint.guest.code import BACK_EDGES, OPCODES
from safepoint.guest.lockstep import MAIN
from safepoint.protocol.policies import CPYTHON, FOLDED, POLICIES, WASMTIME
from safepoint.protocol.policy import Policy
from safepoint_vm.generate.engine import Variant, engine
from safepoint_vm.generate.triggers import NUMBERS
from safepoint_vm.handlers.shared.checks import DISPATCHED, MECHANISMS
from safepoint_vm.target import FoldedTarget

OTHERS = [p for p in POLICIES.values() if p is not FOLDED and p.trigger in MECHANISMS]
GUESTS = [guest for guest in corpus() if guest.alone]
SAMPLE = GUESTS[::40]
"""Programs on each run, and one with threads; nightly all of them, those with threads too."""
EVERY, SECONDS = 60, 30
"""Steps of programs that are posted to before every step; and in the middle of posts, too."""
CAUGHT = {
    "cpython": {
        "never-restored": "ackermann",
        "masked-taken": "masked_loop",
        "rest-dropped": "back_edge_first",
        "birth-keeps-bits": "births",
    },
    "dart": {
        "never-restored": "ackermann",
        "masked-taken": "masked_loop",
        "rest-dropped": "back_edge_first",
        "birth-keeps-bits": "births",
    },
    "pypy": {
        "never-restored": "ackermann",
        "word-forgotten": "ackermann",
        "rest-dropped": "back_edge_first",
        "birth-keeps-bits": "births",
    },
    "wasmtime": {"never-restored": "ackermann", "word-forgotten": "ackermann", "masked-taken": "masked_loop"},
    "guard_page": {"never-restored": "ackermann", "word-forgotten": "ackermann", "birth-keeps-bits": "births"},
    "yarv": {"never-restored": "ackermann", "masked-taken": "masked_loop"},
    "ocaml": {"never-restored": "list_aliases", "word-forgotten": "list_aliases", "masked-taken": "masked_loop"},
    "patched": {"never-restored": "ackermann", "table-forgotten": "ackermann"},
}
"""Policy -> mutant of its trigger or of the core -> a program that shows it.  Mutants of the check itself (checks-at-calls-only,
ticker-refilled), which handlers make, are tried by tests/concurrency/test_under_policies.py.
"""


def compared(policy: Policy, guest: Guest, mutant: str = "") -> Tally:
    tally = Tally()
    target = FoldedTarget(mutant, policy=policy)
    compare(target, guest.source, guest.name, guest.stack, tally, random.Random(1), seconds=SECONDS, every=EVERY)
    return tally


@pytest.mark.parametrize("guest", SAMPLE, ids=lambda guest: guest.name)
@pytest.mark.parametrize("policy", OTHERS, ids=lambda policy: policy.name)
def test_machine_code_agrees_with_the_reference_machine(policy: Policy, guest: Guest) -> None:
    tally = compared(policy, guest)
    assert not tally.mismatches, "\n".join(map(str, tally.mismatches))
    assert tally.interrupts
    assert tally.worst.within(policy.declared)


@pytest.mark.parametrize("policy", [p for p in OTHERS if "births" in p.slices], ids=lambda policy: policy.name)
def test_threads_begin_and_end_as_on_the_reference_machine(policy: Policy) -> None:
    tally = compared(policy, find("births"))
    assert not tally.mismatches, "\n".join(map(str, tally.mismatches))
    assert tally.interrupts
    assert tally.worst.within(policy.declared)


@pytest.mark.nightly
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("policy", OTHERS, ids=lambda policy: policy.name)
def test_every_program_agrees(policy: Policy) -> None:
    for guest in corpus():
        if guest.alone or "births" in policy.slices:
            assert not (mismatches := compared(policy, guest).mismatches), str(mismatches[0])


@pytest.mark.parametrize(("policy", "mutant"), [(p, mutant) for p, mutants in CAUGHT.items() for mutant in mutants])
def test_a_mistake_in_a_policys_text_is_noticed(policy: str, mutant: str) -> None:
    """The comparison is not true of anything at all."""
    assert compared(POLICIES[policy], find(CAUGHT[policy][mutant]), mutant).mismatches


def test_an_advance_of_the_counter_is_seen_by_every_thread_at_once() -> None:
    """The text lets each thread see it at a moment of its own.  So in the middle of a post the machine code of another thread may come to
    its slow path earlier than the reference machine's; it finds nothing there (SPURIOUS-IS-NOTHING), and nothing else differs.
    """
    guest, target = find("births"), FoldedTarget(policy=WASMTIME)
    run = undisturbed(guest.source, guest.name, guest.stack, WASMTIME)
    target.load(guest.source, guest.name, guest.stack)
    earlier = []
    for stop in (Schedule(step, "STOP") for step in range(run.steps) if run.at_a_site(step, MAIN)):
        for at in range(run.run(stop).in_post):
            stepped = replace(stop, at=at, also="step")
            expected, found = run.run(stepped).observation, repeat(target, stepped, run.longest).observation
            assert replace(found, slow_entries=expected.slow_entries) == expected
            earlier.append(found.slow_entries - expected.slow_entries)
    assert {*earlier} == {0, 1}


def test_a_difference_names_the_policy_and_is_repeated_with_it() -> None:
    (mismatch,) = compared(CPYTHON, find("ackermann"), "never-restored").mismatches
    assert mismatch.again.startswith("safepoint replay -p cpython 's:ackermann@")
    _, *command = shlex.split(mismatch.again)
    assert CliRunner().invoke(cli, [*command, "--mutant", "never-restored"]).exit_code == 1
    assert CliRunner().invoke(cli, command).exit_code == 0


@pytest.mark.parametrize("policy", OTHERS, ids=lambda policy: policy.name)
def test_after_a_failed_check_the_instruction_is_executed_without_one(policy: Policy) -> None:
    """So that a storm of posts cannot keep the guest where it is: the base table has handlers that check nothing."""
    machine = engine(Variant(policy=policy))
    moved = {n for n, (live, base) in enumerate(zip(machine.table, machine.base, strict=True)) if live != base}
    elsewhere = {name for name, opcode in OPCODES.items() if opcode.site == policy.elsewhere != ""}
    if (
        policy.trigger in DISPATCHED
    ):  # there the dispatch is the check, and the two tables are alike until one is poisoned
        assert moved == set()
        return
    assert moved == {NUMBERS[name] for name in {*BACK_EDGES} | elsewhere}
    assert list(engine().table) == list(engine().base)
