"""Compile the protocol's graph to machine code: the text that was explored is the text that runs.

Every procedure is `i64 name(ptr self, i64 params…, i64 resume)`; `self` is the record of a thread, or of the world.  It
returns 0 when it has finished, with its value in the record's `result`; anything else is a status: it waits.  The caller
waits, too, and calls again with `resume` = that status; parameters are ignored then.  Locals that are live across the wait
are kept in the record's `spill` row: at most one procedure of a thread waits, and of the world's procedures only the one
that holds its lock keeps locals.  A text that would let any other write there is refused: a requester's procedure is given
the record of its target, which may wait in one of its own meanwhile.

    status   (number of the step + 1) << 8 | a bit that is flipped if the procedure has made progress since `resume`

So an unchanged status means that nothing was changed, and no other waiter need be notified.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar, NoReturn

from llvmlite import ir

from safepoint.graph import ir as graph
from safepoint.graph.flow import follows_a_swap
from safepoint.graph.gather import without_roles
from safepoint.graph.instance import Instance
from safepoint.graph.lower import compile_graph
from safepoint.protocol.policies import FOLDED
from safepoint.protocol.policy import COMPILED_BACK_EDGE, USUAL
from safepoint_vm.generate.hooks import HEARD, HOOK, at_step
from safepoint_vm.generate.instruction import I64
from safepoint_vm.generate.ir_values import Builder
from safepoint_vm.generate.observer import observe
from safepoint_vm.generate.procedures import PROCEDURES, ProtocolCodeError, declare
from safepoint_vm.generate.protocol_expressions import ExpressionEmitter
from safepoint_vm.generate.realized import as_jumps, must_be_memory, realize, serialize
from safepoint_vm.generate.triggers import UNCOMPILED, Widths
from safepoint_vm.language.records import SERVED, SPILL_WORDS
from safepoint_vm.mutants import text_mutant

LEAVES_OUT = "back-edge-unpoisoned"
"""The mutant of the interpreter that gives the text no word for the last of the back-edges."""
LOCKED = {"fetch_or": "or", "fetch_and": "and", "fetch_add": "add", "fetch_sub": "sub", "swap": "xchg"}


@dataclass
class ProcedureEmitter(ExpressionEmitter):
    """Emits one graph as the body of `function`, which is only declared."""

    hooked: bool = False
    hosted: ClassVar[bool] = False  # the hook makes each access
    steps: dict[int, ir.Block] = field(default_factory=dict)
    labels: dict[int, ir.Block] = field(default_factory=dict)
    todo: list[tuple[ir.Block, Callable[[], None]]] = field(default_factory=list)
    resumed: set[int] = field(default_factory=set)  # numbers of the steps that have a resume block
    at: int = -1  # number of the step whose local work is being emitted

    def emit(self) -> None:
        _, *parameters, resume = self.function.args
        self.builder = Builder(self.function.append_basic_block("entry"))
        names = {graph.RESULT.name, *self.procedure.params}.union(*self.procedure.live.values())
        names.update(
            t.target.name
            for t in self.procedure.trees
            if isinstance(t, graph.Let) and isinstance(t.target, graph.Local)
        )
        self.locals = {name: self.builder.alloca(I64, name=name) for name in sorted(names)}
        for name, value in zip(self.procedure.params, parameters, strict=True):
            self.builder.store(value, self.locals[name])
        start = self.function.append_basic_block("start")
        self.further = self.builder.alloca(I64, name="further")
        still = self.builder.and_(resume, I64(1))
        self.builder.store(still, self.further)
        self.went = self.builder.xor(still, I64(1))
        self.resume = self.builder.switch(self.builder.and_(resume, I64(~1)), start)
        self.builder.position_at_end(start)
        self.tree(self.procedure.start)
        while self.todo:
            block, work = self.todo.pop()
            self.builder.position_at_end(block)
            work()

    # -- steps

    def step(self, s: graph.Step) -> None:
        self.at = s.number
        if s.op in ("pause", "fence"):
            if s.op == "fence":
                self.builder.fence("seq_cst")
            self.tree(s.then[0])
            return
        if s.cell is None:
            raise ProtocolCodeError(f"{self.procedure.name}: {s.name} is the model's only: it has no machine code")
        where = self.cell(s.cell)
        values = as_jumps(self, s.cell, [self.value(o) for o in s.operands])
        if self.hooked:
            what = at_step(self.procedure.name, s.number)
            given = self.call_hook(what, self.builder.ptrtoint(where, I64), *values)
            if self.hosted and s.op != "store":
                self.builder.store(given, self.locals[graph.RESULT.name])
        if self.hosted:
            must_be_memory(s.cell.word)
        else:
            self.access(s, where, values)
        if s.guard is not None:
            go, blocked = self.function.append_basic_block("go"), self.function.append_basic_block("blocked")
            self.builder.cbranch(self.truth(s.guard), go, blocked)
            self.builder.position_at_end(blocked)
            self.suspend(s)
            self.builder.position_at_end(go)
        if s.guard is not None or s.op != "load":
            self.builder.store(self.went, self.further)
        self.tree(s.then[0])

    def access(self, s: graph.Step, where: ir.Value, values: list[ir.Value]) -> None:
        """An atomic access, in the memory order that the text gives it."""
        if realize(self, s, where, values):
            return
        match s.op:
            case "load":
                result = self.builder.load_atomic(where, s.order, 8, typ=I64)
            case "store":
                self.builder.atomic_store(values[0], where, s.order)
                return
            case "cas":
                pair = self.builder.cmpxchg(where, values[0], values[1], s.order, s.order)
                result = self.builder.zext(self.builder.extract_value(pair, 1), I64)
            case _:
                result = self.builder.atomic_rmw(LOCKED[s.op], where, values[0], s.order)
                serialize(self, s)
        self.builder.store(result, self.locals[graph.RESULT.name])

    def call_hook(self, what: int, *words: ir.Value) -> ir.Value:
        hook = self.builder.load(self.own("hook"), typ=HOOK.as_pointer())
        return self.builder.call(hook, [self.me, I64(what), *words, *[I64(0)] * (3 - len(words))])

    def suspend(self, s: graph.Step) -> None:
        """Spill the live locals and return the status; once per step, emit the block that resumes at the same access."""
        names = sorted(self.procedure.live[s.number])
        if names:
            self.may_keep(s, names)
        kept = [self.locals[name] for name in names]
        for index, local in enumerate(kept):
            self.builder.store(self.builder.load(local, typ=I64), self.own("spill", index))
        status = I64((s.number + 1) << 8)
        self.builder.ret(self.builder.or_(status, self.builder.load(self.further, typ=I64)))
        if s.number in self.resumed:
            return
        self.resumed.add(s.number)
        again = self.function.append_basic_block(f"resume_{s.number}")
        self.resume.add_case(status, again)
        self.builder.position_at_end(again)
        for index, local in enumerate(kept):
            self.builder.store(self.builder.load(self.own("spill", index), typ=I64), local)
        self.builder.branch(self.steps[s.number])

    def may_keep(self, s: graph.Step, names: list[str]) -> None:
        """ProtocolCodeError: the record that it would keep these locals in while it waits at a step is another's to write."""
        kept = ", ".join(name.split(".")[-1] for name in names)
        if self.procedure.record == "Thread":
            why = f"waits with {kept} in its target's record, where the target keeps its own"
            self.refuse(s, why, "read it again after the wait")
        allowed = self.procedure.mutated or follows_a_swap(
            self.procedure, s
        )  # a mutant may be that the lock is missing
        if self.procedure.owner == graph.WORLD and not allowed:
            why = f"waits with {kept} in the world's record, before it has the lock"
            self.refuse(s, why, "take the lock first, wait(world.lock.cas(0, 1))")
        if len(names) > SPILL_WORDS:
            self.refuse(s, f"waits with {len(names)} live locals: {kept}", f"{SPILL_WORDS} at most")

    def refuse(self, s: graph.Step, why: str, instead: str) -> NoReturn:
        raise ProtocolCodeError(
            f"{s.file}:{s.line}: {self.procedure.name} {why} (write instead: {instead})\n    {s.source}"
        )

    # -- local work

    def tree(self, t: graph.Tree, at: int | None = None) -> None:
        """Emit the local work after step `at` (default: the current one)."""
        self.at = self.at if at is None else at
        match t:
            case graph.Step(number=number) if number in self.procedure.looks and number <= self.at:
                self.suspend(t)
            case graph.Step():
                self.builder.branch(self.block(self.steps, t.number, f"step_{t.number}", lambda: self.step(t)))
            case graph.Goto(label) if self.looks_again(label):
                self.tree(self.procedure.labels[label])  # not shared with those that come here for the first time
            case graph.Goto(label):
                work, at = self.procedure.labels[label], self.at
                self.builder.branch(self.block(self.labels, label, f"label_{label}", lambda: self.tree(work, at)))
            case graph.Let(graph.Local(name), value, then):
                self.builder.store(self.value(value), self.locals[name])
                self.tree(then)
            case graph.Let(graph.Private(word), value, then):
                self.builder.store(self.value(value), self.own(word))
                self.tree(then)
            case graph.If(test, yes, no):
                one, other = self.function.append_basic_block("yes"), self.function.append_basic_block("no")
                self.builder.cbranch(self.truth(test), one, other)
                at = self.at
                self.todo += [(one, lambda: self.tree(yes, at)), (other, lambda: self.tree(no, at))]
            case graph.Ghost(op, _, kind, then):
                if op in ("served", "ran") and isinstance(kind, graph.Const):
                    self.served(kind.value)
                if op == "ran":
                    observe(self)
                if self.hooked and op in HEARD:
                    self.call_hook(-HEARD.index(op), self.value(kind))
                self.tree(then)
            case graph.Done(value):
                if value is not None:
                    if self.procedure.record != "Me":
                        step = self.procedure.steps[self.at]
                        self.refuse(step, "returns a value in a record that may be another thread's", "None; or t: Me")
                    self.builder.store(self.value(value), self.own("result"))
                self.builder.ret(I64(0))
            case _:
                raise ProtocolCodeError(f"{self.procedure.name}: no machine code for {t}")

    def looks_again(self, label: int) -> bool:
        """May what stands at a label come back to a step at which the procedure waits by looking again?"""
        steps = self.procedure.next_steps(self.procedure.labels[label])
        return any(step.number in self.procedure.looks and step.number <= self.at for step in steps)

    def block(self, known: dict[int, ir.Block], number: int, name: str, work: Callable[[], None]) -> ir.Block:
        if number not in known:
            known[number] = self.function.append_basic_block(name)
            self.todo.append((known[number], work))
        return known[number]

    def served(self, kind: int) -> None:
        """Count a served request."""
        count = self.own("served", SERVED[kind])
        self.builder.store(self.builder.add(self.builder.load(count, typ=I64), I64(1)), count)


@dataclass
class HostedEmitter(ProcedureEmitter):
    """The host makes the accesses."""

    hosted: ClassVar[bool] = True


def add_protocol(
    module: ir.Module,
    mutant: str,
    hooked: bool,
    emitter: type[ProcedureEmitter] = ProcedureEmitter,
    trigger: str = FOLDED.trigger,
    widths: Widths = UNCOMPILED,
) -> None:
    """Compile every procedure.  `trigger`: the mechanism, a file of `protocol.triggers`; `widths`: as `graphs`.

    ProtocolError: the text is wrong, or has no such mutant.  ProtocolCodeError: it has what machine code cannot have.
    """
    for procedure in graphs(mutant, trigger, widths).values():
        add_procedure(module, procedure, hooked, emitter)


@functools.lru_cache(maxsize=64)
def graphs(mutant: str = "", trigger: str = FOLDED.trigger, widths: Widths = UNCOMPILED) -> dict[str, graph.Graph]:
    """What each procedure is compiled from, by its name.  `widths`: of rows of trigger words, entries first.  ProtocolError: as `Text`."""
    text = without_roles(trigger)
    (entry, count), *rest = widths
    sites = (*USUAL, COMPILED_BACK_EDGE) if any(words for _, words in rest) else USUAL
    rows = ((entry, count - (mutant == LEAVES_OUT)), *rest)
    instance = Instance(threads=None, mutant=text_mutant(mutant), widths=rows, sites=sites)
    return {name: compile_graph(text, name, instance) for name in PROCEDURES}


def add_procedure(
    module: ir.Module, procedure: graph.Graph, hooked: bool, emitter: type[ProcedureEmitter] = ProcedureEmitter
) -> None:
    """Compile one procedure.  ProtocolCodeError."""
    taken, given = len(procedure.params), PROCEDURES[procedure.name]
    if taken != given:
        raise ProtocolCodeError(
            f"{procedure.name} takes {taken} parameters beside its record, handlers and the host give {given}"
            f" (write instead: {given}, or change generate/procedures.py and what calls it)"
        )
    function = declare(module, procedure.name, taken)
    function.attributes.add("noinline")
    emitter(function, procedure, hooked=hooked).emit()
