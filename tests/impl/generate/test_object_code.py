"""Object files that were compiled apart, linked in one process."""

from __future__ import annotations

import ctypes

import pytest

from safepoint_vm.generate.engine import PLAIN, engine
from safepoint_vm.generate.object_code import REACH, within_reach
from safepoint_vm.generate.procedures import PROCEDURES
from tests.impl.machine_code import functions


def test_handlers_call_the_procedures_directly() -> None:
    """Where the code runs, each of their calls goes to the procedure itself, not to a stub."""
    calls = {
        (name, relocation): engine(PLAIN).addresses[name] + relocation.offset
        for name, function in functions(engine(PLAIN)).items()
        for relocation in function.relocations
        if name not in PROCEDURES and relocation.symbol in PROCEDURES
    }
    assert {relocation.symbol for _, relocation in calls} == {"push_failed", "slow_path", "mask", "unmask", "unwound"}
    for (name, relocation), place in calls.items():
        distance = ctypes.c_int32.from_address(place).value
        assert place + distance - relocation.addend == engine(PLAIN).addresses[relocation.symbol], name


def test_code_that_is_too_far_apart_is_refused() -> None:
    within_reach([5, 5 + REACH - 1, 7])
    with pytest.raises(OverflowError, match="too far apart"):
        within_reach([5, 5 + REACH, 7])
