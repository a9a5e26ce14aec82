"""The handlers against the opcode table, and the compiler of handlers against what it must refuse."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from llvmlite import ir

from safepoint.guest.code import BACK_EDGES, OPCODES, SMALL
from safepoint_vm.generate.assembler import SIZE, assemble, operand_place
from safepoint_vm.generate.compiler import ModuleCompiler
from safepoint_vm.generate.engine import PLAIN, SMALL_WORDS
from safepoint_vm.generate.instruction import operand_types
from safepoint_vm.generate.ir_values import HandlerError
from safepoint_vm.generate.parts import handlers_of
from safepoint_vm.generate.triggers import NUMBERS
from safepoint_vm.handlers.arithmetic import slow_addi
from safepoint_vm.handlers.fused import FUSED
from safepoint_vm.handlers.table import opcodes
from safepoint_vm.language import machine
from safepoint_vm.language.machine import Immediate, Jump, Machine, Slot
from safepoint_vm.language.records import TABLE_WORDS
from safepoint_vm.language.vocabulary import Exit, Value, Word, inline, opcode

KINDS: dict[type, str] = {
    machine.Slot: "slot", machine.Immediate: "immediate", machine.Small: "small", machine.Constant: "constant",
    machine.Global: "global", machine.Name: "name", machine.Count: "count", machine.Builtin: "builtin",
    machine.Kind: "kind", machine.Jump: "jump", machine.FarJump: "jump",
}  # fmt: skip


@pytest.mark.parametrize("name", OPCODES)
def test_a_handlers_signature_is_the_encoding_of_its_opcode(name: str) -> None:
    handler = opcodes()[name]
    declared = [(operand.name, operand.kind) for operand in OPCODES[name].operands]
    assert [(n, KINDS[kind]) for n, kind in operand_types(handler).items()] == declared
    assert handler.__name__ == name


@pytest.mark.parametrize("name", OPCODES)
def test_every_operand_fits_where_the_machine_keeps_it(name: str) -> None:
    kinds = list(operand_types(opcodes()[name]).values())
    for extreme in ("low", "high"):
        operands = [getattr(operand, extreme) for operand in OPCODES[name].operands]
        assert len(assemble(NUMBERS[name], operands, kinds, SMALL_WORDS)) == SIZE
    spans = sorted((at, at + size) for at, size in (operand_place(n, kind) for n, kind in enumerate(kinds)))
    assert all(end <= begin for (_, end), (begin, _) in pairwise(spans))
    assert not spans or (spans[0][0] >= 2 and spans[-1][1] <= SIZE)


def test_no_small_constant_is_taken_for_an_int() -> None:
    assert sorted(SMALL_WORDS) == sorted(SMALL)
    assert all(word & 1 for word in SMALL_WORDS.values())
    assert len(set(SMALL_WORDS.values())) == len(SMALL)


def test_opcodes_fit_in_a_dispatch_table() -> None:
    assert len(OPCODES) + len(FUSED) <= TABLE_WORDS
    assert set(BACK_EDGES) <= set(opcodes())


# ---- what is known of a slot


@opcode
def written_in_a_branch(vm: Machine, dst: Slot, src: Slot) -> Exit:
    if vm[src] == 0:
        vm[dst] = Value(2)
    vm[src] = vm[dst]
    return vm.next()


def test_what_a_branch_has_written_is_not_known_behind_it() -> None:
    """It is loaded."""
    module = ir.Module("one handler")
    ModuleCompiler(module, handlers_of(PLAIN).switches()).handler(written_in_a_branch)
    _, _, behind = str(module).partition("\njoin:\n")
    loads = [line.split()[0] for line in behind.splitlines() if " = load i64, " in line]
    stores = [line.split()[2].rstrip(",") for line in behind.splitlines() if line.split()[:2] == ["store", "i64"]]
    assert stores == loads[:1]


# ---- what the compiler refuses, and where


def refused(handler: Callable[..., Any], what: str) -> None:
    compiler = ModuleCompiler(ir.Module(), handlers_of(PLAIN).switches())
    with pytest.raises(HandlerError) as caught:
        compiler.handler(handler)
    place, line, column, rest = re.match(r"(.*?):(\d+):(\d+): (.*)", str(caught.value), re.DOTALL).groups()  # type: ignore[union-attr]
    assert what in rest
    assert "write instead: " in rest
    assert Path(place) == Path(__file__)
    marked = Path(__file__).read_text().splitlines()[int(line) - 1]
    assert marked.endswith("# here")
    assert not marked[int(column) - 1].isspace()


@opcode
def loops(vm: Machine, dst: Slot) -> Exit:
    for _ in range(3):  # here
        vm[dst] = Value(0)
    return vm.next()


@opcode
def forgets_to_leave(vm: Machine, dst: Slot) -> Exit:  # type: ignore[return]  # here
    if vm[dst] == 0:
        return vm.next()


@opcode
def swaps_operands(vm: Machine, dst: Slot, left: Slot, right: Immediate) -> Exit:
    return slow_addi(vm, left, dst, right)  # here


@opcode
def has_other_kinds(vm: Machine, dst: Slot, left: Slot, right: Jump) -> Exit:
    return slow_addi(vm, dst, left, right)  # type: ignore[arg-type]  # here


@inline
def endless(x: Word) -> Word:
    return endless(x)  # here


@opcode
def recurs(vm: Machine, dst: Slot) -> Exit:
    vm[dst] = Value(endless(vm[dst]))
    return vm.next()


@opcode
def asks_a_word(vm: Machine, dst: Slot) -> Exit:
    if vm[dst]:  # here
        return vm.next()
    return vm.next()


@opcode
def has_no_such_name(vm: Machine, dst: Slot) -> Exit:
    vm[dst] = nothing  # type: ignore[name-defined]  # noqa: F821  # here
    return vm.next()


@opcode
def has_no_such_field(vm: Machine) -> Exit:
    vm.thread.colour = Word(0)  # type: ignore[attr-defined]  # here
    return vm.next()


@opcode
def gives_a_value(vm: Machine, dst: Slot) -> Exit:
    return vm[dst]  # type: ignore[return-value]  # here


@opcode
def compares_twice(vm: Machine, dst: Slot) -> Exit:
    if 0 < vm[dst] < 2:  # here
        return vm.next()
    return vm.next()


@opcode
def reads_no_member(vm: Machine, dst: Slot) -> Exit:
    vm[dst] = Value(machine.Exited.NOWHERE)  # type: ignore[attr-defined]  # here
    return vm.next()


@opcode
def casts_nothing(vm: Machine, dst: Slot) -> Exit:
    vm[dst] = Value()  # type: ignore[call-arg]  # here
    return vm.next()


@opcode
def calls_a_stranger(vm: Machine, dst: Slot) -> Exit:
    vm[dst] = Value(refused(vm, dst))  # type: ignore[arg-type, func-returns-value]  # here
    return vm.next()


@opcode
def jumps_nowhere(vm: Machine, offset: Jump) -> Exit:
    return vm.jump(offset, offset)  # type: ignore[call-arg]  # here


@pytest.mark.parametrize(
    ("handler", "what"),
    [
        (loops, "a handler cannot contain For"),
        (forgets_to_leave, "a path ends without leaving"),
        (swaps_operands, "a tail call must pass this handler's own operands"),
        (has_other_kinds, "a tail call must pass this handler's own operands"),
        (recurs, "endless calls itself"),
        (asks_a_word, "a Word is not a bool"),
        (has_no_such_name, "unknown name nothing"),
        (has_no_such_field, "a Thread has no field colour"),
        (gives_a_value, "a handler does not return a value"),
        (compares_twice, "no such expression"),
        (reads_no_member, "no such name: machine.Exited.NOWHERE"),
        (casts_nothing, "does not call a handler"),
        (calls_a_stranger, "does not call a handler"),
        (jumps_nowhere, "Machine has no jump with 2 arguments"),
    ],
)
def test_what_is_not_the_handlers_language_is_refused_where_it_stands(handler: Callable[..., Any], what: str) -> None:
    refused(handler, what)
