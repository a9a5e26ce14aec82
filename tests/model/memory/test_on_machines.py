"""The protocol on real machines: it holds, and of the orders that C11 needs some are needed there, too; and membarrier."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from safepoint.cli.main import cli
from safepoint.cli.status import NO_VERDICT, REFUTED
from safepoint.graph.gather import text_of
from safepoint.graph.text import Text
from safepoint.model.engines import engine
from safepoint.model.eventually import check_liveness
from safepoint.model.explore import Result, search
from safepoint.model.fairness import check_fairness
from safepoint.model.memory.names import C11, SHORT, STALE, not_said
from safepoint.model.memory.targets import TARGETS
from safepoint.model.path import path_of, replay
from safepoint.model.properties import Properties
from safepoint.model.scopes import SCOPES
from safepoint.model.system import Model
from safepoint.protocol.policies import PATCHED, POLICIES
from safepoint.protocol.policy import Policy
from safepoint.verify.text import WRONG_ON, not_on_machines, plan
from tests.model.memory.wrong_orders import ORDERS

TEXT = Text()


def searched(scope: str, memory: str, mutant: str = "", find: str = "auto") -> Result:
    model = Model(TEXT, SCOPES[scope], mutant, memory=memory)
    return engine(find)(model, Properties(model).judge)


@pytest.mark.parametrize("memory", TARGETS)
@pytest.mark.parametrize("scope", ["interrupt-1", "stop-1", "blocking-1", "membarrier-1"])
def test_the_text_holds_on_every_machine(scope: str, memory: str) -> None:
    assert check_liveness(searched(scope, f"{memory}-k1")).broken == ""


NO_VERDICT_ON = {("blocking-1", "dart", "riscv64"): "sleeper-is-woken"}
"""Scope, policy and machine, to what a path breaks that the machine of views has and the processor has not: a store placed before an older one,
and a load that reads one before the newest, with no barrier but that of an atomic operation between them (shape R)."""


MANY_STATES = (PATCHED,)
"""Policies that take ten seconds on these machines also in the smallest scope."""


@pytest.mark.parametrize(
    "policy",
    [pytest.param(policy, marks=pytest.mark.nightly if policy in MANY_STATES else ()) for policy in POLICIES.values()],
    ids=lambda policy: policy.name,
)
@pytest.mark.parametrize(
    "scope",
    [
        "interrupt-1",
        *(
            pytest.param(scope, marks=[pytest.mark.nightly, pytest.mark.timeout(600)])
            for scope in ("stop-1", "handshake-1", "blocking-1", "births-1")
        ),
    ],
)
def test_every_policy_holds_on_every_machine(scope: str, policy: Policy) -> None:
    """Wherever its text has what the scope asks for."""
    if not {*SCOPES[scope].slices} <= {*policy.slices}:
        return
    for memory in TARGETS:
        model = Model(text_of(policy), SCOPES[scope], policy=policy, memory=f"{memory}-k1")
        found = check_liveness(engine()(model, Properties(model).judge))
        broken = NO_VERDICT_ON.get((scope, policy.name, memory), "")
        assert (found.broken, found.states > 100 or broken != "") == (broken, True), memory


@pytest.mark.parametrize("memory", TARGETS)
@pytest.mark.parametrize(("mutant", "scope", "broken", "steps"), ORDERS)
def test_a_wrong_order_is_wrong_on_some_machines(mutant: str, scope: str, broken: str, steps: int, memory: str) -> None:
    """As herd7 said of these shapes, for POWER and RISC-V that they may happen, for AArch64 that they may not.

    reenter-acquire: an acquire load is kept behind a locked operation but by POWER, whose sync stands before the operation, and lwsync behind.
    claim-acquire: by RISC-V neither, where the operation is a compare-exchange, which is a pair.  wake-release: two stores to one word, one of them
    before a sync, are in order wherever all see stores at once.
    """
    if memory in WRONG_ON[mutant]:
        result = searched(scope, memory, mutant, "python")
        assert (result.broken, len(result.path) - 1) == (broken, steps)
    else:
        assert searched(scope, f"{memory}-k1", mutant).broken == ""


def test_a_path_of_a_machine_is_replayed() -> None:
    result = searched("stop-1", "power-k1", "reenter-acquire", "python")
    told = path_of(result).replay
    assert told.startswith("m:stop-1,folded,power-k1/reenter-acquire/")
    assert replay(TEXT, told).broken == result.broken


@pytest.mark.parametrize(
    ("mutant", "scope", "broken"),
    [
        ("stop-without-fence", "membarrier-1", "world-stopped"),
        ("claim-without-fence", "membarrier-handshake-1", "handshake-alone"),
    ],
)
def test_without_the_requesters_fence_a_return_is_not_seen(mutant: str, scope: str, broken: str) -> None:
    """Nor is it on x86-64; elsewhere the looks, which are seq_cst, have a barrier of their own or keep their turn."""
    for memory in (C11, "x86-64"):
        assert searched(scope, memory, mutant, "python").broken == broken
    assert all(searched("membarrier-1", f"{m}-k1", "stop-without-fence").broken == "" for m in ("aarch64", "power"))


@pytest.mark.parametrize("scope", ["membarrier-1", "membarrier-handshake-1"])
def test_with_the_requesters_fence_the_text_holds_under_c11(scope: str) -> None:
    assert searched(scope, "c11k1").broken == ""


def test_verify_has_rows_of_every_machine() -> None:
    assert {memory for _, memory, _ in plan()} == set(SHORT)
    assert all(STALE[memory] == 2 for memory in SHORT if memory in STALE)


def test_a_relaxed_access_is_explored_as_such() -> None:
    """Of a thread that returns to guest code: its look may pass AArch64's plain pair, and never x86-64's xchg, whatever its order."""
    for memory, broken in (("aarch64-k1", "world-stopped"), ("x86-64-k1", "")):
        model = Model(Text(), SCOPES["stop-1"], "reenter.state.swap.relaxed", memory=memory)
        assert search(model, Properties(model).judge).broken == broken


def test_verify_says_where_c11_asks_for_more_than_a_machine_needs() -> None:
    said = not_on_machines()
    assert "reenter-acquire on power, claim-acquire on riscv64 and power, wake-release on power;" in said
    assert {mutant for mutant, *_ in ORDERS} == set(WRONG_ON)


def test_a_machine_that_allows_too_much_does_not_refute_the_text() -> None:
    """Shape R of two seq_cst stores and a pair, which RVWMO forbids; with a mutant a path shows what the mutant makes possible."""
    command = ["explore", "-p", "dart", "--scope", "blocking-1", "--memory", "riscv64-k1"]
    done = CliRunner().invoke(cli, command)
    assert done.exit_code == NO_VERDICT
    assert "no verdict: the machine of views allows more than riscv64" in done.stderr
    mutated = CliRunner().invoke(cli, [*command[:3], "--scope", "stop-1", *command[5:], "--mutant", "no-recheck"])
    assert mutated.exit_code == REFUTED


@pytest.mark.parametrize("memory", ["x86-64-k1", "power-k1"])
def test_stops_are_not_counted_where_a_look_may_be_stale(memory: str) -> None:
    """A coordinator's look is taken behind a store that it was made before: the stop seems to come later than it does."""
    assert check_fairness(check_liveness(searched("fairness-1", memory))).broken == ""
    assert "no fairness of stops" in not_said(memory)
