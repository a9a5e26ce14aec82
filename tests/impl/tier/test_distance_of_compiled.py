"""No run of compiled code goes further than its static distance.

An engine that never restores a poisoned word (a mutant of the text) runs each program, compiled before it begins and poisoned from its beginning: so each
check that it executes comes to the slow path, which counts, while the handlers count what is executed, checked or not.  Where the counts are equal no way has passed
a frame push or back-edge that did not look.  And they are those of the reference machine, whose run is cut at its checks: so the instructions between two of them are those that it
shows.
"""

from __future__ import annotations

import io
from typing import NamedTuple

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from safepoint.differential.corpus import Guest, corpus
from safepoint.guest.code import Program
from safepoint.guest.distance.flow import Flow
from safepoint.guest.distance.installed import judge
from safepoint.guest.distance.measure import Distance, distance_of
from safepoint.protocol.policies import FOLDED, PATCHED
from safepoint.protocol.policy import Policy
from safepoint_vm.generate.engine import Variant
from safepoint_vm.installed import FoldedInstalling
from safepoint_vm.threads.mutated_hosts import JumpsStraight
from safepoint_vm.threads.thread import GuestThread
from safepoint_vm.tier.install import Tier, compiling
from tests.generated.programs import programs
from tests.guest.compiling import compiled
from tests.guest.observed import Cuts, Observed
from tests.impl.compiling import Compiling
from tests.impl.running import Ran

UNDER = {policy.name: policy for policy in (FOLDED, PATCHED)}
STACK = 4096
MOST = 20_000
"""Steps of the reference machine, beyond which a program is not tried: it may have no end."""
EXAMPLES = max(12, settings().max_examples // 10)
MEASURES = ("frames", "back_edges", "instructions")


class Asked(GuestThread):
    """Each of its words is poisoned before its first check."""

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)  # type: ignore[arg-type]
        self.engine.procedure("poison", self.address)


class AlwaysAsked(Compiling):
    """The guest's functions are compiled at once."""

    guests = Asked


class Straight(AlwaysAsked):
    def _make_tier(self) -> Tier:
        self.tier = JumpsStraight(self._engine, self.executions)
        return self.tier


class Run(NamedTuple):
    """Checks that were executed, at frame pushes and back-edges; and those that came to the slow path."""

    frames: int
    back_edges: int
    slow: int


def run(program: Program, stack: int, policy: Policy = FOLDED, vm: type[Compiling] = AlwaysAsked) -> Run:
    output, errors = io.StringIO(), io.StringIO()
    variant = compiling(Variant(counting=True, mutant="never-restored", policy=policy))
    with vm(program, output, stack, variant, errors=errors) as running:
        record = Ran(running, output, errors).wait().running.guest.record
    return Run(record.get("frames"), record.get("back_edges"), record.get("slow_entries"))


def reference(program: Program, stack: int) -> tuple[Run, dict[str, int]] | None:
    """The same on the reference machine, with the largest distance of each measure; None: it takes too many steps."""
    cuts = Cuts(frames=True, back_edges=True)
    world = Observed(program, stack, [cuts], policy=FOLDED)
    if all(world.step() for _ in range(MOST)):
        return None
    ((sites, _),) = cuts.threads.values()
    most = {measure: n for measure, n in cuts.most(1).items() if measure in MEASURES}
    return Run(sites.frames, sites.back_edges, sites.frames + sites.back_edges), most


def as_installed(program: Program, policy: Policy) -> Distance:
    flow = Flow(program)
    found = judge(flow, policy, FoldedInstalling.as_installed(program, policy), distance_of(flow, policy))
    assert found.differences == ()
    assert found.distance is not None
    return found.distance


def goes_no_further(program: Program, stack: int, policy: Policy) -> bool:
    """False: it is not tried."""
    found = as_installed(program, policy)
    if (known := reference(program, stack)) is None:
        return False
    checks, shown = known
    assert run(program, stack, policy) == checks
    for measure, furthest in shown.items():
        most = found.measures[measure].at_most(stack)
        assert most is None or furthest <= most, measure
    return True


GUESTS = [guest for guest in corpus() if guest.alone]
EVERY = [
    pytest.param(guest, id=guest.name, marks=[pytest.mark.nightly] * (number % 10 > 0))
    for number, guest in enumerate(GUESTS)
]


@pytest.mark.rule("POISON-EVERY-WORD")
@pytest.mark.parametrize("policy", UNDER)
@pytest.mark.parametrize("guest", EVERY)
def test_no_program_of_the_corpus_goes_further(guest: Guest, policy: str) -> None:
    goes_no_further(compiled(guest.source), guest.stack, UNDER[policy])


@pytest.mark.timeout(1200)  # nightly
@settings(max_examples=EXAMPLES)
@given(source=programs(), policy=st.sampled_from(sorted(UNDER)))
def test_no_random_program_goes_further(source: str, policy: str) -> None:
    assume(goes_no_further(compiled(source), STACK, UNDER[policy]))


def test_a_check_that_is_passed_unseen_is_counted() -> None:
    program = compiled("x = 0\nwhile x < 99:\n    x += 1\n")
    assert run(program, STACK) == (0, 100, 100)
    assert run(program, STACK, vm=Straight) == (0, 100, 0)  # it is compiled before its first instruction
