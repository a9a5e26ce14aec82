"""The traced variant: around each shared access of the protocol's code two stamps of one counter, and a record of what it was.

What a guest thread does goes into the buffer of its own `Log`; what a requester does, which is rare, to the host at once, for it
knows the OS thread.  Which access is which event, `safepoint.trace.observe` says.

A record is LOG_WORDS words: what, before, after, the record of the thread whose word it was (0: none), value.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from llvmlite import ir

from safepoint.graph import ir as graph
from safepoint.trace.observe import BACK, GHOSTS, KINDS, kinds_of
from safepoint_vm.generate.instruction import I16, I64, POINTER
from safepoint_vm.generate.procedures import LOGGING, declare
from safepoint_vm.generate.protocol import ProcedureEmitter, add_protocol
from safepoint_vm.generate.triggers import WORDS
from safepoint_vm.language.layout import fields
from safepoint_vm.language.machine import LOOK, LOOPED, MASK, RETURNED, SKIPS
from safepoint_vm.language.records import LOG_WORDS, Log, Thread

SITE = "look_again"
DRAIN = ir.FunctionType(ir.VoidType(), [I64])
ASKED = ir.FunctionType(ir.VoidType(), [I64] * 5)
WRITE = ir.FunctionType(ir.VoidType(), [POINTER, *[I64] * 4])


@dataclass
class LoggingEmitter(ProcedureEmitter):
    """Emits one graph with a log of its accesses."""

    before: ir.Value | None = field(init=False, default=None)  # where the stamp before the last access is kept

    def emit(self) -> None:
        self.is_mine = self.procedure.record == "Me"
        super().emit()

    def access(self, s: graph.Step, where: ir.Value, values: list[ir.Value]) -> None:
        kinds = kinds_of(self.procedure, s)
        looks = s.op == "load" and SITE in s.where
        if not kinds and not looks:
            super().access(s, where, values)
            return
        self.keep(self.stamp(1))
        super().access(s, where, values)
        if kinds & {*GHOSTS.values()}:
            return  # logged where the ghost stands: it says what of the access counts
        result = self.builder.load(self.locals[graph.RESULT.name], typ=I64)
        if looks:
            self.log(LOOK, I64(0), result)
        elif kinds == {*BACK.values()}:
            self.log(RETURNED, I64(0), result)
        else:
            (kind,) = kinds
            assert s.cell is not None
            owner = I64(0) if s.cell.owner == graph.WORLD else self.address(self.record(s.cell.owner))
            value = I64(WORDS.index(s.cell.word) if s.cell.word in WORDS else 0)
            if s.op == "cas":
                with self.builder.if_then(self.builder.icmp_unsigned("!=", result, I64(0))):
                    self.log(KINDS.index(kind), owner, value)
            else:
                self.log(KINDS.index(kind), owner, value)

    def tree(self, t: graph.Tree, at: int | None = None) -> None:
        match t:
            case graph.Ghost(op, owner, kind) if op in GHOSTS:
                self.log(KINDS.index(GHOSTS[op]), self.address(self.record(owner)), self.value(kind))
            case graph.Ghost("served", _, kind):
                self.local(KINDS.index("served"), self.value(kind))
            case graph.Let(graph.Private("masked"), value):
                masked = self.builder.shl(self.value(graph.Private("masked")), I64(8))
                self.local(MASK, self.builder.or_(masked, self.value(value)))
            case graph.Done() if self.procedure.name in ("stop_world", "stop_world_from"):
                self.local(KINDS.index("stop-reached"), I64(0))
        super().tree(t, at)

    # -- records

    def address(self, pointer: ir.Value) -> ir.Value:
        return self.builder.ptrtoint(pointer, I64)

    def kept(self, name: str) -> ir.Value:
        """A word of the log."""
        log = self.builder.load(self.own("log"), typ=POINTER)
        return self.builder.load(self.word(log, fields(Log)[name].offset), typ=I64)

    def stamp(self, count: int) -> ir.Value:
        clock = self.builder.inttoptr(self.kept("clock"), POINTER)
        return self.builder.atomic_rmw("add", clock, I64(count), "seq_cst")

    def keep(self, stamp: ir.Value) -> None:
        """In a local of its own: what is logged may stand where several ways meet, as after a loop of compare-and-swaps."""
        if self.before is None:
            with self.builder.goto_entry_block():
                self.before = self.builder.alloca(I64, name="before")
        self.builder.store(stamp, self.before)

    def local(self, what: int, value: ir.Value) -> None:
        """What is no access."""
        self.keep(self.kept("before") if self.is_mine else self.stamp(1))
        self.log(what, I64(0), value)

    def log(self, what: int, owner: ir.Value, value: ir.Value) -> None:
        log = self.builder.load(self.own("log"), typ=POINTER)
        write = self.function.module.globals["log_write" if self.is_mine else "log_asked"]
        assert self.before is not None
        self.builder.call(write, [log, I64(what), self.builder.load(self.before, typ=I64), owner, value])


def add_traced_protocol(module: ir.Module, mutant: str, trigger: str) -> None:
    """As `add_protocol`, traced; and what logs."""
    _add_write(module)
    _add_asked(module)
    add_protocol(module, mutant, hooked=False, emitter=LoggingEmitter, trigger=trigger)
    _add_check(module)


def _begin(module: ir.Module, name: str) -> tuple[ir.Function, ir.IRBuilder]:
    function = ir.Function(module, WRITE, name)
    function.attributes.add("noinline")
    function.linkage = "internal"
    return function, ir.IRBuilder(function.append_basic_block())


def _word(build: ir.IRBuilder, log: ir.Value, name: str) -> ir.Value:
    return build.gep(log, [I64(fields(Log)[name].offset // 8)], source_etype=I64)


def _stamp(build: ir.IRBuilder, log: ir.Value, count: int) -> ir.Value:
    clock = build.inttoptr(build.load(_word(build, log, "clock"), typ=I64), POINTER)
    return build.atomic_rmw("add", clock, I64(count), "seq_cst")


def _add_write(module: ir.Module) -> None:
    """log_write(log, what, before, owner, value): the stamp after, and a record in the buffer; drain it first if it is full."""
    function, build = _begin(module, "log_write")
    log, what, before, owner, value = function.args
    after = _stamp(build, log, 2)
    place, end = (build.load(_word(build, log, name), typ=I64) for name in ("next", "end"))
    with build.if_then(build.icmp_unsigned("==", place, end), likely=False):
        drain = build.load(_word(build, log, "drain"), typ=DRAIN.as_pointer())
        build.call(drain, [build.ptrtoint(log, I64)])
    place = build.load(_word(build, log, "next"), typ=I64)
    record = build.inttoptr(place, POINTER)
    for index, word in enumerate((what, before, after, owner, value)):
        build.store(word, build.gep(record, [I64(index)], source_etype=I64))
    build.store(build.add(place, I64(8 * LOG_WORDS)), _word(build, log, "next"))
    build.store(build.add(after, I64(1)), _word(build, log, "before"))
    build.ret_void()


def _add_asked(module: ir.Module) -> None:
    """log_asked(log, what, before, owner, value): the stamp after, and the host."""
    function, build = _begin(module, "log_asked")
    log, what, before, owner, value = function.args
    after = _stamp(build, log, 1)
    build.call(build.load(_word(build, log, "asked"), typ=ASKED.as_pointer()), [what, before, after, owner, value])
    build.ret_void()


def _add_check(module: ir.Module) -> None:
    """log_check(thread, what, pc, resume): as `language.machine` declares it; the value is the opcode at pc.

    The check was made since the last event of its thread: the dispatch that comes to a back-edge is its check.
    """
    function = declare(module, "log_check", LOGGING["log_check"])
    function.attributes.add("noinline")
    build = ir.IRBuilder(function.append_basic_block())
    thread, what, pc, _ = function.args
    log = build.load(build.gep(thread, [I64(fields(Thread)["log"].offset // 8)], source_etype=I64), typ=POINTER)
    skips = _word(build, log, "skips")
    with build.if_then(build.icmp_unsigned("==", what, I64(SKIPS))):
        build.store(I64(1), skips)
        build.ret(I64(0))
    looped = build.icmp_unsigned("==", what, I64(LOOPED))
    with build.if_then(build.and_(looped, build.icmp_unsigned("!=", build.load(skips, typ=I64), I64(0)))):
        build.store(I64(0), skips)
        build.ret(I64(0))
    opcode = build.zext(build.load(build.inttoptr(pc, POINTER), typ=I16), I64)
    before = build.load(_word(build, log, "before"), typ=I64)
    build.call(module.globals["log_write"], [log, what, before, I64(0), opcode])
    build.ret(I64(0))
