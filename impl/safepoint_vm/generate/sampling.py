"""The profiled variant: a check that serves SAMPLE takes a sample of its thread; and what asks threads for samples, tick by tick."""

from __future__ import annotations

from dataclasses import dataclass

from llvmlite import ir

from safepoint.protocol.words import SAMPLE
from safepoint_vm.generate.compiler import ModuleCompiler
from safepoint_vm.generate.instruction import I64, POINTER
from safepoint_vm.generate.ir_values import Builder
from safepoint_vm.generate.protocol import ProcedureEmitter, add_protocol
from safepoint_vm.generate.triggers import Widths
from safepoint_vm.handlers.shared import sampling, ticking
from safepoint_vm.handlers.shared.ticking import MONOTONIC

I32 = ir.IntType(32)
SECOND = 10**9
"""Nanoseconds."""
AT_THAT_TIME = 1
"""The flag of `clock_nanosleep` for a time that is not counted from now."""
OF_WORDS = ir.FunctionType(I64, [I64, I64])


@dataclass
class SamplingEmitter(ProcedureEmitter):
    """Emits one graph in which SAMPLE is served by a sample."""

    def served(self, kind: int) -> None:
        super().served(kind)
        if kind == SAMPLE:
            self.builder.call(self.function.module.globals["serve_sample"], [self.me, I64(0)])


def add_profiled_protocol(module: ir.Module, mutant: str, trigger: str, widths: Widths) -> None:
    """As `add_protocol`, profiled; and what takes samples and asks for them."""
    compiler = ModuleCompiler(module, {"PROTOCOL": True})
    for routine in (sampling.serve_sample, sampling.at_threshold, sampling.begin_tlab, sampling.end_tlab):
        compiler.routine(routine)
    add_protocol(module, mutant, hooked=False, emitter=SamplingEmitter, trigger=trigger, widths=widths)
    compiler.functions |= {"post": module.globals["post"]}
    compiler.functions |= {"clock_now": _add_clock_now(module), "sleep_until": _add_sleep_until(module)}
    compiler.routine(ticking.tick)


def _of_words(module: ir.Module, name: str) -> tuple[ir.Function, Builder, ir.Value]:
    """A function of words, with room for a `struct timespec`: two words, seconds and nanoseconds."""
    function = ir.Function(module, OF_WORDS, name)
    function.attributes.add("nounwind")
    build = Builder(function.append_basic_block())
    return function, build, build.alloca(I64, 2)


def _part(build: Builder, time: ir.Value, index: int) -> ir.Value:
    return build.gep(time, [I64(index)], source_etype=I64)


def _add_clock_now(module: ir.Module) -> ir.Function:
    """clock_now(clock, resume): as `language.machine` declares it."""
    function, build, time = _of_words(module, "clock_now")
    system = ir.Function(module, ir.FunctionType(I32, [I32, POINTER]), "clock_gettime")
    for index in (0, 1):
        build.store(I64(0), _part(build, time, index))
    build.call(system, [build.trunc(function.args[0], I32), time])
    seconds, rest = (build.load(_part(build, time, index), typ=I64) for index in (0, 1))
    build.ret(build.add(build.mul(seconds, I64(SECOND)), rest))
    return function


def _add_sleep_until(module: ir.Module) -> ir.Function:
    """sleep_until(time, resume): as `language.machine` declares it."""
    function, build, time = _of_words(module, "sleep_until")
    system = ir.Function(module, ir.FunctionType(I32, [I32, I32, POINTER, POINTER]), "clock_nanosleep")
    seconds = build.udiv(function.args[0], I64(SECOND))
    build.store(seconds, _part(build, time, 0))
    build.store(build.sub(function.args[0], build.mul(seconds, I64(SECOND))), _part(build, time, 1))
    build.call(system, [I32(MONOTONIC), I32(AT_THAT_TIME), time, build.inttoptr(I64(0), POINTER)])
    build.ret(I64(0))
    return function
