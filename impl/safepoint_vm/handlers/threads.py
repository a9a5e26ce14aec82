"""Threads and locks.  To acquire a free lock costs one locked instruction; a thread that must wait leaves machine code."""

# ruff: noqa: ARG001  -- the signature is the encoding: an operand need not be used

from __future__ import annotations

from safepoint_vm.handlers.shared.exits import fault, hosted
from safepoint_vm.handlers.shared.values import has_kind
from safepoint_vm.language.machine import Count, Exited, Machine, Slot
from safepoint_vm.language.vocabulary import Exit, Value, Word, compare_and_swap, inline, opcode, slow, swap
from safepoint_vm.language.words import CONTENDED, FREE, HELD, LOCK_KIND, Lock


@inline
def is_lock(x: Value) -> bool:
    return has_kind(x, Word(LOCK_KIND))


@opcode
def THREAD(vm: Machine, first: Slot, count: Count) -> Exit:
    """first = Thread(target=first, args=(first+1, …)): count slots in all"""
    return hosted(vm)


@slow
def threading(vm: Machine) -> Exit:
    """Leave for the host: the instruction needs other threads, or time."""
    return vm.leave(Exited.THREADING)


@opcode
def START(vm: Machine, src: Slot) -> Exit:
    """src.start()"""
    return threading(vm)


@opcode
def JOIN(vm: Machine, src: Slot) -> Exit:
    """src.join()"""
    return threading(vm)


@opcode
def SLEEP(vm: Machine, src: Slot) -> Exit:
    """sleep(src)"""
    return vm.leave(Exited.SLEEPS)


@opcode
def LOCK(vm: Machine, dst: Slot) -> Exit:
    """dst = Lock()"""
    return hosted(vm)


@slow
def slow_acquire(vm: Machine, src: Slot) -> Exit:
    """The lock was held: mark it contended, in the same access that tells whether it still is held."""
    x = vm[src]
    if is_lock(x):
        if swap(Lock(x).state, Word(CONTENDED)) == Word(FREE):
            return vm.next()
        return vm.leave(Exited.LOCKED)
    return vm.leave(Exited.THREADING)


@opcode
def ACQUIRE(vm: Machine, src: Slot) -> Exit:
    """src.acquire(): if interrupted, it raises and does not hold the lock"""
    x = vm[src]
    if is_lock(x):
        if compare_and_swap(Lock(x).state, Word(FREE), Word(HELD)):
            return vm.next()
    return slow_acquire(vm, src)


@slow
def slow_release(vm: Machine, src: Slot) -> Exit:
    """The lock is contended, or free; or src is not a lock.  The access that frees it tells which: if it was free, the host
    only raises.
    """
    x = vm[src]
    if is_lock(x):
        before = swap(Lock(x).state, Word(FREE))
        if before == CONTENDED:
            return vm.leave(Exited.RELEASED)
        if before != FREE:
            return vm.next()
    return fault(vm)


@opcode
def RELEASE(vm: Machine, src: Slot) -> Exit:
    """src.release()"""
    x = vm[src]
    if is_lock(x):
        if compare_and_swap(Lock(x).state, Word(HELD), Word(FREE)):
            return vm.next()
    return slow_release(vm, src)
