"""What the checks of each policy's header return, one thread alone: as the rules say, whatever the mechanism."""

from __future__ import annotations

import re
import signal
import subprocess
from pathlib import Path

import pytest

from safepoint.emit.header import header
from safepoint.emit.title import no_header
from safepoint.graph.gather import text_of
from safepoint.model.mutants import first_of_each_trigger
from safepoint.protocol.policies import POLICIES
from safepoint.protocol.policy import Policy
from tests.emit.building import HOOKS, compiled, needs_cc
from tests.rules import case

PROGRAM = (
    "struct sp_thread;\nvoid sampled(struct sp_thread *t);\n#define SP_SAMPLED(t) sampled(t)\n"
    + HOOKS
    + Path(__file__).with_name("outcomes.c").read_text(encoding="utf-8")
)
EMITTED = [policy for policy in POLICIES.values() if not no_header(policy)]
ALONE = """\
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
"""
"""0 goes on, 1 raises an interrupt, 2 an overflow, 3 a termination."""
SEEN_AT_A_PUSH = """\
an interrupt, and the stack is full: 1
then it is full alone: 2
and at a back-edge: 0
"""
"""The end of it, and what stands there where calls check nothing: the overflow is raised, and the interrupt by the next check."""
SEEN_LATER = """\
an interrupt, and the stack is full: 2
then it is full alone: 2
and at a back-edge: 1
"""
IN_A_MASK = """\
a mask, the first: 0
an interrupt in a mask: 0
and at a back-edge: 0
at its end: 1
once: 0
"""
TERMINATED = """\
an interrupt and a termination: 3
the interrupt is still there: 1
a termination while it unwinds: 0
the end of a mask while it unwinds: 0
when it has unwound: 3
"""


CHECKS_THERE = {"": "0", "return": "sp_return(&guest)", "allocation": "sp_allocation(&guest)"}
"""Site beside frame pushes and back-edges to the call that is its check."""


def said(policy: Policy) -> str:
    """All of it, as far as the policy's text has the features."""
    masks, terminates = "masks" in policy.slices, "unwinding" in policy.slices
    alone = ALONE + (SEEN_AT_A_PUSH if "push" in policy.sites else SEEN_LATER)
    return alone + IN_A_MASK * masks + TERMINATED * (masks and terminates)


def outcomes(directory: Path, policy: Policy, mutant: str = "") -> str:
    made = header(policy, mutant)
    counted = {
        "ticker": f", {policy.period}",
        "limit_and_budget": f", {policy.period}",
        "heap_limit": ", 1",
        "page": ", 1",
    }
    words = {"limit_and_table": ", entry", **counted}.get(policy.trigger, "")
    edge = ", 0" if policy.name == "folded" else ""
    declared = policy.declared
    source = PROGRAM.replace("EDGES", str(declared.back_edges or 0)).replace("EDGE", edge)
    source = source.replace("WORDS", words).replace("ELSEWHERE", CHECKS_THERE[policy.elsewhere])
    source = source.replace("BOUND", str(declared.frames or declared.returns or declared.allocations))
    has = {
        "MASKS": "masks" in policy.slices,
        "TERMINATES": "unwinding" in policy.slices,
        "PUSHES": "push" in policy.sites,
    }
    source = "".join(f"#define {name} {int(value)}\n" for name, value in has.items()) + source
    probe = compiled(directory, made, source, "-O2")
    subprocess.run(["cc", str(probe), "-o", str(directory / "probe")], check=True, timeout=60)
    return subprocess.run([str(directory / "probe")], capture_output=True, text=True, timeout=20, check=True).stdout


@needs_cc
@pytest.mark.parametrize("policy", EMITTED, ids=lambda p: p.name)
def test_outcomes_are_the_same_for_every_policy(policy: Policy, tmp_path: Path) -> None:
    assert outcomes(tmp_path, policy) == said(policy)


def test_all_of_it_is_said_for_most_policies() -> None:
    parts = {p.name: said(p).removeprefix(ALONE) for p in EMITTED}
    whole, later = (seen + IN_A_MASK + TERMINATED for seen in (SEEN_AT_A_PUSH, SEEN_LATER))
    assert {name for name, part in parts.items() if part not in (whole, later)} == {
        "skybison",
        "go",
        "hotspot",
        "ocaml",
        "pypy_sampling",
    }
    assert [name for name, part in parts.items() if part.startswith(SEEN_LATER)] == [
        "yarv",
        "hotspot",
        "ocaml",
        "pypy_sampling",
    ]


MISTAKES = {
    "push": ("spurious-is-overflow", "overflow-wins", "push-not-retried"),
    "unwinding": ("terminate-again", "rest-dropped", "unwound-forgets", "unmask-unwinds"),
    "masks": ("unmask-forgets", "masked-taken"),
    "return": ("checks-at-loops-only",),
    "allocation": ("compares-the-real-limit",),
}
"""Site or feature without which a header has them not, to those that one thread alone shows."""
NEVER = {
    ("cpython", "spurious-is-overflow"),
    *((name, "masked-taken") for name in ("cpython", "yarv")),
}
"""The bits are the trigger, and a check tests those alone that may be delivered: it never fails for nothing, nor in a mask."""
CASES = [
    case(text_of(policy).mutants[mutant].rule, f"{policy.name} {mutant}", policy, mutant)
    for policy in EMITTED
    if policy in first_of_each_trigger()
    or policy.elsewhere  # who shares trigger and sites has the same lines, or fewer
    for needs, mutants in MISTAKES.items()
    if needs in (*policy.sites, *policy.slices)
    for mutant in mutants
    if (policy.name, mutant) not in NEVER
]


@needs_cc
@pytest.mark.parametrize(("policy", "mutant"), CASES)
def test_some_outcome_is_another_with_a_mistake(policy: Policy, mutant: str, tmp_path: Path) -> None:
    """So no line of them is idle."""
    assert outcomes(tmp_path, policy, mutant) != said(policy)


def said_by(directory: Path, policy: str, source: str) -> subprocess.CompletedProcess[str]:
    probe = compiled(directory, header(POLICIES[policy]), source, "-O2", "-D_POSIX_C_SOURCE=200809L")
    subprocess.run(["cc", str(probe), "-o", str(directory / "probe")], check=True, timeout=60)
    return subprocess.run([str(directory / "probe")], capture_output=True, text=True, timeout=20, check=False)


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
    assert said_by(tmp_path, "folded", HOOKS + GROWN).stdout == "2 0 2\n0 2\n0 2\n"


HEAP = """
#include <stdio.h>
struct sp_thread *first;
static struct sp_thread guest;
static int most(void) { /* how many bytes it may allocate, one at a time; -1: a request */
    for (uintptr_t end = 101;; end++) {
        if (end > atomic_load_explicit(&guest.heap_limit, memory_order_relaxed)) {
            if (sp_allocation(&guest) != SP_GO) return -1;
            if (end > guest.heap_limit_real) return (int)(end - 101);
        }
    }
}
int main(void) {
    sp_make_thread(&guest, 1000, 110, SP_MANAGED);
    int before = most();
    sp_post(&guest, SP_SAMPLE);
    int sampled = most();
    sp_post(&guest, SP_INTERRUPT);
    int asked = most();
    int answered = most();
    sp_post(&guest, SP_INTERRUPT);
    sp_set_heap_limit(&guest, 200); /* a new buffer does not hide it */
    printf("%d %d %d %d %d ", before, sampled, asked, answered, most());
    printf("%d ", most());
    sp_set_heap_limit(&guest, 1);
    printf("%d\\n", most());
    return 0;
}
"""


@needs_cc
@pytest.mark.parametrize("policy", ["ocaml", "pypy_sampling"])
def test_an_allocation_asks_with_the_comparison_that_it_makes_anyway(policy: str, tmp_path: Path) -> None:
    """The room is as large whether a request came or not; a limit that moves keeps its poison; without a buffer there is none."""
    assert said_by(tmp_path, policy, HOOKS + HEAP).stdout == "10 10 -1 10 -1 100 0\n"


TICKER = """
#include <stdio.h>
static void before(void);
#define SP_BEFORE() before()
%s
struct sp_thread *first;
static struct sp_thread guest;
static int countdown;
static void before(void) {
    if (countdown > 0 && --countdown == 0) sp_post(&guest, SP_INTERRUPT);
}
int main(void) {
    int most = 0;
    for (int start = 0; start < 12; start++)
        for (int access = 1; access <= 4; access++) {
            sp_make_thread(&guest, 1000, %s, SP_MANAGED);
            for (int n = 0; n < start; n++) if (sp_back_edge(&guest)) return 1;
            countdown = access; /* the post comes before this access of the checks that follow */
            int checks = 0;
            for (int n = 0; n < 20; n++) {
                int was_posted = countdown == 0;
                enum sp_outcome outcome = n %% 2 ? sp_back_edge(&guest) : sp_frame_push(&guest, 10);
                checks += was_posted;
                if (outcome == SP_RAISE_INTERRUPT) break;
            }
            most = checks > most ? checks : most;
            if (atomic_load(&guest.pending)) return 2;
        }
    printf("%%d\\n", most);
    return 0;
}
"""


@needs_cc
@pytest.mark.parametrize("ticker", [1, 2, 5])
def test_the_bound_of_a_ticker_is_what_it_is_set_to(ticker: int, tmp_path: Path) -> None:
    """Wherever the post comes, it is seen by n checks after it: the worst is between a check's load and its store."""
    done = said_by(tmp_path, "pypy", TICKER % (HOOKS, ticker))
    assert (done.returncode, done.stdout) == (0, f"{ticker}\n")


@needs_cc
@pytest.mark.parametrize("policy", ["pypy", "folded"])
def test_a_real_value_that_is_the_poison_is_refused(policy: str, tmp_path: Path) -> None:
    value = {"pypy": "0", "folded": "(uintptr_t[]){0}"}[policy]
    source = f"{HOOKS}struct sp_thread *first;\nint main(void) {{ static struct sp_thread t; sp_make_thread(&t, 1, {value}, 0); }}\n"
    done = said_by(tmp_path, policy, source)
    assert done.returncode == -signal.SIGABRT
    assert re.search(r"Assertion .(ticker|entry\[i\]) != ", done.stderr)


FORK = """
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
struct sp_thread *first;
static struct sp_thread guest;
static const uintptr_t entry[1] = {1};
int main(void) {
    sp_make_thread(&guest, 1000, entry, SP_ENDED);
    first = &guest;
    sp_start_thread(&guest);
    sp_leave(&guest);
    sp_stop_world(); /* as a collector's thread does, which the child has not */
    pid_t child = fork();
    if (child == 0) {
        alarm(RESET ? 20 : 1);
        if (RESET) sp_make_world();
        sp_make_thread(&guest, 1000, entry, SP_ENDED);
        sp_start_thread(&guest);
        sp_stop_world_from(&guest);
        sp_start_world_from(&guest);
        _exit(sp_back_edge(&guest, 0) == SP_GO ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    printf("%d\\n", WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status));
    return 0;
}
"""


@needs_cc
def test_the_child_of_a_fork_makes_the_world_anew(tmp_path: Path) -> None:
    """Else it waits for the end of a stop whose coordinator it has not."""
    assert said_by(tmp_path, "folded", HOOKS + FORK.replace("RESET", "1")).stdout == "0\n"
    assert said_by(tmp_path, "folded", HOOKS + FORK.replace("RESET", "0")).stdout == f"-{int(signal.SIGALRM)}\n"
