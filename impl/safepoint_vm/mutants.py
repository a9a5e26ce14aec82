"""Mutants of the interpreter: mistakes in what is not generated from the protocol's text.  The register; and how one is put in.

A mutant takes the place of something that an engine or its host has anyway, chosen by the name in `engine.Variant.mutant`:

handlers: functions of `handlers.mutated` stand in the dispatch table, or where the host enters, instead of the right ones
procedures: a class of `generate.mutated` changes where a word of the text lies, or when a hook is called
host: a class of `threads.mutated_hosts` or `threads.mutated_os_threads` has its methods before those of the right one

The right handlers are the same bytes in each of these engines; a part that differs is compiled, and cached, under the mutant's name.
"""

from __future__ import annotations

from typing import NamedTuple, TypeVar, cast

T = TypeVar("T")
HANDLERS, PROCEDURES, HOST = "handlers", "procedures", "host"
DIFFERENTIAL, SCHEDULES, CORES = "differential", "controlled schedules", "real cores"


class Mutant(NamedTuple):
    """part: one of the above.  by: which of the three ways shows it soonest.  The rest: as `safepoint.differential.mistakes.Mistake` says."""

    name: str
    part: str
    swaps: str
    by: str
    what: str
    like: str
    rule: str = ""
    program: str = ""
    case: str = ""


REGISTER = (
    # -- check sites
    Mutant(
        "push-compares-a-copy", HANDLERS, "handler CALL", SCHEDULES,
        "The frame push compares with the real limit, which is never poisoned, instead of the limit.",
        "Skybison 74e0d81a: the assembly interpreter loaded the other limit",
        "POISON-EVERY-WORD",
    ),
    Mutant(
        "push-knows-overflow-only", HANDLERS, "handler CALL", SCHEDULES,
        "A frame push that fails is taken for a full stack, without a look whether something was requested.",
        "WebKit PR 49856: the slow path was written before stop requests used the same check",
        "REAL-LIMIT-DECIDES",
    ),
    Mutant(
        "return-restores-the-limit", HANDLERS, "handler RETURN", DIFFERENTIAL,
        "A return makes the limit real again, whether it was poisoned meanwhile or not.",
        "wasmtime before c22033bf: leaving stored the limit that entering had saved",
        "LIMIT-KEEPS-POISON",
        program="type_error",
    ),
    Mutant(
        "back-edge-forgets-its-jump", HANDLERS, "handlers slow_back_edge, after_back_edge", DIFFERENTIAL,
        "After the slow path the guest goes on behind the back-edge instead of executing it: the loop ends.",
        "CPython gh-108214: the check and the jump in the wrong order",
        "SPURIOUS-IS-NOTHING",
        program="masked_loop",
    ),
    Mutant(
        "back-edge-swallows", HANDLERS, "handlers slow_back_edge, after_back_edge", DIFFERENTIAL,
        "What the slow path says is to be raised at a back-edge is not raised.",
        "Deno #15012: a termination swallowed on the way",
        "TAKEN-IS-SERVED",
        program="masked_loop",
    ),
    Mutant(
        "back-edge-never-parks", HANDLERS, "handler slow_back_edge", DIFFERENTIAL,
        "A slow path that is to wait is taken for one that has returned: the guest runs in a stopped world.",
        "Julia #62627: a thread leaves its wait beside a stop",
        "STOP-PARKS",
        program="masked_loop",
    ),
    Mutant(
        "back-edge-keeps-no-place", HANDLERS, "handler slow_back_edge", DIFFERENTIAL,
        "The slow path of a back-edge begins without a note of where the thread stands: a sample is taken elsewhere.",
        "WebKit PR 63059: the record of the frame is gone when the second reason is served",
        program="masked_loop",
    ),
    Mutant(
        "inner-section-ends-all", HANDLERS, "handler UNMASK", DIFFERENTIAL,
        "The end of a critical section inside another ends both.",
        "Bun PR 32773: the inner clear wipes what the outer one set",
        "MASKED-STAYS",
        program="masked_ways",
    ),
    # -- triggers
    Mutant(
        "back-edge-unpoisoned", PROCEDURES, "the widths of the text's words", SCHEDULES,
        "Of the opcodes that jump backward the last has no word in the text, so no requester poisons it.",
        "CPython gh-106101: loops that go round without the instruction that checks",
        "POISON-EVERY-WORD",
    ),
    Mutant(
        "poison-in-the-base-table", PROCEDURES, "ProcedureEmitter.cell", SCHEDULES,
        "Back-edges are poisoned in the table that no guest thread is dispatched through.",
        "LuaJIT #1120: compiled traces do not look at the table in which a signal sets its hook",
        "POISON-EVERY-WORD",
    ),
    Mutant(
        "poison-too-high", HOST, "GuestThread.enter", SCHEDULES,
        "The limit's poison is an address in the stack instead of one below it: small frames near its beginning pass.",
        "Skybison before 4d9f4423: the limit was set to where the stack pointer was",
        "POISON-EVERY-WORD",
        program="string_building", case="calls|SAMPLE|INTERRUPT@sc",
    ),
    Mutant(
        "compiled-loop-unpoisoned", PROCEDURES, "ProcedureEmitter.access", SCHEDULES,
        "A requester poisons the entries of opcodes, and none of those that back-edges of compiled code have.",
        "LuaJIT #1120: compiled code does not come by what the interpreter dispatches through",
        "POISON-EVERY-WORD",
        case="asks|STOP@sc,compiled",
    ),
    Mutant(
        "compiled-loop-jumps-straight", HOST, "Tier._stitched", SCHEDULES,
        "A back-edge of compiled code is a direct jump, which goes through no entry of the dispatch table.",
        "Ruby PR 5699: a loop was compiled without a check, and a stop waited for it",
        "POISON-EVERY-WORD",
        case="asks|STOP@sc,compiled",
    ),
    Mutant(
        "install-makes-real", HOST, "Tier._install", SCHEDULES,
        "What installs compiled code makes the entries of its back-edges real in each thread, whatever was requested meanwhile.",
        "wasmtime before c22033bf: a store of the real limit over one that had been poisoned",
        "OWNER-RESTORES",
        case="loop|SAMPLE@sc,installs",
    ),
    # -- the hooked build
    Mutant(
        "hook-misses-locked", PROCEDURES, "ProcedureEmitter.call_hook", SCHEDULES,
        "The hooked build calls no hook before a locked access: no schedule can go on with another thread there.",
        "none: a mistake of the instrument",
    ),
    Mutant(
        "hook-comes-late", PROCEDURES, "ProcedureEmitter.call_hook, access", SCHEDULES,
        "The hooked build calls its hook after the access instead of before it.",
        "none: a mistake of the instrument",
    ),
    # -- what a thread does outside machine code
    Mutant(
        "reenters-unasked", HOST, "ThreadLife._call", SCHEDULES,
        "A thread comes back from a native region by a store, and does not look for a stop or an operation.",
        "Julia PR 62636: the way back from native code without its check",
        "REENTER-LOOKS-AGAIN",
        case="prints|STOP@sc",
    ),
    Mutant(
        "parked-forgets-why", HOST, "ThreadLife._serve", DIFFERENTIAL,
        "After a wait in the slow path the instruction begins again, and what was taken before the wait is forgotten.",
        "Skybison handlePendingSignals: taken before the handler, and lost where that does not come to its end",
        "TAKEN-IS-SERVED",
        program="masked_loop", case="loop|STOP|STOP@sc",
    ),
    Mutant(
        "sleeper-swallows", HOST, "ThreadLife._block", SCHEDULES,
        "A thread that sleeps serves a request, and sleeps on without raising it.",
        "PyPy #3253: Control-C does not end a sleep",
        "TAKEN-IS-SERVED",
        program="births", case="asleep|INTERRUPT@sc",
    ),
    Mutant(
        "blocks-inside", HOST, "ThreadLife._block", SCHEDULES,
        "A thread sleeps without leaving guest code: a stop waits for it, and no request wakes it.",
        "Chez Scheme #58 and Julia #56638: a wait that counts as running",
        "BLOCK-LOOKS-AGAIN",
        program="births", case="asleep|INTERRUPT@sc",
    ),
    Mutant(
        "sleeps-without-alarm", HOST, "ThreadLife._sleeping", DIFFERENTIAL,
        "A sleep waits for its time to be over, and nothing wakes it then.",
        "OCaml PR 14303: a waiter is not woken when its condition has come true",
        program="contended",
    ),
    Mutant(
        "release-wakes-no-thread", HOST, "ThreadLife._serve", SCHEDULES,
        "A contended lock is released, and the threads that sleep for it are not told.",
        "Go #34736: all threads sleep, and none is woken",
        case="contends@sc",
    ),
    Mutant(
        "post-wakes-no-thread", HOST, "GuestWorld.post", CORES,
        "A request from the host, as a signal handler makes it, does not wake the OS thread that sleeps.",
        "PyPy #3253: Control-C does not end a sleep",
        "POST-WAKES",
    ),
    Mutant(
        "interrupt-before-birth", HOST, "OsThread.interrupt", CORES,
        "An interrupt of a thread that is started and not born yet is dropped instead of kept until its birth.",
        "Gambit #216: an interrupt of a thread that is started and does not run yet",
    ),
    # -- stops and collections
    Mutant(
        "starts-before-collecting", HOST, "ThreadLife.collect", SCHEDULES,
        "The coordinator starts the world before it collects.",
        "Julia PR 62636: a thread returns into a collection",
        "STOP-AWAITS-ALL",
        case="collects|STOP@sc",
    ),
    Mutant(
        "collects-its-own-roots", HOST, "GuestWorld.collect", DIFFERENTIAL,
        "A collection takes its roots from the thread that asked for it, and from no other.",
        "OpenJDK JDK-8369190: a frame that the walker cannot see",
        program="collectors",
    ),
    Mutant(
        "roots-of-the-top-frame", HOST, "GuestThread.roots", DIFFERENTIAL,
        "A stack's roots are those of the top frame; what only its callers hold is not moved.",
        "OpenJDK JDK-8369190: a frame that the walker cannot see",
        program="collectors",
    ),
    Mutant(
        "newborn-is-no-root", HOST, "GuestWorld.collect", DIFFERENTIAL,
        "What a thread is given at its start is no root before its birth.",
        "Julia #49928: a thread is there before what others need of it is",
        program="collectors",
    ),
    # -- births and exits
    Mutant(
        "newborn-not-counted", HOST, "GuestWorld.add", SCHEDULES,
        "A new thread's record is not counted, so no stop sees it.",
        "Ruby bug 13688: a new thread misses what was requested of all",
        "STOP-AWAITS-ALL",
        program="births", case="births|HANDSHAKE/1|STOP@sc",
    ),
    Mutant(
        "born-unasked", HOST, "ThreadLife.born", SCHEDULES,
        "A new thread enters guest code by a store, and does not look for a stop.",
        "Julia #49928: an adopted thread runs during a collection",
        "BIRTH-REENTERS",
        program="births", case="births|STOP|INTERRUPT/1@sc",
    ),
    Mutant(
        "waited-for-before-birth", HOST, "GuestThread.child", SCHEDULES,
        "A thread counts as running guest code before its birth: a stop waits for one that the system has not begun yet.",
        "Go #38931: a stop in the middle of a thread's start hangs",
        "BIRTH-REENTERS",
        program="contended", case="births|HANDSHAKE/1|STOP@sc",
    ),
    Mutant(
        "exit-forgotten", HOST, "OsThread._end", CORES,
        "A thread ends without leaving guest code: the next stop waits for it for ever.",
        "CPython gh-96387: a thread that waits for an answer of an ended thread waits for ever",
        "STOP-AWAITS-ALL",
    ),
    Mutant(
        "target-not-kept", HOST, "GuestWorld.keeping", SCHEDULES,
        "The record of a handshake's target may be used again while the handshake is under way.",
        "OCaml #11800: a domain's slot is used again too soon",
        "RECORD-IS-HELD",
        case="reuses@sc:28>1,63>2",
    ),
)  # fmt: skip

MUTANTS = {mutant.name: mutant for mutant in REGISTER}


def part_of(mutant: str) -> str:
    """What of an engine a mutant changes.  A mutant of the text, and none (""): PROCEDURES."""
    return MUTANTS[mutant].part if mutant in MUTANTS else PROCEDURES


def text_mutant(mutant: str) -> str:
    """The mutant of the text to compile: "" for one of the interpreter."""
    return "" if mutant in MUTANTS else mutant


def worn(kind: type[T], wears: type | None) -> type[T]:
    """A class with the methods of `wears` before its own; itself, if that is None or is not made for it.

    wears: derives from the class whose methods it changes; `kind` is that class, or derives from it too.
    """
    if wears is None or wears.__bases__[0] not in kind.__mro__:
        return kind
    return cast("type[T]", type(kind.__name__, (wears, kind), {}))
