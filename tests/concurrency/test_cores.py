"""Campaigns on real cores: what must hold in every order comes out exactly, and mutants of the text do not.

Nothing here asserts a time.  What a run may miss (a race of a certain class) is not asserted either: it is named.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter

import pytest

from safepoint.conform.judge import UnknownTarget
from safepoint.conform.target import NotOffered
from safepoint.differential.cores import SEEDED, CoresRun, concurrency_row, find_on_cores
from safepoint.graph.text import Text
from safepoint.protocol.words import INTERRUPT, MANAGED, SAMPLE
from safepoint.verify.cores import SEEDED_REQUESTS
from safepoint_vm.cores import programs
from safepoint_vm.cores.campaign import SLACK, Campaign
from safepoint_vm.cores.counting import Staying, add_tallies, histogram
from safepoint_vm.cores.phases import CAMPAIGN, LOSES, RUNS, Phase, Requester, ping
from safepoint_vm.cores.plan import BUCKETS, edge_of
from safepoint_vm.cores.races import RACES, SENTENCES
from safepoint_vm.cores.tally import KINDS, places
from safepoint_vm.cores.world import TalliedWorld
from tests.rules import by_rule

TEXT = Text()
SEED = 20261127
pytestmark = pytest.mark.skipif(
    len(os.sched_getaffinity(0)) < 2, reason="this process has one core only: nothing races"
)


@pytest.fixture(scope="module")
def run() -> CoresRun:
    """A small campaign of the interpreter as it is."""
    return find_on_cores("folded").race(10_000, 1.0, SEED)


def test_nothing_is_lost_run_twice_late_or_run_while_the_world_is_stopped(run: CoresRun) -> None:
    assert run.wrong == 0, run


def test_a_campaign_makes_as_many_requests_as_it_was_asked_for(run: CoresRun) -> None:
    assert run.requests >= 10_000
    assert run.stops > 0
    assert run.handshakes > 0
    assert run.births > 0
    assert run.details["natives"] > 0


def test_what_was_not_met_is_named(run: CoresRun) -> None:
    assert set(run.races) == set(SENTENCES)
    assert run.unmet == [name for name, met in run.races.items() if met == 0]
    assert CoresRun(races=Counter({"a": 0, "b": 2})).unmet == ["a"]


def test_the_section_has_the_documented_names(run: CoresRun) -> None:
    row = concurrency_row(run)
    assert row.schedules is None
    assert row.requests == run.requests
    assert row.latency_us is not None
    assert list(row.latency_us) == ["p50", "p99", "max"]


@pytest.mark.parametrize("mutant", by_rule(TEXT.mutants[name] for name in LOSES if name != "unlocked-post"))
def test_a_seeded_mutant_loses_requests(mutant: str) -> None:
    """Each within some hundred requests, whenever both cores are free at once for a moment."""
    lost = find_on_cores("folded").race_mutant(mutant, SEEDED_REQUESTS, SEED)
    assert lost.lost > 0, lost


SHOWN = {
    "does-not-wait": ("moved",),
    "no-recheck": ("moved", "overrun"),
    "handshake-unclaimed": ("duplicated",),
    "handshake-unchecked": ("overrun",),
    "handshake-not-awaited": ("overrun",),
}


@pytest.mark.parametrize("mutant", by_rule(TEXT.mutants[name] for name in SHOWN))
def test_each_way_of_being_wrong_is_counted(mutant: str) -> None:
    wrong = find_on_cores("folded").race_mutant(mutant, SEEDED_REQUESTS, SEED)
    assert sum(getattr(wrong, name) for name in SHOWN[mutant]) > 0, wrong


def test_seeded_mutants_are_in_the_text() -> None:
    assert set(SEEDED) <= set(TEXT.mutants)
    assert {*LOSES, *RUNS} == set(SEEDED)


# ---- the balance


def balanced(monkeypatch: pytest.MonkeyPatch) -> tuple[CoresRun, TalliedWorld]:
    """A quiet run, and its world, in which nothing runs any more."""
    kept: list[TalliedWorld] = []

    def keep(run: CoresRun, mutant: str, world: TalliedWorld) -> None:
        kept.append(world)
        add_tallies(run, mutant, world)

    monkeypatch.setattr("safepoint_vm.cores.campaign.add_tallies", keep)
    storm = Requester("storm", 1.0, {"kind": SAMPLE})
    run = Campaign(seed=SEED).phases((Phase("quiet", programs.CALLS, 1.0, (storm,)),), 500, 1.0)
    return run, kept[0]


@pytest.mark.parametrize(
    ("row", "by", "counted"),
    [
        ("taken", -1, "lost"),
        ("taken", 1, "duplicated"),
        ("posted", 2, "lost"),
        ("found", 3, "duplicated"),
        ("dropped", 1, "duplicated"),
    ],
)
def test_a_count_that_is_off_is_noticed(row: str, by: int, counted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    run, world = balanced(monkeypatch)
    assert run.wrong == 0
    kind = KINDS.index("SAMPLE")
    world.tallies[0].set(row, world.tallies[0].get(row, kind) + by, kind)
    again = CoresRun()
    add_tallies(again, "", world)
    assert getattr(again, counted) >= abs(by)


def test_an_operation_that_was_not_run_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    _, world = balanced(monkeypatch)
    world.tallies[0].set("asked", world.tallies[0].get("asked") + 1)
    again = CoresRun()
    add_tallies(again, "", world)
    assert again.lost == 1


@pytest.mark.parametrize(("by", "counted"), [(-1, "lost"), (1, "duplicated")])
@pytest.mark.parametrize("kind", ["INTERRUPT", "TERMINATE"])
def test_what_is_served_and_not_raised_once_is_noticed(
    kind: str, by: int, counted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, world = balanced(monkeypatch)
    number = KINDS.index(kind)
    for tally in ("taken", "posted"):  # so that only what was raised is off
        world.tallies[0].set(tally, 2, number)
    world.records[0].set("served", 2, number)
    world.raised[kind] = 2 + by
    again = CoresRun()
    add_tallies(again, "", world)
    assert (again.lost, again.duplicated) == ((1, 0) if counted == "lost" else (0, 1))


def test_a_request_that_stays_pending_is_lost() -> None:
    """To a thread that is asleep in a mask for good nothing is owed; to one that runs, all that is deliverable."""
    campaign = Campaign(seed=SEED)
    campaign.grace = 0.2
    seen: list[int] = []
    undelivered = Campaign._undelivered

    def tampered(self: Campaign, vm: object) -> int:
        record = vm.world.records[0]  # type: ignore[attr-defined]
        record.set("masked", INTERRUPT)
        record.set("pending", INTERRUPT)
        seen.append(undelivered(self, vm))  # type: ignore[arg-type]
        found = taken = 0
        while not found and taken < 10:  # a slow path that was under way may take it, and then none is
            record.set("pending", SAMPLE)  # and no word is poisoned
            found = undelivered(self, vm)  # type: ignore[arg-type]
            assert found or record.get("pending") == 0
            taken += 1
        seen.append(found)
        record.set("pending", 0)
        return 0

    campaign._undelivered = tampered.__get__(campaign)  # type: ignore[method-assign]
    phase = Phase("quiet", programs.LOOP, 1.0, (ping(1.0),))
    campaign.phases((phase,), 10, 0.5)
    assert seen == [0, 1]


def test_a_request_that_another_one_has_followed_has_not_stayed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that collect ask each other to stop, also when no requester is left: two looks may find two requests."""
    _, world = balanced(monkeypatch)
    record, tally, kind = world.records[0], world.tallies[0], KINDS.index("STOP")
    record.set("state", MANAGED)
    record.set("pending", 1 << kind)
    staying = Staying(world, 0)
    assert staying.look() == [0]
    record.set("back_edges", record.get("back_edges") + 7)
    assert staying.look() == [7]
    record.set("back_edges", record.get("back_edges") + 5)
    assert staying.look() == [12]
    tally.set("taken", tally.get("taken", kind) + 1, kind)
    record.set("back_edges", record.get("back_edges") + 9)
    assert staying.look() == [0]
    record.set("pending", 0)
    assert staying.look() == []


# ---- histograms and places


def bucket_of(duration: int) -> int:
    """As `picking.record` counts it, written a second time: powers of two, in quarters."""
    exponent = max(0, duration.bit_length() - 3)
    return 4 * exponent + (duration >> exponent)


@pytest.mark.parametrize("duration", [*range(40), 100, 1023, 1024, 1025, 10**6, 2**40 - 1, 2**40])
def test_an_edge_is_beyond_its_bucket_and_at_most_a_quarter_too_great(duration: int) -> None:
    edge = edge_of(bucket_of(duration))
    assert duration < edge <= max(duration + 1, duration * 5 / 4)


def test_percentiles_are_those_of_the_counts() -> None:
    counts = [0] * BUCKETS
    counts[bucket_of(100)], counts[bucket_of(1000)], counts[bucket_of(10_000)] = 50, 49, 1
    found = histogram(counts, cycles=10.0)
    assert found is not None
    assert [found.p50, found.p99, found.max] == [edge_of(bucket_of(n)) / 10 for n in (100, 1000, 10_000)]
    assert [count for _, count in found.buckets] == [50, 49, 1]
    assert histogram([0] * BUCKETS, 1.0) is None


@pytest.mark.parametrize("race", RACES, ids=lambda race: race.name)
def test_each_race_has_places_in_the_text(race: object) -> None:
    """Else it would never be met, whatever ran."""
    assert any(race.at(place) for place in places(""))  # type: ignore[attr-defined]


def test_one_requester_of_a_phase_at_most_posts_samples() -> None:
    """A distance is that of one's own post only then."""
    for phase in CAMPAIGN:
        posting = [r for r in phase.requesters if r.loop in ("ping", "storm") and r.settings["kind"] & SAMPLE]
        assert len(posting) <= 1, phase.name


def test_the_slack_is_more_than_a_store_buffer_holds() -> None:
    """Intel's Golden Cove has the largest that is known, of 112 stores; each check stores once."""
    assert SLACK > 112


# ---- the way to `verify`


def test_with_one_core_nothing_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    with pytest.raises(NotOffered, match="a second core"):
        find_on_cores("folded").race(1, 1.0, SEED)


def test_a_target_without_real_cores_says_so() -> None:
    with pytest.raises(UnknownTarget, match=r"derive it from safepoint\.differential\.cores\.OnCores"):
        find_on_cores("safepoint.differential.reference:Reference")


def test_control_c_ends_a_soak_in_order() -> None:
    """A signal in the middle of a campaign: exit status 130, and no traceback."""
    script = (
        "import os, signal, sys, threading\n"
        "from safepoint_vm.cores import campaign\n"
        "begin = campaign.Campaign._await\n"
        "def interrupted(*args):\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    return begin(*args)\n"
        "campaign.Campaign._await = interrupted\n"
        "from safepoint.cli.entry import main\n"
        "sys.argv = ['safepoint', 'verify', '--soak', '1']\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 130, done
    assert "Traceback" not in done.stderr
