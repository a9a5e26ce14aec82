"""The layout of records: of a guest thread, of a world, and of the log of a traced engine."""

from __future__ import annotations

from typing import Annotated

from safepoint.protocol.names import REQUESTS
from safepoint_vm.language.vocabulary import Array, Bytecode, Line, Racing, Row, Shared, Struct, Table, Value, Word
from safepoint_vm.language.words import Frame, Globals, Landings

SERVED = {kind: index for index, kind in enumerate(REQUESTS)}  # a kind of request -> its index in `Thread.served`
FIRST_LOOP, LOOPS = 128, 64  # the number of the first back-edge of compiled code (`tier`), and how many there may be
TABLE_WORDS = FIRST_LOOP + LOOPS  # entries of a dispatch table
JUMPS = 16  # trigger patched_jumps: compiled back-edges, at most
SPILL_WORDS = 16  # live locals of the protocol's text while a procedure waits, at most
LOG_WORDS = 5  # of an event: what, before, after, whose word, value
SEEN = 1024  # frames of a thread's stack that an operation on it writes down, at most
ROOM = 1024  # records that a world has memory for; the language allows fewer


class Thread(Struct):
    """The record of a guest thread.  Words that other threads write have cache lines of their own."""

    limit: Annotated[Frame, Racing, Line]  # a frame may end here; requesters poison it
    ticker: Annotated[Word, Racing]  # trigger ticker: checks until it expires
    deadline: Annotated[Word, Racing]  # trigger epoch: its checks fail when the world's counter has reached this
    heap_limit: Annotated[Word, Racing]  # trigger heap_limit: an object may end here; requesters poison it
    pending: Annotated[Word, Racing, Line]
    state: Annotated[Word, Racing, Line]
    operation: Annotated[Word, Racing]
    wake: Annotated[Word, Racing]
    limit_real: Annotated[Word, Line]
    limit_poison: Word
    ticker_real: Word
    ticker_poison: Word
    page: Word  # trigger page: the address of the thread's
    budget_real: Word  # trigger limit_and_budget: back-edges between two looks at the limit
    left: Word  # … and how many are left
    extra: Word  # this and the next three: the text's words of the owner
    masked: Word
    ending: Word
    deferred: Word
    entry_poison: Word  # the handler of every poisoned back-edge; the real ones stand in `base`
    world: Word
    hook: Word  # HOOKED: called before each shared access of the protocol's code
    result: Word  # what a procedure of the protocol's text returned
    suspended: Word  # the status of a procedure that waits
    status: Word  # why machine code was left: an `Exited`
    pc: Bytecode
    frame: Frame
    constants: Array
    globals: Globals
    characters: Array  # the one-character strings
    zero: Value  # the box of 0.0
    ancestry: Array  # for each exception class: a bit for each class that it derives from
    heap_top: Word  # the thread's TLAB: where its next object begins
    heap_limit_real: Word  # … and where the TLAB ends
    heap_limit_poison: Word  # not 0, which says that there is no TLAB
    wanted: Word  # bytes of an allocation that failed
    slow_entries: Word  # checks that failed
    frames: Word  # COUNTING: checks executed at frame pushes
    back_edges: Word  # COUNTING: … and at back-edges
    elsewhere: Word  # COUNTING: … and at returns or allocations, where the policy checks
    steps_left: Word  # on the stepping table: instructions left
    given_up: Word  # 1: machine code has left an instruction to the host because a request waits
    work_left: Word  # units of work that this instruction may do before it looks for a request
    log: Word  # TRACED: the address of its `Log`
    observer: (
        Word  # the next operation on it writes its stack there: how many frames, and their instructions; 0: nowhere
    )
    served: Annotated[Array, Row(len(SERVED))]  # how many requests of each kind it has served
    spill: Annotated[Array, Row(SPILL_WORDS)]
    landings: Landings
    known: Array  # rows of `Known`
    table: Annotated[Table, Racing, Line, Row(TABLE_WORDS)]  # the live dispatch table: requesters poison its back-edges
    base: Annotated[Table, Row(TABLE_WORDS)]  # never poisoned
    stubs: Annotated[Array, Row(LOOPS)]  # the poison of each back-edge of compiled code
    samples: Annotated[Word, Shared]  # PROFILED: the address of its `language.samples.Samples`; 0: it is not sampled


class World(Struct):
    """The record of a world: the words that its threads share."""

    stop: Annotated[Word, Racing, Line]
    lock: Annotated[Word, Racing, Line]
    hook: Annotated[Word, Line]
    result: Word
    population: Word
    epoch: Annotated[Word, Racing, Line]  # trigger epoch: the counter of all
    spill: Annotated[Array, Row(SPILL_WORDS)]
    threads: Annotated[Array, Row(ROOM)]
    heap_next: Annotated[Word, Racing, Line]  # where the next TLAB begins
    heap_end: Annotated[Word, Line]
    tlab_bytes: Word  # 0: there are no TLABs, each allocation leaves for the host
    from_start: Word  # the collector's: address of from-space
    from_bytes: Word
    copied: Word  # … and where the next copy goes in to-space
    log: Word  # TRACED: the address of the `Log` of what no guest thread does
    idle: Annotated[Word, Racing, Line]  # trigger patched_jumps: in the place of a jump that there is not
    code: Annotated[Array, Row(JUMPS)]  # … the addresses of the jumps of compiled back-edges
    code_real: Annotated[Array, Row(JUMPS)]  # … what each is: to its loop,
    code_poison: Annotated[Array, Row(JUMPS)]  # … or to its stub


class Log(Struct):
    """Where a traced engine writes events (`generate.tracing`).  Records lie between `next` and `end`, of LOG_WORDS words."""

    clock: Word  # address of the world's counter: stamps
    next: Word  # where the next record goes; written by the owner's OS thread alone
    end: Word
    before: Word  # a stamp later than all of the owner's events: none of it came before
    skips: Word  # 1: the next passed back-edge is no check
    drain: Word  # void (*)(i64 log): takes the records, and sets `next` back
    asked: Word  # void (*)(i64 what, before, after, owner, value): takes what a requester has done
