"""Checks that load from a page: the instruction, where it goes on if it faults, and the table of both in an object file.

The load is an `asm goto`: LLVM knows that control may leave it either way, so a check that fails is an ordinary branch, to its slow handler or
anywhere else, and every register holds there what the code expects.  r14 holds the thread's record at the load, in handlers and routines alike
(in a handler it is its third argument anyway): so a fault handler knows whose page it is.
"""

from __future__ import annotations

from llvmlite import ir
from llvmlite.ir.instructions import Terminator

from safepoint_vm.generate.instruction import I64

SECTION = ".checks."
"""Before the name of a module: a section of its object file, for each check the two words of a `language.signals.Check`."""
LOAD = (
    r"1: testb %al, ($0)\0A.pushsection {section},\22a\22,@progbits\0A.quad 1b - .\0A.quad ${{2:l}} - .\0A.popsection"
)
OPERANDS = "r,{r14},!i,~{dirflag},~{fpsr},~{flags},~{memory}"


END = "end"
"""Before the section's name: the symbol of the one word that comes after its checks."""


class LoadOrFault(Terminator):
    """Load a byte at an address: go on in one block, or, if a handler of the fault says so, in the other."""

    def __init__(
        self, block: ir.Block, address: ir.Value, thread: ir.Value, passed: ir.Block, failed: ir.Block
    ) -> None:
        super().__init__(block, "callbr", [address, thread, passed, failed])

    def descr(self, buf: list[str]) -> None:
        address, thread, passed, failed = (f"{each.type} {each.get_reference()}" for each in self.operands)
        text = LOAD.format(section=SECTION + self.module.name)
        buf.append(f'callbr void asm sideeffect "{text}", "{OPERANDS}"({address}, {thread}) to {passed} [{failed}]')


def load_faults(build: ir.IRBuilder, address: ir.Value, thread: ir.Value) -> ir.Value:
    """Emit the load.  Returns whether it faults."""
    mark_end(build.function.module)
    passed, failed, after = (build.function.append_basic_block(name) for name in ("passed", "faulted", "loaded"))
    block = build.block
    load = LoadOrFault(block, address, thread, passed, failed)
    block.instructions.append(load)
    block.terminator = load
    for each in (passed, failed):
        build.position_at_end(each)
        build.branch(after)
    build.position_at_end(after)
    faulted = build.phi(ir.IntType(1))
    faulted.add_incoming(ir.IntType(1)(0), passed)
    faulted.add_incoming(ir.IntType(1)(1), failed)
    return faulted


def mark_end(module: ir.Module) -> None:
    """Add that word, once: LLVM emits it after all functions, and so after what they put into the section."""
    section = SECTION + module.name
    if END + section not in module.globals:
        end = ir.GlobalVariable(module, I64, END + section)
        end.section, end.global_constant, end.initializer = section, True, I64(0)
