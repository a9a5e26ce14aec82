"""The loop that runs a guest thread, without the GIL as long as it needs no host.  In the handler language."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from llvmlite import ir

from safepoint.protocol.words import GO, RAISE_INTERRUPT
from safepoint_vm.cores.primitives import (
    awaken,
    block,
    clock,
    declare_primitives,
    leave,
    look_again,
    push_failed,
    reenter,
    run,
    sleep_for,
    slow_path,
    unmask,
)
from safepoint_vm.cores.requesters import handshakes, ping, stops, storm, turns
from safepoint_vm.cores.tally import Tally
from safepoint_vm.cores.waiting import linger, number_from, wait_a_turn
from safepoint_vm.generate.compiler import ModuleCompiler
from safepoint_vm.language.machine import Exited
from safepoint_vm.language.records import Thread
from safepoint_vm.language.vocabulary import Word, inline, routine

OFTEN = 1023  # turns for which a guest thread waits between two offers of its core to others, less one


@inline
def draw(tally: Tally) -> Word:
    tally.seed = number_from(tally.seed)
    return (tally.seed >> 32) & 0x7FFFFFFF


@inline
def come_back(thread: Thread) -> None:
    """Return to guest code, when that may be."""
    status, turns = reenter(thread, 0), Word(0)
    while status != 0:
        turns = turns + 1
        wait_a_turn(turns, Word(OFTEN))
        status = reenter(thread, status)


@inline
def native_region(thread: Thread, tally: Tally) -> None:
    """In the place of a PRINT: leave guest code for a random time, and come back."""
    leave(thread, 0)
    linger(draw(tally) & 1023)
    come_back(thread)
    tally.natives = tally.natives + 1


@inline
def sleeps(thread: Thread, tally: Tally) -> Word:
    """In the place of a SLEEP: sleep for a random time, or until a request comes.  Returns the outcome of the check site."""
    most, turns = draw(tally) & 255, Word(0)
    status = block(thread, 0)
    while status != 0:
        turns = turns + 1
        if turns > most:
            awaken(thread, 0)
        wait_a_turn(turns, Word(OFTEN))
        status = block(thread, status)
    status = look_again(thread, 0)
    while status != 0:
        turns = turns + 1
        wait_a_turn(turns, Word(OFTEN))
        status = look_again(thread, status)
    tally.sleeps = tally.sleeps + 1
    return thread.result


@inline
def waited(thread: Thread, why: Word, tally: Tally) -> Word:
    """Wait in the procedure for which machine code was left.  Returns its status: 0, or `patience` is over."""
    status, turns = thread.suspended, Word(0)
    while status != 0 and turns < tally.patience:
        turns = turns + 1
        wait_a_turn(turns, Word(OFTEN))
        if why == Word(Exited.BACK_EDGE_WAITS) or why == Word(Exited.ELSEWHERE_WAITS):
            status = slow_path(thread, status)
        elif why == Word(Exited.PUSH_WAITS):
            status = push_failed(thread, 0, status)
        else:
            status = unmask(thread, status)
    thread.suspended = status
    tally.parks = tally.parks + 1
    return status


@routine
def live(handler: Word, pc: Word, frame: Word, record: Word, table: Word) -> Word:
    """In the place of `enter`: run guest code, and do what needs no host, without the GIL, as long as it needs none.

    Waits of procedures, PRINT (a native region that writes nothing) and SLEEP (for a random time) are done here; for all else
    it returns to the host, as `enter` does.
    """
    thread = Thread(record)
    tally = Tally(thread.hook)
    run(handler, pc, frame, record, table)
    goes_on = Word(1)
    while goes_on != 0:
        why = thread.status
        entry = tally.begin
        if why == Word(Exited.BACK_EDGE_WAITS):
            entry = tally.after_back_edge
            goes_on = truth(waited(thread, why, tally) == 0)
        elif why == Word(Exited.ELSEWHERE_WAITS):
            entry = tally.after_elsewhere
            goes_on = truth(waited(thread, why, tally) == 0)
        elif why == Word(Exited.PUSH_WAITS):
            entry = tally.after_push
            goes_on = truth(waited(thread, why, tally) == 0)
        elif why == Word(Exited.UNMASK_WAITS):
            entry = tally.after_unmask
            goes_on = truth(waited(thread, why, tally) == 0)
        elif why == Word(Exited.PRINT):
            native_region(thread, tally)
            thread.pc = thread.pc + 1
        elif why == Word(Exited.SLEEPS):
            outcome = sleeps(thread, tally)
            if outcome == GO:
                thread.pc = thread.pc + 1
            else:
                goes_on = Word(0)
                if outcome == RAISE_INTERRUPT:
                    thread.status = Word(Exited.INTERRUPTED)
                else:
                    thread.status = Word(Exited.TERMINATED)
        else:
            goes_on = Word(0)
        if goes_on != 0:
            run(entry, Word(thread.pc), Word(thread.frame), record, table)
    if thread.status == Word(Exited.INTERRUPTED) or thread.status == Word(Exited.TERMINATED):
        tally.raised = tally.raised + 1
    return Word(0)


@inline
def truth(x: bool) -> Word:
    if x:
        return Word(1)
    return Word(0)


@routine
def nap(microseconds: Word) -> Word:
    """Sleep, without the GIL."""
    return sleep_for(microseconds)


@routine
def stamp(_: Word) -> Word:
    return clock()


LOOPS: tuple[Callable[..., Any], ...] = (ping, storm, stops, turns, handshakes, nap, stamp, live)


@dataclass(frozen=True)
class Loops:
    """A part of an engine: the loops."""

    def generate(self) -> ir.Module:
        """HandlerError: a loop cannot be compiled."""
        module = ir.Module("loops")
        compiler = ModuleCompiler(module, {"PROTOCOL": True, "COUNTING": True, "COLLECTOR_MUTANT": ""})
        declare_primitives(compiler)
        for loop in LOOPS:
            compiler.routine(loop)
        return module
