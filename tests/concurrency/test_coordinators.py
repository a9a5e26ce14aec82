"""Several coordinators at once: what keeps one out while another's stop lasts is the lock of the protocol's text."""

from __future__ import annotations

import threading
import time

import pytest

from safepoint.differential.compare import differences
from safepoint.differential.runs import Undisturbed
from safepoint.protocol.words import MANAGED
from safepoint_vm.target import FoldedTarget
from safepoint_vm.threads.lockstep import LockstepWorld
from safepoint_vm.threads.thread import GuestThread
from safepoint_vm.threads.world import GuestWorld
from tests.impl.running import LONG, begun
from tests.impl.waiting import soon

IMPORTS = "from threading import Thread\nfrom safepoint.guest.api import collect\n"

COLLECTING = """
over = []
def turns():
    while len(over) < 3:
        pass
def collects(n):
    for i in range(n):
        kept = [i, [str(i)]]
        collect()
        assert kept[1][0] == str(i)
    over.append(n)
threads = [Thread(target=turns)]
for n in [TURNS, TURNS + 1, TURNS + 2]:
    threads.append(Thread(target=collects, args=(n,)))
for t in threads:
    t.start()
for t in threads:
    t.join()
print(len(over))
"""


@pytest.mark.rule("ONE-COORDINATOR")
def test_a_second_coordinator_waits_at_the_worlds_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its procedure returns a status: it waits for the word `lock`, and for nothing that Python holds."""
    waiting, inside = threading.Event(), threading.Event()
    wait = GuestWorld.wait

    def watched(world: GuestWorld, changes: int, most: float | None = None) -> None:
        waiting.set()
        wait(world, changes, most)

    with begun("print(1)\n") as (vm, program):
        program.wait()
        monkeypatch.setattr(GuestWorld, "wait", watched)

        def second() -> None:
            with vm.world.stopped():
                inside.set()

        other = threading.Thread(target=second)
        with vm.world.stopped():
            other.start()
            assert waiting.wait(LONG)
            assert vm.world.record.get("lock") == 1
            assert not inside.is_set()
        other.join(LONG)
        assert inside.is_set()
        assert vm.world.record.get("lock") == 0


@pytest.mark.rule("ONE-COORDINATOR", "COORDINATOR-IS-OUTSIDE")
def test_guests_and_the_host_stop_the_world_on_real_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each collection is alone, and no thread is in guest code meanwhile; the host stops the world between them."""
    collect, working, wrong = GuestWorld.collect, [0], []

    def alone(world: GuestWorld, thread: GuestThread) -> bool:
        working[0] += 1
        managed = [t for t in list(world.threads) if t.record.get("state") == MANAGED]
        if working[0] != 1 or managed:
            wrong.append((working[0], managed))
        time.sleep(0.0002)
        room = collect(world, thread)
        working[0] -= 1
        return room

    monkeypatch.setattr(GuestWorld, "collect", alone)
    with begun(COLLECTING.replace("TURNS", "60"), imports=IMPORTS) as (vm, program):
        stops, until = 0, time.monotonic() + LONG
        while not program.running.done.is_set() and time.monotonic() < until:
            with vm.world.stopped():
                if working[0]:
                    wrong.append((working[0], []))
            stops += 1
        program.wait()
        assert (program.output, program.errors, wrong) == ("3\n", "", [])
        assert program.statistics.collections >= 183
        assert stops > 10


@pytest.mark.rule("ONE-COORDINATOR")
def test_guests_that_all_want_room_get_it_though_each_collection_takes_all_tlabs() -> None:
    """In a stressed heap each allocation collects: what one was granted is granted anew by the next, until it is used."""
    with begun(COLLECTING.replace("TURNS", "8"), imports=IMPORTS, stress=True) as (vm, program):
        program.wait()
        assert (program.output, program.errors) == ("3\n", "")
        assert soon(lambda: vm.world._granted == [])


def at_the_lock(target: FoldedTarget, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The procedures that have waited while another coordinator had the lock, as the target runs."""
    call, waited = LockstepWorld.call, []

    def watched(world: LockstepWorld, procedure: str, record: int, *args: int, resume: int = 0) -> int:
        held = world.world.record.get("lock")
        status = call(world, procedure, record, *args, resume=resume)
        if status and held and not resume and procedure in ("stop_world", "stop_world_from"):
            waited.append(procedure)
        return status

    monkeypatch.setattr(LockstepWorld, "call", watched)
    target.run()
    return waited


@pytest.mark.rule("ONE-COORDINATOR")
@pytest.mark.parametrize("quantum", [1, 2, 3, 5])
def test_coordinators_contend_in_lockstep_as_on_the_reference_machine(
    quantum: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = IMPORTS + COLLECTING.replace("TURNS", "3")
    target = FoldedTarget(quantum=quantum)
    target.load(source, "collecting")
    target.start()
    assert "stop_world_from" in at_the_lock(target, monkeypatch)
    assert differences(Undisturbed(source, "collecting", 4096, quantum).end, target.observe()) == {}
