"""VMs under the judge: our own two machines, three that strangers use, and three with mistakes that strangers made."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import lru_cache
from importlib.util import find_spec

import pytest

from safepoint.conform.claims import CLAIMS, Claim
from safepoint.conform.judge import find_target, hold, judge, target_row
from safepoint.conform.runs import Runs
from safepoint.conform.schedules import ANY_SCHEDULE
from safepoint.differential.reference import Reference
from tests.conform import bad_targets


def needs(package: str, *, also: bool = True) -> pytest.MarkDecorator:
    return pytest.mark.skipif(
        find_spec(package) is None or not also, reason=f"{package} is not installed (pip install '.[vm,targets]')"
    )


REFERENCE, FOLDED = "safepoint.differential.reference:Reference", "safepoint_vm.target:FoldedTarget"
ADAPTERS = "tests.conform.adapters"
THREADS = {"threads-are-told-apart", "births-are-clean"}
LOCKS = {"blocked-guest-is-woken", "blocked-guest-is-not-waited-for"}
OTHERS = {
    "neither-hides-the-other",
    "nothing-else-changes",
    "storm-progress",
    "storm-starves-no-thread",
    "requester-is-answered",
}
"""Claims that need another kind than INTERRUPT."""

REAL = {
    # Lua has no limit that a program of ours reaches: 200,000 calls.  Its hook looks before each instruction, so that a request is
    # seen before the next push or back-edge, whatever the hook was set for.
    f"{ADAPTERS}.lua:Lua": (
        {"frames": 0, "back_edges": 0, "instruction": 0},
        THREADS | LOCKS | {"no-fake-overflow", "not-lost-in-slow-path", "masks-hold", "requester-is-answered"},
    ),
    # An epoch is all that a host can post, and a trap all that it leads to; there is no catching it.
    f"{ADAPTERS}.wasm:Wasmtime": (
        {"frames": 1, "back_edges": 1},
        THREADS
        | LOCKS
        | OTHERS
        | {"not-lost-in-slow-path", "masks-hold", "except-and-finally-run", "checks-pass-again"},
    ),
    # Another thread's request to stop is the GIL's business, and no API posts it.
    f"{ADAPTERS}.cpython:CPython": (
        {"frames": 1, "back_edges": 1},
        THREADS | LOCKS | OTHERS | {"no-fake-overflow", "not-lost-in-slow-path", "masks-hold"},
    ),
}
"""Target -> the greatest distances, and the claims that are not judged; all others hold."""
INSTALLED = {
    f"{ADAPTERS}.lua:Lua": needs("lupa", also=shutil.which("cc") is not None),
    f"{ADAPTERS}.wasm:Wasmtime": needs("wasmtime"),
}


@lru_cache
def runs_of(name: str) -> Runs:
    """Each run is made once for all claims."""
    return Runs(find_target(name))


@pytest.mark.parametrize("name", [REFERENCE, pytest.param(FOLDED, marks=needs("llvmlite"))])
@pytest.mark.parametrize("claim", [*CLAIMS.values(), ANY_SCHEDULE], ids=lambda claim: claim.name)
def test_every_claim_holds_for_ours(claim: Claim, name: str) -> None:
    verdict = hold(claim, runs_of(name), name)
    assert (verdict.verdict, verdict.left_out) == ("holds", {}), verdict.report
    if claim.name == "seen-within-bound":
        assert verdict.evidence
        assert verdict.evidence.worst == {"frames": 1, "back_edges": 1}


@pytest.mark.parametrize("name", [pytest.param(name, marks=INSTALLED.get(name, ())) for name in REAL])
def test_every_claim_that_can_be_judged_holds_for_a_real_vm(name: str, say: Callable[[str], None]) -> None:
    bound, not_offered = REAL[name]
    target = find_target(name)
    row = target_row(name, judge(target, name))
    assert (row.refuted, row.no_verdict) == ((), ())
    assert set(row.not_offered) == not_offered
    assert row.bound == bound
    assert hold(ANY_SCHEDULE, Runs(target), name).verdict == "holds"
    say(f"{target.name}: {row.claims} claims judged, none refuted")


def test_cpython_does_not_wake_a_thread_that_is_blocked() -> None:
    """The exception is raised when the thread next looks at its eval breaker, and one that waits for a lock executes no bytecode."""
    name = f"{ADAPTERS}.cpython:WithLocks"
    verdict = hold(CLAIMS["blocked-guest-is-woken"], Runs(find_target(name)), name)
    assert verdict.verdict == "refuted"
    assert "seen      the guest has not come back for 0.5 seconds" in verdict.report


@pytest.mark.parametrize("bad", [bad_targets.OneShot, bad_targets.OneShotAll, bad_targets.LateStop])
def test_a_vm_that_forgets_how_to_listen_is_refuted(bad: type[Reference]) -> None:
    assert hold(CLAIMS["seen-again"], Runs(bad()), bad.name).verdict == "refuted"
