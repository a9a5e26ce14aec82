"""Mutants of the interpreter: each is put in at one place, and none changes, or lands in, what is compiled without it."""

from __future__ import annotations

import pytest

from safepoint.protocol.policies import FOLDED
from safepoint_vm.cores.build import cores_engine
from safepoint_vm.generate import cache
from safepoint_vm.generate.engine import Variant, engine
from safepoint_vm.generate.mutated import EMITTERS
from safepoint_vm.generate.parts import Handlers, parts_of
from safepoint_vm.generate.protocol import LEAVES_OUT
from safepoint_vm.handlers.mutated import SUBSTITUTES
from safepoint_vm.mutants import HANDLERS, HOST, MUTANTS, PROCEDURES, worn
from safepoint_vm.threads.life import ThreadLife
from safepoint_vm.threads.mutated import made
from safepoint_vm.threads.mutated_hosts import INSTEAD
from safepoint_vm.threads.mutated_os_threads import DRIVERS
from safepoint_vm.threads.world import GuestWorld
from tests.impl.machine_code import object_files

RIGHT = Variant(counting=True, hooked=True)


def test_each_is_put_in_at_one_place() -> None:
    places = {HANDLERS: {*SUBSTITUTES}, PROCEDURES: {*EMITTERS, LEAVES_OUT}, HOST: {*INSTEAD, *DRIVERS}}
    for part, there in places.items():
        assert there == {mutant.name for mutant in MUTANTS.values() if mutant.part == part}


def keys(variant: Variant) -> list[str]:
    return [cache.key((part,)) for part in parts_of(variant)]


@pytest.mark.parametrize("name", MUTANTS)
def test_none_lands_in_what_is_compiled_without_it(name: str) -> None:
    procedures, handlers = keys(RIGHT)
    mine = keys(Variant(counting=True, hooked=True, mutant=name))
    match MUTANTS[name].part:
        case "handlers":  # the right ones, and beside them those with the mistake
            assert mine[:2] == [procedures, handlers]
            assert mine[2] not in (procedures, handlers)
        case "procedures":
            assert mine[0] != procedures
            assert mine[1:] == [handlers]
        case "host":
            assert mine == [procedures, handlers]
    assert Handlers(counting=False, policy=FOLDED, protocol=True, collector_mutant="").further(fused=False) == []


def test_a_substitute_stands_where_the_right_handler_did() -> None:
    mutant = "back-edge-swallows"
    right, wrong = engine(RIGHT), engine(Variant(counting=True, hooked=True, mutant=mutant))
    assert object_files(wrong.variant)[:2] == object_files(right.variant)
    for name, function in SUBSTITUTES[mutant].items():
        assert wrong.addresses[name] == wrong.addresses[function.__name__]
    assert len(set(right.addresses) - set(SUBSTITUTES[mutant])) == len(right.addresses) - 2
    raced = cores_engine(mutant)
    assert raced.addresses["slow_back_edge"] == raced.addresses["back_edge_that_swallows"]


def test_a_host_is_the_right_one_without_a_mutant_of_its_own() -> None:
    class Further(GuestWorld):
        """As a driver makes one."""

    assert made(GuestWorld, engine(RIGHT)) is GuestWorld
    mutant = engine(Variant(counting=True, hooked=True, mutant="post-wakes-no-thread"))
    assert made(ThreadLife, mutant) is ThreadLife
    wrong = made(Further, mutant)
    assert wrong.post is INSTEAD["post-wakes-no-thread"].post  # type: ignore[attr-defined]
    assert issubclass(wrong, Further)
    assert worn(GuestWorld, None) is GuestWorld
