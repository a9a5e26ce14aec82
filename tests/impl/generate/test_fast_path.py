"""The claim of zero cost: the bytes of the fast handlers are those of an engine that knows no protocol."""

from __future__ import annotations

import pytest

from safepoint.guest.code import BACK_EDGES, OPCODES, FunctionConstant
from safepoint.protocol.policies import CPYTHON, POLICIES
from safepoint.protocol.words import INTERRUPT
from safepoint_vm.generate.engine import PLAIN, Variant, engine
from safepoint_vm.handlers.fused import FUSED
from safepoint_vm.language.machine import Exited
from tests.impl.building import Line, code, fresh, program
from tests.impl.machine_code import bytes_in_memory, difference, functions, listing

FAST = [*OPCODES, *(each.name for each in FUSED)]
WITHOUT = Variant(protocol=False)
FLAG = Variant(policy=CPYTHON)
PROFILED = Variant(profiled=True)


def test_the_fast_path_is_that_of_an_engine_without_a_protocol() -> None:
    assert difference(engine(PLAIN), engine(WITHOUT), FAST) == {}


LOOPS = {*BACK_EDGES, *(each.name for each in FUSED if each.loops)}
CALLS = {"CALL", *(each.name for each in FUSED if "CALL" in each.ops)}
CHECKED = {
    "cpython": LOOPS | CALLS,
    "dart": LOOPS,  # its frame push compares with the limit, too, and no more
    "v8_maglev": LOOPS,
    "v8_ignition": LOOPS,
    "skybison": {"DELETE_INDEX", "SLICE", "POP_AT"},  # long instructions, which look for nothing
    "pypy": LOOPS | CALLS,
}
"""Policies, to the fast handlers that have instructions for their checks."""


@pytest.mark.parametrize("policy", CHECKED)
def test_the_same_comparison_tells_each_site_of_another_policy(policy: str) -> None:
    """And nothing else: the comparison can fail."""
    assert set(difference(engine(PLAIN), engine(Variant(policy=POLICIES[policy])), FAST)) == CHECKED[policy]


def test_a_profile_costs_the_fast_path_nothing() -> None:
    """Not one byte differs where an instruction is executed: samples are taken in the slow paths, which do."""
    assert difference(engine(PLAIN), engine(PROFILED), FAST) == {}
    assert set(difference(engine(PLAIN), engine(PROFILED), list(functions(engine(PLAIN))))) >= {
        "slow_path",
        "refill",
        "no_room",
    }


def test_the_comparison_sees_where_a_jump_goes() -> None:
    """Jumps to slow handlers are relocated: equal bytes that name different functions are not equal."""
    add, sub = functions(engine(PLAIN))["ADD"], functions(engine(PLAIN))["SUB"]
    assert {r.symbol for r in add.relocations} == {"slow_add"}
    assert {r.symbol for r in sub.relocations} == {"slow_sub"}


def test_an_engine_without_a_protocol_has_none() -> None:
    assert not {"post", "slow_path", "push_failed", "leave", "reenter"} & set(functions(engine(WITHOUT)))
    assert {"post", "slow_path", "push_failed"} <= set(functions(engine(PLAIN)))


@pytest.mark.parametrize("name", BACK_EDGES)
def test_a_flag_test_costs_instructions_that_a_back_edge_does_not_have(name: str) -> None:
    counts = {variant: len(listing(variant, name)) for variant in (PLAIN, WITHOUT, FLAG)}
    assert counts[PLAIN] == counts[WITHOUT]
    assert counts[FLAG] >= counts[PLAIN] + 2


def test_the_bytes_that_run_are_the_bytes_compared() -> None:
    for name in FAST:
        function = functions(engine(PLAIN))[name]
        relocated = {r.offset + i for r in function.relocations for i in range(4)}
        pairs = enumerate(zip(bytes_in_memory(engine(PLAIN), name), function.code, strict=True))
        assert all(running == compared for i, (running, compared) in pairs if i not in relocated), name


LOOPING: dict[str, list[Line]] = {
    "POLL": [("POLL",), ("HALT",)],
    "JUMP_BACK": [("JUMP_BACK", -1), ("HALT",)],
    "TRUE_JUMP_BACK": [("LOADK", 0, 1), ("TRUE_JUMP_BACK", 0, -1), ("HALT",)],
    "LESS_JUMP_BACK": [("LOADK", 0, 1), ("LOADK", 1, 2), ("LESS_JUMP_BACK", 0, 1, -1), ("HALT",)],
    "FOR_RANGE": [
        ("LOADK", 0, 0), ("LOADK", 1, 10**8), ("LOADK", 2, 1), ("FOR_PREPARE", 0, 0), ("FOR_RANGE", 3, 0, -1), ("HALT",),
    ],
    "FOR_EACH": [("LIST", 0, 0), ("EACH_PREPARE", 0, 0), ("FOR_EACH", 3, 0, -1), ("HALT",)],
}  # fmt: skip
CALLING = [("CONSTANT", 0, 0), ("CALL", 0, 0), ("JUMP_BACK", -3), ("HALT",)]


@pytest.mark.parametrize("name", [*BACK_EDGES, "CALL"])
@pytest.mark.rule("POISON-EVERY-WORD")
def test_a_post_arrives_in_those_same_bytes(name: str) -> None:
    """Posted before the site, whose code in memory is what was compared and does not change."""
    callee = code("f", 1, ("LOADK", 0, 0), ("RETURN", 0))
    lines = CALLING if name == "CALL" else LOOPING[name]
    thread = fresh(program(code("<module>", 10, *lines), callee, constants=(FunctionConstant(1),)))
    site = [op for op, *_ in lines].index(name)
    assert thread.enter(budget=site) is Exited.STEPPED
    before = {fast: bytes_in_memory(engine(PLAIN), fast) for fast in FAST}
    engine(PLAIN).procedure("post", thread.address, INTERRUPT)
    assert thread.enter() is Exited.INTERRUPTED
    assert str(thread.code_address()) == f"<module>:{site}"
    assert thread.record.get("slow_entries") == 1
    assert {fast: bytes_in_memory(engine(PLAIN), fast) for fast in FAST} == before
