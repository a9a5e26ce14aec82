"""Handlers with a mistake: what `safepoint_vm.mutants` puts in the place of a right one.

Each is compiled apart, and takes the right one's place where an engine is loaded: in the dispatch table, or where the host enters.
What it does not change it calls: that stays the right handler.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from safepoint.guest.code import LINK
from safepoint.protocol.words import GO
from safepoint_vm.handlers.calls import link, slow_push
from safepoint_vm.handlers.control import after_back_edge, count_back_edge, uncount_back_edge
from safepoint_vm.handlers.requests import end_section
from safepoint_vm.handlers.shared.checks import suspends, waits
from safepoint_vm.handlers.shared.exits import fault, raises
from safepoint_vm.handlers.shared.values import is_function
from safepoint_vm.language.machine import COUNTING, ENTERED_BACK_EDGE, Count, Exited, Machine, Slot, slow_path
from safepoint_vm.language.vocabulary import Exit, Word, below, opcode, slow
from safepoint_vm.language.words import Frame, FunctionObject, Link

# ruff: noqa: ARG001  -- the signature is the encoding: an operand need not be used


@opcode
def call_comparing_a_copy(vm: Machine, base: Slot, count: Count) -> Exit:
    """push-compares-a-copy"""
    callee = vm[base]
    if not is_function(callee):
        return fault(vm)
    code = FunctionObject(callee).code
    if code.parameters != count:
        return fault(vm)
    if COUNTING:
        vm.thread.frames = vm.thread.frames + 1
    frame = vm.frame.at(base + LINK)
    if below(vm.thread.limit_real, frame.at(code.slots)):
        return slow_push(vm, base)
    link(frame, vm.pc + 1, vm.frame)
    return vm.enter(code.start, frame)


@opcode
def call_that_knows_overflow_only(vm: Machine, base: Slot, count: Count) -> Exit:
    """push-knows-overflow-only"""
    callee = vm[base]
    if not is_function(callee):
        return fault(vm)
    code = FunctionObject(callee).code
    if code.parameters != count:
        return fault(vm)
    if COUNTING:
        vm.thread.frames = vm.thread.frames + 1
    frame = vm.frame.at(base + LINK)
    if below(vm.thread.limit, frame.at(code.slots)):
        return vm.leave(Exited.OVERFLOWED)
    link(frame, vm.pc + 1, vm.frame)
    return vm.enter(code.start, frame)


@opcode
def return_that_restores(vm: Machine, src: Slot) -> Exit:
    """return-restores-the-limit"""
    below_frame = Link(vm.frame)
    vm[-LINK] = vm[src]
    vm.thread.limit = Frame(vm.thread.limit_real)
    return vm.enter(below_frame.return_to, below_frame.caller)


@opcode
def unmask_that_ends_all(vm: Machine, src: Slot) -> Exit:
    """inner-section-ends-all"""
    return end_section(vm)


@slow
def after_back_edge_without_its_jump(vm: Machine) -> Exit:
    """The instruction after it is executed instead of the back-edge itself."""
    if vm.thread.result != GO:
        return raises(vm)
    return vm.next()


@slow
def back_edge_without_its_jump(vm: Machine) -> Exit:
    """back-edge-forgets-its-jump"""
    count_back_edge(vm.thread)
    if waits(vm.thread, Word(ENTERED_BACK_EDGE), vm.pc, vm.frame):
        return vm.leave(Exited.BACK_EDGE_WAITS)
    return after_back_edge_without_its_jump(vm)


@slow
def after_back_edge_that_swallows(vm: Machine) -> Exit:
    """Whatever the slow path says, the guest goes on."""
    uncount_back_edge(vm.thread)
    return vm.execute(vm.thread.base)


@slow
def back_edge_that_swallows(vm: Machine) -> Exit:
    """back-edge-swallows"""
    count_back_edge(vm.thread)
    if waits(vm.thread, Word(ENTERED_BACK_EDGE), vm.pc, vm.frame):
        return vm.leave(Exited.BACK_EDGE_WAITS)
    return after_back_edge_that_swallows(vm)


@slow
def back_edge_that_never_parks(vm: Machine) -> Exit:
    """back-edge-never-parks"""
    count_back_edge(vm.thread)
    if waits(vm.thread, Word(ENTERED_BACK_EDGE), vm.pc, vm.frame):
        vm.thread.result = Word(GO)
    return after_back_edge(vm)


@slow
def back_edge_that_keeps_no_place(vm: Machine) -> Exit:
    """back-edge-keeps-no-place"""
    thread = vm.thread
    count_back_edge(thread)
    thread.slow_entries = thread.slow_entries + 1
    if suspends(thread, slow_path(thread, 0)):
        return vm.leave(Exited.BACK_EDGE_WAITS)
    return after_back_edge(vm)


SUBSTITUTES: dict[str, dict[str, Callable[..., Any]]] = {
    "push-compares-a-copy": {"CALL": call_comparing_a_copy},
    "push-knows-overflow-only": {"CALL": call_that_knows_overflow_only},
    "return-restores-the-limit": {"RETURN": return_that_restores},
    "inner-section-ends-all": {"UNMASK": unmask_that_ends_all},
    "back-edge-forgets-its-jump": {
        "slow_back_edge": back_edge_without_its_jump, "after_back_edge": after_back_edge_without_its_jump,
    },
    "back-edge-swallows": {
        "slow_back_edge": back_edge_that_swallows, "after_back_edge": after_back_edge_that_swallows,
    },
    "back-edge-never-parks": {"slow_back_edge": back_edge_that_never_parks},
    "back-edge-keeps-no-place": {"slow_back_edge": back_edge_that_keeps_no_place},
}  # fmt: skip
"""Mutant -> for each handler that it replaces, by name, what stands there instead."""
