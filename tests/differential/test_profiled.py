"""A program that is profiled does what it does otherwise: sampled as often as can be, by time and by allocation, also where room is scarce."""

from __future__ import annotations

import io

import pytest

from safepoint.differential.corpus import Guest, corpus
from safepoint.guest.compiler.program import compile_program
from safepoint.guest.profile import BYTES, MICROSECONDS, Every, Profile
from safepoint_vm.threads.vm import run
from tests.terminated import PROGRAMS as TERMINATED

GUESTS = corpus()
RATES = {"time": Every(100, MICROSECONDS), "allocation": Every(256, BYTES)}


def observed(guest: Guest, profile: Profile | None, heap: int) -> tuple[str, str, str, object]:
    """What it prints, on both outputs, and how it ends.  Where a thread is when another one terminates it is a matter of time."""
    output, errors = io.StringIO(), io.StringIO()
    outcome = run(compile_program(guest.source, guest.file), output, guest.stack, heap, errors=errors, profile=profile)
    said = errors.getvalue()
    if guest.name in TERMINATED:
        said = f"{said.count('Terminated')} threads terminated"
    return output.getvalue(), said, str(outcome.fault), outcome.traceback


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("guest", GUESTS, ids=lambda guest: guest.name)
def test_a_profile_changes_nothing(guest: Guest, rate: str) -> None:
    assert observed(guest, Profile(RATES[rate]), 1 << 20) == observed(guest, None, 1 << 20)


def test_these_programs_are_sampled() -> None:
    """Most of them end before their first sample by time; those that allocate are sampled hundreds of times."""
    profiles = {rate: Profile(every) for rate, every in RATES.items()}
    for profile in profiles.values():
        for guest in GUESTS:
            observed(guest, profile, 1 << 20)
    assert profiles["allocation"].samples > 1000
    assert profiles["time"].samples > 10
