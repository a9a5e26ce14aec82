"""The checks of trigger page in the emitted code: the load, what stands before it, and the table by which a fault finds its check."""

from __future__ import annotations

import ctypes
import re

import pytest

from safepoint.guest.code import BACK_EDGES
from safepoint.protocol.policies import GUARD_PAGE, HOTSPOT, POLICIES
from safepoint_vm.generate.engine import Variant, engine
from safepoint_vm.generate.linker import sections
from safepoint_vm.generate.object_code import load
from safepoint_vm.generate.page_checks import SECTION
from safepoint_vm.generate.variant import UNCHECKED
from safepoint_vm.language.layout import fields
from safepoint_vm.language.records import Thread
from safepoint_vm.language.signals import CHECK_BYTES
from tests.impl.machine_code import functions, listing, object_files

VARIANT = Variant(policy=GUARD_PAGE)
SITES = {"guard_page": ("CALL", *BACK_EDGES), "hotspot": ("RETURN", *BACK_EDGES)}
FURTHER = ("asked", "poll_fails", "failed_allocation")
"""The check of a POLL inside a long instruction, in machine code and for the host; one that a policy has that checks at allocations."""
LOAD = re.compile(r"testb %al, \((%r\w+)\)")
KEPT = re.compile(r"%(r1[2-5][dwb]?)$")
"""As the last operand of an instruction: it writes pc, frame, thread or table."""
PAGE = f"{fields(Thread)['page'].offset}(%r14)"


def before_the_load(lines: list[str]) -> list[str]:
    """What is executed before the check, of a handler whose jumps before it leave for slow handlers.  ValueError: it has not one load."""
    (at,) = (number for number, line in enumerate(lines) if LOAD.fullmatch(line))
    return lines[:at]


def wrong(lines: list[str]) -> list[str]:
    """What may not stand before a check: stores, calls, and changes of the registers in which handlers pass on the machine's state."""
    return [
        line
        for line in lines
        if line.startswith(("call", "push", "lock", "xchg"))
        or (KEPT.search(line) and not line.startswith(("cmp", "test")))
        or (line.endswith(")") and not line.startswith(("cmp", "test", "j")))
    ]


@pytest.mark.parametrize(("policy", "name"), [(policy, name) for policy, names in SITES.items() for name in names])
def test_nothing_has_happened_before_the_load(policy: str, name: str) -> None:
    lines = listing(Variant(policy=POLICIES[policy]), name)
    before = before_the_load(lines)
    assert not wrong(before)
    found = LOAD.fullmatch(lines[len(before)])
    assert found
    assert before[-1] == f"movq {PAGE}, {found[1]}"


def test_what_may_not_stand_there_is_found() -> None:
    lines = listing(VARIANT, "CALL")
    rest = lines[len(before_the_load(lines)) + 1 :]
    assert {line.split(", ")[-1] for line in wrong(rest)} >= {"%r12", "%r13", "8(%rdx)", "16(%rdx)"}
    counted = listing(Variant(policy=GUARD_PAGE, counting=True), "CALL")
    assert [line.split()[0] for line in wrong(before_the_load(counted))] == ["incq"]  # that it counts a check, it may
    with pytest.raises(ValueError, match="not enough values"):
        before_the_load(listing(Variant(), "CALL"))


@pytest.mark.parametrize("name", SITES["hotspot"])
def test_after_a_slow_path_the_same_instruction_loads_nothing(name: str) -> None:
    """But CALL, which goes on behind its check."""
    unchecked = listing(Variant(policy=HOTSPOT), UNCHECKED + name)
    assert not [line for line in unchecked if LOAD.fullmatch(line) or PAGE in line]


@pytest.mark.parametrize("policy", SITES)
def test_the_table_has_every_load_and_where_it_goes_on(policy: str) -> None:
    """In the loaded code: at each entry stands the load, and where it leads lies in the same function, behind it."""
    built = engine(Variant(policy=POLICIES[policy]))
    (size,) = (
        s.size - 8 for file in object_files(built.variant) for s in sections(file) if s.name == f"{SECTION}handlers"
    )
    end = built.addresses[f"end{SECTION}handlers"]
    assert (end - size, end) in built.code.tables
    found = []
    for at in range(end - size, end, CHECK_BYTES):
        load = at + ctypes.c_int64.from_address(at).value
        landing = at + 8 + ctypes.c_int64.from_address(at + 8).value
        assert (
            ctypes.string_at(load + (ctypes.string_at(load, 1) == b"\x41"), 1) == b"\x84"
        )  # test byte, maybe of r8 to r15
        name = next(n for n, code in functions(built).items() if 0 <= load - built.addresses[n] < len(code.code))
        assert load < landing < built.addresses[name] + len(functions(built)[name].code)
        found.append(name)
    assert sorted(found) == sorted([*SITES[policy], *FURTHER])


def test_code_whose_checks_fault_is_not_loaded_without_their_handler() -> None:
    with pytest.raises(ValueError, match=r"load it with page_faults\.map_checked"):
        load(object_files(VARIANT))


def test_other_policies_have_no_table() -> None:
    for policy in ("folded", "cpython", "wasmtime"):
        variant = Variant(policy=POLICIES[policy])
        assert engine(variant).code.tables == []
        assert not [s for file in object_files(variant) for s in sections(file) if SECTION in s.name]
