"""Checks at allocations, by each trigger: the heap is used as without them, no request is lost, and samples are where bytes are."""

from __future__ import annotations

import io

import pytest

from safepoint.guest.compiler.program import compile_program
from safepoint.guest.profile import BYTES, Every, Profile
from safepoint.protocol.policies import FOLDED, GUARD_PAGE, OCAML, YARV
from safepoint.protocol.policy import Bound, Policy
from safepoint.protocol.words import MANAGED, SAMPLE
from safepoint_vm.generate.engine import Variant
from safepoint_vm.language.records import SERVED
from safepoint_vm.threads.vm import Vm, run
from tests.impl.running import LONG
from tests.impl.waiting import soon

BOUND = Bound(frames=None, back_edges=None, allocations=1)
BY_TRIGGER = {
    trigger: Policy(
        name=trigger, title="", trigger=trigger, sites=("back-edge", "allocation"), words=words, declared=BOUND
    )
    for trigger, words in (("flag", YARV.words), ("page", GUARD_PAGE.words), ("heap_limit", OCAML.words))
}
LISTS = "i = 0\nwhile i < 20000:\n    a = [i, i]\n    i = i + 1\n"


@pytest.mark.parametrize("trigger", BY_TRIGGER)
def test_a_list_takes_no_more_room_than_it_needs(trigger: str) -> None:
    """20,000 lists of 48 bytes are in one TLAB after the other: not each in its own."""
    with Vm(compile_program(LISTS, "g.py"), io.StringIO(), variant=Variant(policy=BY_TRIGGER[trigger])) as vm:
        running = vm.start()
        assert running.done.wait(LONG)
        assert running.outcome().stats.collections == 0


@pytest.mark.parametrize("trigger", BY_TRIGGER)
def test_a_request_is_seen(trigger: str) -> None:
    program = compile_program("while True:\n    a = [1, [2, 3]]\n", "g.py")
    with Vm(program, io.StringIO(), variant=Variant(policy=BY_TRIGGER[trigger])) as vm:
        guest = vm.start().guest
        assert soon(lambda: guest.record.get("state") == MANAGED)  # its birth drops what was posted before
        for served in range(20):
            vm.world.post(guest, SAMPLE)
            assert soon(lambda served=served: guest.record.get("served", SERVED[SAMPLE]) > served)  # type: ignore[misc]


def test_a_profile_by_allocation_is_the_same_under_every_policy() -> None:
    """The limit that a list display compares with is lowered to the next sample, too."""
    source = "x = [1, 2]\nk = 0\nwhile k < 500:\n    i = 0\n    while i < 20:\n        a = [i, i, i, i]\n        i = i + 1\n    b = x[0:2]\n    k = k + 1\n"
    found = {}
    for policy in (FOLDED, OCAML):
        found[policy] = Profile(Every(512, BYTES))
        run(compile_program(source, "g.py"), io.StringIO(), policy=policy, profile=found[policy])
    assert found[OCAML].samples == found[FOLDED].samples
