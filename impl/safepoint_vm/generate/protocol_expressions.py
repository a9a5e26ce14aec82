"""Compile the words and the expressions of the protocol's text: addresses in records, values of locals and of what is the owner's.

Nothing here waits or is atomic: that is a step's, in `generate.protocol`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from llvmlite import ir

from safepoint.graph import ir as graph
from safepoint_vm.generate.instruction import I8, I64, POINTER
from safepoint_vm.generate.ir_values import Builder
from safepoint_vm.generate.procedures import ProtocolCodeError
from safepoint_vm.generate.triggers import CODE, TRIGGERS, TriggerOffsets
from safepoint_vm.language.layout import fields
from safepoint_vm.language.records import Thread, World

BINARY = {"&": "and_", "|": "or_", "+": "add", "-": "sub"}


@dataclass
class ExpressionEmitter:
    """Emits expressions at `builder`'s place in `function`, whose first argument is the procedure's own record."""

    function: ir.Function
    procedure: graph.Graph
    builder: Builder = field(init=False)
    locals: dict[str, ir.Value] = field(init=False)  # where each local of the procedure is kept

    @property
    def me(self) -> ir.Value:
        return self.function.args[0]

    def word(self, base: ir.Value, offset: int) -> ir.Value:
        return self.builder.gep(base, [I64(offset)], source_etype=I8)

    def own(self, name: str, index: int = 0) -> ir.Value:
        """The address of a word that both kinds of record have."""
        struct = World if self.procedure.owner == graph.WORLD else Thread
        return self.word(self.me, fields(struct)[name].offset + 8 * index)

    def world(self) -> ir.Value:
        return self.me if self.procedure.owner == graph.WORLD else self.builder.load(self.own("world"), typ=POINTER)

    def record(self, owner: int | str | graph.Local) -> ir.Value:
        if owner in (graph.SELF, self.procedure.owner):
            return self.me
        if owner == graph.WORLD:
            return self.world()
        number = self.value(owner if isinstance(owner, graph.Local) else graph.Const(int(owner)))
        row = self.word(self.world(), fields(World)["threads"].offset)
        return self.builder.load(self.builder.gep(row, [number], source_etype=I64), typ=POINTER)

    def cell(self, cell: graph.Cell) -> ir.Value:
        if cell.word in CODE:
            return self.builder.load_atomic(self.of_code("code", cell), "acquire", 8, typ=POINTER)
        if cell.owner == graph.WORLD:
            return self.word(self.record(graph.WORLD), fields(World)[cell.word].offset)
        offset = TRIGGERS[cell.word].at if cell.word in TRIGGERS else fields(Thread)[cell.word].offset
        return self.word(self.record(cell.owner), offset)

    def of_code(self, row: str, cell: graph.Cell) -> ir.Value:
        """Where a row of the world's record has what it has of a jump."""
        return self.word(self.record(graph.WORLD), fields(World)[row].offset + CODE[cell.word])

    def fixed(self, cell: graph.Cell, which: str) -> ir.Value:
        if cell.word in CODE:
            return self.builder.load(self.of_code(f"code_{which}", cell), typ=I64)
        trigger = TRIGGERS[cell.word]
        offset = trigger.real if which == "real" else trigger.poison
        if not isinstance(trigger, TriggerOffsets):
            return I64(offset)
        return self.builder.load(self.word(self.record(cell.owner), offset), typ=I64)

    def value(self, e: graph.Expr) -> ir.Value:
        match e:
            case graph.Const(value):
                return I64(value)
            case graph.Local(name):
                return self.builder.load(self.locals[name], typ=I64)
            case graph.Private(word):
                return self.builder.load(self.own(word), typ=I64)
            case graph.Fixed(cell, which):
                return self.fixed(cell, which)
            case graph.Population():
                return self.builder.load(self.word(self.world(), fields(World)["population"].offset), typ=I64)
            case graph.Op("==", (graph.Local() as thread, graph.Me()) | (graph.Me(), graph.Local() as thread)):
                return self.builder.zext(self.builder.icmp_unsigned("==", self.record(thread), self.me), I64)
            case graph.Op("~", (a,)):
                return self.builder.not_(self.value(a))
            case graph.Op(name, (a, b)) if name in BINARY:
                combined: ir.Value = getattr(self.builder, BINARY[name])(self.value(a), self.value(b))
                return combined
            case graph.Op(name, (a, b)):
                return self.builder.zext(self.builder.icmp_signed(name, self.value(a), self.value(b)), I64)
        raise ProtocolCodeError(f"{self.procedure.name}: no machine code for {e}")

    def truth(self, e: graph.Expr) -> ir.Value:
        return self.builder.icmp_unsigned("!=", self.value(e), I64(0))
