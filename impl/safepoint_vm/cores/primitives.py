# mypy: disable-error-code="empty-body"
"""What loops on real cores need beside the handler language: the clock, ways to wait, and the way into machine code.

To mypy these are ordinary functions; `declare_primitives` makes them callable from routines of one module.
"""

from __future__ import annotations

from dataclasses import dataclass

from llvmlite import ir

from safepoint_vm.generate.compiler import ModuleCompiler
from safepoint_vm.generate.instruction import I64, POINTER
from safepoint_vm.generate.ir_values import I1, VOID, Builder
from safepoint_vm.language.records import Thread, World
from safepoint_vm.language.vocabulary import Word, procedure

I32 = ir.IntType(32)
CLOCK = "llvm.readcyclecounter", ir.FunctionType(I64, [])
CTTZ = "llvm.cttz.i64", ir.FunctionType(I64, [I64, I1])
PAUSE = "llvm.x86.sse2.pause", ir.FunctionType(VOID, [])
YIELD = "sched_yield", ir.FunctionType(I32, [])  # of the C library
USLEEP = "usleep", ir.FunctionType(I32, [I32])  # of the C library
DAWDLE = "dawdle", ir.FunctionType(I64, [])
ENTER = "enter", ir.FunctionType(VOID, [I64] * 5)
MIXER = -7046029254386353131  # an odd number with its bits well spread: Knuth's, of the golden ratio
LONGEST_PAUSE = 511  # cycles


def declared(block: ir.Block, name: str, kind: ir.FunctionType) -> ir.Function:
    """A function of another module, or an intrinsic, declared once in the module of this block."""
    module = block.function.module
    known = next((function for function in module.functions if function.name == name), None)
    return known or ir.Function(module, kind, name)


@procedure
def clock() -> Word:
    """The processor's time stamp; of all cores the same where the kernel says `constant_tsc nonstop_tsc`."""


@procedure
def relax() -> Word:
    """Tell the processor that this is a loop that waits."""


@procedure
def give_way() -> Word:
    """Let the operating system run another thread on this core."""


@procedure
def sleep_for(microseconds: Word | int) -> Word: ...
@procedure
def peek(address: Word) -> Word:
    """Load a word that another core writes; never moved out of a loop."""


@procedure
def fence() -> Word:
    """Make this thread's stores so far visible."""


@procedure
def dawdle() -> Word:
    """Pause for a random time, up to LONGEST_PAUSE cycles."""


@procedure
def run(handler: Word, pc: Word, frame: Word, thread: Word, table: Word) -> Word:
    """Run guest code until machine code is left."""


@procedure
def post(thread: Thread, kind: Word | int, resume: Word | int) -> Word: ...
@procedure
def poison(thread: Thread, resume: Word | int) -> Word: ...
@procedure
def awaken(thread: Thread, resume: Word | int) -> Word: ...
@procedure
def handshake(thread: Thread, resume: Word | int) -> Word: ...
@procedure
def stop_world(world: World, resume: Word | int) -> Word: ...
@procedure
def start_world(world: World, resume: Word | int) -> Word: ...
@procedure
def slow_path(thread: Thread, resume: Word | int) -> Word: ...
@procedure
def push_failed(thread: Thread, end: Word | int, resume: Word | int) -> Word: ...
@procedure
def unmask(thread: Thread, resume: Word | int) -> Word: ...
@procedure
def look_again(thread: Thread, resume: Word | int) -> Word: ...
@procedure
def block(thread: Thread, resume: Word | int) -> Word: ...
@procedure
def leave(thread: Thread, resume: Word | int) -> Word: ...
@procedure
def reenter(thread: Thread, resume: Word | int) -> Word: ...


@procedure
def exit_thread(thread: Thread, resume: Word | int) -> Word: ...
@procedure
def ticker_back_edge(thread: Thread, resume: Word | int) -> Word: ...
@procedure
def ticker_post(thread: Thread, kind: Word | int, resume: Word | int) -> Word: ...


@dataclass(frozen=True)
class Primitives:
    """A part of an engine: `dawdle`, which the procedures call when they are compiled with `jitter`."""

    def generate(self) -> ir.Module:
        module = ir.Module("primitives")
        build = Builder(ir.Function(module, DAWDLE[1], DAWDLE[0]).append_basic_block())
        clock = declared(build.block, *CLOCK)
        began = build.call(clock, [])
        pause = build.and_(build.lshr(build.mul(began, I64(MIXER)), I64(40)), I64(LONGEST_PAUSE))
        again, done = build.block.function.append_basic_block(), build.block.function.append_basic_block()
        build.branch(again)
        build.position_at_end(again)
        build.cbranch(build.icmp_unsigned("<", build.sub(build.call(clock, []), began), pause), again, done)
        build.position_at_end(done)
        build.ret(pause)
        return module


def declare_primitives(compiler: ModuleCompiler) -> None:
    """Let the routines of a module call `clock`, `relax`, `give_way`, `sleep_for`, `peek`, `fence`, `dawdle` and `run`."""

    def define(name: str, count: int) -> Builder:
        function = ir.Function(compiler.module, ir.FunctionType(I64, [I64] * count), f"primitive.{name}")
        function.linkage = "internal"
        function.attributes.add("alwaysinline")
        compiler.functions[name] = function
        return Builder(function.append_basic_block())

    build = define("clock", 0)
    build.ret(build.call(declared(build.block, *CLOCK), []))
    for name, (callee, kind) in {"relax": PAUSE, "give_way": YIELD}.items():
        build = define(name, 0)
        build.call(declared(build.block, callee, kind), [])
        build.ret(I64(0))
    build = define("sleep_for", 1)
    build.call(declared(build.block, *USLEEP), [build.trunc(compiler.functions["sleep_for"].args[0], I32)])
    build.ret(I64(0))
    build = define("peek", 1)
    where = build.inttoptr(compiler.functions["peek"].args[0], POINTER)
    build.ret(build.load_atomic(where, "acquire", 8, typ=I64))
    build = define("fence", 0)
    build.fence("seq_cst")
    build.ret(I64(0))
    build = define("dawdle", 0)
    build.ret(build.call(declared(build.block, *DAWDLE), []))
    build = define("run", 5)
    build.call(declared(build.block, *ENTER), compiler.functions["run"].args)
    build.ret(I64(0))
