"""The handler of SIGSEGV, for checks that load from a page of their thread's: compiled, and called by the system.

A fault is a check's if it stands at the load of one, and that thread's own page is protected; the thread then goes on where its check has
failed.  Every other fault is for the handler that was there before; if there was none, the default is put back, and the
instruction faults again.
"""

from __future__ import annotations

from safepoint_vm.language.records import Thread
from safepoint_vm.language.signals import (
    CHECK_BYTES,
    DEFAULT,
    IGNORED,
    PROTECTED,
    Check,
    Checks,
    Context,
    Faults,
    SignalInfo,
    call_handler,
    known_faults,
    put_back,
    send_again,
)
from safepoint_vm.language.vocabulary import Word, below, inline, routine
from safepoint_vm.language.words import PAGE_BYTES


@inline
def landing_of(faults: Faults, pc: Word) -> Word:
    """Where a thread goes on whose check at `pc` has failed.  0: there is no check at it."""
    found = Word(0)
    table = faults.tables
    while table != 0:
        at = Checks(table).first
        while at != Checks(table).end:
            if at + Check(at).load == pc:
                found = at + 8 + Check(at).failed
            at = at + CHECK_BYTES
        table = Checks(table).next
    return found


@inline
def reason(info: SignalInfo) -> Word:
    """Its code: above 0 if the system found a fault; else a process has sent the signal."""
    return info.code << 32 >> 32


@inline
def is_of_its_page(thread: Thread, info: SignalInfo) -> bool:
    return reason(info) == PROTECTED and below(info.address - thread.page, Word(PAGE_BYTES))


@inline
def pass_on(faults: Faults, number: Word, info: SignalInfo, context: Context) -> None:
    """Leave a signal to the handler that was there before."""
    before = Word(faults.saved[0])
    if below(Word(IGNORED), before):
        call_handler(before, number, info, context)
    elif reason(info) > 0:
        put_back(faults.saved, number)  # the instruction is executed again, and faults
    elif before == DEFAULT:
        put_back(faults.saved, number)
        send_again(number)


@routine
def on_fault(number: Word, info: SignalInfo, context: Context) -> None:
    """The handler.  Only at a check does r14 hold the record of a thread."""
    faults = Faults(known_faults())
    landing = landing_of(faults, context.pc)
    if landing != 0:
        if is_of_its_page(Thread(context.r14), info):
            context.pc = landing
        else:
            pass_on(faults, number, info, context)
    else:
        pass_on(faults, number, info, context)
