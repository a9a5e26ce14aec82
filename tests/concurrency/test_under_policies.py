"""Threads under every policy that the interpreter has machine code for: controlled schedules, real cores, and mutants of each."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest

from safepoint.conform.target import NotOffered
from safepoint.differential.cases import CASES, LATE, case, cases_of
from safepoint.differential.controlled import Ran
from safepoint.differential.cores import CoresRun, find_on_cores
from safepoint.differential.follow import judge
from safepoint.differential.schedulers import Exhaustive, Replay
from safepoint.graph.text import Text
from safepoint.protocol import files
from safepoint.protocol.policies import FOLDED, POLICIES, PYPY, SKYBISON, V8_IGNITION
from safepoint.protocol.policy import Policy
from safepoint.trace.files import Reader, write_trace
from safepoint.trace.verdict import judge as judge_trace
from safepoint.verify.controlled import FULL, interpreter, run_case
from safepoint.verify.cores import SEEDED_REQUESTS
from safepoint.verify.under import CHECKS, cases_under, caught_under, own_mutants, policies, seeded
from safepoint_vm.cores import programs
from safepoint_vm.cores.campaign import SLACK, Campaign
from safepoint_vm.cores.phases import Phase, ping
from safepoint_vm.cores.under import LONG, campaign_for, is_written_for, loops_are_seen
from safepoint_vm.generate.counted import stores_of
from safepoint_vm.handlers.shared.checks import CHECK_MUTANTS, COUNTED, MECHANISMS
from safepoint_vm.threads.policies import why_not, why_not_scheduled

OTHERS = [policy.name for policy in POLICIES.values() if not why_not_scheduled(policy) and policy is not FOLDED]
RACED = [name for name in OTHERS if not why_not(POLICIES[name])]
ELSEWHERE = [name for name in OTHERS if POLICIES[name].elsewhere]
SEED = 20261128
racing = pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="this process has one core only: nothing races")


def test_every_policy_with_machine_code_is_here() -> None:
    assert [*policies()] == OTHERS
    assert len(OTHERS) == len(POLICIES) - 1
    assert len(RACED) >= 9
    assert {POLICIES[name].elsewhere for name in ELSEWHERE} == {"return", "allocation"}


# -- controlled schedules


@pytest.mark.parametrize("policy", OTHERS)
def test_nothing_is_wrong_in_any_case(policy: str) -> None:
    rows = [run_case(made, most=3, drawn=3) for made in cases_under(policy)]
    assert [row.wrong for row in rows if row.wrong] == []
    assert all(row.schedules == 6 for row in rows)


@pytest.mark.nightly  # some 10,000 schedules each: a minute
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("policy", OTHERS)
def test_nothing_is_wrong_in_many_schedules_of_any_case(policy: str) -> None:
    rows = [run_case(made, *FULL) for made in cases_under(policy)]
    assert [row.wrong for row in rows if row.wrong] == []


def test_a_case_needs_what_the_policys_text_is_written_for() -> None:
    assert cases_of(FOLDED) == (*CASES, *LATE)
    names = {policy: {made.program for made in cases_of(POLICIES[policy])} for policy in OTHERS}
    assert {"calls", "loop", "prints", "overflows"} <= set.intersection(*names.values())
    assert "masked" not in names["skybison"]  # no critical sections
    assert "starts" in names["go"]  # threads, of which none waits for another
    assert "births" not in names["go"]
    assert {"births", "asleep", "masked"} <= names["cpython"]
    assert not any("TERMINATE" in made.name for made in cases_of(SKYBISON))  # nothing unwinds
    assert [name for name in OTHERS if {"lists", "full"} <= names[name]] == ELSEWHERE


@pytest.mark.parametrize("policy", OTHERS)
def test_its_trace_is_one_that_accept_accepts_under_its_policy(policy: str) -> None:
    ran = interpreter().control(case("loop", "STOP", "HANDSHAKE", policy=policy), Replay({0: 2}))
    file = io.BytesIO()
    assert ran.header is not None
    write_trace(file, ran.header, ran.events)
    file.seek(0)
    assert Reader(file, "a run").header.policy == policy
    file.seek(0)
    verdict = judge_trace(file, "a run")
    assert verdict.refusal is None
    assert verdict.counts["stop-reached"] == verdict.counts["handshake-run"] == 1
    assert (verdict.counts["looped"] > 0) == ("back-edge" in POLICIES[policy].sites)


def test_a_trace_is_refused_under_a_policy_that_is_not_its_own() -> None:
    """Where a check counts, it says so."""
    ran = interpreter().control(case("loop", "STOP", policy="pypy"), Replay({}))
    assert ran.header is not None
    file = io.BytesIO()
    write_trace(file, msgspec.structs.replace(ran.header, policy="v8_maglev"), ran.events)
    file.seek(0)
    refusal = judge_trace(file, "a run").refusal
    assert refusal is not None


@pytest.mark.parametrize("policy", OTHERS)
def test_a_mutant_of_its_checks_is_caught(policy: str) -> None:
    """In the sample the one that shows soonest; the others at night."""
    mutant = "never-restored" if "never-restored" in own_mutants(POLICIES[policy]) else own_mutants(POLICIES[policy])[0]
    row = caught_under(policy, mutant)
    assert row.missed == ()
    assert (row.schedules or 0) < 100
    assert row.shown == "trace"


@pytest.mark.nightly  # some take hundreds of schedules
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("policy", OTHERS)
def test_every_mutant_of_its_mechanism_is_caught(policy: str) -> None:
    rows = [caught_under(policy, mutant) for mutant in own_mutants(POLICIES[policy])]
    assert [row.name for row in rows if row.missed] == []


def test_a_mutant_of_a_check_that_a_policy_does_not_make_is_not_compiled() -> None:
    assert interpreter().compiles("checks-at-calls-only", "v8_maglev")
    assert not interpreter().compiles("checks-at-calls-only", "skybison")
    assert interpreter().compiles("checks-at-loops-only", "wasmtime")
    assert not interpreter().compiles("checks-at-loops-only", "cpython")  # in its text that is a check elsewhere
    assert interpreter().compiles("ticker-refilled", "pypy")
    assert interpreter().compiles("budget-refilled", "v8_ignition")
    assert interpreter().compiles("checks-at-loops-only", "yarv")
    assert interpreter().compiles("checks-at-allocations-only", "ocaml")
    assert not interpreter().compiles("checks-at-allocations-only", "pypy_sampling")  # no loop checks there
    for policy in ("skybison", "ocaml"):  # in a comparison that is there anyway
        assert interpreter().compiles("compares-the-real-limit", policy)
    with pytest.raises(NotOffered, match="no procedure that it compiles has it"):
        interpreter().control(case("calls", policy="skybison"), Replay({}), "checks-at-calls-only")


def test_a_policy_that_threads_cannot_be_under_is_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    why = "there is no machine code for its checks"
    monkeypatch.setitem(POLICIES, "pypy", replace(PYPY, trigger="nothing"))
    with pytest.raises(NotOffered, match=f"policy pypy: {why}"):
        interpreter().control(case("calls", policy="pypy"), Replay({}))
    if len(os.sched_getaffinity(0)) > 1:
        with pytest.raises(NotOffered, match=f"policy pypy: {why}"):
            find_on_cores("folded").race(1, 1.0, SEED, policy="pypy")
    assert "pypy" not in policies()


@racing
def test_a_policy_with_checks_that_no_campaign_counts_is_not_raced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(POLICIES, "pypy", replace(PYPY, sites=("back-edge", "elsewhere")))
    with pytest.raises(NotOffered, match="policy pypy: campaigns know no check at elsewhere"):
        find_on_cores("folded").race(1, 1.0, SEED, policy="pypy")


def overwritten(ran: Ran) -> bool:
    """Has a check stored what was left of a ticker after a requester had poisoned it, and before the slow path?"""
    kinds = [(event.by, str(event.__struct_config__.tag)) for event in ran.events]
    if ("R1", "poisoned") not in kinds:
        return False
    later = [kind for by, kind in kinds[kinds.index(("R1", "poisoned")) :] if by == "T0"]
    return "counted" in later and later.index("counted") < min(
        (later.index(kind) for kind in ("entered", "pushed", "looped") if kind in later), default=len(later)
    )


def passed_after(ran: Ran) -> int:
    """Checks that pass after the poison has been overwritten, up to the slow path or the end."""
    kinds = [str(event.__struct_config__.tag) for event in ran.events if event.by in ("T0", "R1")]
    after = kinds[kinds.index("poisoned") :]
    end = after.index("entered") if "entered" in after else len(after)
    return sum(kind in ("pushed", "looped") for kind in after[:end])


def test_a_post_between_the_load_and_the_store_of_a_ticker_is_overwritten_and_seen_in_time() -> None:
    """One preemption does it: the guest is in the middle of a check."""
    made = case("loop", "SAMPLE", policy="pypy")
    search = Exhaustive(1, 400)
    runs = [interpreter().control(made, scheduler) for scheduler in search]
    assert search.finished
    assert all(judge(ran) is None for ran in runs)  # the bound of the trace, too
    lost = [ran for ran in runs if overwritten(ran)]
    assert len(lost) > 1
    assert {passed_after(ran) for ran in lost} == {0, 1}  # of a period of 2
    assert PYPY.period == 2
    other = [interpreter().control(case("loop", "SAMPLE", policy="v8_maglev"), s) for s in Exhaustive(1, 400)]
    assert not any(overwritten(ran) for ran in other)


def test_checks_that_store_are_those_of_the_text() -> None:
    assert {trigger for trigger in MECHANISMS if stores_of(trigger)} == {*COUNTED}


def test_mutants_of_checks_are_in_the_text() -> None:
    known = {name for policy in POLICIES.values() for name in Text(files(policy.trigger)[:-1]).mutants}
    assert set(CHECKS) <= set(CHECK_MUTANTS) <= known


# -- real cores


def duel(policy: Policy, source: str, met: Callable[[CoresRun], bool] = lambda run: True) -> CoresRun:
    """300 posts or more, one by one, to a thread whose ticker or budget is LONG, until what is looked for has been met."""
    campaign = Campaign(seed=SEED, policy=policy)
    phase = Phase("a duel", source, 1.0, (ping(1.0),), duel=True, period=LONG)
    for _ in range(20):  # on a busy machine the two sides may not meet at once
        run = campaign.phases((phase,), 300, 1.0)
        if met(run):
            break
    return run


@racing
@pytest.mark.parametrize("policy", RACED)
def test_a_campaign_finds_nothing_wrong(policy: str) -> None:
    run = find_on_cores("folded").race(1_500, 0.5, SEED, policy=policy)
    assert run.wrong == 0, run
    assert run.requests >= 1_500
    assert run.stops > 0
    assert run.handshakes > 0


@racing
@pytest.mark.nightly  # 100,000 requests each, and every seeded mutant
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("policy", RACED)
def test_a_long_campaign_finds_nothing_wrong_and_catches_every_mutant(policy: str) -> None:
    run = find_on_cores("folded").race(100_000, 10.0, SEED, policy=policy)
    assert run.wrong == 0, run
    for mutant in seeded(POLICIES[policy]):
        assert find_on_cores("folded").race_mutant(mutant, SEEDED_REQUESTS, SEED, policy).wrong > 0, mutant


@racing
@pytest.mark.parametrize("policy", RACED)
def test_a_campaign_catches_a_mutant_that_loses_requests(policy: str) -> None:
    mutant = seeded(POLICIES[policy])[0]
    run = find_on_cores("folded").race_mutant(mutant, SEEDED_REQUESTS, SEED, policy)
    assert run.lost > 0, (mutant, run)


@racing
def test_a_poison_that_a_ticker_overwrites_is_healed_when_it_expires() -> None:
    """Of 300 posts in a duel most: the owner's stores of the count wait in its store buffer, behind which the poison comes."""
    run = duel(PYPY, programs.LOOP, lambda run: run.later > 0)
    assert run.wrong == 0, run
    assert run.later > 0
    assert SLACK < run.worst <= LONG + SLACK


@racing
def test_a_budget_is_spent_before_a_loop_sees_a_request() -> None:
    run = duel(V8_IGNITION, programs.LOOP, lambda run: run.later > 0)
    assert run.wrong == 0, run
    assert run.later > 0
    assert duel(V8_IGNITION, programs.CALLS).later == 0  # a push sees it at once


@racing
def test_what_is_seen_beyond_the_declared_bound_is_counted() -> None:
    """The same run, of a policy that declares two checks whatever its ticker is set to."""
    claims = replace(PYPY, period=LONG)
    assert claims.with_period(LONG).declared == PYPY.declared
    run = duel(claims, programs.LOOP, lambda run: run.beyond_bound > 0)
    assert run.beyond_bound > 0
    assert run.later == 0


@pytest.mark.parametrize("policy", RACED)
def test_programs_of_a_campaign_are_written_for_its_policy(policy: str) -> None:
    phases = campaign_for(POLICIES[policy])
    assert all(is_written_for(POLICIES[policy], phase.source) for phase in phases)
    assert any(phase.duel for phase in phases)
    assert any(phase.jitter for phase in phases)
    loops = [phase.name for phase in phases if phase.source == programs.LOOP]
    assert bool(loops) == loops_are_seen(POLICIES[policy])


def test_what_no_campaign_has_is_said() -> None:
    said = find_on_cores("folded").not_raced
    assert said("cpython") == ""
    assert "loops that push no frame: no request is seen there" in said("skybison")
    assert "threads that begin and end" in said("wasmtime")
    assert "an owner puts it aside" in said("dart")
