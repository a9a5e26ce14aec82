"""Words of the protocol's text for which there is no word of memory: what an access of one becomes.

The text gives each thread an `epoch` and a `page`, which poison and restore by `swap`.  What a check loads, handlers do
(`handlers.shared.checks`); any other access is refused.

epoch: the world's counter and the thread's deadline; poisoned: the counter has reached it.  To poison is to advance the counter, by a locked
addition; 0 is added if it has reached the deadline, so that one post advances it once for all threads, unless one of them has set its next
deadline meanwhile.  The counter is read before the deadline: then the word was poisoned when the deadline was read, and the
addition comes after what has made the request pending, so that an owner that restores later takes it.  To restore is to set the deadline one beyond
the counter that is read for it: an advance in between leaves the word poisoned.

page: the protection of the thread's page, which `mprotect` changes.  The system takes a lock for it, and when it returns every core knows.
A call that fails would be a request that is lost, so it ends the process.

code: the jump of a compiled back-edge, of five bytes, in an aligned word of eight.  The world's record says where each is, and which two jumps are
its real value and its poison; where there is none, it names a word that nothing executes.
"""

from __future__ import annotations

from collections.abc import Callable

from llvmlite import ir

from safepoint.graph import ir as graph
from safepoint_vm.generate.instruction import I32, I64, POINTER
from safepoint_vm.generate.procedures import ProtocolCodeError
from safepoint_vm.generate.protocol_expressions import ExpressionEmitter
from safepoint_vm.generate.triggers import CODE
from safepoint_vm.language.layout import fields
from safepoint_vm.language.records import World
from safepoint_vm.language.words import CLAIM_BITS, PAGE_BYTES


def swap_epoch(emitter: ExpressionEmitter, s: graph.Step, deadline: ir.Value, _values: list[ir.Value]) -> None:
    build = emitter.builder
    counter = emitter.word(emitter.world(), fields(World)["epoch"].offset)
    now = build.load_atomic(counter, "acquire", 8, typ=I64)
    match s.operands:
        case (graph.Fixed(which="poison"),):
            ahead = build.icmp_signed("<", now, build.load_atomic(deadline, "acquire", 8, typ=I64))
            build.atomic_rmw("add", counter, build.zext(ahead, I64), s.order)
        case (graph.Fixed(which="real"),):
            build.atomic_rmw("xchg", deadline, build.add(now, I64(1)), s.order)
        case _:
            raise refused(s)


def swap_page(emitter: ExpressionEmitter, _s: graph.Step, page: ir.Value, values: list[ir.Value]) -> None:
    build, module = emitter.builder, emitter.function.module
    address = build.load(page, typ=POINTER)
    protection = build.trunc(values[0], I32)
    failed = build.call(system(module, "mprotect", I32, [POINTER, I64, I32]), [address, I64(PAGE_BYTES), protection])
    with build.if_then(build.icmp_unsigned("!=", failed, I32(0)), likely=False):
        build.call(system(module, "abort", ir.VoidType(), []), [])


def system(module: ir.Module, name: str, returns: ir.Type, parameters: list[ir.Type]) -> ir.Function:
    """A function of the C library, declared once in a module."""
    if name not in module.globals:
        ir.Function(module, ir.FunctionType(returns, parameters), name)
    found: ir.Function = module.globals[name]
    return found


SWAPS: dict[str, Callable[[ExpressionEmitter, graph.Step, ir.Value, list[ir.Value]], None]] = {
    "epoch": swap_epoch,
    "page": swap_page,
}
"""Word -> emits a `swap` of it: the step, the address of what the thread's record has of it, the operand."""


def as_jumps(emitter: ExpressionEmitter, cell: graph.Cell, values: list[ir.Value]) -> list[ir.Value]:
    """What a word of code gets in the place of these values: of a claim, which is a small number, the jump to the stub, with that number in
    the bytes behind it, which are never executed.  Values of other words are what they are.
    """
    if cell.word not in CODE:
        return values
    build, poison = emitter.builder, emitter.fixed(cell, "poison")
    return [
        build.select(
            build.icmp_unsigned("<", value, I64(1 << CLAIM_BITS)),
            build.or_(poison, build.shl(value, I64(64 - CLAIM_BITS))),
            value,
        )
        for value in values
    ]


def serialize(emitter: ExpressionEmitter, s: graph.Step) -> None:
    """Behind a swap of a word of code by the thread that will execute it: its core is to fetch it anew."""
    if s.cell is not None and s.cell.word in CODE and emitter.procedure.record == "Me":
        clobbered = "~{eax},~{ebx},~{ecx},~{edx},~{memory}"
        emitter.builder.asm(
            ir.FunctionType(ir.VoidType(), []), "xorl %eax, %eax; cpuid", clobbered, [], side_effect=True
        )


def realize(emitter: ExpressionEmitter, s: graph.Step, where: ir.Value, values: list[ir.Value]) -> bool:
    """Emit the access that a step makes, if its word is one of these.  ProtocolCodeError: it is not the one that they have."""
    if s.cell is None or s.cell.word not in SWAPS:
        return False
    if s.op != "swap":
        raise refused(s)
    SWAPS[s.cell.word](emitter, s, where, values)
    return True


def must_be_memory(word: str) -> None:
    """ProtocolCodeError: it is not, and so the host cannot make accesses of it."""
    if word in SWAPS:
        raise ProtocolCodeError(
            f"a scheduler makes every shared access itself, and {word} is no word of memory (choose another policy: -p folded)"
        )


def refused(s: graph.Step) -> ProtocolCodeError:
    assert s.cell is not None
    word = s.cell.word
    return ProtocolCodeError(
        f"{s.file}:{s.line}: {s.op} has no machine code: {word} is no word of memory"
        f" (write instead: t.{word}.swap(t.{word}.poison) or t.{word}.swap(t.{word}.real))\n    {s.source}"
    )
