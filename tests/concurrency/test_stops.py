"""Guest threads on real cores, stopped and started by the host.  A smoke test: a race that it misses, the model does not."""

from __future__ import annotations

import io
import time

from safepoint.protocol.words import MANAGED, PARKED, STOP
from safepoint_vm.generate.engine import Variant
from safepoint_vm.language.records import SERVED
from safepoint_vm.threads.vm import Vm
from tests.impl.building import CALLING, code, program
from tests.impl.waiting import soon


def test_the_world_stops_and_starts_on_real_threads() -> None:
    """Inside a stop no counter moves and no state is managed; between two stops every thread moves."""
    with Vm(CALLING, io.StringIO(), variant=Variant(counting=True)) as vm:
        guests = [vm.start().guest for _ in range(2)]

        def counts() -> list[int]:
            return [guest.record.get("frames") for guest in guests]

        for _ in range(20):
            before = counts()
            assert soon(lambda before=before: all(now > then for now, then in zip(counts(), before, strict=True)))  # type: ignore[misc]
            with vm.world.stopped():
                still = counts()
                assert all(guest.record.get("state") != MANAGED for guest in guests)
                time.sleep(0.002)
                assert counts() == still
        assert all(guest.record.get("served", SERVED[STOP]) >= 1 for guest in guests)


def test_a_newborn_waits_for_the_stop_to_end() -> None:
    with Vm(CALLING, io.StringIO(), variant=Variant(counting=True)) as vm:
        with vm.world.stopped():
            newborn = vm.start().guest
            assert soon(lambda: newborn.record.get("state") == PARKED)  # it has run, and has seen the stop
            assert newborn.record.get("frames") == 0
        assert soon(lambda: newborn.record.get("frames") > 0)


def test_threads_share_the_modules_variables() -> None:
    """Each loops until the test writes the variable that it reads."""
    waiting = [("GLOBAL", 0, 0), ("FALSE_JUMP", 0, 1), ("HALT",), ("JUMP_BACK", -4)]
    with Vm(program(code("<module>", 1, *waiting), variables=1), io.StringIO()) as vm:
        vm._variables[0] = 0
        running = [vm.start(), vm.start()]
        time.sleep(0.01)
        assert not any(r.done.is_set() for r in running)
        vm._variables[0] = 2
        assert all(r.outcome().fault is None for r in running)
