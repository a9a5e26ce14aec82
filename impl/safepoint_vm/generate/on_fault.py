"""The machine code of the handler of SIGSEGV: `page_faults` loads it and knows what it knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from llvmlite import ir

from safepoint_vm.generate.code_image import EngineCode
from safepoint_vm.generate.compiler import ModuleCompiler
from safepoint_vm.generate.instruction import I32, I64, POINTER
from safepoint_vm.generate.linker import link
from safepoint_vm.generate.object_code import object_file
from safepoint_vm.handlers.shared.page_faults import on_fault


@dataclass(frozen=True)
class OnFault:
    """The handler, and what it calls."""

    def generate(self) -> ir.Module:
        module = ir.Module("on_fault")
        compiler = ModuleCompiler(module, {"PROTOCOL": True})
        compiler.functions |= {
            "known_faults": _add_known_faults(module),
            "call_handler": _add_call_handler(module),
            "put_back": _add_put_back(module),
            "send_again": _add_send_again(module),
        }
        compiler.routine(on_fault)
        return module


def _function(module: ir.Module, name: str, parameters: Sequence[ir.Type]) -> tuple[ir.Function, ir.IRBuilder]:
    function = ir.Function(module, ir.FunctionType(I64, parameters), name)
    return function, ir.IRBuilder(function.append_basic_block())


def _add_known_faults(module: ir.Module) -> ir.Function:
    """As `language.signals` declares it; and `use_faults(address)`, which sets it.  No address of this process is in the code."""
    known = ir.GlobalVariable(module, I64, "address_of_faults")
    known.linkage, known.initializer = "internal", I64(0)
    setter, build = _function(module, "use_faults", [I64])
    build.store(setter.args[0], known)
    build.ret(I64(0))
    getter, build = _function(module, "known_faults", [])
    build.ret(build.load(known, typ=I64))
    return getter


def _add_call_handler(module: ir.Module) -> ir.Function:
    function, build = _function(module, "call_handler", [I64, I64, POINTER, POINTER])
    handler, number, info, context = function.args
    kind = ir.FunctionType(ir.VoidType(), [I32, POINTER, POINTER])
    build.call(build.inttoptr(handler, kind.as_pointer()), [build.trunc(number, I32), info, context])
    build.ret(I64(0))
    return function


def _add_put_back(module: ir.Module) -> ir.Function:
    function, build = _function(module, "put_back", [POINTER, I64])
    saved, number = function.args
    system = ir.Function(module, ir.FunctionType(I32, [I32, POINTER, POINTER]), "sigaction")
    build.call(system, [build.trunc(number, I32), saved, build.inttoptr(I64(0), POINTER)])
    build.ret(I64(0))
    return function


def _add_send_again(module: ir.Module) -> ir.Function:
    function, build = _function(module, "send_again", [I64])
    system = ir.Function(module, ir.FunctionType(I32, [I32]), "raise")
    build.call(system, [build.trunc(function.args[0], I32)])
    build.ret(I64(0))
    return function


def on_fault_code() -> EngineCode:
    """The handler, linked."""
    return EngineCode(link([object_file(OnFault())]), {}, {})
