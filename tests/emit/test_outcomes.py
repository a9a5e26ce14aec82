"""What the checks of each policy's header return, one thread alone: as the rules say, whatever the mechanism."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from safepoint.emit.header import header
from safepoint.graph.text import Text
from safepoint.protocol.policies import POLICIES
from safepoint.protocol.policy import Policy
from tests.emit.building import HOOKS, compiled, needs_cc
from tests.rules import case

PROGRAM = (
    "struct sp_thread;\nvoid sampled(struct sp_thread *t);\n#define SP_SAMPLED(t) sampled(t)\n"
    + HOOKS
    + Path(__file__).with_name("outcomes.c").read_text(encoding="utf-8")
)
SAID = """\
nothing is asked: 0
and at a back-edge: 0
the stack is full: 2
an interrupt: 1
once: 0
an interrupt, at a back-edge: 1
once: 0
a sample: 0
taken: 1
poison alone: 0
an interrupt, and the stack is full: 1
then it is full alone: 2
a mask, the first: 0
an interrupt in a mask: 0
and at a back-edge: 0
at its end: 1
once: 0
an interrupt and a termination: 3
the interrupt is still there: 1
a termination while it unwinds: 0
the end of a mask while it unwinds: 0
when it has unwound: 3
"""
"""0 goes on, 1 raises an interrupt, 2 an overflow, 3 a termination."""


def outcomes(directory: Path, policy: Policy, mutant: str = "") -> str:
    made = header(policy, mutant)
    words = {"folded": ", entry", "pypy": f", {policy.period}"}.get(policy.name, "")
    edge = ", 0" if policy.name == "folded" else ""
    bound = policy.declared.frames
    source = PROGRAM.replace("EDGE", edge).replace("WORDS", words).replace("BOUND", str(bound))
    probe = compiled(directory, made, source, "-O2")
    subprocess.run(["cc", str(probe), "-o", str(directory / "probe")], check=True, timeout=60)
    return subprocess.run([str(directory / "probe")], capture_output=True, text=True, timeout=20, check=True).stdout


@needs_cc
@pytest.mark.parametrize("policy", POLICIES.values(), ids=lambda p: p.name)
def test_outcomes_are_the_same_for_every_policy(policy: Policy, tmp_path: Path) -> None:
    assert outcomes(tmp_path, policy) == SAID


MISTAKES = (
    *("spurious-is-overflow", "overflow-wins", "push-not-retried", "terminate-again", "rest-dropped"),
    *("unmask-forgets", "unwound-forgets", "unmask-unwinds", "masked-taken"),
)
"""Those that one thread alone shows."""
NEVER = {("cpython", "spurious-is-overflow"), ("cpython", "masked-taken")}
"""The bits are the trigger, and a check tests those alone that may be delivered: it never fails for nothing, nor in a mask."""
RULE_OF = {mutant.name: mutant.rule for mutant in Text().mutants.values()}
CASES = [
    case(RULE_OF[mutant], f"{name} {mutant}", policy, mutant)
    for name, policy in POLICIES.items()
    for mutant in MISTAKES
    if (name, mutant) not in NEVER
]


@needs_cc
@pytest.mark.parametrize(("policy", "mutant"), CASES)
def test_some_outcome_is_another_with_a_mistake(policy: Policy, mutant: str, tmp_path: Path) -> None:
    """So no line of them is idle."""
    assert outcomes(tmp_path, policy, mutant) != SAID


GROWN = """
#include <stdio.h>
struct sp_thread *first;
static struct sp_thread guest;
static int push(uintptr_t end) { return (int)sp_frame_push(&guest, end); }
int main(void) {
    const uintptr_t entry[1] = {1};
    sp_make_thread(&guest, 1000, entry, SP_ENDED);
    sp_start_thread(&guest);
    int small = push(1200);
    sp_grow_stack(&guest, 500);
    sp_grow_stack(&guest, 500);
    printf("%d %d %d\\n", small, push(1500), push(1501));
    sp_exit_thread(&guest);
    sp_start_thread(&guest);
    printf("%d %d\\n", push(1500), push(1501));
    sp_exit_thread(&guest);
    sp_post(&guest, SP_STOP);
    sp_grow_stack(&guest, 0);
    sp_start_thread(&guest);
    printf("%d %d\\n", push(1000), push(1001));
    return 0;
}
"""


@needs_cc
def test_a_stack_that_has_grown_stays_so_until_the_vm_says_otherwise(tmp_path: Path) -> None:
    """Absolute, not in addition; a birth leaves it, as scope limit-births-1 has it; 0 is the first size, poisoned or not."""
    probe = compiled(tmp_path, header(POLICIES["folded"]), HOOKS + GROWN, "-O2")
    subprocess.run(["cc", str(probe), "-o", str(tmp_path / "probe")], check=True, timeout=60)
    done = subprocess.run([str(tmp_path / "probe")], capture_output=True, text=True, timeout=20, check=True)
    assert done.stdout == "2 0 2\n0 2\n0 2\n"
