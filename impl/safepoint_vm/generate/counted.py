"""What the text says of the checks that handlers make; and the hook in the middle of one that counts.

A handler calls it between the load of its ticker and the store of what is left: so a controlled schedule can let a post come there, whose
poison the store overwrites.
"""

from __future__ import annotations

import functools

from llvmlite import ir

from safepoint.graph import ir as graph
from safepoint.graph.gather import without_roles
from safepoint.graph.instance import Instance
from safepoint.graph.lower import compile_graph
from safepoint.graph.text import Text
from safepoint.protocol.policy import elsewhere
from safepoint_vm.generate.hooks import CHECK, HOOK, at_step
from safepoint_vm.generate.instruction import I8, I64
from safepoint_vm.generate.procedures import COUNTING, declare
from safepoint_vm.generate.triggers import TRIGGERS
from safepoint_vm.language.layout import fields
from safepoint_vm.language.records import Thread

PUSH, ELSEWHERE = "frame_push", "elsewhere"


@functools.cache
def stores_of(trigger: str) -> tuple[graph.Step, ...]:
    """The stores that a passed back-edge of this trigger makes, as the text has them; most make none.

    trigger: a file of `protocol.triggers`.
    """
    check = compile_graph(without_roles(trigger), CHECK, Instance(threads=None))
    return tuple(step for step in check.steps if step.op == "store" and step.where == (CHECK,))


@functools.cache
def changes_a_check(mutant: str, trigger: str, sites: tuple[str, ...]) -> bool:
    """Does a mutant of the text make other accesses at a check?  `sites`: where the policy checks."""
    text, checks = without_roles(trigger), (PUSH, CHECK, *([ELSEWHERE] if elsewhere(sites) else []))
    return mutant in text.mutants and any(
        _accesses(text, name, mutant, sites) != _accesses(text, name, "", sites) for name in checks
    )


def _accesses(text: Text, name: str, mutant: str, sites: tuple[str, ...]) -> list[str]:
    return [step.name for step in compile_graph(text, name, Instance(None, mutant, sites=sites)).steps]


def add_count_hook(module: ir.Module, trigger: str) -> None:
    """count_hook(thread, left): call the thread's hook, as before any other access."""
    (step,) = stores_of(trigger)
    assert step.cell is not None
    function = declare(module, "count_hook", COUNTING["count_hook"])
    function.attributes.add("noinline")
    build = ir.IRBuilder(function.append_basic_block())
    thread, left, _ = function.args
    where = build.gep(thread, [I64(TRIGGERS[step.cell.word].at)], source_etype=I8)
    hook = build.load(build.gep(thread, [I64(fields(Thread)["hook"].offset)], source_etype=I8), typ=HOOK.as_pointer())
    build.call(hook, [thread, I64(at_step(CHECK, step.number)), build.ptrtoint(where, I64), left, I64(0)])
    build.ret(I64(0))
