"""Jumps and loops.  A handler that may jump backward is a check site.  With policy `folded` it has no code for it: a thread whose
table is poisoned dispatches to `slow_back_edge` instead; other policies make a check of their own (`shared.checks`).
"""

from __future__ import annotations

from safepoint.guest.code import INT_MAX
from safepoint.protocol.words import GO
from safepoint_vm.handlers.shared.checks import back_edge_fails, waits
from safepoint_vm.handlers.shared.compare_values import BELOW, HOSTED, compare
from safepoint_vm.handlers.shared.exits import fault, hosted, raises
from safepoint_vm.handlers.shared.values import (
    as_number,
    both_floats,
    both_ints,
    is_int,
    is_reference,
    is_true,
    is_true_word,
    scaled,
)
from safepoint_vm.handlers.shared.work import begin_work
from safepoint_vm.language.machine import (
    COUNTING,
    ENTERED_BACK_EDGE,
    LOGS_LOOPS,
    LOOPED,
    PROTOCOL,
    SKIPS,
    TRACED,
    UNCHECKED,
    Exited,
    FarJump,
    Jump,
    Machine,
    Slot,
    log_check,
)
from safepoint_vm.language.records import Thread
from safepoint_vm.language.vocabulary import Bytecode, Exit, Value, Word, below, divide_unsigned, inline, opcode, slow


@opcode
def JUMP(vm: Machine, offset: FarJump) -> Exit:
    """jump forward"""
    return vm.jump(offset)


@slow
def slow_false_jump(vm: Machine, condition: Slot, offset: FarJump) -> Exit:
    """FALSE_JUMP on a list or an object."""
    if is_true(vm[condition]):
        return vm.next()
    return vm.jump(offset)


@opcode
def FALSE_JUMP(vm: Machine, condition: Slot, offset: FarJump) -> Exit:
    """if not condition: jump forward"""
    x = vm[condition]
    if is_reference(x):
        return slow_false_jump(vm, condition, offset)
    if is_true_word(x):
        return vm.next()
    return vm.jump(offset)


@slow
def slow_true_jump(vm: Machine, condition: Slot, offset: FarJump) -> Exit:
    """TRUE_JUMP and TRUE_JUMP_BACK on a list or an object."""
    if is_true(vm[condition]):
        return vm.jump(offset)
    return vm.next()


@opcode
def TRUE_JUMP(vm: Machine, condition: Slot, offset: FarJump) -> Exit:
    """if condition: jump forward"""
    x = vm[condition]
    if is_reference(x):
        return slow_true_jump(vm, condition, offset)
    if is_true_word(x):
        return vm.jump(offset)
    return vm.next()


# ---- check sites


@inline
def count_back_edge(thread: Thread) -> None:
    if COUNTING:
        thread.back_edges = thread.back_edges + 1


@inline
def uncount_back_edge(thread: Thread) -> None:
    """Undo the count: the handler will run again, and count again."""
    if COUNTING:
        thread.back_edges = thread.back_edges - 1


@inline
def pass_back_edge(thread: Thread, pc: Bytecode) -> None:
    """The dispatch has come here, so the check has passed."""
    count_back_edge(thread)
    if TRACED and (LOGS_LOOPS or UNCHECKED):
        log_check(thread, Word(LOOPED), pc, 0)


@slow
def slow_back_edge(vm: Machine) -> Exit:
    """The check of a back-edge has failed: run `slow_path`."""
    if PROTOCOL:
        count_back_edge(vm.thread)
        if waits(vm.thread, Word(ENTERED_BACK_EDGE), vm.pc, vm.frame):
            return vm.leave(Exited.BACK_EDGE_WAITS)
        return after_back_edge(vm)
    return vm.leave(Exited.FAULT)


@slow
def after_back_edge(vm: Machine) -> Exit:
    """`slow_path` has returned.  Execute the instruction through the base table, which is never poisoned and whose handlers check
    nothing: even under a storm of posts each slow path gets the guest one instruction further.
    """
    thread = vm.thread
    if thread.result != GO:
        return raises(vm)
    uncount_back_edge(thread)
    if TRACED:
        log_check(thread, Word(SKIPS), vm.pc, 0)
    return vm.execute(thread.base)


@opcode
def POLL(vm: Machine) -> Exit:
    """nothing: a check site in code that has had none for long"""
    if back_edge_fails(vm.thread, vm.pc):
        return slow_back_edge(vm)
    pass_back_edge(vm.thread, vm.pc)
    return vm.next()


@opcode
def JUMP_BACK(vm: Machine, offset: FarJump) -> Exit:
    """jump backward"""
    if back_edge_fails(vm.thread, vm.pc):
        return slow_back_edge(vm)
    pass_back_edge(vm.thread, vm.pc)
    return vm.jump(offset)


@opcode
def TRUE_JUMP_BACK(vm: Machine, condition: Slot, offset: FarJump) -> Exit:
    """if condition: jump backward"""
    if back_edge_fails(vm.thread, vm.pc):
        return slow_back_edge(vm)
    pass_back_edge(vm.thread, vm.pc)
    x = vm[condition]
    if is_reference(x):
        return slow_true_jump(vm, condition, offset)
    if is_true_word(x):
        return vm.jump(offset)
    return vm.next()


@slow
def slow_less_jump_back(vm: Machine, left: Slot, right: Slot, offset: Jump) -> Exit:
    """LESS_JUMP_BACK on any values.  The fast handler has counted this visit."""
    begin_work(vm.thread)
    found = compare(vm.thread, vm[left], vm[right], Word(0))
    if found == HOSTED:
        return hosted(vm)
    if found == BELOW:
        return vm.jump(offset)
    return vm.next()


@opcode
def LESS_JUMP_BACK(vm: Machine, left: Slot, right: Slot, offset: Jump) -> Exit:
    """if left < right: jump backward"""
    if back_edge_fails(vm.thread, vm.pc):
        return slow_back_edge(vm)
    pass_back_edge(vm.thread, vm.pc)
    x, y = vm[left], vm[right]
    if both_ints(x, y):
        if x < y:
            return vm.jump(offset)
        return vm.next()
    if both_floats(x, y):
        if scaled(x) < scaled(y):
            return vm.jump(offset)
        return vm.next()
    return slow_less_jump_back(vm, left, right, offset)


# ---- for … in range(…)


@inline
def quotient_up(low: Value, high: Value, step: Word) -> Value:
    """(high - low) / step rounded up, at least 0, as a guest int; at most INT_MAX, which no loop reaches."""
    if low >= high:
        return Value(0)
    turns = divide_unsigned(high - low - 2, step) + 1
    if below(turns, Word(INT_MAX)):
        return Value(turns << 1)
    return Value(INT_MAX << 1)


@inline
def turns_of(start: Value, end: Value, step: Value) -> Value:
    if step < 0:
        return quotient_up(end, start, 0 - step)
    return quotient_up(start, end, step)


@slow
def slow_for_prepare(vm: Machine, loop: Slot, offset: FarJump) -> Exit:
    """FOR_PREPARE with bools; a step of 0 raises."""
    start, end, step = as_number(vm[loop]), as_number(vm[loop + 1]), as_number(vm[loop + 2])
    if both_ints(start, end) and is_int(step) and step != 0:
        vm[loop] = start
        vm[loop + 1] = turns_of(start, end, step)
        vm[loop + 2] = step
        return vm.jump(offset)
    return fault(vm)


@opcode
def FOR_PREPARE(vm: Machine, loop: Slot, offset: FarJump) -> Exit:
    """range(loop, loop+1, loop+2) becomes: next value, turns left, step; jump forward to its FOR_RANGE"""
    start, end, step = vm[loop], vm[loop + 1], vm[loop + 2]
    if both_ints(start, end) and is_int(step) and step != 0:
        vm[loop + 1] = turns_of(start, end, step)
        return vm.jump(offset)
    return slow_for_prepare(vm, loop, offset)


@opcode
def FOR_RANGE(vm: Machine, dst: Slot, loop: Slot, offset: Jump) -> Exit:
    """if turns are left: one less, dst = next value, next value += step, jump backward.  FOR_PREPARE checked the types;
    the value after the last may wrap, and is never read.
    """
    if back_edge_fails(vm.thread, vm.pc):
        return slow_back_edge(vm)
    pass_back_edge(vm.thread, vm.pc)
    left = vm[loop + 1]
    if left > 0:
        vm[loop + 1] = Value(left - 2)
        x = vm[loop]
        vm[dst] = x
        vm[loop] = Value(x + vm[loop + 2])
        return vm.jump(offset)
    return vm.next()
