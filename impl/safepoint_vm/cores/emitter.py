"""Compile the protocol's text so that each procedure also writes its tally; the accesses of the text stay as they are.

Before each access stand plain loads and stores (the place, and how often it was executed: where several requesters count, some of
that is lost); right after the locked access of a post, and of an asked operation, stand locked additions.  So no store of the text becomes visible
earlier than it does without.  `jitter` makes each window wider by a random pause before each access, and then store buffers are
empty: both kinds of run are needed.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field

from llvmlite import ir

from safepoint.graph import ir as graph
from safepoint.protocol.policies import FOLDED
from safepoint_vm.cores.primitives import CLOCK, CTTZ, DAWDLE, declared
from safepoint_vm.cores.tally import CHECKS, KINDS, Tally, first_place, graphs
from safepoint_vm.generate.instruction import I64, POINTER
from safepoint_vm.generate.ir_values import I1
from safepoint_vm.generate.mutated import emitter_of
from safepoint_vm.generate.procedures import PROCEDURES, declare
from safepoint_vm.generate.protocol import ProcedureEmitter
from safepoint_vm.language.layout import fields
from safepoint_vm.language.records import Thread, World

ENTRIES = ("slow_path", "push_failed")
"""Procedures that a failed check calls."""
OWNERS, REQUESTERS, BOTH = "owners", "requesters", "both"


@dataclass(frozen=True)
class TalliedProcedures:
    """A part of an engine: the procedures, writing tallies.  `jitter`: who pauses before each access: OWNERS, REQUESTERS, BOTH.

    `trigger`: the mechanism; `base`: as `Policy.base`.
    """

    mutant: str = ""
    jitter: str = ""
    trigger: str = FOLDED.trigger
    base: int = 0

    def generate(self) -> ir.Module:
        """Errors: as `generate.engine.Procedures`."""
        module = ir.Module("tallied")
        emitter = emitter_of(TallyEmitter, self.mutant)
        for name, procedure in graphs(self.mutant, self.trigger).items():
            function = declare(module, name, PROCEDURES[name])
            function.attributes.add("noinline")
            first = first_place(self.mutant, name, self.trigger)
            emitter(function, procedure, first=first, jitter=self.jitter, base=self.base).emit()
        return module


@dataclass
class TallyEmitter(ProcedureEmitter):
    """Emits one procedure.  `first`: the number of its first place."""

    first: int = 0
    jitter: str = ""
    base: int = 0
    begun: bool = field(default=False, init=False)
    held: ir.Value = field(
        init=False
    )  # where what the word held before the latest access is kept, where accesses say it

    @property
    def owners(self) -> bool:
        """Does only the owner of the record run this?"""
        return self.procedure.record == "Me"

    def step(self, s: graph.Step) -> None:
        place = self.first + s.number
        if self.owners:
            self.put(self.me, "phase", I64(place + 1))
        self.count(self.me, "steps", place)
        if self.jitter in (BOTH, OWNERS if self.owners else REQUESTERS):
            self.builder.call(declared(self.builder.block, *DAWDLE), [])
        super().step(s)

    def access(self, s: graph.Step, where: ir.Value, values: list[ir.Value]) -> None:
        super().access(s, where, values)
        if s.op != "store":  # a compare-and-swap that has succeeded has found what it expected
            self.builder.store(values[0] if s.op == "cas" else self.result(), self.held)

    def tree(self, t: graph.Tree, at: int | None = None) -> None:
        if not self.begun:
            self.begun = True
            with self.builder.goto_entry_block():
                self.held = self.builder.alloca(I64, name="held")
            if self.procedure.name in ENTRIES:
                self.put(self.me, "entered", self.clock())
        match t:
            case graph.Ghost("posted", owner, kind):
                self.posted(self.record(owner), self.bit(self.value(kind)))
            case graph.Ghost("given_back", owner, kinds):
                self.given_back(self.record(owner), self.value(kinds))
            case graph.Ghost("asked", owner):
                self.add(self.tally(self.record(owner), "asked"), I64(1), locked=True)
            case graph.Ghost("taken", _, kinds):
                self.took(self.value(kinds))
            case graph.Ghost("dropped"):
                self.each_bit("dropped", self.bits())
            case graph.Let(graph.Private("deferred")):
                self.sets_aside()
            case graph.Ghost("ran") if self.procedure.record == "Thread":
                self.watch_operation()
            case graph.Done() if self.owners:
                self.end()
        super().tree(t, at)

    def served(self, kind: int) -> None:
        super().served(kind)
        self.put(self.me, "served_clock", self.clock(), kind.bit_length() - 1)

    # -- what the ghosts of the text say

    def posted(self, record: ir.Value, index: ir.Value) -> None:
        """A post: of a kind that was pending already, or not; and where it met its target."""
        was = self.builder.and_(self.builder.lshr(self.bits(), index), I64(1))
        self.add(self.tally(record, "posted", index), I64(1), locked=True)
        self.add(self.tally(record, "found", index), was, locked=True)
        self.add(self.tally(record, "total"), I64(1), locked=True)
        phase = self.get(record, "phase")
        row = self.builder.add(self.builder.shl(phase, I64(3)), index)
        self.add(self.tally(record, "hits", row), I64(1), locked=True)

    def given_back(self, record: ir.Value, kinds: ir.Value) -> None:
        new = self.builder.and_(kinds, self.builder.not_(self.bits()))
        self.each_bit("given", new)
        self.each_bit("returned", kinds)
        self.add(self.tally(record, "total"), I64(1), locked=True)

    def took(self, kinds: ir.Value) -> None:
        """A take.  Its clock and place are written before its count, by which a requester knows that they are there."""
        now, (frames, back_edges, elsewhere) = self.clock(), self.checks()
        found = {"frames_at": frames, "back_edges_at": back_edges, "elsewhere_at": elsewhere, "taken_clock": now}
        for index in range(len(KINDS)):
            bit = self.builder.icmp_unsigned("!=", self.builder.and_(kinds, I64(1 << index)), I64(0))
            for name, value in found.items():
                where = self.tally(self.me, name, I64(index))
                old = self.builder.load_atomic(where, "monotonic", 8, typ=I64)
                self.builder.atomic_store(self.builder.select(bit, value, old), where, "monotonic")
        self.each_bit("taken", kinds)
        self.put(self.me, "before", self.get(self.me, "total"))
        self.put(self.me, "phase", I64(self.first + len(self.procedure.steps) + 1))
        self.count(self.me, "steps", self.first + len(self.procedure.steps))

    def sets_aside(self) -> None:
        """What its owner has put aside changes: a take has added it to the bits that the word held, an end drops it."""
        aside = self.builder.load(self.own("deferred"), typ=I64)
        if self.procedure.name == "exit_thread":
            self.each_bit("dropped", aside)
        else:
            self.each_bit("merged", self.builder.and_(self.bits(), aside))

    def watch_operation(self) -> None:
        """A requester runs an operation on a thread: does that thread execute a check meanwhile?

        Its counts may fall: the host begins a record anew whose thread has ended, outside guest code.
        """
        before = self.all_checks()
        self.builder.call(declared(self.builder.block, *DAWDLE), [])
        moved = self.builder.icmp_signed("<", before, self.all_checks())
        self.add(self.tally(self.me, "overrun"), self.builder.zext(moved, I64), locked=False)

    def end(self) -> None:
        """The owner goes back.  Two posts since its take have met it between take and end."""
        if self.procedure.name == "exit_thread":
            stop = self.builder.load_atomic(
                self.word(self.world(), fields(World)["stop"].offset), "monotonic", 8, typ=I64
            )
            self.add(self.tally(self.me, "ended_in_stop"), stop, locked=False)
        came = self.builder.sub(self.get(self.me, "total"), self.get(self.me, "before"))
        takes = self.procedure.name in ENTRIES
        twice = self.builder.and_(self.builder.icmp_signed(">=", came, I64(2)), I1(int(takes)))
        self.add(self.tally(self.me, "doubled"), self.builder.zext(twice, I64), locked=False)
        self.put(self.me, "phase", I64(0))

    # -- words of a tally

    def tally(self, record: ir.Value, name: str, index: ir.Value | None = None) -> ir.Value:
        """The address of a word of a record's tally."""
        struct = World if record is self.me and self.procedure.owner == graph.WORLD else Thread
        tally = self.builder.load(self.word(record, fields(struct)["hook"].offset), typ=POINTER)
        where = self.word(tally, fields(Tally)[name].offset)
        return where if index is None else self.builder.gep(where, [index], source_etype=I64)

    def get(self, record: ir.Value, name: str) -> ir.Value:
        return self.builder.load_atomic(self.tally(record, name), "monotonic", 8, typ=I64)

    def put(self, record: ir.Value, name: str, value: ir.Value, index: int | None = None) -> None:
        where = self.tally(record, name, None if index is None else I64(index))
        self.builder.atomic_store(value, where, "monotonic")

    def add(self, where: ir.Value, value: ir.Value, *, locked: bool) -> None:
        if locked:
            self.builder.atomic_rmw("add", where, value, "monotonic")
        else:
            old = self.builder.load_atomic(where, "monotonic", 8, typ=I64)
            self.builder.atomic_store(self.builder.add(old, value), where, "release")

    def count(self, record: ir.Value, row: str, index: int) -> None:
        self.add(self.tally(record, row, I64(index)), I64(1), locked=False)

    def each_bit(self, row: str, bits: ir.Value) -> None:
        """Add each bit to its word of a row that only the owner writes."""
        for index in range(len(KINDS)):
            one = self.builder.and_(self.builder.lshr(bits, I64(index)), I64(1))
            self.add(self.tally(self.me, row, I64(index)), one, locked=False)

    # -- values

    def result(self) -> ir.Value:
        """What the latest access gave."""
        return self.builder.load(self.locals[graph.RESULT.name], typ=I64)

    def bits(self) -> ir.Value:
        """The pending bits that the word held before the latest access; a limit that is none holds none."""
        word = self.builder.load(self.held, typ=I64)
        if not self.base:
            return word
        return self.builder.select(self.builder.icmp_unsigned("<", word, I64(self.base)), word, I64(0))

    def bit(self, kind: ir.Value) -> ir.Value:
        """The number of a kind's bit."""
        return self.builder.call(declared(self.builder.block, *CTTZ), [kind, I1(1)])

    def clock(self) -> ir.Value:
        return self.builder.call(declared(self.builder.block, *CLOCK), [])

    def checks(self) -> list[ir.Value]:
        """How many checks of each of CHECKS the guest has executed: words that only guest code changes."""
        return [
            self.builder.load_atomic(self.word(self.me, fields(Thread)[name].offset), "monotonic", 8, typ=I64)
            for name in CHECKS
        ]

    def all_checks(self) -> ir.Value:
        return functools.reduce(self.builder.add, self.checks())
