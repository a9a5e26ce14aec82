"""Campaigns under policies that check at returns or allocations, or whose owner puts requests aside: what is counted, and how exactly."""

from __future__ import annotations

import io
import os
import random
import time

import pytest

from safepoint.differential.cores import CoresRun, find_on_cores
from safepoint.guest.compiler.program import compile_program
from safepoint.protocol.policies import DART, FOLDED, HOTSPOT, OCAML, POLICIES, PYPY_SAMPLING, YARV
from safepoint.protocol.policy import Policy
from safepoint.protocol.words import ENDED, INTERRUPT
from safepoint.verify.cores import SEEDED_REQUESTS
from safepoint_vm.cores import programs
from safepoint_vm.cores.build import cores_engine
from safepoint_vm.cores.campaign import PATIENCE, SLACK, Campaign, Running
from safepoint_vm.cores.counting import add_tallies, pending_bits
from safepoint_vm.cores.phases import PAIRS, Phase, Requester, ping
from safepoint_vm.cores.plan import UNBOUNDED
from safepoint_vm.cores.races import SENTENCES, names_of
from safepoint_vm.cores.tally import KINDS
from safepoint_vm.cores.under import RAISES, campaign_for, fitted, has_everything, phases_under
from safepoint_vm.cores.world import CoresVm
from safepoint_vm.language.layout import Record
from safepoint_vm.language.words import HEAD_WORDS, LIST_WORDS
from safepoint_vm.threads.os_thread import OsThread
from safepoint_vm.threads.thread import GuestThread
from tests.impl.running import LONG
from tests.impl.waiting import soon

KIND = KINDS.index("INTERRUPT")
SEED = 20261128
FURTHER = [p for p in POLICIES.values() if p.elsewhere]
racing = pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="this process has one core only: nothing races")


class Quiet:
    """A thread that executes nothing, in a tallied world: procedures run on it in the order that a test gives."""

    def __init__(self, policy: str, mutant: str = "", *, born: bool = True) -> None:
        engine = cores_engine(mutant, policy=policy)
        self.vm = CoresVm(engine, compile_program("pass\n", "guest.py"), io.StringIO(), random.Random(1))
        self.mutant, self.guest = mutant, self.vm.world.add(self.vm._thread)
        if born:
            self.run("start_thread")

    def run(self, procedure: str, *arguments: int) -> None:
        assert self.vm.world.engine.procedure(procedure, self.guest.address, *arguments) == 0

    def counted(self) -> dict[str, int]:
        tally = self.vm.world.tallies[0]
        names = ("posted", "found", "taken", "merged", "dropped")
        return {name: tally.get(name, KIND) for name in names if tally.get(name, KIND)}

    def balance(self) -> tuple[int, int, int]:
        """Lost, duplicated, coalesced."""
        found = CoresRun()
        add_tallies(found, self.mutant, self.vm.world)
        return found.lost, found.duplicated, found.coalesced


def section(policy: str, mutant: str = "") -> Quiet:
    """Two interrupts are posted in a critical section, and each is met by a check."""
    quiet = Quiet(policy, mutant)
    quiet.run("mask")
    for _ in range(2):
        quiet.run("post", INTERRUPT)
        quiet.run("slow_path")
    return quiet


def raises(quiet: Quiet) -> None:
    """As `TalliedThread.throw` notes it."""
    quiet.vm.world.raised["INTERRUPT"] += 1


def test_two_interrupts_that_an_owner_puts_aside_are_one_from_there_on() -> None:
    """The second finds the limit without bits: only where it is put aside do the two meet.  Elsewhere it finds the bit of the first."""
    quiet, other = section("dart"), section("cpython")
    assert quiet.counted() == {"posted": 2, "merged": 1}
    assert other.counted() == {"posted": 2, "found": 1}
    for each in (quiet, other):
        assert each.balance() == (0, 0, 1)
        assert pending_bits(each.guest.record, each.vm.world.engine.policy.base) == 0  # masked
        each.run("unmask")
        raises(each)
        assert each.counted()["taken"] == 1
        assert each.balance() == (0, 0, 1)


def test_one_that_is_aside_and_one_in_the_limit_are_two_until_a_take() -> None:
    quiet = section("dart")
    quiet.run("post", INTERRUPT)
    assert quiet.balance() == (0, 0, 1)
    quiet.run("unmask")
    raises(quiet)
    assert quiet.counted() == {"posted": 3, "merged": 2, "taken": 1}
    assert quiet.balance() == (0, 0, 2)


def test_what_is_aside_when_its_thread_ends_is_dropped() -> None:
    """Another policy's stays pending until the next birth."""
    quiet, other = section("dart"), section("cpython")
    for each in (quiet, other):
        each.run("exit_thread")
        assert each.balance() == (0, 0, 1)
    assert quiet.counted() == {"posted": 2, "merged": 1, "dropped": 1}
    assert other.counted() == {"posted": 2, "found": 1}
    other.run("start_thread")
    assert other.counted()["dropped"] == 1


@pytest.mark.rule("MASKED-STAYS")
@pytest.mark.parametrize("policy", [DART.name, FOLDED.name])
def test_what_is_taken_while_it_is_masked_is_lost(policy: str) -> None:
    assert section(policy).balance()[0] == 0
    assert section(policy, "masked-taken").balance()[0] > 0


def test_a_new_thread_leaves_what_is_posted_to_its_record() -> None:
    quiet = Quiet("dart")
    quiet.run("exit_thread")
    quiet.vm.world.remove(quiet.guest)
    quiet.run("post", INTERRUPT)
    born = quiet.vm._thread(quiet.guest.record)
    assert isinstance(born, GuestThread)
    quiet.run("start_thread")
    assert quiet.counted() == {"posted": 1, "dropped": 1}
    assert quiet.balance() == (0, 0, 0)


@pytest.mark.parametrize("policy", POLICIES.values(), ids=lambda policy: policy.name)
def test_only_where_nothing_is_restored_has_a_race_no_place(policy: Policy) -> None:
    """Whatever access gives a request back: under dart it is a compare-and-swap."""
    without = {"post before the take"} if policy.trigger in ("flag", "bits_in_limit") else set[str]()
    assert {*SENTENCES} - {*names_of(policy.trigger)} == without


# -- checks at returns and allocations


def duel(policy: Policy, settings: dict[str, int]) -> CoresRun:
    """Posts one by one to a thread that calls, with a bound of the test's own, until one is seen beyond that; at most 20 times 300."""
    campaign = Campaign(seed=SEED, policy=policy)
    phase = fitted(Phase("a duel", programs.CALLS, 1.0, (ping(1.0, settings),), duel=True), policy)
    for _ in range(20):  # on a busy machine the two sides may not meet at once
        campaign.phases((phase,), 300, 1.0)
        if campaign.run.beyond_bound:
            break
    return campaign.run


@racing
@pytest.mark.parametrize("policy", [HOTSPOT, PYPY_SAMPLING], ids=lambda policy: policy.name)
def test_the_bound_is_held_at_returns_and_allocations(policy: Policy) -> None:
    """Each request waits for one such check at least: one that may wait for none is late."""
    assert duel(policy, {"slack": 0, "elsewhere": 0}).beyond_bound > 0


@racing
@pytest.mark.parametrize(
    ("policy", "mutant"),
    [
        ("pypy_sampling", "compares-the-real-limit"),
        *(
            pytest.param(*each, marks=pytest.mark.nightly)  # some thousand posts each
            for each in (
                ("yarv", "checks-at-loops-only"),
                ("hotspot", "checks-at-loops-only"),
                ("ocaml", "compares-the-real-limit"),
            )
        ),
    ],
)
def test_a_return_or_an_allocation_that_does_not_check_makes_requests_late(policy: str, mutant: str) -> None:
    """None is lost: a loop sees it at last, or an allocation that finds its buffer full."""
    run = find_on_cores("folded").race_mutant(mutant, SEEDED_REQUESTS, SEED, policy)
    assert run.beyond_bound > 0, run
    assert run.lost == 0


@racing
def test_a_kind_of_check_without_a_bound_is_no_distance() -> None:
    """Pushes, under yarv: with one of 0, and no slack, they would be seen late."""
    assert duel(YARV, {"slack": 0, "frames": 0}).beyond_bound > 0
    none = dict.fromkeys(("frames", "back_edges", "elsewhere"), UNBOUNDED)
    run = Campaign(seed=SEED, policy=YARV).phases(
        (Phase("a duel", programs.CALLS, 1.0, (ping(1.0, {"slack": 0, **none}),), duel=True),), 300, 1.0
    )
    assert (run.wrong, run.worst, run.requests >= 300) == (0, 0, True)


@racing
def test_a_duel_begins_when_its_thread_is_born(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before, each post would be void: the thread's birth drops it."""
    main = OsThread._main

    def late(thread: OsThread) -> None:
        time.sleep(0.05)
        main(thread)

    monkeypatch.setattr(OsThread, "_main", late)
    phase = Phase("a duel", programs.LOOP, 1.0, (ping(1.0),), duel=True)
    run = Campaign(seed=SEED).phases((phase,), 100, 1.0)
    assert (run.requests >= 100, run.details["void"]) == (True, 0)


def test_a_thread_that_is_not_born_is_not_waited_for_longer_than_the_grace() -> None:
    campaign = Campaign(seed=SEED)
    campaign.grace = 0.01
    quiet = Quiet("folded", born=False)
    campaign._await_birth(OsThread(quiet.guest, quiet.vm))
    assert quiet.guest.record.get("state") == ENDED


@racing
def test_a_stop_is_lost_by_the_checks_since_its_last_post() -> None:
    """Not by those since its requester waited for the lock: it posts to each thread by a system call, while the last one goes on."""
    engine = cores_engine(policy="hotspot")
    vm = CoresVm(engine, compile_program(programs.LOOP, "guest.py"), io.StringIO(), random.Random(1))
    for _ in range(200):
        vm.world.add(vm._thread)  # they are posted to before the one that runs
    main = vm.start()
    Campaign(seed=SEED)._await_birth(main)
    settings = {"patience": 2 * SLACK + 1, "often": 1023}  # both counts may be behind
    for _ in range(10):
        began = main.guest.record.get("back_edges")
        vm.world.record.set("lock", 1)
        running = Running(engine, Requester("stops", settings=settings), vm, 1, SEED)
        assert soon(lambda began=began: main.guest.record.get("back_edges") > began + 1000)  # type: ignore[misc]
        vm.world.record.set("lock", 0)
        running.thread.join(LONG)
        assert (running.plan.get("done"), running.plan.get("lost")) == (1, 0)
    vm.set_variable("go", 0)
    assert main.done.wait(LONG)


def test_no_distance_is_one_of_two_lives() -> None:
    """A requester may be interrupted between its post and its look at the counts, which begin at 0 then: it is told before they do."""
    quiet = Quiet("hotspot")
    quiet.guest.record.set("frames", 465)
    quiet.run("exit_thread")
    quiet.vm.world.remove(quiet.guest)
    quiet.vm.world.add(quiet.vm._thread)  # the first record is the main thread's alone
    quiet.guest = quiet.vm.world.threads[-1]
    quiet.guest.record.set("frames", 465)
    quiet.vm.world.remove(quiet.guest)
    tally, told = quiet.vm.world.tallies[1], []

    def make(record: Record | None) -> GuestThread:
        assert record is not None
        told.append((tally.get("begun"), record.get("frames")))
        return quiet.vm._thread(record)

    assert tally.get("begun") == 0
    assert quiet.vm.world.add(make).record.get("frames") == 0
    assert told == [(1, 465)]


def test_where_allocations_are_checks_a_program_allocates_in_each_call() -> None:
    for policy in (OCAML, PYPY_SAMPLING):
        for phase in campaign_for(policy):
            codes = {code.name: code for code in compile_program(phase.source, phase.name).codes}
            for name in {"fib", "more"} & {*codes}:
                assert any(instruction.op == "LIST" for instruction in codes[name].instructions), phase.name
    assert campaign_for(YARV)[1].source == programs.CALLS


def test_a_heap_of_allocations_is_full_later_than_a_request_is_lost() -> None:
    """A collection posts a stop to its own thread, too: that would heal what was lost.  Each call is a push, and displays a list of one."""
    world = Quiet("ocaml").vm.world
    bytes_each = 8 * (LIST_WORDS + HEAD_WORDS + 2)
    assert (world.record.get("heap_end") - world.record.get("heap_next")) // bytes_each > PATIENCE


def test_posts_are_aimed_at_a_procedure_that_the_policy_runs() -> None:
    for policy in FURTHER:
        aims = {r.aim for phase in phases_under(policy, "unlocked-take", PAIRS) for r in phase.requesters}
        assert aims <= {"slow_path", ""}
    assert any(r.aim == "push_failed" for p in phases_under(DART, "unlocked-take", PAIRS) for r in p.requesters)


def test_what_is_posted_is_what_a_policys_text_serves() -> None:
    def kinds(policy: Policy) -> int:
        return sum({r.settings.get("kind", 0) & RAISES for phase in campaign_for(policy) for r in phase.requesters})

    assert kinds(YARV) == RAISES
    assert kinds(HOTSPOT) == kinds(OCAML) == INTERRUPT  # nothing unwinds
    assert kinds(PYPY_SAMPLING) == 0
    assert [p.name for p in FURTHER if has_everything(p)] == ["yarv", "hotspot", "ocaml"]
    said = find_on_cores("folded").not_raced
    assert said("yarv") == ""
    assert said("hotspot") == said("ocaml") == "TERMINATE"
    assert "loops that allocate nothing: no request is seen there" in said("pypy_sampling")
    assert "what raises" in said("go")
