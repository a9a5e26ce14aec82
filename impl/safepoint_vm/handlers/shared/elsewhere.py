"""The check site of a return, or of an allocation, for policies that check there: `elsewhere` of their trigger's text."""

from __future__ import annotations

from safepoint.protocol.words import GO
from safepoint_vm.handlers.shared.checks import waits
from safepoint_vm.handlers.shared.exits import raises
from safepoint_vm.language.machine import (
    CHECKED,
    COUNTING,
    ENTERED_ELSEWHERE,
    PROTOCOL,
    TRACED,
    UNCHECKED,
    Exited,
    Machine,
    log_check,
)
from safepoint_vm.language.records import Thread
from safepoint_vm.language.vocabulary import Bytecode, Exit, Word, inline, slow


@inline
def pass_elsewhere(thread: Thread, pc: Bytecode) -> None:
    """The check has passed, or has let the instruction go on, and was logged then."""
    count(thread, Word(1))
    if TRACED and not UNCHECKED:
        log_check(thread, Word(CHECKED), pc, 0)


@inline
def count(thread: Thread, checks: Word) -> None:
    if COUNTING:
        thread.elsewhere = thread.elsewhere + checks


@slow
def slow_elsewhere(vm: Machine) -> Exit:
    """The check has failed: run `slow_path`."""
    if PROTOCOL:
        count(vm.thread, Word(1))
        if waits(vm.thread, Word(ENTERED_ELSEWHERE), vm.pc, vm.frame):
            return vm.leave(Exited.ELSEWHERE_WAITS)
        return after_elsewhere(vm)
    return vm.leave(Exited.FAULT)


@slow
def after_elsewhere(vm: Machine) -> Exit:
    """`slow_path` has returned.  Execute the instruction through the base table, whose handlers check nothing."""
    if vm.thread.result != GO:
        return raises(vm)
    count(vm.thread, Word(-1))  # the handler counts it again
    return vm.execute(vm.thread.base)
