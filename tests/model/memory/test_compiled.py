"""The tables of `targets` are what LLVM makes of each access: every one of them is compiled, and its instructions are read on the way that they
are executed, up to the return.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import pytest

pytest.importorskip("llvmlite", reason="LLVM is not installed (pip install '.[vm]')")

from safepoint.graph.orders import ACQ_REL, ACQUIRE, RELAXED, RELEASE, SEQ_CST
from safepoint.model.memory.instructions import INSTRUCTIONS, effect_of
from safepoint.model.memory.targets import ORDERS, TARGETS, Target
from tests import cross

RMW = {"fetch_or": "or", "fetch_and": "and", "fetch_add": "add", "fetch_sub": "sub", "swap": "xchg"}
IF_FAILED = {RELAXED: "monotonic", ACQUIRE: ACQUIRE, RELEASE: "monotonic", ACQ_REL: ACQUIRE, SEQ_CST: SEQ_CST}

QUIET = {
    "x86-64": "mov or and neg sete jne ret",
    "aarch64": "mov mvn neg orr and add sub cmp cset clrex b b.ne cbnz ret",
    "riscv64": "neg xor or and seqz bne bnez ret",
    "power": "or and add sub mr li isel creqv crxor cmpd cmpld b bne- beq+ bnelr- beqlr+ blr",
}
"""What neither accesses memory nor orders anything; of x86-64 only between registers.  All else has to stand in the table."""
CONDITIONAL_STORES = ("stxr", "stlxr", "sc.d", "sc.d.rl", "stdcx.", "lock cmpxchg")


def source(op: str, order: str, *, used: bool) -> str:
    """A function in LLVM's language that makes the access, and returns what it gives, if that is used."""
    llvm_order = "monotonic" if order == RELAXED else order
    match op:
        case "fence":
            line, result = f"fence {order}", "void"
        case "load":
            line, result = f"%r = load atomic i64, ptr %p {llvm_order}, align 8", "i64"
        case "store":
            line, result = f"store atomic i64 %v, ptr %p {llvm_order}, align 8", "void"
        case "cas":
            line, result = f"%pair = cmpxchg ptr %p, i64 %v, i64 %w {llvm_order} {IF_FAILED[order]}", "i1"
            line += "\n%r = extractvalue {i64, i1} %pair, 1" if used else ""
        case _:
            line, result = f"%r = atomicrmw {RMW[op]} ptr %p, i64 %v {llvm_order}", "i64"
    if not used or result == "void":
        return f"define void @f(ptr %p, i64 %v, i64 %w) {{\n{line}\nret void\n}}"
    return f"define {result} @f(ptr %p, i64 %v, i64 %w) {{\n{line}\nret {result} %r\n}}"


@cache
def assembly(target_name: str, text: str) -> list[str]:
    target = TARGETS[target_name]
    made = cross.assembly(target.triple, text, target.cpu, target.features)
    lines = (re.split(r"#|//", line)[0].strip() for line in made.splitlines())
    return [" ".join(line.split()) for line in lines if line and (not line.startswith(".") or line.endswith(":"))]


def instruction(target_name: str, line: str) -> str:
    """As the tables name it; "" if it is quiet."""
    family = "aarch64" if target_name.startswith("aarch64") else target_name
    name, _, operands = line.partition(" ")
    if family == "x86-64":
        if name == "lock":
            return f"lock {re.sub('[lq]$', '', operands.split()[0])}"
        name = re.sub("[lq]$", "", name)
        return "" if name in QUIET[family].split() and "(" not in operands else name
    if name in QUIET[family].split():
        return ""
    return f"{name} {operands.replace(' ', '')}" if name in ("dmb", "fence") else name


def executed(target_name: str, lines: list[str], *, fails: bool) -> Iterator[str]:
    """The instructions on the way to the return: conditional stores succeed, and a compare finds what it asks for unless it `fails`."""
    labels = {line[:-1]: n for n, line in enumerate(lines) if line.endswith(":")}
    at, has_stored = labels["f"], False
    for _ in range(40):
        line = lines[at]
        at += 1
        if line.endswith(":"):
            continue
        name, *operands = re.split(r"[ ,]+", line)
        if name in ("ret", "retq", "blr"):
            return
        if found := instruction(target_name, line):
            yield found
            has_stored = found in CONDITIONAL_STORES
        if operands and operands[-1] == ".+4":  # a branch to the next instruction: isync waits for it
            assert lines[at] == "isync"
            assert lines[at - 2].startswith("cmpd")
        elif re.match(r"(b|j)(\.|ne|eq|$|nez)|cbnz", name) and name != "bl":
            if has_stored:
                taken = "eq" in name or name in ("b", "j")
            else:
                taken = fails or name in ("b", "j")
            if taken and "lr" in name:
                return
            at = labels[operands[-1]] if taken else at
    raise AssertionError(f"{target_name}: no return: {lines}")


def found(name: str, op: str, order: str, *, used: bool = True, fails: bool = False) -> str:
    return "; ".join(executed(name, assembly(name, source(op, order, used=used)), fails=fails))


EACH = [(name, op, order) for name in TARGETS for op, orders in ORDERS.items() for order in orders]


@pytest.mark.parametrize(("name", "op", "order"), EACH)
def test_an_access_is_compiled_to_what_the_table_says(name: str, op: str, order: str) -> None:
    target = TARGETS[name]
    assert found(name, op, order) == target.table[op, order]
    if op not in ("load", "fence"):
        assert found(name, op, order, used=False) == {**target.table, **target.unused}[op, order]
    if op == "cas":
        assert found(name, op, order, fails=True) == target.failed[order]
        assert found(name, op, order, used=False, fails=True) == target.failed[order]


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_an_access_orders_as_much_if_nobody_uses_its_result(target: Target) -> None:
    for (op, order), instructions in target.unused.items():
        assert effect_of(instructions.split("; "), op) == target.compiled(op, order).made


def test_each_instruction_is_in_a_table() -> None:
    """What is in none has a meaning that no compiler has confirmed: of AArch64's and RISC-V's locked operations there is one for each order."""
    in_tables = {
        each
        for t in TARGETS.values()
        for text in (*t.table.values(), *t.unused.values(), *t.failed.values())
        for each in text.split("; ")
    }
    assert set(INSTRUCTIONS) == in_tables


@pytest.mark.parametrize("name", TARGETS)
def test_a_barrier_that_is_taken_out_or_put_in_is_seen(name: str) -> None:
    """The reading of assembly misses nothing that orders: a fence between two accesses, and an access of another order."""
    fenced = source("store", RELAXED, used=True).replace("ret void", "fence seq_cst\nret void")
    plain = found(name, "store", RELAXED)
    assert (
        "; ".join(executed(name, assembly(name, fenced), fails=False))
        == f"{plain}; {TARGETS[name].table['fence', SEQ_CST]}"
    )
    acquire = source("fence", "acquire", used=True)
    assert ("; ".join(executed(name, assembly(name, acquire), fails=False)) != "") == (name != "x86-64")
