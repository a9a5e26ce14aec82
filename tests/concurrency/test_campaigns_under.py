"""Campaigns under each policy: what their tallies count, to the last bit, where an owner puts requests aside."""

from __future__ import annotations

import io
import random

import pytest

from safepoint.differential.cores import CoresRun
from safepoint.guest.compiler.program import compile_program
from safepoint.protocol.policies import DART, FOLDED
from safepoint.protocol.words import INTERRUPT
from safepoint_vm.cores.build import cores_engine
from safepoint_vm.cores.counting import add_tallies, pending_bits
from safepoint_vm.cores.tally import KINDS
from safepoint_vm.cores.world import CoresVm
from safepoint_vm.threads.thread import GuestThread

KIND = KINDS.index("INTERRUPT")


class Quiet:
    """A thread that is born and executes nothing, in a tallied world: procedures run on it in the order that a test gives."""

    def __init__(self, policy: str, mutant: str = "") -> None:
        engine = cores_engine(mutant, policy=policy)
        self.vm = CoresVm(engine, compile_program("pass\n", "guest.py"), io.StringIO(), random.Random(1))
        self.mutant, self.guest = mutant, self.vm.world.add(self.vm._thread)
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
